"""Wrong values for every public call: one sentence of ours, nothing sent, and the bot goes on."""

from __future__ import annotations

import copy
import pickle
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import rustbot_jupyter as rb
from rustbot_jupyter.events import TurnStarted

NO_TEXT: list[Any] = [None, 0, 1.5, True, b"\xff", [], {}, object()]
NO_LIMIT: list[Any] = [float("nan"), float("inf"), -float("inf"), -1, True, "5", b"5", [], 10**400, object()]
KEY = "sk-or-v1-" + "planted" * 6

pytestmark = pytest.mark.usefixtures("own_folders")


@pytest.fixture(scope="module")
def bot() -> Iterator[rb.Rustbot]:
    bot = rb.Rustbot(model="rustbot/demo")
    yield bot
    bot.close()


def kind(value: object) -> str:
    return type(value).__name__


@pytest.mark.parametrize("value", NO_TEXT, ids=kind)
def test_what_is_no_text_is_refused_where_text_is_wanted(bot: rb.Rustbot, value: Any):
    calls: list[Callable[[], object]] = [
        lambda: bot.ask(value),
        lambda: bot.models(value),
        lambda: bot.new_conversation(value),
        lambda: bot.chat(value),
        lambda: bot.queue.edit("turn-1", value),
        lambda: rb.set_bot(value),
    ]

    for call in calls:
        with pytest.raises(rb.RequestError):
            call()


@pytest.mark.parametrize("value", NO_LIMIT, ids=repr)
def test_a_limit_that_would_not_be_one_is_refused_before_anything_is_asked(bot: rb.Rustbot, value: Any):
    for name in ("timeout", "max_cost_usd"):
        with pytest.raises(rb.RequestError, match=name):
            bot.ask("Hello", **{name: value})
    with pytest.raises(rb.RequestError, match="max_cost_usd"):
        rb.Rustbot(max_cost_usd=value)

    assert not any(isinstance(event, TurnStarted) for event in bot.agent.log.all())


@pytest.mark.parametrize("value", [7, b"sk-or-bytes", object(), " ", "two words"], ids=repr)
def test_a_key_that_is_none_is_refused_without_being_told(value: Any):
    with pytest.raises(rb.SettingsError, match="API key") as raised:
        rb.Rustbot(api_key=value)

    told = "".join(traceback.format_exception(raised.value))
    assert "sk-or-bytes" not in told


@pytest.mark.parametrize("value", [[], {}, 5, ""], ids=repr)
def test_a_profile_that_is_no_name_is_refused(value: Any):
    with pytest.raises(rb.SettingsError, match="no profile"):
        rb.Rustbot(profile=value)


@pytest.mark.parametrize("value", [None, 5, [], object()], ids=kind)
def test_a_log_is_written_to_a_path_only(value: Any):
    with pytest.raises(rb.SettingsError, match="path of a file"):
        rb.log_to(value)


@pytest.mark.parametrize("value", NO_TEXT, ids=kind)
def test_an_alias_stands_for_the_name_of_a_model_only(bot: rb.Rustbot, value: Any):
    with pytest.raises(rb.SettingsError):
        bot.settings.set_alias("best", value)

    assert "best" not in bot.settings.aliases


@pytest.mark.parametrize("place", ["keyrng", "", None, 5], ids=repr)
def test_a_key_is_not_kept_elsewhere_than_asked(bot: rb.Rustbot, place: Any):
    with pytest.raises(rb.SettingsError, match="memory, keyring, file"):
        bot.settings.remember_key(KEY, where=place)

    assert bot.settings.find_key() is None


def test_waiting_for_oneself_is_refused_instead_of_hanging_every_bot(bot: rb.Rustbot):
    found: list[object] = []
    done = threading.Event()

    def on_the_core_thread() -> None:
        for call in (lambda: bot.ask("Hello"), bot.refresh_models):
            try:
                call()
            except rb.RequestError as error:
                found.append(error)
        done.set()

    bot.post(on_the_core_thread)

    assert done.wait(30)
    assert len(found) == 2


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps], ids=lambda function: function.__name__)
def test_a_bot_is_not_copied_with_its_key_and_thread(duplicate: Callable[[object], object]):
    bot = rb.Rustbot(model="rustbot/demo", api_key=KEY)

    for value in (bot, bot.settings):
        with pytest.raises(TypeError, match="not copied") as raised:
            duplicate(value)
        assert KEY not in str(raised.value)


@pytest.mark.parametrize("use", [rb.set_bot, lambda key: rb.Rustbot().chat(tab=key)], ids=["set_bot", "chat"])
def test_a_key_in_the_wrong_place_is_not_repeated(use: Callable[[Any], object]) -> None:
    with pytest.raises(rb.RequestError) as caught:
        use(KEY)

    assert "planted" not in str(caught.value)
