"""An answer with tool calls, in the output of its cell: what was said between them, and what ran."""

from __future__ import annotations

import base64

from rustbot_jupyter.engine.reply import Reply
from rustbot_jupyter.messages import ImagePart, Message, MessageRole, TextPart, ToolCallPart
from rustbot_jupyter.notebook.answer_display import final_bundle, pictures_of
from rustbot_jupyter.tools.base import ToolResult
from rustbot_jupyter.tools.runs import RunState, ToolRun
from rustbot_jupyter.usage import Usage

PNG = b"\x89PNG\r\n\x1a\n"


def said(text: str) -> Message:
    return Message(role=MessageRole.ASSISTANT, parts=(TextPart(text=text),))


def reply_with(state: RunState, name: str = "run_code", **fields: object) -> Reply:
    first = said("I'll run it.")
    call = ToolCallPart(call_id="1", name=name, arguments="{}")
    run = ToolRun(call=call, turn_id="t", conversation_id="c", message_id=first.id, state=state, duration_s=0.012)
    for field, value in fields.items():
        setattr(run, field, value)
    return Reply(
        message=said("It ran."),
        usage=Usage(),
        model="test/model",
        finish_reason="stop",
        duration_s=1.0,
        earlier=(first,),
        tool_runs=(run,),
    )


def test_what_was_said_and_what_ran_stand_above_the_answer() -> None:
    bundle = final_bundle(reply_with(RunState.COMPLETE, approval="allowed once"), "md")

    assert bundle["text/plain"] == "I'll run it.\n\n✓ run_code · allowed once · 12 ms\n\nIt ran."
    assert bundle["text/markdown"].startswith("I'll run it.\n\n*✓ run&#95;code · allowed once · 12 ms*\n\nIt ran.")


def test_a_call_that_came_to_nothing_says_so() -> None:
    for state, line in [
        (RunState.REFUSED, "⊘ run_code · refused"),
        (RunState.INTERRUPTED, "■ run_code · interrupted"),
        (RunState.TIMEOUT, "✗ run_code · timeout"),
    ]:
        assert line in final_bundle(reply_with(state), "md")["text/plain"]


def test_a_hostile_tool_name_is_inert() -> None:
    bundle = final_bundle(reply_with(RunState.ERROR, name="<img src=x onerror=alert(1)>"), "md")

    assert "<img" not in bundle["text/markdown"]


def test_pictures_of_results_are_outputs_of_their_own() -> None:
    picture = ImagePart(media_type="image/png", data=PNG)
    reply = reply_with(RunState.COMPLETE, result=ToolResult(text="A picture.", images=(picture,)))

    assert [bundle["image/png"] for bundle in pictures_of(reply)] == [base64.b64encode(PNG).decode()]


def test_figures_of_results_are_outputs_without_a_button_that_uploads() -> None:
    figure = '{"data":[{"type":"bar","y":[3]}],"layout":{"title":"Units"}}'
    reply = reply_with(RunState.COMPLETE, result=ToolResult(text="A figure.", figures=(figure,)))

    (bundle,) = pictures_of(reply)

    shown = bundle["application/vnd.plotly.v1+json"]
    assert shown["data"] == [{"type": "bar", "y": [3]}]
    assert shown["layout"]["title"] == "Units"
    # Neither white nor black, as nobody knows the page's theme here.
    assert shown["layout"]["template"]["layout"]["paper_bgcolor"] == "rgba(0,0,0,0)"
    assert shown["config"]["showSendToCloud"] is False
    assert bundle["text/plain"] == "A figure of run_code"


def test_other_formats_show_the_answer_alone() -> None:
    assert final_bundle(reply_with(RunState.COMPLETE), "text") == {"text/plain": "It ran."}
