"""Parts of a bot: settings, planner and agent, and their life on the core thread. Loaded with the first use.

A cell that only shows the chat ends before this is imported; what it costs, the kernel pays while the page draws.
"""

from __future__ import annotations

import concurrent.futures
import os
import threading
import weakref
from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import SecretStr

from rustbot_jupyter.engine.agent import Agent
from rustbot_jupyter.engine.plan import TurnPlan, TurnRequest, check_limit
from rustbot_jupyter.engine.planner import ModelPlanner
from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.events import SettingsChanged
from rustbot_jupyter.messages import user_message
from rustbot_jupyter.notebook.core import Core, attach_core, detach_core
from rustbot_jupyter.settings.hosts import OPENROUTER_HOST
from rustbot_jupyter.settings.layers import Settings
from rustbot_jupyter.settings.redaction import REDACTOR
from rustbot_jupyter.tools.consent import ApproveMode
from rustbot_jupyter.toolset import Toolset

if TYPE_CHECKING:
    from rustbot_jupyter.tools.web_search import SearchService

T = TypeVar("T")


class Parts:
    """The parts of one bot. Nothing runs before `running_agent`; the arguments are `Rustbot`'s.

    Raises:
        SettingsError: A value, or the profile's name, cannot be used.
        RequestError: `max_cost_usd` is no amount.
    """

    def __init__(
        self,
        *,
        model: str | None = None,
        profile: str | None = None,
        api_key: SecretStr | None = None,
        base_url: str | None = None,
        max_cost_usd: float | None = None,
        tools: Iterable[Any] | None = None,
        approve: str | None = None,
    ) -> None:
        check_limit("max_cost_usd", max_cost_usd, "US dollars from 0 on")
        mode = None if approve is None else ApproveMode.named(approve)
        given = {"model": model, "base_url": base_url}
        call = {name: value for name, value in given.items() if value is not None}
        self.settings = Settings.load(profile=profile, call=call, api_key=api_key)
        self.toolset = Toolset(self.settings, tools, search=_weak_search(self))
        self.toolbox = self.toolset.toolbox
        self.planner = ModelPlanner(self.settings, max_cost_usd=max_cost_usd, toolbox=self.toolbox)
        self.agent = Agent(self.planner, prepare=self.planner.prepare, toolbox=self.toolbox)
        if mode is not None:
            self.toolbox.consent.set_mode(self.agent.conversation.id, mode)
        self.core: Core | None = None
        """The thread they run on; None before the first question, and after the end."""
        self._is_closed = False
        self._lock = threading.Lock()
        self._finalizer: weakref.finalize[..., Parts] | None = None
        self.settings.on_change(_weakly(self._on_settings_changed))

    @property
    def is_on_core(self) -> bool:
        """True if the caller is on the core thread, where nothing may be waited for."""
        return self.core is not None and self.core.is_current

    def running_agent(self) -> Agent:
        """The agent, with its loop running: started now, or anew after a fork or a dead loop.

        Raises:
            RequestError: The parts were closed.
        """
        with self._lock:
            if self._is_closed:
                raise RequestError("This bot is closed. Make a new one with `rb.Rustbot()`.")
            if self.core is not None and self.core.is_alive:
                return self.agent
            if self.core is not None:
                # What waited on the old loop is gone with it; what was said, used and spent is kept.
                self.planner.forget_connections()
                self.toolbox.abandon()
                self.agent.abandon()
                self.agent = Agent(self.planner, prepare=self.planner.prepare, before=self.agent)
            self.core = attach_core()
            self.core.start(self.agent.run())
            self._close_when_dropped(self.core)
            return self.agent

    def running_core(self) -> Core:
        """The core thread, with the agent running on it.

        Raises:
            RequestError: The parts were closed.
        """
        self.running_agent()
        core = self.core
        if core is None:
            raise RequestError("This bot was closed meanwhile. Make a new one with `rb.Rustbot()`.")
        return core

    def start(self, coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Run a coroutine on the core thread.

        Raises:
            RequestError: The parts were closed, or the caller is on that thread and would wait for itself.
        """
        try:
            core = self.running_core()
            self.refuse_waiting_here()
        except RequestError:
            coroutine.close()
            raise
        return core.start(coroutine)

    def refuse_waiting_here(self) -> None:
        """Refuse to wait on the core thread.

        Raises:
            RequestError: The caller is on it.
        """
        if self.is_on_core:
            raise RequestError(
                "This would wait for itself here, on Rustbot's own thread. Use `await bot.ask_async(...)` to ask, "
                "and another thread for all else."
            )

    def close(self) -> None:
        """Stop everything; leaves no task, socket or thread behind."""
        with self._lock:
            core, self.core = self.core, None
            self._is_closed = True
            if self._finalizer is not None:
                self._finalizer.detach()
        if core is None:
            return
        if core.is_alive:
            core.start(_shut_down(self.agent, self.planner)).result(timeout=10)
        detach_core(core)

    def _close_when_dropped(self, core: Core) -> None:
        """Close a bot that is dropped without `close`, such as one of a cell that is run again."""
        if self._finalizer is not None:
            self._finalizer.detach()
        self._finalizer = weakref.finalize(self, _abandon, core, self.agent, self.planner)
        self._finalizer.atexit = False

    def _on_settings_changed(self, names: tuple[str, ...]) -> None:
        if self.core is not None and self.core.is_alive:
            self.agent.queue.put(SettingsChanged(names=names, conversation_id=self.agent.conversation.id))


def _weak_search(parts: Parts) -> Callable[[], SearchService]:
    """Return who searches the web, without hold on the parts: tools outlive a bot that was dropped for a moment."""
    reference = weakref.ref(parts)

    def search() -> SearchService:
        from rustbot_jupyter.engine.side_requests import openrouter_search
        from rustbot_jupyter.tools.web_search import search_service

        held = reference()
        if held is not None and (plan := _openrouter_plan(held)) is not None:
            return openrouter_search(held.agent, plan)
        names = {"searxng_url": "SEARXNG_URL", "brave_key": "BRAVE_API_KEY", "tavily_key": "TAVILY_API_KEY"}
        given = {name: os.environ.get(variable, "") for name, variable in names.items()}
        for name in ("brave_key", "tavily_key"):
            # Known from now on, so that no result, log or event shows it.
            REDACTOR.add(SecretStr(given[name]))
        return search_service(**given)

    return search


def _openrouter_plan(parts: Parts) -> TurnPlan | None:
    """Return how OpenRouter is asked, if it is who answers the question that runs now, or the next one."""
    turn = parts.agent.active
    if turn is not None and turn.plan is not None:
        return turn.plan if turn.plan.chat_model.host == OPENROUTER_HOST else None
    if not parts.planner.is_openrouter():
        return None
    return parts.planner(TurnRequest(message=user_message("-"), source="api", tools=()))


def _weakly(method: Callable[[tuple[str, ...]], None]) -> Callable[[tuple[str, ...]], None]:
    """The method without hold on its object: the settings outlive a bot that was dropped, as its engine reads them."""
    reference = weakref.WeakMethod(method)

    def call(names: tuple[str, ...]) -> None:
        target = reference()
        if target is not None:
            target(names)

    return call


async def _shut_down(agent: Agent, planner: ModelPlanner) -> None:
    agent.shutdown()
    await agent.stopped.wait()
    await planner.aclose()


def _abandon(core: Core, agent: Agent, planner: ModelPlanner) -> None:
    """Close what belonged to a bot that nobody holds any more; runs wherever the garbage collector does."""
    if core.is_alive:
        core.start(_shut_down(agent, planner)).add_done_callback(lambda _: detach_core(core))
    else:
        agent.toolbox.kill()
