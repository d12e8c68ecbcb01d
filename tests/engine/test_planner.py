"""From settings to a plan: who is asked, with which key, within which limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from servers.misbehaving import MisbehavingServer, json_answer

from rustbot_jupyter.engine.plan import TurnRequest
from rustbot_jupyter.engine.planner import ModelPlanner
from rustbot_jupyter.errors import AuthenticationFailed
from rustbot_jupyter.llm.client import ChatClient
from rustbot_jupyter.messages import user_message
from rustbot_jupyter.settings.hosts import host_of
from rustbot_jupyter.settings.layers import Settings
from rustbot_jupyter.settings.profile import DEFAULT_MODEL

KEY = "sk-or-v1-" + "7" * 40

pytestmark = pytest.mark.usefixtures("own_folders")


def settings(folder: Path, api_key: str | None = None, **call: Any) -> Settings:
    return Settings.load(call=call, api_key=api_key, environ={}, config_dir=folder, working_dir=folder)


def question(**fields: Any) -> TurnRequest:
    return TurnRequest(message=user_message("Hi"), source="api", **fields)


@pytest.mark.parametrize(
    "url",
    [
        "https://openrouter.ai/api/v1",
        "https://OpenRouter.ai:443/api/v1",
        "http://localhost:80/v1",
        "http://localhost:11434/v1",
        "https://localhost:80/v1",
        "http://[::1]:8000/v1",
    ],
)
def test_a_client_names_the_host_that_keys_are_bound_to(url: str) -> None:
    assert ChatClient(url).host == host_of(url)


def test_without_a_key_the_demo_answers_and_with_one_the_default_model(tmp_path: Path) -> None:
    without, with_key = (ModelPlanner(settings(tmp_path, api_key)) for api_key in (None, KEY))

    assert (without(question()).model, without(question()).chat_model.host) == ("rustbot/demo", "offline demo")
    assert (with_key(question()).model, with_key(question()).chat_model.host) == (DEFAULT_MODEL, "openrouter.ai")


def test_a_model_of_openrouter_needs_a_key(tmp_path: Path) -> None:
    planner = ModelPlanner(settings(tmp_path, model="openai/gpt-5"))

    with pytest.raises(AuthenticationFailed, match="'openai/gpt-5' needs an OpenRouter key"):
        planner(question())


def test_questions_share_a_client_until_a_setting_of_the_connection_changes(tmp_path: Path) -> None:
    chosen = settings(tmp_path, base_url="http://localhost:11434/v1", model="tiny")
    planner = ModelPlanner(chosen)

    first = planner(question()).chat_model
    chosen.temperature = 0.5
    second = planner(question()).chat_model
    chosen.idle_timeout_s = 5
    third = planner(question()).chat_model

    assert first is second
    assert second is not third


def test_what_a_question_asks_for_wins_over_the_settings_and_each_cap_counts(tmp_path: Path) -> None:
    chosen = settings(tmp_path, KEY, model="openai/gpt-5", temperature=0.2, max_cost_per_request_usd=0.5)
    planner = ModelPlanner(chosen, max_cost_usd=3)

    asked = question(overrides={"model": "a/b", "temperature": 0.9, "instructions": "Be brief."}, max_cost_usd=2)
    plan = planner(asked)

    assert plan.model == "a/b"
    assert plan.request_fields["sampling"] == {"temperature": 0.9}
    assert plan.system_prompt == "Be brief."
    assert (plan.caps.request_usd, plan.caps.turn_usd, plan.caps.bot_usd) == (0.5, 2, 3)


async def test_of_a_list_the_first_model_that_chats_is_asked(tmp_path: Path, server: MisbehavingServer) -> None:
    server.on(
        "/models", json_answer({"data": [{"id": "nomic-embed-text"}, {"id": "whisper-1"}, {"id": "Qwen 2.5 7B"}]})
    )
    planner = ModelPlanner(settings(tmp_path, base_url=server.base_url))

    await planner.prepare(question())
    model = planner.model()
    await planner.aclose()

    assert model == "Qwen 2.5 7B"
