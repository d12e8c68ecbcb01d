"""States of the agent, and the moves that exist: the transition table."""

from __future__ import annotations

from enum import StrEnum


class AgentState(StrEnum):
    """The agent's present doing."""

    IDLE = "idle"
    PROCESSING = "processing"
    """A request was sent; nothing has come yet."""
    RESPONDING = "responding"
    """Tokens arrive."""
    RUNNING_TOOLS = "running_tools"
    WAITING_APPROVAL = "waiting_approval"
    WAITING_KERNEL = "waiting_kernel"
    """A tool needs the main thread, and a cell has it."""
    WAITING_RETRY = "waiting_retry"
    ERROR = "error"
    CLOSED = "closed"


class Trigger(StrEnum):
    """A cause of a move of the state machine."""

    USER_MESSAGE = "user_message"
    FIRST_TOKEN = "first_token"
    TOOL_CALLS = "tool_calls"
    TOOLS_DONE = "tools_done"
    APPROVAL_NEEDED = "approval_needed"
    APPROVAL_ANSWERED = "approval_answered"
    KERNEL_NEEDED = "kernel_needed"
    KERNEL_READY = "kernel_ready"
    RETRY_NEEDED = "retry_needed"
    RETRY_DUE = "retry_due"
    ANSWER_DONE = "answer_done"
    FAILURE = "failure"
    RECOVERED = "recovered"
    INTERRUPT = "interrupt"
    SHUTDOWN = "shutdown"


S, T = AgentState, Trigger

TRANSITIONS: dict[tuple[AgentState, Trigger], AgentState] = {
    (S.IDLE, T.USER_MESSAGE): S.PROCESSING,
    (S.PROCESSING, T.FIRST_TOKEN): S.RESPONDING,
    (S.PROCESSING, T.TOOL_CALLS): S.RUNNING_TOOLS,
    (S.PROCESSING, T.RETRY_NEEDED): S.WAITING_RETRY,
    (S.PROCESSING, T.ANSWER_DONE): S.IDLE,
    (S.PROCESSING, T.FAILURE): S.ERROR,
    (S.WAITING_RETRY, T.RETRY_DUE): S.PROCESSING,
    (S.WAITING_RETRY, T.FAILURE): S.ERROR,
    (S.RESPONDING, T.TOOL_CALLS): S.RUNNING_TOOLS,
    (S.RESPONDING, T.ANSWER_DONE): S.IDLE,
    (S.RESPONDING, T.FAILURE): S.ERROR,
    (S.RUNNING_TOOLS, T.TOOLS_DONE): S.PROCESSING,
    (S.RUNNING_TOOLS, T.APPROVAL_NEEDED): S.WAITING_APPROVAL,
    (S.RUNNING_TOOLS, T.KERNEL_NEEDED): S.WAITING_KERNEL,
    (S.RUNNING_TOOLS, T.FAILURE): S.ERROR,
    (S.WAITING_APPROVAL, T.APPROVAL_ANSWERED): S.RUNNING_TOOLS,
    (S.WAITING_APPROVAL, T.FAILURE): S.ERROR,
    (S.WAITING_KERNEL, T.KERNEL_READY): S.RUNNING_TOOLS,
    (S.WAITING_KERNEL, T.FAILURE): S.ERROR,
    (S.ERROR, T.RECOVERED): S.IDLE,
    **{(state, T.INTERRUPT): S.IDLE for state in S if state is not S.CLOSED},
    **{(state, T.SHUTDOWN): S.CLOSED for state in S},
}
