"""`Rustbot`: builds the parts, wires them, delegates. Whoever decides something lives a layer lower."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import contextvars
import dataclasses
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from rustbot_jupyter.analysis import figures, frames
from rustbot_jupyter.engine.metrics import unit_of
from rustbot_jupyter.engine.server_shelf import ServerShelf
from rustbot_jupyter.engine.states import AgentState
from rustbot_jupyter.engine.tool_shelf import ToolShelf
from rustbot_jupyter.engine.waiting import WaitingMessages
from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.notebook import tool_code
from rustbot_jupyter.notebook.cell_approvals import CellApprovals, watched
from rustbot_jupyter.notebook.mainloop import main_thread, open_to_interrupts

if TYPE_CHECKING:
    import pandas as pd

    from rustbot_jupyter.engine.agent import Agent
    from rustbot_jupyter.engine.plan import TurnRequest
    from rustbot_jupyter.engine.planner import ModelPlanner
    from rustbot_jupyter.engine.reply import Reply
    from rustbot_jupyter.engine.toolbox import Toolbox
    from rustbot_jupyter.engine.turn import Turn
    from rustbot_jupyter.events import AssistantEvent
    from rustbot_jupyter.messages import ConversationHistory
    from rustbot_jupyter.notebook.widget import ChatWidget
    from rustbot_jupyter.parts import Parts
    from rustbot_jupyter.settings.layers import Settings
    from rustbot_jupyter.tools.approval import Approval
    from rustbot_jupyter.tools.base import ToolResult
    from rustbot_jupyter.tools.rules import Rules

# What a question needs is imported with the first one, or after the chat was drawn: pydantic and the events take as
# long to load as half a kernel, and showing the chat needs none of it.

T = TypeVar("T")

TABS = ("chat", "events", "settings")
STOP_WAIT_S = 2.0
"""How long a stop waits until the connection is closed and what had come is kept."""


class Rustbot:
    """An assistant in this kernel. Show it in a cell for the chat; ask it from Python.

    Nothing runs before the first question or the first chat shown: no thread, no connection.

    Args:
        model: Who answers, as "vendor/name"; None takes the settings' model, or the offline demo without a key.
        profile: Name of a profile in the settings file.
        api_key: The provider's key, kept in memory; None looks for `OPENROUTER_API_KEY`, `.env` and saved keys.
        base_url: Another server that speaks the same protocol, e.g. "http://localhost:11434/v1".
        tools: Names or patterns of the tools it offers, and functions to add; None offers all, () none.
        approve: "ask" before a tool does more than read, "read-only" to refuse that, or "allow" everything until the
            conversation ends; None takes the settings'.
        max_cost_usd: What this bot may spend in all, in US dollars; None is no limit.

    Raises:
        SettingsError: A value, or the profile's name, cannot be used.
        RequestError: One of `tools` is no tool, there is no such `approve`, or `max_cost_usd` is no amount.
    """

    def __init__(
        self,
        model: str | None = None,
        profile: str | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        tools: Iterable[Any] | None = None,
        approve: str | None = None,
        max_cost_usd: float | None = None,
    ) -> None:
        secret = None
        if api_key is not None:
            from rustbot_jupyter.settings.secrets import given_key

            # Hidden at once: a traceback that shows this frame's variables must not show the key.
            secret, api_key = given_key(api_key), None
        self._arguments: dict[str, Any] = {
            "model": model,
            "profile": profile,
            "api_key": secret,
            "base_url": base_url,
            "tools": tools,
            "approve": approve,
            "max_cost_usd": max_cost_usd,
        }
        self._lock = threading.Lock()
        self._made: Parts | None = None
        self._is_closed = False
        self._widget: ChatWidget | None = None
        self.queue = WaitingMessages(self)
        self.tools = ToolShelf(self)
        self.mcp = ServerShelf(self)
        self.figures = figures.BotFigures(states=self.states, usage=self.usage, tool_runs=self.tool_runs)
        if any(value is not None for value in self._arguments.values()):
            # An argument that cannot be used is told here, where it was written.
            self._make_parts()

    # Asking.

    def ask(
        self,
        question: str,
        *,
        model: str | None = None,
        tools: Iterable[Any] | None = None,
        timeout: float | None = None,
        max_cost_usd: float | None = None,
    ) -> Reply:
        """Ask and wait for the answer; from a cell, a script, any thread, also while an event loop runs.

        An interrupt stops the answer and keeps what had come (`bot.conversation.messages[-1]`).

        Args:
            question: Text or Markdown.
            model: Another model for this question only.
            tools: The tools it may use, by name, pattern or function; None for all that the bot offers, () for none.
            timeout: Longest duration in seconds; None leaves it to the timeouts of the settings.
            max_cost_usd: What this question may cost at most, in US dollars.

        Returns:
            The reply; its status is `interrupted` when it was stopped or the connection broke on the way.

        Raises:
            RustbotError: There is no answer; `.reply` holds what there is.
        """
        return self.wait_for(self.submit(self._request(question, model, tools, timeout, max_cost_usd)))

    async def ask_async(
        self,
        question: str,
        *,
        model: str | None = None,
        tools: Iterable[Any] | None = None,
        timeout: float | None = None,
        max_cost_usd: float | None = None,
    ) -> Reply:
        """Like `ask`, without blocking the caller's event loop; cancelling it stops the answer."""
        turn = self.submit(self._request(question, model, tools, timeout, max_cost_usd))
        try:
            with open_to_interrupts(), self._asking(turn.id):
                return await asyncio.shield(asyncio.wrap_future(turn.outcome))
        except asyncio.CancelledError:
            self.agent.interrupt(only_turn=turn.id)
            raise

    async def stream(
        self,
        question: str,
        *,
        model: str | None = None,
        tools: Iterable[Any] | None = None,
        timeout: float | None = None,
        max_cost_usd: float | None = None,
    ) -> AsyncIterator[AssistantEvent]:
        """Ask, and get each event of the turn as it happens; text comes as `TextStreamed`.

        Leaving the loop early stops the answer.

        Raises:
            RustbotError: There is no answer; raised after `TurnFailed` was yielded.
        """
        from rustbot_jupyter.engine.inbox import Inbox
        from rustbot_jupyter.events import TurnFailed, TurnFinished, TurnInterrupted

        events = Inbox()
        agent = self._parts.running_agent()
        unsubscribe = agent.bus.subscribe(events.put, settled=events.settle)
        turn = None
        is_over = False
        try:
            turn = self.submit(self._request(question, model, tools, timeout, max_cost_usd))
            # One card from the first event to the last, so that it stays while others come.
            with self._asking(turn.id):
                while not is_over:
                    with open_to_interrupts():
                        event = await events.get()
                    if event.turn_id != turn.id:
                        continue
                    is_over = isinstance(event, TurnFinished | TurnInterrupted | TurnFailed)
                    yield event
            if turn.error is not None and isinstance(event, TurnFailed):
                raise turn.error
        finally:
            unsubscribe()
            if turn is not None and not is_over:
                agent.interrupt(only_turn=turn.id)

    def _request(
        self,
        question: str,
        model: str | None,
        tools: Iterable[Any] | None,
        timeout: float | None,
        max_cost_usd: float | None,
    ) -> TurnRequest:
        from rustbot_jupyter.engine.plan import TurnRequest, check_question
        from rustbot_jupyter.messages import user_message

        check_question(question)
        return TurnRequest(
            message=user_message(question),
            source="api",
            overrides={} if model is None else {"model": model},
            tools=None if tools is None else self._parts.toolset.names_of(tools),
            timeout_s=timeout,
            max_cost_usd=max_cost_usd,
        )

    def submit(self, request: TurnRequest) -> Turn:
        """Queue a question; `turn.outcome` is the future of its reply.

        Raises:
            RequestError: The question is empty, too many wait already, or the bot is closed.
        """
        return self._parts.running_agent().submit(request)

    def wait_for(self, turn: Turn) -> Reply:
        """The reply of a turn; a KeyboardInterrupt on the way stops the turn and is raised on.

        Raises:
            RustbotError: There is no answer.
        """
        self._parts.refuse_waiting_here()
        try:
            return self._served(turn.outcome, turn.id)
        except KeyboardInterrupt:
            self.agent.interrupt(only_turn=turn.id)
            concurrent.futures.wait([turn.outcome], timeout=STOP_WAIT_S)
            raise

    def _served(self, future: concurrent.futures.Future[T], turn_id: str) -> T:
        """The result of a future, while the caller does what only its thread can: main-thread tools, approvals."""
        with main_thread.serving() as wait, watched(self, turn_id, wait.wake) as approvals:
            future.add_done_callback(lambda done: wait.wake())
            while not future.done():
                # Before the wait: something may have asked before anybody watched.
                approvals.look()
                wait.wait()
        return future.result()

    @contextlib.contextmanager
    def _asking(self, turn_id: str) -> Iterator[None]:
        """Show approvals below the cell that awaits a turn; where there can be no card, say how to answer."""
        loop, context = asyncio.get_running_loop(), contextvars.copy_context()
        approvals = CellApprovals(self, turn_id, may_prompt=False)

        def look() -> None:
            loop.call_soon_threadsafe(approvals.look, context=context)

        end = self.toolbox.approvals.on_change(look)
        # Something may have asked before anybody watched.
        loop.call_soon(approvals.look)
        try:
            yield
        finally:
            end()
            approvals.close()

    def interrupt(self) -> None:
        """Stop what runs; returns when it is stopped. Harmless when nothing runs, however often it is called."""
        if self._made is None:
            return
        active = self.agent.active
        self.agent.interrupt()
        if active is not None and not self._made.is_on_core:
            concurrent.futures.wait([active.outcome], timeout=STOP_WAIT_S)

    # What there is to see.

    @property
    def state(self) -> AgentState:
        """Return what the bot does now."""
        if self._is_closed:
            return AgentState.CLOSED
        return self._made.agent.machine.state if self._made is not None else AgentState.IDLE

    @property
    def settings(self) -> Settings:
        """The settings; assign to change one for this session, `.explain()` tells where each value comes from."""
        return self._parts.settings

    @property
    def model(self) -> str:
        """Return who answers: the settings' model, or the offline demo without a key."""
        return self.planner.model()

    @model.setter
    def model(self, name: str) -> None:
        self.settings.set("model", name)

    @property
    def conversation(self) -> ConversationHistory:
        """The current conversation; `.messages` are its `Message`s."""
        return self.agent.conversation

    @property
    def agent(self) -> Agent:
        """The engine behind this bot."""
        return self._parts.agent

    @property
    def planner(self) -> ModelPlanner:
        """Return what resolves settings into requests: models, keys, prices."""
        return self._parts.planner

    @property
    def toolbox(self) -> Toolbox:
        """Return what runs tools, with rules, approvals and records.

        Raises:
            RequestError: Code of a model asks, which may not change what is allowed.
        """
        # No fence: what runs in this process can do everything. But nothing is loosened by a line of code alone.
        if tool_code.running.get() is not None:
            raise RequestError("Code of a model cannot use or change tools, approvals and rules. Do it yourself.")
        return self._parts.toolbox

    @property
    def approvals(self) -> list[Approval]:
        """Return what waits for your word, oldest first; answer with `.allow()` or `.deny()`."""
        return self.toolbox.approvals.pending()

    @property
    def rules(self) -> Rules:
        """Your standing answers: `.add(tool, pattern, decision)`, `.remove(id)`; a deny beats everything."""
        return self.toolbox.rules

    @property
    def approve(self) -> str:
        """Return what happens with tool calls that no rule speaks of: "ask", "read-only" or "allow"."""
        return self.toolbox.consent.mode(self.conversation.id).value

    @approve.setter
    def approve(self, mode: str) -> None:
        from rustbot_jupyter.tools.consent import ApproveMode

        self.toolbox.consent.set_mode(self.conversation.id, ApproveMode.named(mode))

    def usage(self) -> pd.DataFrame:
        """One row per request: tokens, cost, times; of this kernel's life."""
        return frames.usage_frame(dataclasses.asdict(record) for record in self.agent.usage_log.records)

    def events(self) -> pd.DataFrame:
        """One row per event, in the order they were handled."""
        return frames.events_frame(_event_row(event) for event in self.agent.log.all())

    def states(self) -> pd.DataFrame:
        """One row per stay in a state; the last one is open."""
        return frames.states_frame(dataclasses.asdict(visit) for visit in self.agent.machine.history())

    def tool_runs(self) -> pd.DataFrame:
        """One row per tool call: who allowed it, how it ended, how long it waited and took."""
        return frames.tool_runs_frame(run.row() for run in self._parts.toolbox.runs.all())

    def metrics(self) -> pd.DataFrame:
        """One row per measured value: memory, CPU, queue; sampled every second while the bot was active."""
        from rustbot_jupyter.events import MetricsSampled

        return frames.metrics_frame(
            {"time": event.time, "name": name, "value": value, "unit": unit_of(name)}
            for event in self.agent.log.all()
            if isinstance(event, MetricsSampled)
            for name, value in event.values.items()
        )

    def models(self, words: str = "") -> pd.DataFrame:
        """The models that can be asked, with prices in US dollars per million tokens; `words` filters by name.

        `asked_without` tells what a model refused within the last day, and is asked without for now.
        """
        _check_text("words", words)
        return frames.models_frame(self.planner.catalog.search(words), self._refused())

    def _refused(self) -> dict[str, str]:
        lessons = self.planner.lessons
        if not self._is_closed:
            self.run(lessons.ready())
        return {model: ", ".join(map(str, learnt)) for model, learnt in lessons.all().items()}

    def refresh_models(self, timeout: float = 10.0, *, try_again: bool = False) -> str:
        """Fetch the server's model list now; "" when it came, else one sentence why the last one is still used.

        Args:
            timeout: Longest wait in seconds.
            try_again: Forget, too, what the server refused within the last day: it may take it now.
        """
        self._parts.refuse_waiting_here()
        catalog, client = self.planner.catalog, self.planner.client()
        if try_again:
            self.run(self.planner.lessons.forget())
        with contextlib.suppress(TimeoutError):
            self.run(asyncio.wait_for(catalog.refresh(client), timeout))
            return catalog.problem
        return f"{client.host} sent no model list within {timeout:g} s; the last one is used."

    # Tools.

    def tool(self, function: Callable[..., Any] | None = None, **options: Any) -> Any:
        """Make a function a tool: `@bot.tool`, or `@bot.tool(risk="read")` with the options of `bot.tools.add`.

        The function stays what it is.

        Raises:
            RequestError: It cannot be a tool; says why.
        """
        if function is None:
            return lambda decorated: self.tool(decorated, **options)
        self.tools.add(function, **options)
        return function

    def call_tool(self, name: str, arguments: dict[str, Any]) -> ToolResult:
        """Run a tool for the user, consent included; what `bot.tools.call` does.

        Raises:
            ToolError: It came to nothing; says why.
        """
        agent = self._parts.running_agent()
        return self.run(agent.call_tool(name, arguments))

    # The chat.

    def chat(self, tab: str = "chat") -> ChatWidget:
        """The chat widget with this tab open: chat, events or settings. A bot has one; shown twice it has two views.

        Raises:
            RequestError: There is no such tab.
        """
        if tab not in TABS:
            raise RequestError(f"There is no tab {_shown(tab)}; there are {', '.join(TABS)}.")
        if self._widget is None or self._widget.is_closed:
            from rustbot_jupyter.notebook.widget import ChatWidget

            self._widget = ChatWidget(self)
        self._widget.tab = tab
        return self._widget

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return self.chat()._repr_mimebundle_(**kwargs)

    def __repr__(self) -> str:
        return f"Rustbot(model={self.model!r}, state={self.state.value!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A bot is not copied or pickled: it has a thread and may have a key. Make a new one.")

    # Life.

    def new_conversation(self, title: str = "") -> ConversationHistory:
        """Start an empty conversation and make it the current one; what runs is stopped."""
        _check_text("title", title)
        agent = self._parts.running_agent()
        return self.run_on_core(lambda: agent.new_conversation(title=title))

    def run_on_core(self, function: Callable[[], T]) -> T:
        """The result of a quick function, run on the core thread, where the engine's state may be changed."""
        return self._parts.running_core().call(function)

    def post(self, function: Callable[[], None]) -> None:
        """Have a quick function run on the core thread, without waiting for it; forgotten once the bot is closed."""
        # The loop may end between the look and the call: the bot was closed by another thread.
        with contextlib.suppress(RequestError, RuntimeError):
            self._parts.running_core().loop.call_soon_threadsafe(function)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine, run on the core thread while the caller waits."""
        future = self._parts.start(coroutine)
        try:
            return self._served(future, "")
        except KeyboardInterrupt:
            future.cancel()
            raise

    def close(self) -> None:
        """Stop everything and leave no task, socket or thread behind. The frames stay readable."""
        self._is_closed = True
        if self._widget is not None:
            self._widget.close()
        if self._made is not None:
            self._made.close()

    @property
    def _parts(self) -> Parts:
        return self._made or self._make_parts()

    def _make_parts(self) -> Parts:
        from rustbot_jupyter.parts import Parts

        with self._lock:
            if self._made is None:
                self._made = Parts(**self._arguments)
                if self._is_closed:
                    self._made.close()
            return self._made


def _check_text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise RequestError(f"{name!r} cannot be {_shown(value)}: it is a text.")


def _shown(value: object) -> str:
    # It may be a key in the wrong place.
    from rustbot_jupyter.settings.profile import shown

    return shown(value)


def _event_row(event: AssistantEvent) -> dict[str, Any]:
    from rustbot_jupyter.settings.redaction import redact, redact_data

    return {
        "seq": event.seq,
        "time": event.time,
        "kind": event.kind,
        "priority": event.priority.name,
        "state": event.state,
        "conversation_id": event.conversation_id,
        "turn_id": event.turn_id,
        "duration_s": event.duration_s,
        "summary": redact(event.summary),
        "data": redact_data(event.data),
    }
