from __future__ import annotations

import contextlib
import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.notebook.arguments import COMMANDS, SPELLINGS, MagicCall, Verb, parse_cell, parse_line
from rustbot_jupyter.notebook.flags import FLAGS
from rustbot_jupyter.notebook.help_text import help_text
from rustbot_jupyter.notebook.words import split_words

ALIASES = {"gpt": "openai/gpt-5", "sonnet": "anthropic/claude-sonnet-4.5"}
MODELS = ["openai/gpt-5", "openai/gpt-5-mini", "anthropic/claude-sonnet-4.5", "deepseek/deepseek-r1"]


def line(text: str) -> MagicCall:
    return parse_line(text, aliases=ALIASES, models=MODELS)


def cell(text: str, body: str = "Why?") -> MagicCall:
    return parse_cell(text, body, aliases=ALIASES, models=MODELS)


def changed(call: MagicCall) -> dict[str, Any]:
    """The fields that differ from their defaults."""
    return {
        f.name: getattr(call, f.name)
        for f in dataclasses.fields(call)
        if getattr(call, f.name) != (f.default if f.default is not dataclasses.MISSING else {})
    }


@pytest.mark.parametrize(
    "question",
    [
        "what's this?",
        "don't panic, it's fine",
        "explain how trees work",
        "explain 3 ways to sort a list",
        "explain recursion",
        "Explain this",
        "fix the bug in cell 3",
        "fix it",
        "fix 3 and 4",
        "models for time series",
        "list the largest files",
        "usage of pandas merge",
        "cost of gpt-5?",
        "status of the project?",
        "stop it",
        "reset my index how?",
        "help me with this",
        "version control with git",
        "doctor who",
        "export this as csv",
        "error handling in python",
        "delete all duplicates",
        "what does -f mean in tar -f?",
        "-5 degrees is what in F?",
        "- what does a dash do?",
        '"foo" is what?',
        "'tis the season",
        '{"a": 1} is JSON?',
        "gpt",
        "hello",
        "tcp/ip in short",
        "C:\\new\\table is what?",
        "  spaces   inside   stay",
        "x",
        "?",
        "😀 \u202e",
    ],
)
def test_this_line_is_a_question(question):
    call = line(question)

    assert changed(call) == {"question": question.strip()}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", {"verb": Verb.CHAT}),
        ("   ", {"verb": Verb.CHAT}),
        ("chat", {"verb": Verb.CHAT}),
        ("explain", {"verb": Verb.EXPLAIN}),
        ("explain 3", {"verb": Verb.EXPLAIN, "cell_number": 3}),
        ("Explain 3", {"verb": Verb.EXPLAIN, "cell_number": 3}),
        ("fix", {"verb": Verb.FIX}),
        ("fix 12 -f code", {"verb": Verb.FIX, "cell_number": 12, "format": "code"}),
        ("fix -f code 12", {"verb": Verb.FIX, "cell_number": 12, "format": "code"}),
        ("fix gpt", {"verb": Verb.FIX, "model": "openai/gpt-5"}),
        ("fix openai/gpt-5 3", {"verb": Verb.FIX, "cell_number": 3, "model": "openai/gpt-5"}),
        ("error", {"verb": Verb.FIX}),
        ("--dry-run fix 3", {"verb": Verb.FIX, "cell_number": 3, "dry_run": True}),
        ("models", {"verb": Verb.MODELS}),
        ("models sonnet", {"verb": Verb.MODELS, "arguments": ("sonnet",)}),
        ("list anthropic", {"verb": Verb.MODELS, "arguments": ("anthropic",)}),
        ("alias", {"verb": Verb.ALIAS}),
        ("alias q qwen/qwen3", {"verb": Verb.ALIAS, "arguments": ("q", "qwen/qwen3")}),
        ("register q qwen/qwen3", {"verb": Verb.ALIAS, "arguments": ("q", "qwen/qwen3")}),
        ("update q qwen/qwen3", {"verb": Verb.ALIAS, "arguments": ("q", "qwen/qwen3")}),
        ("dealias q", {"verb": Verb.DEALIAS, "arguments": ("q",)}),
        ("delete q", {"verb": Verb.DEALIAS, "arguments": ("q",)}),
        ("usage", {"verb": Verb.USAGE}),
        ("cost", {"verb": Verb.COST}),
        ("status", {"verb": Verb.STATUS}),
        ("stop", {"verb": Verb.STOP}),
        ("reset", {"verb": Verb.RESET}),
        ("export chat.md", {"verb": Verb.EXPORT, "arguments": ("chat.md",)}),
        ("export 'my chat.md'", {"verb": Verb.EXPORT, "arguments": ("my chat.md",)}),
        ("doctor", {"verb": Verb.DOCTOR}),
        ("help", {"verb": Verb.HELP}),
        ("--help", {"verb": Verb.HELP}),
        ("fix --help", {"verb": Verb.HELP}),
        ("version", {"verb": Verb.VERSION}),
        ('"explain 3"', {"question": "explain 3"}),
        ("-- explain 3", {"question": "explain 3"}),
        ("-- --format is what?", {"question": "--format is what?"}),
        ("-f text -- stop", {"question": "stop", "format": "text"}),
        ("--new what now?", {"question": "what now?", "history": "new"}),
        ("-f json list  two  cities", {"question": "list  two  cities", "format": "json"}),
        ("gpt write a haiku", {"question": "write a haiku", "model": "openai/gpt-5"}),
        ("openai/gpt-5:nitro write", {"question": "write", "model": "openai/gpt-5:nitro"}),
        ("-s 'be short' why?", {"question": "why?", "system": "be short"}),
    ],
)
def test_this_line_means(typed, expected):
    assert changed(line(typed)) == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", {}),
        ("gpt", {"model": "openai/gpt-5"}),
        ("openai/gpt-5", {"model": "openai/gpt-5"}),
        ("openai:gpt-5", {"model": "openai:gpt-5"}),
        ("~anthropic/claude-sonnet-latest", {"model": "~anthropic/claude-sonnet-latest"}),
        ("deepseek/deepseek-r1:free", {"model": "deepseek/deepseek-r1:free"}),
        ("-f markdown gpt", {"model": "openai/gpt-5"}),
        ("gpt -f code", {"model": "openai/gpt-5", "format": "code"}),
        ("--format=html", {"format": "html"}),
        ("-f JSON", {"format": "json"}),
        ("-p work -s 'You are terse.'", {"profile": "work", "system": "You are terse."}),
        ('-s "it\'s \\"here\\""', {"system": 'it\'s "here"'}),
        ("--system='a b'", {"system": "a b"}),
        (
            "-o temperature 0.2 -o seed 7 -o user ann -o stop '[\"x\"]'",
            {"options": {"temperature": 0.2, "seed": 7, "user": "ann", "stop": ["x"]}},
        ),
        ("-o temperature 1 -o temperature -1", {"options": {"temperature": -1}}),
        ("-o top_p NaN", {"options": {"top_p": "NaN"}}),
        ("-m '{\"temperature\": 0.5}' -o seed 1", {"options": {"temperature": 0.5, "seed": 1}}),
        ("--api-base http://localhost:1234/v1 llama", {"base_url": "http://localhost:1234/v1", "model": "llama"}),
        ("-p local llama3.2:3b", {"profile": "local", "model": "llama3.2:3b"}),
        ("--vars a,b --vars b,c", {"variables": ("a", "b", "c")}),
        ("--vars a, b", {"variables": ("a", "b")}),
        ("--schema-only --vars df", {"variables": ("df",), "schema_only": True}),
        ("--out answer", {"out": "answer"}),
        ("--new", {"history": "new"}),
        ("-r", {"history": "new"}),
        ("-c", {"history": "continue"}),
        ("--no-history", {"history": "none"}),
        ("--no-stream --bg --dry-run", {"stream": False, "background": True, "dry_run": True}),
        ("--max-cost 0.05 --timeout 30", {"max_cost_usd": 0.05, "timeout_s": 30.0}),
        ("--on-error show", {"on_error": "show"}),
        ("--eval", {"evaluate": True}),
    ],
)
def test_this_cell_line_means(typed, expected):
    assert changed(cell(typed)) == {"question": "Why?", **expected}


