"""Code for the figures that the offline demo can draw: Plotly Express, which Rustbot brings along."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rustbot_jupyter.llm.demo_rules.tool_arguments import unquoted

MOST_CHARS = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Plot:
    """A figure that shall be drawn."""

    frame: str
    """The variable; "" when it was not named."""
    y: str = ""
    """A column; "" for all that hold numbers."""
    x: str = ""
    kind: str = "line"
    """line, bar, scatter or histogram."""

    @property
    def title(self) -> str:
        """Return what the figure shows, in the words of the question."""
        joint = {"bar": " by ", "scatter": " against ", "line": " over "}.get(self.kind, "")
        return f"{self.y}{joint}{self.x}" if self.x else self.y or self.frame

    def code(self, frame: str) -> str:
        """Python that draws it from this variable, keeps it as `figure`, and ends with that."""
        return f"import plotly.express as px\n\nfigure = {self._call(frame)}\nfigure"

    def _call(self, frame: str) -> str:
        title = repr(self.title or frame)
        if not self.y:
            return f'px.line({frame}.select_dtypes("number"), title={title})'
        if self.kind == "histogram":
            return f"px.histogram({frame}, x={self.y!r}, title={title})"
        if not self.x:
            return f"px.{self.kind}({frame}, y={self.y!r}, title={title})"
        if self.kind == "bar":
            mean = f"{frame}.groupby({self.x!r}, as_index=False)[{self.y!r}].mean()"
            return f"px.bar({mean}, x={self.x!r}, y={self.y!r}, title={title})"
        return f"px.{self.kind}({frame}, x={self.x!r}, y={self.y!r}, title={title})"


def plot_in(text: str) -> Plot | None:
    """Read a plot from a question such as "plot price by city from df"; None if it wants no figure of columns."""
    if len(text) > MOST_CHARS:
        return None
    for pattern, kind in _PATTERNS:
        match = pattern.fullmatch(text)
        if match and (match["frame"] or "").lower() not in _NO_FRAMES:
            return _plot(match, kind)
    return None


_NO_FRAMES = {
    "something",
    "anything",
    "it",
    "this",
    "that",
    "them",
    "everything",
    "data",
    "a",
    "me",
    "figure",
    "plotly",
}


def _plot(match: re.Match[str], kind: str) -> Plot:
    said = {key: unquoted(value) for key, value in match.groupdict().items() if value}
    if "joint" in said:
        kind = _JOINTS[said["joint"].lower()]
    kind = next((name for word, name in _KINDS if word in said.get("kind", "").lower()), kind)
    return Plot(frame=said.get("frame", ""), y=said.get("y", ""), x=said.get("x", ""), kind=kind)


_JOINTS = {"by": "bar", "per": "bar", "for each": "bar", "over": "line", "against": "scatter", "vs": "scatter"}
_JOINTS |= {"vs.": "scatter", "versus": "scatter"}
_KINDS = (("bar", "bar"), ("scatter", "scatter"), ("line", "line"), ("histogram", "histogram"))
_DRAW = r"(?:plot|draw|chart|graph|visuali[sz]e)(?: me)?"
_KIND = r"(?:(?:a |an |the )?(?P<kind>bar|line|scatter)(?: ?(?:chart|plot|graph|diagram))?(?: of)? )?"
_COLUMN = r"(?:the )?(?:column )?(?P<{}>`[^`]+`|\"[^\"]+\"|'[^']+'|[^\W\d]\w*)"
_FROM = r"(?: (?:from|in|of|using) (?:the )?(?:data ?frame |frame |variable )?`?(?P<frame>[^\W\d]\w*)`?)"
_JOINT = r"(?P<joint>by|per|for each|over|against|vs\.?|versus)"
_PATTERNS = tuple(
    (re.compile(pattern, re.IGNORECASE), kind)
    for pattern, kind in (
        (rf"(?:(?:{_DRAW}|show(?: me)?) )?(?:a |the )?histogram (?:of|for) {_COLUMN.format('y')}{_FROM}?", "histogram"),
        (rf"{_DRAW} {_KIND}{_COLUMN.format('y')} {_JOINT} {_COLUMN.format('x')}{_FROM}?", "bar"),
        (rf"{_DRAW} {_KIND}{_COLUMN.format('y')}{_FROM}", "line"),
        (
            r"(?:plot|visuali[sz]e|draw) (?:the |my )?(?:data ?frame |frame |variable )?`?(?P<frame>[^\W\d]\w*)`?",
            "line",
        ),
    )
)
