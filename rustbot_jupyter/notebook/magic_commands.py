"""The commands of a `%rustbot` line that ask no model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rustbot_jupyter import __version__
from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.llm.base import DEMO_MODEL
from rustbot_jupyter.messages import ConversationHistory, MessageRole, MessageStatus
from rustbot_jupyter.notebook.answer_display import money
from rustbot_jupyter.notebook.arguments import SPELLINGS, MagicCall, Verb
from rustbot_jupyter.notebook.help_text import help_text
from rustbot_jupyter.rustbot import Rustbot


@dataclass(frozen=True, slots=True)
class Note:
    """Markdown that a notebook draws and a terminal prints."""

    text: str

    def _repr_markdown_(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text


def run_command(call: MagicCall, bot: Rustbot) -> Any:
    """Return what the command shows, as the cell's result; None shows nothing.

    Raises:
        RustbotError: It cannot be done; the message says why.
    """
    return _COMMANDS[call.verb](bot, *call.arguments)


def _chat(bot: Rustbot) -> Any:
    chat = bot.chat()
    chat.takes_focus = True
    return chat


def _alias(bot: Rustbot, name: str = "", model: str = "") -> Note:
    if not name:
        rows = "\n".join(f"| `{alias}` | `{target}` |" for alias, target in sorted(bot.settings.aliases.items()))
        return Note(f"| alias | model |\n|---|---|\n{rows}" if rows else "There are no aliases yet.")
    if name.lower() in SPELLINGS:
        raise RequestError(f"{name!r} is a command; give the alias another name.")
    bot.settings.set_alias(name, model)
    chosen, catalog = bot.settings.aliases[name], bot.planner.catalog
    # A list that was never fetched does not tell what there is.
    is_unknown = catalog.age_s is not None and chosen != DEMO_MODEL and catalog.get(chosen) is None
    doubt = f" The server does not list that model.{_near(bot, chosen)}" if is_unknown else ""
    return Note(f"`{name}` now stands for `{chosen}`.{doubt}")


def _dealias(bot: Rustbot, name: str) -> Note:
    bot.settings.delete_alias(name)
    return Note(f"`{name}` is forgotten.")


def _models(bot: Rustbot, word: str = "") -> Any:
    # A list that cannot be fetched now is shown as it was; the chat and `doctor` say what is wrong with the server.
    bot.refresh_models()
    found = bot.models(word)
    if not len(found):
        return Note(
            f"No model is called like {word!r}.{_near(bot, word)}" if word else "No model is known of this server."
        )
    return found


def _near(bot: Rustbot, word: str) -> str:
    near = ", ".join(f"`{name}`" for name in bot.planner.catalog.nearest(word))
    return f" Near names: {near}." if near else " `%rustbot models` lists all there are."


def _cost(bot: Rustbot) -> Note:
    frame = bot.usage()
    if frame.empty:
        return Note("Nothing was asked yet.")
    by_model = frame.groupby(frame["model"].fillna(frame["model_requested"]), observed=True)
    lines = [f"| {model} | {len(rows)} | {_tokens(rows)} | {_money_of(rows)} |" for model, rows in by_model]
    total = f"| **all** | {len(frame)} | {_tokens(frame)} | **{_money_of(frame)}** |"
    return Note("\n".join(["| model | requests | tokens | cost |", "|---|---:|---:|---:|", *lines, total]))


def _tokens(frame: Any) -> str:
    counts = frame[["input_tokens", "output_tokens"]]
    unknown = int(counts.isna().any(axis=1).sum())
    if counts.isna().all(axis=None):
        return "unknown"
    shown = f"{int(counts.sum().sum()):,}"
    return f"{shown} and {unknown} unknown" if unknown else shown


def _money_of(frame: Any) -> str:
    is_estimate = bool(frame["cost_is_estimate"].fillna(False).any())
    unknown = int(frame["cost_usd"].isna().sum())
    if unknown == len(frame):
        return "unknown"
    shown = money(float(frame["cost_usd"].sum()), is_estimate=is_estimate)
    # Two dollar signs in a table would be a formula.
    shown = shown.replace("$", r"\$")
    return f"{shown} and {unknown} unknown" if unknown else shown


def _status(bot: Rustbot) -> Note:
    conversation = bot.conversation
    rows = {
        "model": f"`{bot.model}`",
        "server": f"`{bot.planner.chat_model().host}`",
        "profile": f"`{bot.settings.profile_name or 'default'}`",
        "state": bot.state.value,
        "conversation": f"{len(conversation.messages)} messages, since {conversation.created_at:%H:%M} UTC",
        "waiting": f"{len(bot.queue)} questions",
    }
    return Note("\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())]))


def _stop(bot: Rustbot) -> Note:
    was_running = bot.agent.active is not None
    bot.interrupt()
    return Note("Stopped." if was_running else "Nothing is running.")


def _reset(bot: Rustbot) -> Note:
    bot.new_conversation()
    return Note("A new conversation begins.")


def _export(bot: Rustbot, name: str) -> Note:
    path = Path(name).expanduser()
    if path.suffix.lower() != ".md":
        raise RequestError(f"{name!r} does not end in .md; conversations are saved as Markdown, such as 'chat.md'.")
    if not bot.conversation.messages:
        raise RequestError("The conversation is empty; there is nothing to save.")
    try:
        with path.open("x", encoding="utf-8", errors="replace") as file:
            file.write(conversation_text(bot.conversation))
    except FileExistsError:
        raise RequestError(f"{name!r} is there already; pick another name, or remove it first.") from None
    except OSError as error:
        raise RequestError(f"{name!r} cannot be written: {error.strerror or error}.") from error
    return Note(f"Saved {len(bot.conversation.messages)} messages in `{path}`.")


def conversation_text(conversation: ConversationHistory) -> str:
    """The conversation as Markdown, a heading per message."""
    parts = [f"# {conversation.title or 'Conversation'}\n\n{_when(conversation.created_at)}"]
    for message in conversation.messages:
        if message.role in (MessageRole.USER, MessageRole.ASSISTANT):
            note = "" if message.status is MessageStatus.COMPLETE else f" ({message.status.value})"
            parts.append(f"## {message.role.value.title()}{note}\n\n{message.text}")
    return "\n\n".join(parts) + "\n"


def _when(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"


def _doctor(bot: Rustbot) -> Any:
    from rustbot_jupyter.doctor import examine

    return examine(bot)


def _mcp(bot: Rustbot, *words: str) -> Note:
    from rustbot_jupyter.notebook.mcp_command import mcp_command

    return Note(mcp_command(bot.mcp, *words))


_COMMANDS: Mapping[Verb, Callable[..., Any]] = {
    Verb.CHAT: _chat,
    Verb.MODELS: _models,
    Verb.ALIAS: _alias,
    Verb.DEALIAS: _dealias,
    Verb.USAGE: lambda bot: bot.usage(),
    Verb.COST: _cost,
    Verb.STATUS: _status,
    Verb.STOP: _stop,
    Verb.RESET: _reset,
    Verb.EXPORT: _export,
    Verb.TOOLS: lambda bot: bot.tools.list(),
    Verb.MCP: _mcp,
    Verb.DOCTOR: _doctor,
    Verb.HELP: lambda bot: Note(help_text()),
    Verb.VERSION: lambda bot: Note(f"Rustbot for Jupyter {__version__}"),
}
