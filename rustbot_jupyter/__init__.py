"""Rustbot for Jupyter: an LLM assistant that lives in the kernel.

    import rustbot_jupyter as rb

    bot = rb.Rustbot()
    bot                      # in a cell: the chat
    bot.ask("...").text      # from Python
    %load_ext rustbot_jupyter   # %rustbot and %%rustbot

Importing registers nothing, touches no network and loads what is named only when it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from rustbot_jupyter.analysis import figures
    from rustbot_jupyter.current import get_bot, set_bot
    from rustbot_jupyter.engine.reply import Reply
    from rustbot_jupyter.engine.states import AgentState
    from rustbot_jupyter.errors import (
        AuthenticationFailed,
        BadRequest,
        BudgetExceeded,
        ConnectionFailed,
        ContextTooLong,
        InvalidAnswer,
        ModelError,
        ModelTimeout,
        OutOfCredits,
        ProviderUnavailable,
        RateLimited,
        RequestBlocked,
        RequestError,
        RustbotError,
        SchemaError,
        SettingsError,
        StreamBroken,
        ToolError,
        ToolRefused,
        ToolTimeout,
        UnknownModel,
        UnsupportedVersion,
    )
    from rustbot_jupyter.events import AssistantEvent, Priority
    from rustbot_jupyter.logs import log_to
    from rustbot_jupyter.messages import ConversationHistory, Message, MessageRole, MessageStatus
    from rustbot_jupyter.rustbot import Rustbot
    from rustbot_jupyter.tools.base import Tool, ToolContext, ToolDefinition, ToolResult
    from rustbot_jupyter.tools.registry import ToolRegistry
    from rustbot_jupyter.usage import Usage

_HOMES = {
    "AgentState": "engine.states",
    "AssistantEvent": "events",
    "AuthenticationFailed": "errors",
    "BadRequest": "errors",
    "BudgetExceeded": "errors",
    "ConnectionFailed": "errors",
    "ContextTooLong": "errors",
    "ConversationHistory": "messages",
    "InvalidAnswer": "errors",
    "Message": "messages",
    "MessageRole": "messages",
    "MessageStatus": "messages",
    "ModelError": "errors",
    "ModelTimeout": "errors",
    "OutOfCredits": "errors",
    "Priority": "events",
    "ProviderUnavailable": "errors",
    "RateLimited": "errors",
    "Reply": "engine.reply",
    "RequestBlocked": "errors",
    "RequestError": "errors",
    "Rustbot": "rustbot",
    "RustbotError": "errors",
    "SchemaError": "errors",
    "SettingsError": "errors",
    "StreamBroken": "errors",
    "Tool": "tools.base",
    "ToolContext": "tools.base",
    "ToolDefinition": "tools.base",
    "ToolError": "errors",
    "ToolRefused": "errors",
    "ToolRegistry": "tools.registry",
    "ToolResult": "tools.base",
    "ToolTimeout": "errors",
    "UnknownModel": "errors",
    "UnsupportedVersion": "errors",
    "Usage": "usage",
    "get_bot": "current",
    "log_to": "logs",
    "set_bot": "current",
}

__all__ = [
    "AgentState",
    "AssistantEvent",
    "AuthenticationFailed",
    "BadRequest",
    "BudgetExceeded",
    "ConnectionFailed",
    "ContextTooLong",
    "ConversationHistory",
    "InvalidAnswer",
    "Message",
    "MessageRole",
    "MessageStatus",
    "ModelError",
    "ModelTimeout",
    "OutOfCredits",
    "Priority",
    "ProviderUnavailable",
    "RateLimited",
    "Reply",
    "RequestBlocked",
    "RequestError",
    "Rustbot",
    "RustbotError",
    "SchemaError",
    "SettingsError",
    "StreamBroken",
    "Tool",
    "ToolContext",
    "ToolDefinition",
    "ToolError",
    "ToolRefused",
    "ToolRegistry",
    "ToolResult",
    "ToolTimeout",
    "UnknownModel",
    "UnsupportedVersion",
    "Usage",
    "figures",
    "get_bot",
    "log_to",
    "set_bot",
]


def __getattr__(name: str) -> Any:
    # Loaded on first use: `%load_ext` must not make a kernel's start slower.
    if name == "figures":
        return import_module("rustbot_jupyter.analysis.figures")
    if name in _HOMES:
        return getattr(import_module(f"rustbot_jupyter.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'rustbot_jupyter' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_ipython_extension(ipython: Any) -> None:
    """Register `%rustbot` and `%%rustbot`."""
    from rustbot_jupyter.notebook.extension import register

    register(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    """Take the magics back; what runs goes on."""
    from rustbot_jupyter.notebook.extension import unregister

    unregister(ipython)
