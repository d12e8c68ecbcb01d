"""Commands of the page to the bot: questions, the waiting list, models, settings, keys, servers."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import SecretStr

from rustbot_jupyter.engine.plan import TurnRequest
from rustbot_jupyter.errors import ModelError, RequestError, SettingsError
from rustbot_jupyter.llm.base import DEMO_MODEL
from rustbot_jupyter.llm.local_servers import find_servers
from rustbot_jupyter.llm.token_estimate import estimate_tokens
from rustbot_jupyter.messages import user_message
from rustbot_jupyter.notebook.protocol import Command
from rustbot_jupyter.notebook.views import model_choice
from rustbot_jupyter.settings.hosts import OPENROUTER_HOST, host_of, is_loopback

if TYPE_CHECKING:
    from rustbot_jupyter.notebook.session import Bot

SMALLEST_CONTEXT_TOKENS = 256
CONTINUE = "Continue exactly where you stopped."
"""What the user says by pressing Continue."""
SETTINGS_COMMANDS = frozenset({"set_model", "save_settings", "use_profile", "set_key", "forget_key"})
"""After these the page is told of the settings anew."""
MOST_MODELS = 500
YOUNG_S = 86_400.0
YOUNG_LOCAL_S = 60.0
"""A server on this machine gets and loses models while we look."""
REFRESH_WITHIN_S = 10.0
REFRESH_PAUSE_S = 60.0
"""How long a server that gave no model list is left alone."""

_Fields = Mapping[str, Any]


class BotCommands:
    """Carries out commands; on the core thread. What takes time comes back as a coroutine.

    Args:
        bot: Who is asked.
    """

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._refreshed_at: dict[str, float] = {}
        self._refreshing: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._commands: dict[str, Callable[[_Fields], Any]] = {
            "send": lambda fields: self._ask(fields["text"]),
            "stop": lambda fields: self._bot.agent.interrupt("chat"),
            "regenerate": lambda fields: self._again(fields["message_id"]),
            "shorten": self._shorten,
            "continue": self._continue,
            "edit": lambda fields: self._again(fields["message_id"], fields["text"]),
            "queue_edit": lambda fields: self._bot.agent.edit_waiting(fields["item_id"], fields["text"]),
            "queue_remove": lambda fields: self._bot.agent.remove_waiting(fields["item_id"]),
            "queue_send_now": lambda fields: self._bot.agent.send_now(fields["item_id"]),
            "new_conversation": self._new_conversation,
            "set_model": lambda fields: self._bot.settings.set("model", fields["model"] or None),
            "models": self._models,
            "save_settings": self._save_settings,
            "use_profile": lambda fields: self._bot.settings.use_profile(fields["profile"] or None),
            "set_key": self._set_key,
            "forget_key": self._forget_key,
            "check_connection": self._check_connection,
            "find_servers": self._find_servers,
        }

    def carry_out(self, command: Command) -> Any:
        """The result for the acknowledgement, None, or a coroutine that gives one of them.

        Raises:
            RustbotError: It cannot be carried out.
        """
        return self._commands[command["name"]](command["fields"])

    # Questions.

    def _ask(self, text: str) -> None:
        self._bot.agent.submit(TurnRequest(message=user_message(text), source="chat"))

    def _again(self, message_id: str, text: str | None = None) -> None:
        self._bot.agent.ask_again(message_id, text)

    def _shorten(self, fields: _Fields) -> None:
        """Send only the newer half of the conversation from now on, and ask again."""
        tokens = estimate_tokens(self._bot.agent.conversation.messages)
        self._bot.settings.set("context_budget_tokens", max(SMALLEST_CONTEXT_TOKENS, tokens // 2))
        self._again(fields["message_id"])

    def _continue(self, fields: _Fields) -> None:
        if all(message.id != fields["message_id"] for message in self._bot.agent.conversation.messages):
            raise RequestError("That message is no longer part of the conversation. Ask the question anew.")
        self._ask(CONTINUE)

    def _new_conversation(self, fields: _Fields) -> None:
        self._bot.agent.new_conversation()

    # Models and servers.

    async def _models(self, fields: _Fields) -> dict[str, Any]:
        await self.refresh_old_models()
        catalog = self._bot.planner.catalog
        found = catalog.search(fields["words"])[:MOST_MODELS]
        return {"models": [model_choice(model) for model in found], "age_s": catalog.age_s}

    async def refresh_old_models(self) -> None:
        """Fetch the model list if it is older than a day, or was never fetched; quietly keeps the old one else.

        Who comes while it is being fetched waits for it. The offline demo asks nobody.
        """
        base_url = self._bot.settings.values.base_url
        async with self._refreshing[host_of(base_url)]:
            # Another server may have been chosen while we waited.
            if base_url == self._bot.settings.values.base_url:
                await self._refresh_if_old(base_url)

    async def _refresh_if_old(self, base_url: str) -> None:
        planner = self._bot.planner
        catalog = planner.catalog
        host, young_s = host_of(base_url), YOUNG_LOCAL_S if is_loopback(base_url) else YOUNG_S
        is_young = catalog.age_s is not None and catalog.age_s < young_s
        was_tried = monotonic() - self._refreshed_at.get(host, float("-inf")) < REFRESH_PAUSE_S
        if is_young or was_tried or (host == OPENROUTER_HOST and planner.model() == DEMO_MODEL):
            return
        self._refreshed_at[host] = monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout(REFRESH_WITHIN_S):
                await catalog.refresh(planner.client())

    async def _check_connection(self, fields: _Fields) -> dict[str, Any]:
        settings, planner = self._bot.settings, self._bot.planner
        host = host_of(settings.values.base_url)
        key = await asyncio.to_thread(settings.find_key)
        if host == OPENROUTER_HOST and key is None:
            return _outcome(False, f"There is no key for {host}; until there is one, the offline demo answers.")
        client = planner.client()
        try:
            if host == OPENROUTER_HOST:
                return _outcome(True, f"{host} accepts the key. {_credit(await client.key_status())}")
            count = len(await client.list_models())
        except ModelError as error:
            return _outcome(False, str(error))
        return _outcome(True, f"{host} answers and lists {count} model{'' if count == 1 else 's'}.")

    async def _find_servers(self, fields: _Fields) -> dict[str, Any]:
        servers = await find_servers()
        return {
            "servers": [
                {"name": server.name, "base_url": server.base_url, "models": list(server.models)} for server in servers
            ]
        }

    # Settings.

    async def _save_settings(self, fields: _Fields) -> None:
        settings = self._bot.settings
        settings.update(fields["values"])
        if fields["persist"]:
            await asyncio.to_thread(settings.save, list(fields["values"]))

    async def _set_key(self, fields: _Fields) -> None:
        key, place = SecretStr(fields["key"]), fields["remember"]
        if place not in ("memory", "keyring", "file"):
            raise SettingsError("A key is kept in 'memory', 'keyring' or 'file'.")
        where = cast(Literal["memory", "keyring", "file"], place)
        await asyncio.to_thread(self._bot.settings.remember_key, key, where)

    async def _forget_key(self, fields: _Fields) -> None:
        await asyncio.to_thread(self._bot.settings.forget_key)


def _outcome(ok: bool, text: str) -> dict[str, Any]:
    return {"ok": ok, "text": text}


def _credit(status: Mapping[str, Any]) -> str:
    left, used = status.get("limit_remaining"), status.get("usage")
    if isinstance(left, int | float):
        return f"${left:.2f} of its limit are left."
    return f"It has no limit; ${used:.2f} were used." if isinstance(used, int | float) else "It has no limit."
