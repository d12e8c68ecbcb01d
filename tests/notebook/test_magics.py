"""The magics in a shell of their own, over real HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from PIL import Image
from servers import misbehaving as wire
from servers.misbehaving import HOLD, MisbehavingServer

import rustbot_jupyter as rb
from rustbot_jupyter.engine.plan import TurnRequest
from rustbot_jupyter.messages import AttachedPart, Message, TextPart, ToolCallPart, ToolResultPart, user_message
from rustbot_jupyter.notebook import magic_requests
from rustbot_jupyter.notebook.arguments import parse_line
from rustbot_jupyter.notebook.dry_run import DryRun, dry_run
from rustbot_jupyter.notebook.failures import Failures
from rustbot_jupyter.notebook.magic_requests import turn_request
from rustbot_jupyter.notebook.widget import ChatWidget

KEY = "sk-or-v1-" + "planted" * 6
USAGE = {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15, "cost": 0.00025}


class Notebook:
    """A shell with the magics loaded, and what its cells showed."""

    def __init__(self, shell: InteractiveShell, bot: rb.Rustbot) -> None:
        self.shell = shell
        self.bot = bot
        self.names = shell.user_ns
        self.next_inputs: list[str] = []
        shell.set_next_input = lambda text, replace=False: self.next_inputs.append(text)  # type: ignore[method-assign]

    def run(self, cell: str) -> Any:
        """The result of a cell that works."""
        result = self.shell.run_cell(cell, store_history=True)
        assert result.success, result
        return result.result

    def fail(self, cell: str) -> BaseException:
        """What a cell raises."""
        result = self.shell.run_cell(cell, store_history=True)
        error = result.error_in_exec or result.error_before_exec
        assert error is not None
        return error

    @property
    def outputs(self) -> list[dict[str, Any]]:
        return self.shell.display_pub.outputs

    @property
    def shown(self) -> dict[str, str]:
        """What the last display shows in the end."""
        return self.outputs[-1]["data"]


@pytest.fixture
def notebook(server: MisbehavingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    for name in ("OPENROUTER_API_KEY", "RUSTBOT_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("RUSTBOT_CONFIG_DIR", "RUSTBOT_DATA_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.chdir(tmp_path)
    bot = rb.Rustbot(model="test/model", base_url=server.base_url, api_key=KEY)
    bot.settings.retries = 0
    rb.set_bot(bot)
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    shell.display_pub = CapturingDisplayPublisher()
    # What tells a shell in a kernel from one in a terminal.
    shell.kernel = object()
    shell.extension_manager.load_extension("rustbot_jupyter")
    yield Notebook(shell, bot)
    shell.extension_manager.unload_extension("rustbot_jupyter")
    InteractiveShell.clear_instance()
    bot.close()


def sent(server: MisbehavingServer) -> dict[str, Any]:
    """The body of the last chat request."""
    return server.chats[-1].json


def question(server: MisbehavingServer) -> str:
    return sent(server)["messages"][-1]["content"]


def test_a_cell_shows_the_answer_in_one_display_updated_in_place(notebook, server):
    server.script(wire.answer("Once ", "upon ", "a time", usage=USAGE, pause_s=0.12))

    notebook.run("%%rustbot\nTell me")

    ids = {output["transient"]["display_id"] for output in notebook.outputs}
    assert len(ids) == 1
    assert [output["update"] for output in notebook.outputs] == [False] + [True] * (len(notebook.outputs) - 1)
    assert notebook.shown["text/plain"] == "Once upon a time"
    assert notebook.shown["text/markdown"].startswith("Once upon a time\n\n<small>")
    assert "15 tokens · &#36;0.00025" in notebook.shown["text/markdown"]
    assert any(output["data"]["text/plain"] in ("Once ", "Once upon ") for output in notebook.outputs)


def test_a_flood_of_tokens_makes_at_most_ten_updates_a_second(notebook, server):
    server.script(wire.flood(3_000, rate=3_000))

    start = time.monotonic()
    notebook.run("%%rustbot\nTell me")

    assert len(notebook.outputs) <= 10 * (time.monotonic() - start) + 5
    assert notebook.shown["text/plain"] == "x" * 3_000


def test_the_reply_is_the_result_and_is_not_shown_twice(notebook, server):
    server.script(wire.answer("Hello"))

    reply = notebook.run("%rustbot hi there")
    notebook.run("answer = %rustbot what is this?")

    assert isinstance(reply, rb.Reply)
    assert reply.text == "Hello"
    assert notebook.names["answer"].text == "Hello"
    assert question(server) == "what is this?"
    assert reply._ipython_display_() is None
    assert sum("Hello" in str(output["data"]) for output in notebook.outputs if not output["update"]) == 1


def test_variables_are_put_in_and_everything_else_stays(notebook, server):
    notebook.names["df"] = pd.DataFrame({"price": [1, 2]})
    notebook.run("x = 41")

    notebook.run('%%rustbot\n{x} and $`x + 1`, {"a": 1}, {}, {nope}, \\frac{1}{2}, {In[1]}\n{df}')

    text = question(server)
    assert text.startswith('41 and 42, {"a": 1}, {}, {nope}, \\frac{1}{2}, x = 41\ndf: pandas DataFrame, 2 rows')
    assert "- price: int64, min 1, mean 1.5, max 2" in text


def test_a_line_is_not_expanded_by_ipython(notebook, server):
    notebook.names["x"] = 5

    notebook.run("%rustbot $x {x} {{x}} {x+1} $HOME")

    assert question(server) == "$x 5 {x} {x+1} $HOME"


def test_an_expression_that_fails_is_not_sent(notebook, server):
    error = notebook.fail("%%rustbot\nWhat is $`1/0`?")

    assert str(error).startswith("`1/0` could not be put into the question: ZeroDivisionError")
    assert server.chats == []


@pytest.mark.parametrize("option", ["messages []", "stream false", "n 5", "models a/b"])
def test_an_option_cannot_replace_what_rustbot_sends(notebook, server, option):
    error = notebook.fail(f"%%rustbot -o {option}\nWhy?")

    assert f"'-o {option.split()[0]}' cannot be used: " in str(error)
    assert server.chats == []


def test_a_limit_may_be_given_in_the_spelling_of_newer_models(notebook, server):
    notebook.run("%%rustbot -o max_completion_tokens 100\nWhy?")

    assert {name: value for name, value in sent(server).items() if "tokens" in name} == {"max_completion_tokens": 100}


@pytest.mark.parametrize("name", ["Qwen 2.5 7B", r"C:\Users\Jane Doe\qwen 2.5.gguf", "模型 7b", "model (final) [v2]"])
def test_a_model_in_quotes_may_have_any_name(notebook, server, name):
    notebook.run(f'%%rustbot "{name}"\nWhy?')

    assert sent(server)["model"] == name


def test_flags_reach_the_request(notebook, server):
    notebook.names["a"] = [1, 2]

    line = "other/model -s 'Be short.' -o temperature 0.5 -o top_k 7 -m '{\"max_tokens\": 99}' --vars a --timeout 60"

    notebook.run(f"%%rustbot {line}\nWhy?")

    body = sent(server)
    assert body["model"] == "other/model"
    assert body["temperature"] == 0.5
    assert body["top_k"] == 7
    assert body["max_tokens"] == 99
    assert body["messages"][0]["content"].startswith("Be short.")
    assert question(server) == "Why?\n\nVariables:\n\na: list, 2 items\n[1, 2]"


def test_schema_only_sends_no_value(notebook, server):
    notebook.names["df"] = pd.DataFrame({"who": ["zebra"]})
    notebook.run("x = 'zebra'")

    notebook.run("%%rustbot --schema-only --vars df\n{df} {x} {In[1]} $`x * 2`")

    assert "zebra" not in json.dumps(sent(server))
    assert "- who: str" in question(server)


def test_schema_only_keeps_earlier_messages_at_home_unless_they_are_asked_for(notebook, server):
    notebook.names["df"] = pd.DataFrame({"who": ["zebra"]})
    notebook.run("%%rustbot\nLook at {df}")

    notebook.run("%%rustbot --schema-only\nWhat is {df}?")
    alone = json.dumps(sent(server))
    notebook.run("%%rustbot --schema-only -c\nAnd now?")

    assert "zebra" not in alone
    assert "zebra" in json.dumps(sent(server))


def test_a_picture_that_the_question_names_goes_with_it(notebook, server):
    server.script(wire.answer("A red square."))
    notebook.names["photo"] = Image.new("RGB", (2, 2), "red")

    notebook.run("%%rustbot\nWhat is on {photo}? Not on {nothing}.")

    text, picture = question(server)
    assert text["text"].endswith("Not on {nothing}.")
    assert picture["image_url"]["url"].startswith("data:image/png;base64,")


def test_schema_only_sends_no_picture(notebook, server):
    server.script(wire.answer("I cannot see it."))
    notebook.names["photo"] = Image.new("RGB", (2, 2), "red")

    notebook.run("%%rustbot --schema-only\nWhat is on {photo}?")

    assert isinstance(question(server), str)


def test_the_setting_send_values_does_the_same(notebook, server):
    notebook.bot.settings.set("send_values", False)
    notebook.names["x"] = "zebra"

    notebook.run("%rustbot what is {x}?")

    assert question(server) == "what is x: str, 5 characters?"


def test_cells_share_the_conversation_unless_told_otherwise(notebook, server):
    server.script(wire.answer("one"))
    notebook.run("%rustbot first question")
    notebook.run("%rustbot second question")
    assert len(sent(server)["messages"]) == 4

    notebook.run("%rustbot --no-history third question")
    assert len(sent(server)["messages"]) == 2
    assert len(notebook.bot.conversation.messages) == 4

    notebook.run("%rustbot --new fourth question")
    assert len(sent(server)["messages"]) == 2
    assert len(notebook.bot.conversation.messages) == 2


def test_code_goes_into_the_next_cell(notebook, server):
    server.script(wire.answer("Sure:\n```python\nx = 1\n```\nDone."))

    notebook.run("%%rustbot -f code\nSet x")

    assert notebook.next_inputs == ["x = 1"]
    assert "The code is in the next cell" in notebook.shown["text/markdown"]


def test_an_answer_without_code_says_so(notebook, server):
    server.script(wire.answer("I cannot."))

    notebook.run("%%rustbot -f code\nSet x")

    assert notebook.next_inputs == []
    assert notebook.shown["text/markdown"].startswith("I cannot.\n\n*The answer holds no code.*")


STEERING = [
    "\x1b]52;c;aGk=\x07",
    "\x1b]8;;https://evil.test\x1b\\",
    "\x1b[2J",
    "\x1b[31m",
    "\x07",
    "\x08\x08",
    "\x9b2J",
    "\x7f",
    "\r",
]


@pytest.mark.parametrize("flags", ["", "-f text", "--no-stream", "-f code", "-f json"])
def test_nothing_in_an_answer_steers_a_terminal(notebook, server, flags):
    server.script(wire.answer(*(f"a{piece}b" for piece in STEERING)))

    result = notebook.shell.run_cell(f"%%rustbot {flags}\nTell me")

    written = [text for output in notebook.outputs for kind, text in output["data"].items() if kind == "text/plain"]
    written.append(repr(result.result))
    assert written
    assert [text for text in written if any(mark in text for piece in STEERING for mark in piece if mark < " ")] == []
    assert not any("\x7f" in text or "\x9b" in text for text in written)


def test_json_is_shown_as_json_and_asked_for_with_a_schema(notebook, server):
    server.script(wire.answer('```json\n{"name": "Ann", "age": 3}\n```'))

    notebook.run("%%rustbot --schema 'name, age int'\nWho?")

    assert notebook.shown["application/json"] == {"name": "Ann", "age": 3}
    wanted = sent(server)["response_format"]["json_schema"]
    assert wanted["strict"] is True
    assert wanted["schema"]["required"] == ["name", "age"]


def test_a_server_that_knows_no_schema_is_asked_for_it_in_words(notebook, server):
    no_schemas = wire.error(400, "response_format is not supported")
    server.script(lambda received: no_schemas if "response_format" in received.json else wire.answer('{"age": 3}'))

    notebook.run("%%rustbot --schema 'age int'\nHow old?")

    assert notebook.shown["application/json"] == {"age": 3}
    assert len(server.chats) == 2
    assert '"age"' in question(server)


@pytest.mark.parametrize("history", ["", "--no-history"])
def test_an_answer_that_does_not_fit_is_asked_for_once_more_with_what_is_wrong(notebook, server, history):
    server.script(wire.answer('{"name": "Ann"}'), wire.answer('{"name": "Ann", "age": 3}'))

    reply = notebook.run(f"%%rustbot --schema 'name, age int' {history}\nWho?")

    assert notebook.shown["application/json"] == {"name": "Ann", "age": 3}
    assert reply.text == '{"name": "Ann", "age": 3}'
    assert len(server.chats) == 2
    said = "\n".join(message["content"] for message in sent(server)["messages"])
    assert "Who?" in said
    assert '{"name": "Ann"}' in said
    assert "'age' is missing, it should be a whole number" in question(server)
    assert sent(server)["response_format"] == server.chats[0].json["response_format"]


@pytest.mark.parametrize("format", ["", "-f text"])
def test_an_answer_that_never_fits_is_shown_and_one_clear_error(notebook, server, format):
    server.script(wire.answer("[1]"), wire.answer("[1, 2]"))

    error = notebook.fail(f"%%rustbot --out kept --schema 'name, age int' {format}\nWho?")

    assert isinstance(error, rb.SchemaError)
    assert "it should be an object and is [1, 2]" in str(error)
    assert error.reply.text == "[1, 2]"
    assert notebook.names["kept"].text == "[1, 2]"
    assert notebook.shown["text/plain"] == "[1, 2]"
    assert len(server.chats) == 2


def test_a_second_question_that_fails_leaves_the_first_answer(notebook, server):
    server.script(wire.answer("[1]"), wire.error(500))

    error = notebook.fail("%%rustbot --schema name\nWho?")

    assert isinstance(error, rb.SchemaError)
    assert error.reply.text == "[1]"


def test_an_answer_without_room_for_another_is_not_asked_again(notebook, server):
    server.script(wire.answer("[1]", finish="length"))

    assert isinstance(notebook.fail("%%rustbot --schema name\nWho?"), rb.SchemaError)
    assert len(server.chats) == 1


@pytest.mark.parametrize(
    ("answer", "cell", "note"),
    [
        ("```bash\npip install x\n```", "%%bash\npip install x", "The code is in the next cell."),
        ("```sql\nselect 1\n```", None, "The answer holds sql and no Python, so there is no new cell."),
        ("```r\nx\n```\n```bash\nls\n```", "%%bash\nls", "In the next cell is what %%bash runs of it."),
    ],
)
def test_code_that_is_no_python_is_never_a_python_cell(notebook, server, answer, cell, note):
    server.script(wire.answer(answer))

    notebook.run("%%rustbot -f code\nHow?")

    assert notebook.next_inputs == ([cell] if cell else [])
    assert note in notebook.shown["text/plain"]


def test_an_answer_that_is_no_json_is_shown_and_one_clear_error(notebook, server):
    server.script(wire.answer("I would rather not."))

    error = notebook.fail("%%rustbot -f json --out kept\nWho?")

    assert str(error).startswith("The answer is not JSON: it is plain text.")
    assert error.reply.text == "I would rather not."
    assert notebook.names["kept"].text == "I would rather not."
    assert notebook.shown["text/plain"] == "I would rather not."


@pytest.mark.parametrize(
    ("format", "kind", "start"),
    [("text", "text/plain", "<b>x^2"), ("math", "text/latex", "$$\n<b>"), ("html", "text/html", '<iframe sandbox=""')],
)
def test_other_formats_have_their_mime_type(notebook, server, format, kind, start):
    server.script(wire.answer("<b>x^2</b>"))

    notebook.run(f"%%rustbot -f {format}\nShow")

    assert notebook.shown[kind].startswith(start)


def test_an_image_of_an_answer_is_shown_with_f_image(notebook, server):
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0="}}
    drawn = wire.Chunk(wire.event(wire.delta(content="", images=[image])))
    server.script([wire.head(), drawn, *wire.closing()])

    notebook.run("%%rustbot -f image\nDraw")

    assert notebook.shown["image/png"] == "iVBORw0="


def test_images_in_an_answer_do_not_load_before_a_click(notebook, server):
    server.script(wire.answer("![x](https://evil.example/?secret) <img src=https://evil.example>"))

    notebook.run("%rustbot show me")

    for output in notebook.outputs:
        assert "![" not in output["data"]["text/markdown"]
        assert "<img" not in output["data"]["text/markdown"]


def test_a_failure_raises_one_line(notebook, server, capsys):
    server.script(wire.error(401, "No auth"))

    error = notebook.fail("%rustbot hello there")

    assert isinstance(error, rb.AuthenticationFailed)
    assert "following.py" not in capsys.readouterr().out
    assert KEY not in str(error)


def test_a_failure_may_be_shown_only(notebook, server):
    server.script(wire.error(402, "Pay"))

    assert notebook.run("%rustbot --on-error show hello there") is None

    assert notebook.shown["text/markdown"].startswith("**")


def test_a_broken_stream_keeps_what_had_come(notebook, server):
    server.script([*wire.opening("Once "), wire.CLOSE])

    reply = notebook.run("%rustbot tell me")

    assert reply.status is rb.MessageStatus.INTERRUPTED
    assert notebook.shown["text/markdown"].startswith("Once \n\n*Interrupted.")


def test_a_dry_run_shows_what_would_be_sent_and_sends_nothing(notebook, server):
    notebook.names["x"] = 5

    preview = notebook.run("%%rustbot --dry-run -s 'Be <b>short</b>.'\nWhat is {x}?")

    assert isinstance(preview, DryRun)
    assert server.chats == []
    assert notebook.bot.conversation.messages == ()
    assert "What is 5?" in str(preview)
    assert "test/model" in str(preview)
    assert "&lt;b&gt;short" in preview._repr_html_()


def test_a_dry_run_marks_what_was_put_in_and_names_what_stays(notebook, server):
    notebook.names |= {"x": "a <b> c", "n": 7}

    preview = notebook.run("%%rustbot --dry-run --vars n\nWhat is {x} and $`n + 1`?\nAnd $x^{n}$?")

    lines = str(preview).splitlines()
    place = lines.index("What is a <b> c and 8?")
    assert lines[place + 1 : place + 3] == ["        ▔▔▔▔▔▔▔     ▔", "And $x^{n}$?"]
    assert lines[-2:] == ["n: int = 7", "▔▔▔▔▔▔▔▔▔▔"]
    assert "Put in, and marked below: 'x', 'n + 1', 'n'. Sent as typed, as LaTeX, a template or code: {n}." in lines[0]
    assert "What is <mark>a &lt;b&gt; c</mark> and <mark>8</mark>?" in preview._repr_html_()


def test_a_dry_run_refuses_what_the_question_would_be_refused_for(notebook, server):
    error = notebook.fail("%%rustbot --dry-run --tools evalute\nWhat is it?")

    assert str(error) == str(notebook.fail("%%rustbot --tools evalute\nWhat is it?"))
    assert "evaluate" in str(error)
    assert server.chats == []


NAMES_OF_FUNCTIONS = {
    "function": "def ask(topic):\n    %rustbot About {topic}.\nask('bees')",
    "default and keyword": "def ask(*, topic='bees', **more):\n    %rustbot About {topic}.\nask()",
    "coroutine": "async def ask(topic):\n    %rustbot About {topic}.\nawait ask('bees')",
    "method": "class Asker:\n    topic = 'bees'\n    def ask(self):\n        %rustbot About {self.topic}.\n"
    "Asker().ask()",
    "class body": "class Asker:\n    topic = 'bees'\n    %rustbot About {topic}.",
    "comprehension": "def ask(topics):\n    return [get_ipython().run_line_magic('rustbot', 'About {topic}.') "
    "for topic in topics]\nask(['bees'])",
    "around a comprehension": "def ask(topic):\n    [get_ipython().run_line_magic('rustbot', 'About {topic}.') "
    "for each in range(1)]\nask('bees')",
    "lambda": "ask = lambda topic: get_ipython().run_line_magic('rustbot', 'About {topic}.')\nask('bees')",
    "nested": "def outer(topic):\n    def inner():\n        %rustbot About {topic}.\n    inner()\nouter('bees')",
    "the inner name": "def outer(topic):\n    def inner(topic):\n        %rustbot About {topic}.\n    inner('bees')\n"
    "outer('ants')",
    "exec": "exec(\"get_ipython().run_line_magic('rustbot', 'About {topic}.')\", "
    "{'get_ipython': get_ipython, 'topic': 'bees'})",
    "exec with locals": "exec(\"get_ipython().run_line_magic('rustbot', 'About {topic}.')\", globals(), "
    "{'topic': 'bees'})",
    "cell magic": "def ask(topic):\n    get_ipython().run_cell_magic('rustbot', '', 'About {topic}.')\nask('bees')",
    "expression": "def ask(topic):\n    %rustbot About $`''.join(letter for letter in topic)`.\nask('bees')",
    "--vars": "def ask(topic):\n    %rustbot --vars topic About bees.\nask('bees')",
}


@pytest.mark.parametrize("cell", NAMES_OF_FUNCTIONS.values(), ids=NAMES_OF_FUNCTIONS)
def test_the_names_of_the_function_that_asks_come_first(notebook, server, cell):
    notebook.run("topic = 'wrong'")

    notebook.run(cell)

    assert question(server).startswith("About bees.")
    assert "wrong" not in question(server)
    assert notebook.names["topic"] == "wrong"


def test_a_function_sees_the_notebooks_variables_and_its_callers_are_not_looked_at(notebook, server):
    notebook.run("season = 'spring'\ndef inner():\n    %rustbot {season} {topic}\ndef outer(topic):\n    inner()")

    notebook.run("outer('bees')")

    assert question(server) == "spring {topic}"


def test_a_dry_run_tells_the_messages_that_are_then_sent(notebook, server):
    notebook.run("%rustbot first question")

    preview = notebook.run("%rustbot --dry-run second question")
    notebook.run("%rustbot second question")

    said = [message.text for message in preview.messages]
    assert said == [message["content"] for message in sent(server)["messages"]]


def test_a_dry_run_shows_calls_and_results_and_what_was_attached(notebook, server):
    history = (
        Message(role="user", parts=(TextPart(text="Look"), AttachedPart(text="the page"))),
        Message(role="assistant", parts=(ToolCallPart(call_id="1", name="evaluate", arguments='{"code": "x"}'),)),
        Message(role="tool", parts=(ToolResultPart(call_id="1", name="evaluate", content="42"),)),
    )
    request = TurnRequest(message=user_message("And now?"), source="api")

    shown = str(dry_run(request, notebook.bot.planner(request), history))

    assert "Look\nthe page" in shown
    assert '[calls evaluate({"code": "x"})]' in shown
    assert "[result of evaluate]\n42" in shown


def test_the_background_answers_while_the_notebook_goes_on(notebook, server):
    server.script([*wire.opening("Once "), HOLD, *wire.closing()])

    assert notebook.run("%%rustbot --bg --out later\nTell me") is None
    server.wait_until_held()
    notebook.run("x = 1")
    server.release()

    deadline = time.monotonic() + 10
    while "later" not in notebook.names or "<small>" not in notebook.shown.get("text/markdown", ""):
        assert time.monotonic() < deadline, "no answer in the background"
        time.sleep(0.01)
    assert notebook.names["later"].text == "Once "


def test_fix_sends_the_failing_cell_its_traceback_and_its_variables(notebook, server):
    notebook.names["prices"] = {"apple": 1}
    notebook.fail("prices['peach']")

    notebook.run("%%rustbot fix\nUse 0 when it is missing.")

    text = question(server)
    assert "```python\nprices['peach']\n```" in text
    assert "KeyError: 'peach'" in text
    assert 'File "In[1]", line 1' in text
    assert "{'apple': 1}" in text
    assert "Use 0 when it is missing." in text


def test_explain_takes_a_number_and_cells_that_did_not_fail(notebook, server):
    notebook.run("y = sum(range(10))")
    notebook.fail("1/0")
    notebook.fail("undefined")

    notebook.run("%rustbot explain 2")
    assert "ZeroDivisionError" in question(server)

    notebook.run("%rustbot explain 1")
    assert question(server).startswith("Explain what the notebook cell In[1] does.")
    assert "y: int = 45" in question(server)

    assert str(notebook.fail("%rustbot fix 1")).startswith("Cell In[1] has not failed")


def test_err_is_there_for_questions(notebook, server):
    notebook.fail("1/0")

    notebook.run("%rustbot what does {Err[1]} mean")

    assert "ZeroDivisionError: division by zero" in question(server)


def test_eval_makes_the_question_from_code(notebook, server):
    notebook.names["x"] = 5

    notebook.run("%%rustbot --eval\ny = x + 1\nf'What is {y} in {{braces}}?'")

    assert question(server) == "What is 6 in {braces}?"
    assert "gives no text" in str(notebook.fail("%%rustbot --eval\ny = 1"))
    assert "ZeroDivisionError" in str(notebook.fail("%%rustbot --eval\n1/0"))


def test_limits_reach_the_engine(notebook):
    call = parse_line("--max-cost 0.01 --timeout 5 tell me")

    request = turn_request(call, magic_requests.Notebook(namespace={}, failures=Failures()), schema_only=False)

    assert (request.max_cost_usd, request.timeout_s, request.source) == (0.01, 5.0, "magic")


def test_commands_show_what_they_say(notebook, server, tmp_path):
    server.script(wire.answer("Hello", usage=USAGE))
    notebook.run("%rustbot hi there")

    assert "rustbot" in notebook.run("%rustbot version").text.lower()
    assert "%rustbot fix" in notebook.run("%rustbot help").text
    assert list(notebook.run("%rustbot usage")["input_tokens"]) == [12]
    assert "\\$0.00025" in notebook.run("%rustbot cost").text
    assert "test/model" in notebook.run("%rustbot status").text
    assert notebook.run("%rustbot stop").text == "Nothing is running."
    assert "chat.md" in notebook.run("%rustbot export chat.md").text
    assert "## User\n\nhi there\n\n## Assistant\n\nHello" in (tmp_path / "chat.md").read_text()
    assert "is there already" in str(notebook.fail("%rustbot export chat.md"))
    notebook.run("%rustbot reset")
    assert notebook.bot.conversation.messages == ()


def test_the_chat_is_the_result_of_the_bare_magic(notebook):
    assert isinstance(notebook.run("%rustbot"), ChatWidget)


def test_an_alias_stands_for_its_model(notebook, server):
    notebook.run("%rustbot alias tiny vendor/tiny-1")

    notebook.run("%%rustbot tiny\nWhy?")

    assert sent(server)["model"] == "vendor/tiny-1"
    assert "`tiny`" in notebook.run("%rustbot alias").text
    notebook.run("%rustbot dealias tiny")
    assert notebook.run("%rustbot alias").text == "There are no aliases yet."
    assert "is a command" in str(notebook.fail("%rustbot alias fix vendor/tiny-1"))


def test_loading_twice_and_unloading_leave_the_shell_clean(notebook):
    shell = notebook.shell

    notebook.run("%load_ext rustbot_jupyter")
    notebook.run("%reload_ext rustbot_jupyter")

    assert [one.__name__ for one in shell.input_transformer_manager.token_transformers].count("QuestionLine") == 1
    hooks = [hook.__qualname__ for hook in shell.events.callbacks["post_run_cell"]]
    assert hooks.count("Extension.note_failure") == 1
    notebook.run("%unload_ext rustbot_jupyter")
    assert "rustbot" not in shell.magics_manager.magics["cell"]
    assert "QuestionLine" not in [one.__name__ for one in shell.input_transformer_manager.token_transformers]
    notebook.run("%load_ext rustbot_jupyter")


SECRETS = {
    "a key by its form": ("access", "ghp_" + "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"),
    "an address": ("access", "postgresql://ann:blue-Horse7@db.example/shop"),
    "a password by its name": ("db_password", "blue Horse"),
    "a token by its name": ("service_token", "blue-Horse7"),
}


@pytest.mark.parametrize("kind", SECRETS)
def test_secrets_of_the_notebook_stay_out_of_every_request(notebook, server, kind):
    name, value = SECRETS[kind]
    secret = "blue-Horse7" if kind == "an address" else value
    notebook.run(f"{name} = {value!r}; login = {{{name!r}: {name}}}; url = 'x/' + {name}")
    notebook.fail(f"raise ValueError('refused: ' + {name})")
    cells = [
        "%rustbot fix --no-history",
        "%rustbot explain --no-history",
        "%rustbot explain 1 --no-history",
        f"%%rustbot --no-history\nWhat is {{{name}}}, {{login}}, {{login[{name}]}}, $`url + 'a'`?",
        "%%rustbot --no-history\nWhat is {In[1]}, {Err[2]}?",
        f"%%rustbot --no-history --vars {name},login,url\nWhat is it?",
        "%%rustbot --no-history --eval\n'What is ' + repr(login)",
    ]
    for cell in cells:
        server.script(wire.answer("No."))
        notebook.run(cell)
        assert secret not in json.dumps(sent(server)["messages"]), cell
    for tool, arguments in {
        "evaluate": {"expression": "url"},
        "describe_variable": {"name": name},
        "recent_cells": {"count": 20},
        "last_error": {},
    }.items():
        assert secret not in notebook.bot.tools.call(tool, **arguments).text, tool


def test_what_the_user_types_is_sent_as_typed(notebook, server):
    server.script(wire.answer("Yes."))

    notebook.run("%%rustbot\nIs password = 'blue Horse' in postgresql://ann:blue@db a good one?")

    assert question(server) == "Is password = 'blue Horse' in postgresql://ann:blue@db a good one?"


def test_names_of_models_that_are_not_there_are_told(notebook, server):
    server.on("/v1/models", wire.json_answer({"data": [{"id": "test/model"}, {"id": "test/large"}]}))

    assert str(notebook.run("%rustbot models qwertz")).startswith("No model is called like 'qwertz'.")
    assert len(notebook.run("%rustbot models large")) == 1
    assert str(notebook.run("%rustbot alias big test/large")) == "`big` now stands for `test/large`."
    told = str(notebook.run("%rustbot alias big test/lagre"))
    assert told.startswith("`big` now stands for `test/lagre`. The server does not list that model.")
    assert "test/large" in told
