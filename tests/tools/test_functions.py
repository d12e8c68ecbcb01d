"""Functions as tools: schema, arguments, calls."""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import datetime
import decimal
import enum
import functools
import json
import math
import pathlib
import sys
import threading
import typing
import uuid
import warnings
from collections.abc import Callable
from typing import Annotated, Any, Literal, NotRequired

import pytest
from pydantic import BaseModel, Field, computed_field
from tool_lab import Lab
from typing_extensions import TypedDict

from rustbot_jupyter.errors import RequestError, ToolError
from rustbot_jupyter.tools.base import BUILT_IN, USER, Risk, Tool, ToolContext, ToolResult
from rustbot_jupyter.tools.functions import fingerprint, tool_of
from rustbot_jupyter.tools.signatures import signature_of

if typing.TYPE_CHECKING:
    pass  # type: ignore[import-not-found]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


class Line(BaseModel):
    start: Point
    colour: Colour = Colour.RED


class Sized(BaseModel):
    side: int

    @computed_field
    def area(self) -> int:
        return self.side**2


class Options(TypedDict):
    depth: int
    name: NotRequired[str]


def entry_of(annotation: Any, *default: Any) -> dict[str, Any]:
    """The schema of a parameter, as its function says it; `test_plain_schemas` has what becomes of it."""

    def function(value: Any) -> None:
        """Do it."""

    function.__annotations__["value"] = annotation
    function.__defaults__ = default or None
    tool_of(function)
    schema = signature_of(function, "function", {}).schema
    json.dumps(schema, allow_nan=False)
    entry: dict[str, Any] = schema["properties"]["value"]
    return entry


