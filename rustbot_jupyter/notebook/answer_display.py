"""An answer in a cell's output: one display, updated in place while the answer comes, final in the form asked for."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from IPython.display import display, update_display

from rustbot_jupyter.control_characters import harmless
from rustbot_jupyter.engine.reply import Reply
from rustbot_jupyter.inert_markdown import GrowingMarkdown, inert_markdown
from rustbot_jupyter.llm.base import DEMO_MODEL
from rustbot_jupyter.messages import ImagePart, MessageStatus, new_id
from rustbot_jupyter.notebook.answer_formats import (
    code_for_cell,
    html_frame,
    html_source,
    json_value,
    latex_source,
    other_languages,
)
from rustbot_jupyter.notebook.answer_schema import fitting_value
from rustbot_jupyter.tools.consent import NOT_NEEDED
from rustbot_jupyter.tools.plotly_json import MIME as PLOTLY
from rustbot_jupyter.tools.runs import RunState, ToolRun

UPDATE_INTERVAL_S = 0.1
MOST_SHARE = 0.2
"""Of the time, for updates; those of a long answer take longer."""

Bundle = dict[str, Any]
"""Texts by MIME type, as a notebook keeps them."""


def publish(
    bundle: Bundle, *, display_id: str | None = None, is_update: bool = False, metadata: Mapping[str, Any] | None = None
) -> None:
    """Put a bundle into the output of the running cell, or, as an update, where that display stands."""
    # Plain text is what a terminal shows.
    if "text/plain" in bundle:
        bundle = {**bundle, "text/plain": harmless(bundle["text/plain"])}
    show = update_display if is_update else display
    show(bundle, raw=True, display_id=display_id, metadata=dict(metadata or {}))  # type: ignore[no-untyped-call]


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownReply(Reply):
    """A reply that its cell has shown already, so that the cell does not show it again as its result."""

    shown_in: int | None = None
    """The execution count of that cell."""

    def _ipython_display_(self) -> None:
        from IPython.core.getipython import get_ipython

        shell = get_ipython()
        if shell is None or shell.execution_count != self.shown_in:
            publish({"text/markdown": inert_markdown(self.text), "text/plain": self.text})


class AnswerDisplay:
    """The output of one answer. `clock` is a monotonic one, in seconds."""

    def __init__(self, *, streams: bool = True, clock: Callable[[], float] = monotonic) -> None:
        self._id = new_id("answer")
        self._streams = streams
        self._clock = clock
        self._shown_at: float | None = None
        self._next_at = 0.0
        self._is_waiting = False
        self._markdown = GrowingMarkdown()

    def wait(self, note: str) -> None:
        """Show what is being waited for, until text comes."""
        if self._streams:
            self._is_waiting = True
            self._show({"text/markdown": f"*{note}*", "text/plain": note})

    def wait_quietly(self, note: str) -> None:
        """The same, for notes that come often: at most one per interval."""
        if self._is_due():
            self.wait(note)

    def write(self, text: str) -> bool:
        """Show the text so far; False when it is too early for another update."""
        if not self._streams or (not self._is_waiting and not self._is_due()):
            return False
        self._is_waiting = False
        begun = self._clock()
        self._show({"text/markdown": self._markdown.update(text), "text/plain": text})
        ended = self._clock()
        self._next_at = ended + max(UPDATE_INTERVAL_S, (ended - begun) / MOST_SHARE)
        return True

    def finish(self, bundle: Bundle, metadata: Mapping[str, Any] | None = None) -> None:
        """Show the final form."""
        self._show(bundle, metadata)

    def _is_due(self) -> bool:
        now = self._clock()
        return self._shown_at is None or (now >= self._next_at and now - self._shown_at >= UPDATE_INTERVAL_S)

    def _show(self, bundle: Bundle, metadata: Mapping[str, Any] | None = None) -> None:
        is_update = self._shown_at is not None
        publish(
            bundle, display_id=self._id, is_update=is_update, metadata={key: dict(metadata or {}) for key in bundle}
        )
        self._shown_at = self._clock()


def final_bundle(
    reply: Reply, format: str, *, has_footer: bool = True, schema: Mapping[str, Any] | None = None
) -> Bundle:
    """The whole answer in the form of `-f`.

    Args:
        schema: The form that its JSON must have.
        has_footer: Who answered stands below; False when something else comes in between.

    Raises:
        InvalidAnswer: JSON was asked for, and this is none, or of another form.
    """
    text = reply.text
    if reply.status is not MessageStatus.COMPLETE:
        return _markdown(text, reply, has_footer=has_footer)
    value = fitting_value(text, schema) if schema is not None else None
    match format:
        case "text":
            return {"text/plain": text}
        case "json":
            return _json(json_value(text) if schema is None else value)
        case "html":
            return {"text/html": html_frame(text), "text/plain": html_source(text)}
        case "math":
            return {"text/latex": latex_source(text), "text/plain": text}
        case "image":
            return _image(reply) or _markdown(text, reply, "The answer holds no image.")
        case "code" if not code_for_cell(text):
            return _markdown(text, reply, _no_cell(text))
    return _markdown(text, reply, has_footer=has_footer)


def footer_bundle(reply: Reply) -> Bundle:
    """Return who answered, below the pictures of an answer."""
    return {"text/markdown": _footer_line(reply), "text/plain": footer(reply)}


def code_bundle(reply: Reply, code: str) -> Bundle:
    """Return the output left when the code went into the next cell; the answer itself if some of it did not."""
    is_whole = not code.startswith("%%") or len(other_languages(reply.text)) < 2
    note = "The code is in the next cell." if is_whole else f"In the next cell is what {code.split()[0]} runs of it."
    return _markdown("" if is_whole else reply.text, reply, note)


def _no_cell(text: str) -> str:
    languages = other_languages(text)
    if not languages:
        return "The answer holds no code."
    return f"The answer holds {' and '.join(languages)} and no Python, so there is no new cell."


def failure_bundle(text: str, message: str) -> Bundle:
    """Return what had arrived, and what went wrong."""
    return {
        "text/markdown": _joined(inert_markdown(text), f"**{_escaped(message)}**"),
        "text/plain": _joined(text, message),
    }


def _markdown(text: str, reply: Reply, note: str = "", *, has_footer: bool = True) -> Bundle:
    if reply.status is not MessageStatus.COMPLETE:
        note = f"Interrupted. {reply.error}".strip()
    below = [f"*{_escaped(note)}*"] if note else []
    steps = list(_steps(reply))
    shown = _joined(
        *(piece for said, done in steps for piece in (inert_markdown(said), _noted(done))),
        inert_markdown(text),
        *below,
        _footer_line(reply) if has_footer else "",
    )
    return {"text/markdown": shown, "text/plain": _joined(*(_joined(*step) for step in steps), text, note)}


def _footer_line(reply: Reply) -> str:
    return f"<small>{_escaped(footer(reply))}</small>"


def _noted(lines: str) -> str:
    # Two spaces at its end keep a line a line of its own.
    return "  \n".join(f"*{_escaped(line)}*" for line in lines.splitlines())


def _steps(reply: Reply) -> Iterator[tuple[str, str]]:
    """Return what was said before the last message, each with the tools that it called."""
    for message in reply.earlier:
        runs = [run for run in reply.tool_runs if run.message_id == message.id]
        yield message.text.strip(), "\n".join(_tool_line(run) for run in runs)


_MARKS = {RunState.COMPLETE: "✓", RunState.REFUSED: "⊘", RunState.INTERRUPTED: "■"}


def _tool_line(run: ToolRun) -> str:
    """`✓ Run code in the notebook (run_code) · allowed once · 12 ms`."""
    name = run.call.name if run.label == run.call.name else f"{run.label} ({run.call.name})"
    parts = [f"{_MARKS.get(run.state, '✗')} {name}"]
    if run.approval not in ("", NOT_NEEDED, "refused"):
        parts.append(run.approval)
    parts.append(run.state.value if run.state is not RunState.COMPLETE else _time(run.duration_s or 0.0))
    return " · ".join(parts)


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def pictures_of(reply: Reply) -> Iterator[Bundle]:
    """The pictures and figures that tools gave for an answer."""
    for run in reply.tool_runs:
        for picture in run.images:
            if picture.media_type.startswith("image/") and picture.data:
                encoded = base64.b64encode(picture.data).decode()
                yield {picture.media_type: encoded, "text/plain": f"A picture of {run.call.name}"}
        for figure in run.figures:
            yield {PLOTLY: _figure(json.loads(figure)), "text/plain": f"A figure of {run.call.name}"}


def _figure(figure: Bundle) -> Bundle:
    """The figure in colours for light and dark pages alike, where it names none itself."""
    return figure | {"layout": {"template": {"layout": _LOOK}, **(figure.get("layout") or {})}, "config": _QUIET}


# The ink is as far from white as from the ground of JupyterLab's dark theme.
_CLEAR, _FAINT, _INK = "rgba(0,0,0,0)", "rgba(128,128,128,0.25)", "#797979"
_AXIS = {"gridcolor": _FAINT, "linecolor": _FAINT, "zerolinecolor": _FAINT, "automargin": True}
_ROUND = {"bgcolor": _CLEAR, "radialaxis": _AXIS, "angularaxis": _AXIS}
_COLOURS = [
    "#636efa",
    "#ef553b",
    "#00cc96",
    "#ab63fa",
    "#ffa15a",
    "#19d3f3",
    "#ff6692",
    "#8fc93a",
    "#ff97ff",
    "#e0b02c",
]
_LOOK = {
    "font": {"color": _INK},
    "colorway": _COLOURS,
    "paper_bgcolor": _CLEAR,
    "plot_bgcolor": _CLEAR,
    "colorscale": {"sequential": "Viridis"},
    "xaxis": _AXIS,
    "yaxis": _AXIS,
    "polar": _ROUND,
    "scene": {"xaxis": _AXIS, "yaxis": _AXIS, "zaxis": _AXIS},
}
# Plotly offers an upload by default.
_QUIET = {"showSendToCloud": False, "displaylogo": False, "responsive": True}


def _json(value: Any) -> Bundle:
    plain = json.dumps(value, indent=2, ensure_ascii=False)
    # JupyterLab draws a tree of objects and lists only.
    return {"application/json": value, "text/plain": plain} if isinstance(value, dict | list) else {"text/plain": plain}


def _image(reply: Reply) -> Bundle | None:
    for part in reply.message.parts:
        if isinstance(part, ImagePart) and part.data:
            return {part.media_type: base64.b64encode(part.data).decode(), "text/plain": reply.text}
    return None


def footer(reply: Reply) -> str:
    """Return who answered, with how many tokens, for how much: `openai/gpt-5 · 1,234 tokens · $0.0021`."""
    parts = ["offline demo" if reply.model == DEMO_MODEL else reply.model or "no answer"]
    sent, written = reply.usage.input_tokens, reply.usage.output_tokens
    if sent is not None and written is not None:
        parts.append(f"{sent + written:,} tokens")
    elif sent is not None or written is not None:
        parts.append(f"{'?' if sent is None else f'{sent:,}'} + {'?' if written is None else f'{written:,}'} tokens")
    if reply.usage.cost_usd is not None:
        parts.append(money(reply.usage.cost_usd, is_estimate=reply.usage.cost_is_estimate))
    return " · ".join(parts)


def money(usd: float, *, is_estimate: bool = False) -> str:
    """US dollars for people: `$0.0021`, `~$1.20`, `$0`."""
    shown = "$0" if usd == 0 else f"${usd:.2f}" if usd >= 1 else f"${usd:.2g}" if usd >= 0.0001 else "under $0.0001"
    return f"~{shown}" if is_estimate and usd else shown


def _escaped(text: str) -> str:
    # Not by backslashes: an address before one takes it along, and JupyterLab reads "\[" as the start of a formula.
    return "".join(f"&#{ord(char)};" if char in "&\\`*_[]<>#|~$" else char for char in " ".join(text.split()))


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
