"""The model list: live, from the cache with its age, or the table inside; never an exception."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from servers.asking import client_of
from servers.misbehaving import HOLD, RESET, MisbehavingServer, body, error, html, json_answer
from servers.naive_reading import RECORDINGS, names

from rustbot_jupyter.llm.catalog import Catalog, read_models
from rustbot_jupyter.llm.client import ChatClient

ENTRIES: list[Any] = [
    {
        "id": "vendor/model",
        "canonical_slug": "vendor/model-20260101",
        "name": "Vendor: Model",
        "context_length": 1_000,
        "architecture": {"input_modalities": ["text", "image"]},
        "top_provider": {"max_completion_tokens": 100},
        "supported_parameters": ["tools"],
        "pricing": {"prompt": "0.000001", "completion": "0.000002"},
    },
    {"id": "vendor/other", "name": "Other", "pricing": {"prompt": "-1", "completion": "-1"}},
    {"id": "vendor/model:batch", "pricing": {"prompt": "0", "completion": "0"}},
]


class Lists:
    """A client that has these entries."""

    def __init__(self, entries: Any) -> None:
        self._entries = entries

    async def list_models(self) -> Any:
        return self._entries


async def filled(path: Path | None = None, entries: Any = ENTRIES) -> Catalog:
    catalog = Catalog(path)
    assert await catalog.refresh(Lists(entries))
    return catalog


def test_there_is_a_table_for_the_start() -> None:
    catalog = Catalog()

    assert catalog.age_s is None
    assert catalog.get("~anthropic/claude-sonnet-latest") is not None
    prices = catalog.prices("anthropic/claude-sonnet-4.5")
    assert prices is not None
    assert (prices.input_usd, prices.for_prompt(300_000).output_usd) == pytest.approx((3e-6, 22.5e-6))


def test_other_hosts_have_no_table() -> None:
    assert Catalog(host="localhost:11434").models == ()


async def test_a_live_list_wins_and_says_all_about_a_model() -> None:
    catalog = await filled()

    model = catalog.get("vendor/model")

    assert model is not None
    assert (model.name, model.context_length, model.max_output_tokens) == ("Vendor: Model", 1_000, 100)
    assert model.input_modalities == ("text", "image")
    assert model.takes_tools
    assert catalog.get("openai/gpt-4o-mini") is None
    assert catalog.age_s is not None
    assert catalog.age_s < 5


@pytest.mark.parametrize("name", ["vendor/model-20260101", "vendor/model:online", "vendor/model:nitro"])
async def test_models_are_found_under_their_other_names(name: str) -> None:
    model = (await filled()).get(name)

    assert model is not None
    assert model.id == "vendor/model"


async def test_prices_of_routers_are_unknown() -> None:
    assert (await filled()).prices("vendor/other") is None


async def test_search_wants_all_words_and_leaves_out_batch() -> None:
    catalog = await filled()

    assert [model.id for model in catalog.search("VENDOR model")] == ["vendor/model"]
    assert [model.id for model in catalog.search()] == ["vendor/model", "vendor/other"]
    assert catalog.search("nothing like it") == ()


@pytest.mark.parametrize("name", ["claude-sonet-4.5", "anthropic/claude-sonnet-45", "Claude-Sonnet-4.5"])
def test_the_nearest_name_is_found(name: str) -> None:
    assert Catalog().nearest(name)[0] == "anthropic/claude-sonnet-4.5"


def test_nothing_is_near_to_nonsense() -> None:
    assert Catalog().nearest("xyzzy") == ()


async def test_the_list_is_kept_on_disk_with_its_age(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "models.json"
    first = await filled(path)
    saved = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**saved, "fetched_at": time.time() - 3_600}), "utf-8")

    again = Catalog(path)

    assert again.models == first.models
    assert again.age_s == pytest.approx(3_600, abs=60)
    assert [file.name for file in path.parent.iterdir()] == ["models.json"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[]",
        b"{}",
        b'{"schema_version": 99, "host": "openrouter.ai", "fetched_at": 1, "models": [{"id": "x"}]}',
        b'{"schema_version": 1, "host": "evil.example", "fetched_at": 1, "models": [{"id": "x"}]}',
        b'{"schema_version": 1, "host": "openrouter.ai", "fetched_at": "x", "models": [{"id": "x"}]}',
        b'{"schema_version": 1, "host": "openrouter.ai", "fetched_at": 1, "models": []}',
        b"[" * 100_000,
    ],
)
def test_a_broken_cache_is_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "models.json"
    path.write_bytes(content)

    catalog = Catalog(path)

    assert catalog.age_s is None
    assert catalog.get("openrouter/free") is not None


async def test_a_file_in_the_way_of_the_folder_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    catalog = await filled(tmp_path / "file" / "models.json")

    assert catalog.get("vendor/model") is not None
    assert "could not be kept" in catalog.problem


@pytest.mark.parametrize(
    "script",
    [RESET, HOLD, error(500), html(), body(b"{"), json_answer({"data": 5}), json_answer({"data": [{"id": 5}, None]})],
)
async def test_a_server_that_is_down_slow_or_hostile_leaves_the_last_list(
    server: MisbehavingServer, tmp_path: Path, script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N30: with its age; chat goes on."""
    monkeypatch.setattr("rustbot_jupyter.llm.client._ASK_LIMIT_S", 0.3)
    path = tmp_path / "models.json"
    await filled(path)
    server.on("/models", script)
    client: ChatClient = client_of(server)
    catalog = Catalog(path)

    refreshed = await catalog.refresh(client)
    await client.aclose()

    assert not refreshed
    assert catalog.problem.endswith(".")
    assert catalog.get("vendor/model") is not None
    assert catalog.age_s is not None