def test_the_cell_is_the_question_as_typed():
    body = "\n  what's {x}?\n\n    code\n\n"

    assert cell("", body).question == "  what's {x}?\n\n    code"


def test_fix_in_a_cell_takes_the_lines_below_as_a_wish():
    assert changed(cell("fix 3 -f code", "Keep it short.\n")) == {
        "verb": Verb.FIX,
        "cell_number": 3,
        "format": "code",
        "question": "Keep it short.",
    }
    assert changed(cell("explain", "\n")) == {"verb": Verb.EXPLAIN}


def test_a_schema_means_json_unless_another_format_was_given():
    call = cell("--schema 'name, age int: in years, tags str[]'")

    assert call.format == "json"
    assert call.schema == {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "age": {"type": "integer", "description": "in years"},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["name", "age", "tags"],
        "additionalProperties": False,
    }
    assert cell("--schema x -f text").format == "text"


def test_a_schema_may_be_json_or_lines():
    assert cell("""--schema '{"type": "array"}'""").schema == {"type": "array"}
    assert cell("--schema 'a: one, two\nb float'").schema["properties"] == {
        "a": {"type": "string", "description": "one, two"},
        "b": {"type": "number"},
    }


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("--formt code", "There is no flag '--formt'; did you mean '--format'?"),
        ("--zzz", "There is no flag '--zzz'; `%rustbot help` lists them all."),
        ("--tool all", "There is no flag '--tool'; did you mean '--tools'?"),
        ("--approve maybe", "'--approve' cannot be 'maybe': it is one of ask, deny, allow."),
        ("-f cod", "'-f' cannot be 'cod': did you mean 'code'?"),
        ("-f xyz", "'-f' cannot be 'xyz': it is one of md, text, code, json, html, math, image."),
        ("-f", "'-f' needs a value behind it: -f FORMAT (FORMAT is missing)."),
        ("-f --new", "'-f' needs a value behind it"),
        ("-o temperature", "'-o' needs a value behind it: -o KEY VALUE (VALUE is missing)."),
        ("-o 1x 2", "'-o' cannot be '1x 2': the key is a name such as temperature."),
        ("-m {oops", "'-m' cannot be '{oops': it is a JSON object in quotes"),
        ("-m 5", "'-m' cannot be '5': it is a JSON object in quotes"),
        ("--max-cost -1", "'--max-cost' cannot be '-1': it is a number above 0."),
        ("--max-cost nan", "'--max-cost' cannot be 'nan': it is a number above 0."),
        ("--timeout soon", "'--timeout' cannot be 'soon': it is a number above 0."),
        ("--out my-name", "'--out' cannot be 'my-name': it is no name that Python takes."),
        ("--out class", "'--out' cannot be 'class'"),
        ("--vars a,1b", "'--vars' cannot be 'a,1b'"),
        ("--on-error ignore", "'--on-error' cannot be 'ignore': it is one of raise, show."),
        ("--new --no-history", "'--new', '-c' and '--no-history' exclude each other; keep one of them."),
        ("--new=yes", "'--new' takes no value; leave '=yes' away."),
        ("--schema ''", "'--schema' cannot be '': it names no field"),
        (
            "--schema 'age itn'",
            "'--schema' cannot be 'age itn': the type 'itn' is none of str, int, float and bool; did",
        ),
        ("--schema '{oops'", "'--schema' cannot be '{oops': it begins like JSON and is none"),
        ("--schema 'a b c'", "'--schema' cannot be 'a b c': 'a b c' is not a name and a type, such as 'age int'."),
        ("openai/gtp-5", "There is no model 'openai/gtp-5'; did you mean 'openai/gpt-5'?"),
        ("gpt-5-mni", "There is no model 'gpt-5-mni'; did you mean 'openai/gpt-5-mini'?"),
        ("sonet", "There is no model 'sonet'; did you mean 'sonnet'?"),
        ("zzz", "There is no model 'zzz'; `%rustbot models` lists them."),
        ("gpt what is it", "Behind %%rustbot stand one model and flags; 'what' is neither."),
        ("usage", "'usage' is a command for one line: write %rustbot usage by itself."),
        ("fix the bug", "The command is written '%rustbot fix [N]'; 'the bug' does not fit."),
    ],
)
def test_a_mistake_in_a_cell_line_gets_one_sentence(typed, message):
    with pytest.raises(RequestError) as caught:
        cell(typed)

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("modles", "There is no command 'modles'; did you mean 'models'? To ask it as a question, put it in quotes."),
        ("modles gpt", "There is no command 'modles'; did you mean 'models'?"),
        ("explian 3", "There is no command 'explian'; did you mean 'explain'?"),
        ("costs", "There is no command 'costs'; did you mean 'cost'?"),
        ("fix 3 --formt code", "There is no flag '--formt'; did you mean '--format'?"),
        (
            "alias for ls -l in bash",
            "There is no flag '-l'; `%rustbot help` lists them all. To ask it as a question, put",
        ),
        ("fix -f code the rest", "The command is written '%rustbot fix [N]'; 'the rest' does not fit."),
        ("dealias", "The command is written '%rustbot dealias NAME'; something is missing."),
        ("export", "The command is written '%rustbot export PATH'; something is missing."),
        ("alias q", "The command is written '%rustbot alias NAME MODEL'; 'q' does not fit."),
        ("--new", "There is no question: write it behind the flags."),
        ("--", "There is no question"),
        ("' '", "There is no question: write what you want to know."),
        ("-f", "'-f' needs a value"),
    ],
)
def test_a_doubtful_line_is_not_sent(typed, message):
    with pytest.raises(RequestError) as caught:
        line(typed)

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("body", ["", "  \n\t\n"])
def test_a_blank_cell_is_not_sent(body):
    with pytest.raises(RequestError, match="There is no question"):
        cell("gpt", body)