@pytest.mark.parametrize(
    ("annotation", "entry"),
    [
        (str, {"type": "string"}),
        (int, {"type": "integer"}),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (Any, {}),
        (list, {"type": "array", "items": {}}),
        (list[str], {"type": "array", "items": {"type": "string"}}),
        (set[int], {"type": "array", "items": {"type": "integer"}, "uniqueItems": True}),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (Literal["r", "w"], {"type": "string", "enum": ["r", "w"]}),
        (Literal[1, "a"], {"enum": [1, "a"]}),
        (Literal["only"], {"type": "string", "const": "only"}),
        (typing.Optional["int"], {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (typing.Union["int", str], {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        (Colour, {"$ref": "#/$defs/Colour"}),
        (Level, {"$ref": "#/$defs/Level"}),
        (Point, {"$ref": "#/$defs/Point"}),
        (Line, {"$ref": "#/$defs/Line"}),
        (Options, {"$ref": "#/$defs/Options"}),
        (datetime.date, {"type": "string", "format": "date"}),
        (datetime.timedelta, {"type": "string", "format": "duration"}),
        (uuid.UUID, {"type": "string", "format": "uuid"}),
        (pathlib.Path, {"type": "string", "format": "path"}),
        (
            Annotated[int, Field(ge=1, description="From 1.")],
            {"type": "integer", "minimum": 1, "description": "From 1."},
        ),
        (Annotated[str, "a remark"], {"type": "string"}),
        ("int", {"type": "integer"}),
        ("list[Point]", {"type": "array", "items": {"$ref": "#/$defs/Point"}}),
        ("Unknown", {}),
        ("Unknown | None", {}),
        ("no annotation at all", {}),
    ],
    ids=str,
)
def test_the_schema_of_an_annotation(annotation: Any, entry: dict[str, Any]):
    assert entry_of(annotation) == entry


VALUES: list[tuple[Any, Any, Any]] = [
    (Colour, "blue", Colour.BLUE),
    (Level, 2, Level.HIGH),
    (Point, {"x": 1}, Point(1, 0)),
    (Line, {"start": {"x": 1}}, Line(start=Point(1))),
    (list[Point], [{"x": 1}], [Point(1)]),
    (Options, {"depth": 1}, {"depth": 1}),
    (datetime.date, "2026-01-02", datetime.date(2026, 1, 2)),
    (pathlib.Path, "a/b", pathlib.Path("a/b")),
    (decimal.Decimal, "1.10", decimal.Decimal("1.10")),
    (set[int], [2, 1], {1, 2}),
    (tuple[int, str], [1, "a"], (1, "a")),
    (bytes, "abc", b"abc"),
    (Sized, {"side": 3}, Sized(side=3)),
    (int, "5", 5),
    (bool, "yes", True),
    (Any, {"a": [1]}, {"a": [1]}),
]


@pytest.mark.parametrize(("annotation", "given", "got"), VALUES, ids=str)
@pytest.mark.parametrize("is_async", [True, False])
async def test_a_function_gets_objects_and_the_card_shows_json(annotation: Any, given: Any, got: Any, is_async: bool):
    received: list[Any] = []

    def function(value: Any) -> None:
        received.append(value)

    async def coroutine(value: Any) -> None:
        received.append(value)

    tool = coroutine if is_async else function
    tool.__annotations__["value"] = annotation
    lab = Lab(tool)

    run = await lab.run(tool.__name__, {"value": given})

    assert received == [got], run.error
    assert type(received[0]) is type(got)
    json.dumps(run.arguments)
    assert tool_of(tool).check({"value": given}) == run.arguments


def test_what_is_shown_is_what_was_meant_after_the_check():
    def draw(line: Line, size: int = 3, at: datetime.date | None = None) -> None:
        """Draw."""

    check = tool_of(draw).check

    shown = check({"line": {"start": {"x": "1"}}, "size": "4"})

    assert shown["line"]["start"]["x"] == 1
    assert (shown["size"], shown["at"]) == (4, None)
    assert check(shown) == shown


async def test_defaults_go_in_as_they_are_even_those_that_are_no_json():
    marker = object()
    received: list[Any] = []

    def function(a: int = 0, b: Any = marker, c: float = math.nan, d: list[int] = [1], e: str = marker) -> None:  # type: ignore[assignment]  # noqa: B006
        received.append((a, b, math.isnan(c), d, e))

    function.__defaults__ = (None, *(function.__defaults__ or ())[1:])

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tool = tool_of(function, risk=Risk.READ)
    json.dumps(tool.definition.parameters, allow_nan=False)

    run = await Lab(tool).run("function", {})

    assert received == [(None, marker, True, [1], marker)], run.error


@pytest.mark.parametrize("style", ["annotated", "default"])
async def test_fields_of_pydantic_say_limits_and_defaults(style: str):
    def annotated(count: Annotated[int, Field(ge=1, description="How many.")] = 3) -> int:
        return count

    def default(count: int = Field(3, ge=1, description="How many.")) -> int:
        return count

    lab = Lab(tool_of(annotated if style == "annotated" else default, name="take", risk=Risk.READ))
    tool = lab.registry.get("take")

    fine, wrong = await lab.run("take", {}), await lab.run("take", {"count": 0})

    entry = tool.definition.parameters["properties"]["count"]
    assert entry.items() >= {"minimum": 1, "default": 3, "description": "How many."}.items()
    assert fine.result is not None
    assert fine.result.text == "3"
    assert "greater than or equal to 1" in wrong.error


def test_names_that_pydantic_keeps_for_itself_are_names_like_others():
    def odd(copy: int, model_dump: int, _x: int, schema: int, json: int, self: int, cls: int, __config__: int) -> None:
        """Odd."""

    tool = tool_of(odd)
    names = list(tool.definition.parameters["properties"])

    assert names == ["copy", "model_dump", "_x", "schema", "json", "self", "cls", "__config__"]
    assert tool.check(dict.fromkeys(names, 1)) == dict.fromkeys(names, 1)


# What can be a tool.


class Adder:
    """Something that adds."""

    def __init__(self, base: int) -> None:
        self.base = base

    def plus(self, n: int) -> int:
        """Add to the base.

        Args:
            n: What to add.
        """
        return self.base + n

    def __call__(self, n: int) -> int:
        """Call it.

        Args:
            n: What to add.
        """
        return self.base + n

    @classmethod
    def of(cls, n: int) -> int:
        """Class."""
        return n

    @staticmethod
    def static(n: int) -> int:
        """Static."""
        return n


class AsyncAdder:
    async def __call__(self, n: int) -> int:
        return n + 10


def sum_of(n: int, m: int = 0) -> int:
    """Sum.

    Args:
        n: What to add.
        m: More.
    """
    return n + m


async def async_sum(n: int) -> int:
    return n + 10


def hidden_by_a_decorator(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


@hidden_by_a_decorator
async def wrapped_async(n: int) -> int:
    """Look like a plain function."""
    return n + 10


CALLABLES: list[tuple[str, Callable[..., Any]]] = [
    ("method", Adder(10).plus),
    ("object", Adder(10)),
    ("class method", Adder.of),
    ("static method", Adder.static),
    ("partial", functools.partial(sum_of, m=10)),
    ("partial of a partial", functools.partial(functools.partial(sum_of), m=10)),
    ("partial of a method", functools.partial(Adder(10).plus)),
    ("coroutine function", async_sum),
    ("async object", AsyncAdder()),
    ("partial of a coroutine function", functools.partial(async_sum)),
    ("coroutine function behind a decorator", wrapped_async),
    ("wrapped", hidden_by_a_decorator(sum_of)),
    ("cached", functools.lru_cache(sum_of)),
    ("lambda", lambda n: int(n) + 10),
]


@pytest.mark.parametrize(("kind", "function"), CALLABLES, ids=[kind for kind, _ in CALLABLES])
async def test_what_can_be_called_can_be_a_tool(kind: str, function: Callable[..., Any]):
    tool = tool_of(function, name="tool", risk=Risk.READ)

    run = await Lab(tool).run("tool", {"n": 5})

    assert run.result is not None, run.error
    assert run.result.text in ("15", "5")
    if kind != "lambda":
        assert tool.definition.parameters["properties"]["n"]["type"] == "integer"
    if "partial" in kind and "async" not in kind and "coroutine" not in kind:
        assert tool.definition.parameters["properties"]["n"]["description"] == "What to add."
        assert "partial" not in tool.definition.description


def test_an_object_is_described_by_its_call():
    tool = tool_of(Adder(1), name="adder")

    assert tool.definition.description == "Call it."
    assert tool.definition.parameters["properties"]["n"]["description"] == "What to add."


def a_generator(n: int) -> Any:
    yield n


async def an_async_generator(n: int) -> Any:
    yield n


def takes(annotation: Any) -> Callable[..., Any]:
    def function(value: Any) -> None:
        """Take it."""

    function.__annotations__["value"] = annotation
    return function


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (5, "A tool is made of a function, and 'int' is none"),
        ("name", "A tool is made of a function"),
        (None, "A tool is made of a function"),
        (asyncio.sleep(0), "A tool is made of a function"),
        (lambda *values: 1, "a model gives arguments by name, and '*values' has none"),
        (lambda **values: 1, "'**values' has none"),
        (lambda value, /: 1, "'value' has none"),
        (print, "has none"),
        (dict, "cannot be a tool"),
        (min, "cannot be a tool"),
        (a_generator, "yields its results one by one"),
        (an_async_generator, "yields its results one by one"),
        (takes(Callable[[], int]), "cannot write its argument 'value'"),
        (takes(threading.Thread), "cannot write its argument 'value'"),
        (takes(Annotated[str, Field(pattern="(")]), "cannot write its argument 'value'"),
        (takes(list[threading.Lock]), "cannot write its argument 'value'"),
        (takes(5), "cannot write its argument 'value'"),
    ],
)
def test_what_cannot_be_a_tool_is_refused_in_a_sentence(function: Any, said: str):
    with pytest.raises(RequestError) as error:
        tool_of(function, name="tool")

    assert said in str(error.value)
    assert "pydantic_core" not in str(error.value)
    assert "\n" not in str(error.value)
    if asyncio.iscoroutine(function):
        function.close()


@pytest.mark.parametrize("function", [lambda value: 1, functools.partial(sum_of), Adder(1)])
def test_what_has_no_name_needs_one(function: Any):
    with pytest.raises(RequestError, match=r"bot\.tools\.add\(function, name="):
        tool_of(function)


def test_the_users_own_types_that_fail_are_refused_too():
    class Bad:
        @classmethod
        def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
            raise ZeroDivisionError("bad")

    with pytest.raises(RequestError, match="cannot write its argument 'value'"):
        tool_of(takes(Bad), name="tool")


# The context.


async def test_a_context_is_given_and_not_shown():
    def plain(n: int, context: ToolContext) -> str:
        return f"{n} {context.run_id}"

    def optional(n: int, context: ToolContext | None = None) -> str:
        return f"{n} {context.run_id if context else None}"

    def unknown(n: int, context: tools.ToolContext) -> str:  # type: ignore[name-defined]  # noqa: F821
        return f"{n} {context.run_id}"

    lab = Lab(plain, optional, unknown)

    for name in ("plain", "optional", "unknown"):
        run = await lab.run(name, {"n": 1})
        assert list(lab.registry.get(name).definition.parameters["properties"]) == ["n"]
        assert run.result is not None, run.error
        assert run.result.text == f"1 {run.id}"
        refused = await lab.run(name, {"n": 1, "context": {}})
        assert "context: Extra inputs are not permitted" in refused.error


# Where it runs.


async def test_a_plain_function_runs_on_a_thread_of_its_own_with_the_callers_context():
    variable = contextvars.ContextVar("variable", default="")
    threads: list[threading.Thread] = []

    def where() -> str:
        threads.append(threading.current_thread())
        return variable.get()

    variable.set("from outside")
    run = await Lab(where).run("where")

    assert threads[0] is not threading.main_thread()
    assert threads[0].daemon
    assert run.result is not None
    assert run.result.text == "from outside"


class OwnLoopKernel:
    """A kernel with a loop on another thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()

    async def run_coroutine(self, make: Callable[[], Any], *, on_start: Callable[[], None]) -> Any:
        async def run() -> Any:
            on_start()
            return await make()

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(run(), self.loop))

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@pytest.mark.parametrize(("source", "is_on_kernel"), [(USER, True), ("plugin:x", True), (BUILT_IN, False)])
async def test_a_coroutine_of_the_users_runs_on_the_kernels_loop(source: str, is_on_kernel: bool):
    kernel = OwnLoopKernel()

    async def where() -> str:
        return "kernel" if asyncio.get_running_loop() is kernel.loop else "core"

    @hidden_by_a_decorator
    async def hidden() -> str:
        return "kernel" if asyncio.get_running_loop() is kernel.loop else "core"

    lab = Lab(
        tool_of(where, source=source, risk=Risk.READ),
        tool_of(hidden, source=source, risk=Risk.READ),
        kernel=kernel,  # type: ignore[arg-type]
    )

    try:
        for name in ("where", "hidden"):
            run = await lab.run(name)
            assert run.result is not None, run.error
            assert run.result.text == ("kernel" if is_on_kernel else "core")
    finally:
        kernel.close()


@pytest.mark.parametrize(
    "error", [SystemExit(1), KeyboardInterrupt(), GeneratorExit(), StopIteration(), ValueError("no")]
)
async def test_what_it_raises_on_the_kernels_loop_does_not_end_that_loop(error: BaseException):
    kernel = OwnLoopKernel()

    async def leave() -> None:
        raise error

    try:
        run = await Lab(leave, kernel=kernel).run("leave")  # type: ignore[arg-type]
        assert run.is_over
        assert run.error
        assert kernel.thread.is_alive()
    finally:
        kernel.close()


# Results.


@dataclasses.dataclass
class Money:
    amount: int


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("words", "words"),
        ("", "Done. It returned an empty text."),
        (None, "Done. It returned nothing."),
        (5, "5"),
        (1.5, "1.5"),
        (True, "true"),
        ({"ä": [1, None]}, '{"ä": [1, null]}'),
        ((1, 2), "[1, 2]"),
        ([], "[]"),
        (b"abc", "3 bytes of binary data."),
        (bytearray(10), "10 bytes of binary data."),
    ],
    ids=repr,
)
@pytest.mark.parametrize("is_async", [True, False])
async def test_what_it_returns_as_text(value: Any, text: str, is_async: bool):
    def function() -> Any:
        return value

    async def coroutine() -> Any:
        return value

    tool = coroutine if is_async else function
    run = await Lab(tool).run(tool.__name__)

    assert run.result is not None
    assert run.result.text == text


class Hostile:
    def __repr__(self) -> str:
        raise SystemExit("repr")

    def __getattr__(self, name: str) -> Any:
        raise KeyboardInterrupt(name)


RECURSIVE: list[Any] = []
RECURSIVE.append(RECURSIVE)


@pytest.mark.parametrize(
    "value",
    [Money(3), {1, 2}, float("nan"), {"x": float("inf")}, object(), RECURSIVE, Hostile(), {1: object()}, sys, print],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("is_async", [True, False])
async def test_any_other_value_has_a_text_or_an_error_and_never_hangs(value: Any, is_async: bool):
    def function() -> Any:
        return value

    async def coroutine() -> Any:
        return value

    tool = coroutine if is_async else function
    run = await Lab(tool).run(tool.__name__, timeout_s=10)

    assert run.is_over
    assert run.error or (run.result and run.result.text)


async def test_drawing_and_describing_happens_beside_the_loop():
    threads: list[threading.Thread] = []

    class Slow:
        def __repr__(self) -> str:
            threads.append(threading.current_thread())
            return "Slow()"

    async def coroutine() -> Any:
        return Slow()

    def function() -> Any:
        return Slow()

    lab = Lab(coroutine, function)
    await lab.run("coroutine")
    await lab.run("function")

    assert threads
    assert threading.main_thread() not in threads


async def test_values_are_described_without_their_values_when_these_may_not_be_sent():
    import pandas as pd

    def frame() -> Any:
        return pd.DataFrame({"who": ["zebra-4711"]})

    lab = Lab(frame)
    whole = await lab.run("frame")
    schema = await lab.run("frame", send_values=False)

    assert whole.result is not None
    assert schema.result is not None
    assert "zebra-4711" in whole.result.text
    assert "zebra-4711" not in schema.result.text
    assert "who" in schema.result.text


async def test_a_tool_result_is_taken_as_it_is():
    def tell() -> ToolResult:
        return ToolResult(text="words", is_error=True, origin="page https://x")

    run = await Lab(tell).run("tell")

    assert run.result is not None
    assert (run.result.origin, run.result.is_private) == ("page https://x", False)
    assert run.error == "words"


def test_a_fingerprint_changes_with_all_that_a_model_is_told():
    def one(a: int) -> None:
        """Text."""

    def other(a: str) -> None:
        """Text."""

    prints = {
        fingerprint(tool_of(one).definition),
        fingerprint(tool_of(one, name="two").definition),
        fingerprint(tool_of(one, description="Other text.").definition),
        fingerprint(tool_of(other, name="one").definition),
    }

    assert len(prints) == 4
    assert tool_of(one).fingerprint == fingerprint(tool_of(one).definition)
    assert tool_of(one, source=BUILT_IN).fingerprint == ""


def test_errors_name_the_parameter_and_say_how_many_there_are():
    def many(a: int, b: int, c: int, d: int, e: int, f: int, g: Line) -> None:
        """Many."""

    with pytest.raises(ToolError) as error:
        tool_of(many).check(dict.fromkeys("abcdef", "x" * 10_000) | {"g": {"start": {}}})

    text = str(error.value)
    assert text.count("valid integer") == 5
    assert "Its parameters are: a, b, c, d, e, f, g." in text
    assert "pydantic" not in text
    assert len(text) < 1_000


def test_types_of_the_function_around_are_found():
    @dataclasses.dataclass
    class Order:
        city: str
        units: int

    class Colour(enum.Enum):
        RED = "red"

    class Words(TypedDict):
        text: str

    def book(order: Order, colour: Colour, words: Words, model: list[Order] | None = None) -> str:
        return type(order).__name__

    assert all(isinstance(text, str) for text in book.__annotations__.values())

    def made() -> Tool:
        return tool_of(book)

    schema = json.dumps(made().definition.parameters)

    assert all(word in schema for word in ("units", "red", "text"))


async def test_the_function_gets_the_class_that_was_made_around_it():
    given: list[Any] = []

    @dataclasses.dataclass
    class Order:
        city: str

    def book(order: Order) -> str:
        given.append(order)
        return "booked"

    tool = tool_of(book, risk=Risk.READ)
    await tool.run(tool.check({"order": {"city": "Oslo"}}), ToolContext())

    assert given == [Order("Oslo")]


def test_a_class_of_the_closure_is_found_after_its_function_has_ended():
    def prepared() -> Any:
        @dataclasses.dataclass
        class Order:
            city: str

        def book(order: Order) -> str:
            return Order.__name__

        return book

    assert "city" in json.dumps(tool_of(prepared()).definition.parameters)
