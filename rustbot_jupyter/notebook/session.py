"""The kernel's side of one chat widget: events become ops, commands are carried out and acknowledged.

Lives on the core thread. Knows nothing of widgets: it is given a way to send, and is handed what the page says.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from inspect import iscoroutine
from typing import Any, Protocol

from rustbot_jupyter import __version__
from rustbot_jupyter.engine.agent import Agent
from rustbot_jupyter.engine.planner import ModelPlanner
from rustbot_jupyter.errors import RequestError, RustbotError
from rustbot_jupyter.events import AssistantEvent, ToolProgressed
from rustbot_jupyter.messages import new_id
from rustbot_jupyter.notebook.compat import kernel_facts
from rustbot_jupyter.notebook.protocol import AckOp, Command, ModelView, envelope, library_header, parse_command
from rustbot_jupyter.notebook.session_answers import Answers
from rustbot_jupyter.notebook.session_commands import SETTINGS_COMMANDS, BotCommands
from rustbot_jupyter.notebook.session_library import read_library
from rustbot_jupyter.notebook.session_notices import Notices
from rustbot_jupyter.notebook.session_outbox import Outbox, Pace
from rustbot_jupyter.notebook.session_tool_commands import ToolCommands
from rustbot_jupyter.notebook.session_tools import ToolViews
from rustbot_jupyter.notebook.session_transcript import Transcript
from rustbot_jupyter.notebook.views import event_row, queue_view, totals_view
from rustbot_jupyter.notebook.views_settings import model_view, settings_view
from rustbot_jupyter.settings.layers import Settings
from rustbot_jupyter.settings.redaction import redact_data

logger = logging.getLogger("rustbot_jupyter.session")

Send = Callable[[dict[str, Any], Sequence[bytes]], None]
"""Sends a custom message, with binary buffers, to every view of the widget."""

PAGE_MESSAGES = 100
PAGE_ROWS = 200
MOST_ROWS = 1_000
WARM_UP_AFTER_S = 0.2
"""After the first view was served: the page draws, and the cell that shows it comes to its end."""


class Bot(Protocol):
    """The part of a bot that a session needs."""

    @property
    def agent(self) -> Agent:
        """The engine; another one after a fork or a dead loop."""

    @property
    def planner(self) -> ModelPlanner:
        """Models and servers."""

    @property
    def settings(self) -> Settings:
        """The settings."""


class ViewSession:
    """One widget's life in this kernel, shared by its views.

    Args:
        bot: Whose conversation is shown.
        send: How the page is reached.
        turn_id: The turn whose tools are shown whatever conversation it belongs to.
    """

    def __init__(self, bot: Bot, send: Send, turn_id: str | None = None) -> None:
        self._bot = bot
        self._send = send
        self._turn_id = turn_id
        self._loop: asyncio.AbstractEventLoop | None = None
        self._agent: Agent | None = None
        self._unsubscribe: Callable[[], None] = lambda: None
        self._is_closed = False
        self._epoch = ""
        self._seq = 0
        self._outbox = Outbox()
        self._pace = Pace(self._flush)
        self._tasks: set[asyncio.Task[None]] = set()
        self._answers = Answers(self._acknowledge)
        self._was_synced = False
        self._event_views: set[str] = set()
        self._settings_are_shown = False
        self._model: ModelView | None = None
        self._notices = Notices(kernel_facts())
        self._tools: ToolViews | None = None
        self._commands = BotCommands(bot)
        self._tool_commands = ToolCommands(bot)
        self._own_commands: dict[str, Callable[[Command], Any]] = {
            "sync": self._sync,
            "earlier_messages": self._earlier_messages,
            "dismiss_notice": self._dismiss_notice,
            "settings": self._show_settings,
            "tools": self._show_tools,
            "subscribe": self._subscribe,
            "unsubscribe": self._end_subscription,
            "events_before": self._events_before,
            "event": self._event,
            "library": self._library,
        }

    # From the page.

    def receive(self, content: object) -> None:
        """Carry out what the page says and acknowledge it. On the core thread; never raises."""
        if self._is_closed:
            return
        self._join()
        command = parse_command(content)
        if isinstance(command, str):
            self._answers.refuse(content, command)
        elif self._answers.is_new(command):
            self._carry_out(command)

    def close(self) -> None:
        """End the session; from any thread. What it still does is cancelled."""
        self._is_closed = True
        # The loop may be gone already: then nothing of the session is left either.
        if self._loop is not None and not self._loop.is_closed():
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._close)

    def _close(self) -> None:
        self._unsubscribe()
        if self._tools is not None:
            self._tools.close()
        self._pace.leave()
        for task in self._tasks:
            task.cancel()

    def _join(self) -> None:
        """Listen to the agent there is now; a new one is a new life, after which the page asks for a snapshot."""
        agent = self._bot.agent
        if agent is self._agent:
            return
        self._unsubscribe()
        self._pace.leave()
        self._loop = asyncio.get_running_loop()
        self._agent, self._epoch, self._seq = agent, new_id("life"), 0
        self._outbox, self._pace = Outbox(), Pace(self._flush)
        self._transcript = Transcript(agent, self._outbox)
        if self._tools is not None:
            self._tools.close()
        self._tools = ToolViews(agent, self._outbox, self._pace.soon, self._turn_id)
        self._answers.forget()
        self._tasks.clear()
        self._unsubscribe = agent.bus.subscribe(self._on_event)

    # Commands.

    def _carry_out(self, command: Command) -> None:
        own = self._own_commands.get(command["name"])
        try:
            result = own(command) if own is not None else self._others(command).carry_out(command)
        except Exception as error:
            self._answers.failed(command, error)
            return
        if iscoroutine(result):
            self._spawn(self._finish(command, result))
        else:
            self._done(command, result)

    def _others(self, command: Command) -> BotCommands | ToolCommands:
        return self._tool_commands if command["name"] in self._tool_commands.commands else self._commands

    async def _finish(self, command: Command, work: Coroutine[Any, Any, dict[str, Any] | None]) -> None:
        try:
            result = await work
        except Exception as error:
            self._answers.failed(command, error)
        else:
            self._done(command, result)

    def _done(self, command: Command, result: dict[str, Any] | None) -> None:
        self._answers.done(command, result)
        if command["name"] in SETTINGS_COMMANDS:
            self._spawn(self._look_at_settings())

    def _acknowledge(self, ack: AckOp) -> None:
        self._outbox.add(ack)
        self._pace.now()

    # Commands about what is shown.

    async def _sync(self, command: Command) -> None:
        # Beside the loop: finding the key reads files, and the model depends on it.
        model = await asyncio.to_thread(model_view, self._bot.settings, self._bot.planner)
        self._model = model
        is_first, self._was_synced = not self._was_synced, True
        agent, facts = self._bot.agent, self._notices.kernel
        self._notices.look_at(self._bot.settings)
        messages, has_earlier = self._transcript.page(None, PAGE_MESSAGES)
        tools = self._followed_tools()
        self._outbox.add(
            {
                "op": "snapshot",
                "view": command["view"],
                "version": __version__,
                "conversation": {"id": agent.conversation.id, "title": agent.conversation.title},
                "messages": messages,
                "has_earlier": has_earlier,
                "tool_runs": tools.runs_of(messages),
                "approvals": tools.approvals(),
                "approve_mode": tools.mode(),
                "state": self._transcript.state(),
                "queue": queue_view(agent),
                "model": model,
                "totals": totals_view(agent),
                "notices": self._notices.shown(),
                "ipykernel": facts.ipykernel,
                "has_subshells": facts.has_subshells,
            }
        )
        # What comes later must stay behind the snapshot: it would count it as known otherwise.
        self._outbox.seal()
        if is_first:
            self._spawn(self._warm_up())

    def _earlier_messages(self, command: Command) -> dict[str, Any]:
        messages, has_earlier = self._transcript.page(command["fields"]["before_id"], PAGE_MESSAGES)
        runs = self._followed_tools().runs_of(messages)
        return {"messages": messages, "tool_runs": runs, "has_earlier": has_earlier}

    def _followed_tools(self) -> ToolViews:
        # Made with the first command, before any is carried out.
        assert self._tools is not None
        return self._tools

    async def _show_tools(self, command: Command) -> None:
        await self._followed_tools().show_tools()

    def _dismiss_notice(self, command: Command) -> None:
        self._notices.dismiss(command["fields"]["notice_id"])
        self._show_notices()

    async def _show_settings(self, command: Command) -> None:
        self._settings_are_shown = True
        await self._look_at_settings()

    async def _look_at_settings(self) -> None:
        """Tell the page of settings, model and notices, as they are now."""
        settings, planner = self._bot.settings, self._bot.planner
        model = await asyncio.to_thread(model_view, settings, planner)
        if self._settings_are_shown:
            self._outbox.add({"op": "settings", "settings": await asyncio.to_thread(settings_view, settings)})
        if model != self._model:
            self._model = model
            self._outbox.add({"op": "model", "model": model})
        if self._notices.look_at(settings):
            self._show_notices()
        self._pace.soon()

    def _show_notices(self) -> None:
        self._outbox.add({"op": "notices", "notices": self._notices.shown()})
        self._pace.soon()

    async def _library(self, command: Command) -> None:
        name = command["fields"]["name"]
        module, encoding = await asyncio.to_thread(read_library, name)
        self._post(library_header(name, command["id"], command["view"], encoding), [module])

    # The Events tab.

    def _subscribe(self, command: Command) -> dict[str, Any]:
        _check_topic(command)
        self._event_views.add(command["view"])
        return self._rows(None, PAGE_ROWS)

    def _end_subscription(self, command: Command) -> None:
        _check_topic(command)
        self._event_views.discard(command["view"])

    def _events_before(self, command: Command) -> dict[str, Any]:
        fields = command["fields"]
        return self._rows(fields["seq"], max(1, min(MOST_ROWS, fields["limit"])))

    def _rows(self, before: int | None, limit: int) -> dict[str, Any]:
        events, has_earlier = self._bot.agent.log.before(before, limit)
        return {"rows": [event_row(event) for event in events], "has_earlier": has_earlier}

    def _event(self, command: Command) -> dict[str, Any]:
        event = self._bot.agent.log.find(command["fields"]["seq"])
        if event is None:
            raise RequestError(f"Event {command['fields']['seq']} is not kept any more.")
        return {"data": redact_data(event.data)}

    # From the engine.

    def _on_event(self, event: AssistantEvent) -> None:
        if self._is_closed:
            return
        is_urgent = self._transcript.on_event(event)
        if isinstance(event, ToolProgressed) and self._tools is not None:
            self._tools.on_progress(event.run_id)
        if self._notices.on_event(event):
            self._show_notices()
        if event.kind == "settings_changed":
            self._spawn(self._look_at_settings())
        if self._event_views:
            self._outbox.add_row(event_row(event))
        if is_urgent:
            self._pace.now()
        else:
            self._pace.soon()

    # To the page.

    def _flush(self) -> bool:
        ops = self._outbox.take()
        if not ops or self._is_closed:
            return False
        self._seq += 1
        self._post(envelope(self._epoch, self._seq, ops), [])
        return True

    def _post(self, content: dict[str, Any], buffers: Sequence[bytes]) -> None:
        try:
            self._send(content, buffers)
        except Exception:
            # The page finds the gap in `seq` and asks for a snapshot.
            logger.exception("A message to the page could not be sent.")

    # In the background.

    async def _warm_up(self) -> None:
        """Make the first answer as quick as the next ones, and the model list young."""
        await asyncio.sleep(WARM_UP_AFTER_S)
        with suppress(RustbotError):
            await self._bot.agent.toolbox.ready(None)
            await self._bot.planner.chat_model().warm_up()
            await self._commands.refresh_old_models()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name="rustbot-session")
        self._tasks.add(task)
        task.add_done_callback(self._on_task_done)

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("Work for the page failed.", exc_info=error)


def _check_topic(command: Command) -> None:
    if command["fields"]["topic"] != "events":
        raise RequestError("There is nothing to follow but 'events'.")
