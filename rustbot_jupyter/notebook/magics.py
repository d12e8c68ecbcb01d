"""`%rustbot` and `%%rustbot`: reads the line, asks, shows, and hands the reply back."""

from __future__ import annotations

import contextlib
import contextvars
import threading
from collections.abc import Collection
from typing import Any

from rustbot_jupyter.control_characters import harmless
from rustbot_jupyter.current import get_bot
from rustbot_jupyter.engine.reply import Reply
from rustbot_jupyter.errors import RustbotError, SchemaError
from rustbot_jupyter.llm.base import DEMO_MODEL
from rustbot_jupyter.messages import MessageStatus
from rustbot_jupyter.notebook.answer_display import (
    AnswerDisplay,
    ShownReply,
    code_bundle,
    failure_bundle,
    final_bundle,
    footer,
    footer_bundle,
    pictures_of,
    publish,
)
from rustbot_jupyter.notebook.answer_formats import code_for_cell
from rustbot_jupyter.notebook.answer_schema import fitting_value
from rustbot_jupyter.notebook.arguments import MagicCall, Verb, parse_cell, parse_line
from rustbot_jupyter.notebook.calling_names import names_of_caller
from rustbot_jupyter.notebook.compat import running_cell
from rustbot_jupyter.notebook.dry_run import DryRun, dry_run
from rustbot_jupyter.notebook.failures import Failures
from rustbot_jupyter.notebook.following import Following, one_interrupt
from rustbot_jupyter.notebook.interpolation import Interpolated
from rustbot_jupyter.notebook.magic_commands import run_command
from rustbot_jupyter.notebook.magic_requests import Notebook, request_again, turn_request
from rustbot_jupyter.rustbot import Rustbot