@pytest.mark.parametrize(
    "entries", [None, 5, "text", {}, [None, 5, [], {"name": "no id"}, {"id": ""}, {"id": "x" * 1_000}]]
)
def test_odd_lists_have_no_models(entries: Any) -> None:
    assert read_models(entries) == ()


def test_odd_fields_are_unknown() -> None:
    entry = {
        "id": "x",
        "name": 5,
        "context_length": -1,
        "architecture": [],
        "top_provider": None,
        "supported_parameters": "tools",
        "pricing": 5,
    }

    model = read_models([entry])[0]

    assert (model.id, model.name, model.context_length, model.supported_parameters) == ("x", "", None, ())
    assert model.prices is None


def test_the_first_of_two_entries_with_one_id_counts() -> None:
    assert [model.name for model in read_models([{"id": "x", "name": "a"}, {"id": "x", "name": "b"}])] == ["a"]


@pytest.mark.skipif(not names(), reason="there are no recordings beside this checkout")
class TestRecordedLists:
    """The lists of OpenRouter and of llama.cpp as recorded."""

    def entries(self, name: str) -> list[dict[str, Any]]:
        return json.loads((RECORDINGS / name / "response.body").read_bytes())["data"]  # type: ignore[no-any-return]

    def test_all_models_are_read(self) -> None:
        entries = self.entries("or-models-full")

        models = {model.id: model for model in read_models(entries)}

        assert len(models) == 413
        assert sum(model.takes_tools for model in models.values()) == 345
        unknown = [entry["id"] for entry in entries if entry["pricing"]["prompt"] == "-1"]
        assert [model.id for model in models.values() if model.prices is None] == unknown
        for entry in entries:
            model = models[entry["id"]]
            assert model.context_length == entry["context_length"]
            if model.prices is not None:
                assert model.prices.input_usd == float(entry["pricing"]["prompt"])
                assert len(model.prices.overrides) == len(entry["pricing"].get("overrides", []))

    async def test_they_survive_the_cache(self, tmp_path: Path) -> None:
        catalog = await filled(tmp_path / "models.json", self.entries("or-models-full"))

        assert Catalog(tmp_path / "models.json").models == catalog.models

    def test_recorded_costs_are_found_again(self) -> None:
        """A recorded answer with its billed cost, priced with the recorded list."""
        catalog = Catalog()
        catalog._set(read_models(self.entries("or-models-full")), None)
        from rustbot_jupyter.llm.usage_shapes import read_usage

        answer = json.loads((RECORDINGS / "or-json-multi-tools-haiku" / "response.body").read_bytes())
        usage, prices = read_usage(answer["usage"]), catalog.prices(answer["model"])

        assert usage is not None
        assert prices is not None
        assert prices.cost(usage) == pytest.approx(usage.cost_usd)

    def test_a_local_list_is_read(self) -> None:
        assert len(read_models(self.entries("llamacpp-models"))) == 1


NO_CHAT = (
    "text-embedding-3-small nomic-embed-text:latest mxbai-embed-large BAAI/bge-m3 Qwen3-Embedding-0.6B embeddinggemma "
    "all-minilm bge-reranker-v2 Qwen3-Reranker-4B whisper-1 gpt-4o-transcribe tts-1 gpt-4o-mini-tts kokoro "
    "stable-diffusion-xl flux.1-dev gpt-image-1 dall-e-3 omni-moderation-latest multilingual-e5-small mistral-embed"
)
CHAT = (
    "qwen2.5:7b llama3.2 gemma-3 llava deepseek-r1 gpt-4o smollm2 phi4 devstral claude-sonnet-4.5 mistral-small "
    "C:\\models\\qwen.gguf 模型-7b gpt-oss-20b"
)


def test_models_that_cannot_chat_are_told_by_name_or_by_what_the_server_says() -> None:
    said = [
        {"id": "a", "type": "embeddings"},
        {"id": "b", "capabilities": {"completion_chat": False}},
        {"id": "c", "architecture": {"output_modalities": ["image"]}},
    ]

    models = read_models([*said, *({"id": name} for name in f"{NO_CHAT} {CHAT}".split())])

    assert [model.id for model in models if model.can_chat] == CHAT.split()


async def test_what_cannot_chat_is_known_from_the_cache_too(tmp_path: Path) -> None:
    class Server:
        async def list_models(self) -> list[Any]:
            return [{"id": "a", "type": "embeddings"}, {"id": "b"}]

    await Catalog(tmp_path / "models.json", "localhost:1").refresh(Server())

    assert [model.can_chat for model in Catalog(tmp_path / "models.json", "localhost:1").models] == [False, True]
