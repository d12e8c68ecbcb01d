"""A Plotly figure that offers no upload, however it is shown."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from rustbot_jupyter.analysis.style import SHOW_CONFIG, empty_layout


class QuietFigure(go.Figure):
    """A `go.Figure` whose every display carries our configuration; all else is Plotly's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]

    def show(self, *args: Any, **kwargs: Any) -> Any:
        """Show the figure, as Plotly does, without the upload button."""
        return super().show(*args, **_quiet(kwargs))  # type: ignore[no-untyped-call]

    def to_html(self, *args: Any, **kwargs: Any) -> Any:
        """The figure as HTML, as Plotly writes it, without the upload button."""
        return super().to_html(*_quiet_first(args), **_quiet(kwargs, args))  # type: ignore[no-untyped-call]

    def write_html(self, file: Any, *args: Any, **kwargs: Any) -> Any:
        """Write the figure as HTML, as Plotly does, without the upload button."""
        return super().write_html(file, *_quiet_first(args), **_quiet(kwargs, args))  # type: ignore[no-untyped-call]

    def _repr_mimebundle_(self, *args: Any, **kwargs: Any) -> Any:
        return super()._repr_mimebundle_(*args, **_quiet(kwargs))  # type: ignore[no-untyped-call]

    def _ipython_display_(self) -> None:
        # Plotly's own asks the renderers directly and so knows no configuration of a figure.
        import plotly.io as pio

        if pio.renderers.render_on_display and pio.renderers.default:
            self.show()
        else:
            print(repr(self))


def empty_figure(title: str, sentence: str) -> QuietFigure:
    """A figure that says what is missing and what to do."""
    figure = QuietFigure()
    figure.update_layout(empty_layout(title, sentence))
    return figure


def _quiet(kwargs: dict[str, Any], args: tuple[Any, ...] = ()) -> dict[str, Any]:
    return kwargs if args else {**kwargs, "config": {**(kwargs.get("config") or {}), **SHOW_CONFIG}}


def _quiet_first(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The same positional arguments, of which `config` is the first."""
    return ({**(args[0] or {}), **SHOW_CONFIG}, *args[1:]) if args else ()