class RustbotMagics:
    """The magics of one shell, and what they remember: the cells that failed."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self.failures = Failures()

    def rustbot(self, line: str, cell: str | None = None) -> Any:
        """Ask a model, or run a command. `%rustbot help` shows all of it."""
        on_error = "raise"
        try:
            bot = get_bot()
            call = self._parse(bot, line, cell)
            on_error = call.on_error
            if call.verb not in (Verb.ASK, Verb.FIX, Verb.EXPLAIN):
                return run_command(call, bot)
            return self._ask(call, bot)
        except RustbotError as error:
            if on_error == "show":
                publish(failure_bundle(_partial_text(error), str(error)))
                return None
            _show_in_one_line(error)
            raise

    def _parse(self, bot: Rustbot, line: str, cell: str | None) -> MagicCall:
        aliases, models = bot.settings.aliases, _known_models(bot)
        if cell is None:
            return parse_line(line, aliases=aliases, models=models)
        return parse_cell(line, cell, aliases=aliases, models=models)

    def _ask(self, call: MagicCall, bot: Rustbot) -> Reply | DryRun | None:
        filled: list[Interpolated] = []
        schema_only = call.schema_only or not _sends_values(call, bot)
        request = turn_request(call, self._notebook(), schema_only=schema_only, filled=filled)
        if call.dry_run:
            bot.run(bot.planner.prepare(request))
            plan = bot.run_on_core(lambda: bot.planner(request))
            return dry_run(request, plan, () if call.history == "new" else bot.conversation.messages, filled)
        if call.history == "new":
            bot.new_conversation()
        following = Following(bot, request)
        # A terminal cannot change what it has printed.
        has_updates = getattr(self._shell, "kernel", None) is not None
        answer = AnswerDisplay(streams=call.stream and has_updates)
        if call.background:
            self._follow_in_background(following, answer, call)
            return None
        return self._show(following, answer, call)

    def _follow_in_background(self, following: Following, answer: AnswerDisplay, call: MagicCall) -> None:
        # The first output belongs to this cell; updates of it find their place from anywhere.
        answer.wait("Asking in the background…")
        context = contextvars.copy_context()
        thread = threading.Thread(
            target=lambda: context.run(self._show_in_background, following, answer, call),
            name="rustbot-answer",
            daemon=True,
        )
        thread.start()

    def _show_in_background(self, following: Following, answer: AnswerDisplay, call: MagicCall) -> None:
        try:
            self._show(following, answer, call)
        except RustbotError as error:
            answer.finish(failure_bundle(_partial_text(error), str(error)))

    def _show(self, following: Following, answer: AnswerDisplay, call: MagicCall) -> Reply:
        with one_interrupt():
            return self._show_to_the_end(following, answer, call)

    def _show_to_the_end(self, following: Following, answer: AnswerDisplay, call: MagicCall) -> Reply:
        asked = self._fitting(following.show(answer), following, answer, call)
        reply = _shown(asked, None if call.background else self._shell.execution_count)
        if call.out is not None:
            self._shell.user_ns[call.out] = reply
        try:
            self._show_whole(reply, answer, call)
        except RustbotError as error:
            error.reply = reply
            answer.finish(final_bundle(reply, "text"))
            raise
        return reply

    def _fitting(self, reply: Reply, following: Following, answer: AnswerDisplay, call: MagicCall) -> Reply:
        """The reply, or that to a second question, with what was wrong, when the first does not fit the schema."""
        again = None
        if call.schema is not None and reply.status is MessageStatus.COMPLETE:
            try:
                fitting_value(reply.text, call.schema)
            except SchemaError as error:
                again = request_again(following.request, reply, error)
        if again is None:
            return reply
        # If nothing comes of it, the first one is shown, with what is wrong.
        with contextlib.suppress(RustbotError):
            return Following(following.bot, again, "The answer does not fit the schema; asking again…").show(answer)
        return reply

    def _show_whole(self, reply: Reply, answer: AnswerDisplay, call: MagicCall) -> None:
        code = code_for_cell(reply.text, self._has_magic) if call.format == "code" else ""
        pictures = list(pictures_of(reply)) if call.stream and call.format == "md" else []
        # A new cell can only be put below one that is running.
        if code and reply.status is MessageStatus.COMPLETE and not call.background:
            self._shell.set_next_input(code, replace=False)
            bundle = code_bundle(reply, code)
        else:
            bundle = final_bundle(reply, call.format, has_footer=not pictures, schema=call.schema)
        answer.finish(bundle, {"rustbot": {"model": reply.model, "status": reply.status.value, "usage": footer(reply)}})
        for picture in [*pictures, *([footer_bundle(reply)] if pictures else [])]:
            publish(picture)

    def _has_magic(self, name: str) -> bool:
        return self._shell.find_cell_magic(name) is not None

    def _notebook(self) -> Notebook:
        self._shell.user_ns.setdefault("Err", self.failures.tracebacks)
        names, run = names_of_caller(self._shell.user_ns), running_cell(self._shell)
        return Notebook(namespace=names, failures=self.failures, cell_id=None if run is None else run.cell_id)

    def note_failure(self, result: Any) -> None:
        """Keep what failed; IPython calls it after each cell."""
        error = result.error_in_exec or result.error_before_exec
        if error is None:
            return
        number = result.execution_count or self._shell.execution_count
        # IPython's own record of which file a cell was compiled as.
        cells = getattr(self._shell.compile, "_filename_map", {})
        self.failures.record(number, result.info.raw_cell, error, cells)
        self._shell.user_ns.setdefault("Err", self.failures.tracebacks)


def _known_models(bot: Rustbot) -> Collection[str]:
    """The model ids of a fetched list; () while there is none, as the table inside is not complete."""
    catalog = bot.planner.catalog
    return () if catalog.age_s is None else {DEMO_MODEL, *(model.id for model in catalog.models)}


def _sends_values(call: MagicCall, bot: Rustbot) -> bool:
    return bool(bot.settings.values_for(call.profile, {}).send_values)


def _shown(reply: Reply, cell_number: int | None) -> ShownReply:
    return ShownReply(
        message=reply.message,
        usage=reply.usage,
        model=reply.model,
        finish_reason=reply.finish_reason,
        duration_s=reply.duration_s,
        error=reply.error,
        events=reply.events,
        earlier=reply.earlier,
        tool_runs=reply.tool_runs,
        shown_in=cell_number,
    )


def _partial_text(error: RustbotError) -> str:
    return error.reply.text if isinstance(error.reply, Reply) else ""


def _show_in_one_line(error: RustbotError) -> None:
    # IPython asks an exception for this; the way through our own code helps nobody.
    error._render_traceback_ = lambda: [harmless(f"{type(error).__name__}: {error}")]  # type: ignore[method-assign]