def test_any_model_is_taken_while_none_are_known():
    assert parse_cell("whatever-7b", "Why?").model == "whatever-7b"


def test_a_megabyte_on_one_line_is_a_question():
    text = "explain " + "'a \"b " * 200_000

    assert line(text).question == text.strip()


@given(st.text(), st.text())
def test_any_text_is_a_call_or_a_clear_refusal(text, body):
    for parse in (lambda: line(text), lambda: cell(text, body)):
        with contextlib.suppress(RequestError):
            assert isinstance(parse(), MagicCall)


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\\\"'", exclude_categories=["Z", "C"]), min_size=1)))
def test_quoted_words_come_back_as_they_were(words):
    quoted = " ".join(f'"{word} x"' for word in words)

    assert [word.text for word in split_words(quoted)] == [f"{word} x" for word in words]


@pytest.mark.parametrize(
    ("flag", "tools"),
    [("none", ()), ("all", ("*",)), ("read_file,evaluate", ("read_file", "evaluate")), ("memory__*", ("memory__*",))],
)
def test_tools_are_named_for_one_question(flag: str, tools: tuple[str, ...]):
    assert cell(f"--tools {flag} --approve deny", "Why?").tools == tools


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mcp", ()),
        ("mcp list", ("list",)),
        ("mcp add files npx -y @modelcontextprotocol/server-filesystem .", None),
        ("mcp log files", ("log", "files")),
    ],
)
def test_the_words_behind_mcp_are_taken_as_typed(text: str, words: tuple[str, ...] | None):
    call = line(text)

    assert call.verb is Verb.MCP
    assert call.arguments == (words if words is not None else tuple(text.split()[1:]))


def test_mcp_may_begin_a_question():
    assert line("mcp servers: what are they?").question == "mcp servers: what are they?"


def test_the_help_names_every_command_and_flag():
    text = help_text()

    for name in [*SPELLINGS, *COMMANDS, *(name for flag in FLAGS for name in flag.names)]:
        assert name in text


@pytest.mark.parametrize("line", ["save", "load 3", "Save"])
def test_a_command_of_a_later_version_is_not_sent_as_a_question(line: str):
    with pytest.raises(RequestError, match="in a later version"):
        parse_line(line)


def test_a_question_that_begins_like_one_is_a_question():
    assert parse_line("load the file data.csv with pandas").question == "load the file data.csv with pandas"
