"""Figures and models as text: what is drawn, what was set and learned. Their libraries are never imported for it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from rustbot_jupyter.key_forms import REDACTED
from rustbot_jupyter.secret_names import is_secret
from rustbot_jupyter.tools.short_text import clip, outline_of_array, safe_repr, type_name

MOST_ATTRIBUTES = 30


def figure_text(value: Any, budget: int) -> str:
    """Return what a figure shows, as far as its titles, labels and traces tell."""
    lines = [type_name(value), *_parts_of_figure(value)]
    return clip("\n".join(lines), budget)


def is_plot(value: Any) -> bool:
    """True if it is a figure of Matplotlib or Plotly."""
    return isinstance(value, (*_class("matplotlib.figure", "Figure"), *_class("plotly.basedatatypes", "BaseFigure")))


def is_model(value: Any) -> bool:
    """True if it is a model as scikit-learn or PyTorch makes them."""
    if isinstance(value, type):
        return False
    has = {name for name in ("get_params", "fit", "named_children", "parameters") if callable(_of_class(value, name))}
    return has >= {"get_params", "fit"} or has >= {"named_children", "parameters"}


def model_text(value: Any, budget: int) -> str:
    """A model's parameters and what it has learned, or its layers."""
    lines = [f"{type_name(value)}, a model"]
    if callable(_of_class(value, "get_params")):
        lines += ["parameters:", *_assignments(value.get_params(deep=False))]
        learned = {name: each for name, each in _attributes(value).items() if name.endswith("_") and name[:1] != "_"}
        fitted = _is_fitted(value)
        if learned:
            lines += ["learned:", *_assignments(learned)]
        elif fitted is not None:
            lines.append("fitted" if fitted else "not fitted yet")
    else:
        lines += ["layers:", *(f"- {name}: {type_name(layer)}" for name, layer in islice(value.named_children(), 50))]
        lines.append(f"{sum(each.numel() for each in islice(value.parameters(), 10_000)):,} parameters in all")
    return clip("\n".join(lines), budget)


def _is_fitted(value: Any) -> bool | None:
    """True once it has learned, as far as the model itself or scikit-learn can tell; None where nobody knows.

    What it learned may lie in private attributes, or in the parts of a pipeline.
    """
    for name in ("__sklearn_is_fitted__", "is_fitted"):
        if callable(_of_class(value, name)):
            return bool(getattr(value, name)())
    library = type(value).__module__.partition(".")[0]
    check = getattr(sys.modules.get("sklearn.utils.validation"), "check_is_fitted", None)
    if library != "sklearn" or check is None:
        return None
    try:
        check(value)
    except Exception as error:
        return False if type(error).__name__ == "NotFittedError" else None
    return True


def _parts_of_figure(value: Any) -> Iterable[str]:
    is_matplotlib = isinstance(value, _class("matplotlib.figure", "Figure"))
    if is_matplotlib:
        for axes in value.axes[:10]:
            labels = f"{axes.get_title()!r}, x {axes.get_xlabel()!r}, y {axes.get_ylabel()!r}"
            yield f"- axes {labels}: {len(axes.lines)} lines, {len(axes.patches)} bars, {len(axes.collections)} others"
        return
    title = value.layout.title.text
    yield f"title {title!r}" if title else "no title"
    for trace in value.data[:20]:
        yield f"- {trace.type} {trace.name or ''}".rstrip()


def _assignments(values: Mapping[str, Any]) -> list[str]:
    items = islice(values.items(), MOST_ATTRIBUTES)
    return [
        f"- {name} = {REDACTED if is_secret(name, each) else outline_of_array(each) or safe_repr(each, 80)}"
        for name, each in items
    ]


def _attributes(value: Any) -> dict[str, Any]:
    return dict(getattr(value, "__dict__", {}))


def _of_class(value: Any, name: str) -> Any:
    return getattr(type(value), name, None)


def _class(module: str, name: str) -> tuple[type, ...]:
    found = getattr(sys.modules.get(module), name, None)
    return (found,) if isinstance(found, type) else ()
