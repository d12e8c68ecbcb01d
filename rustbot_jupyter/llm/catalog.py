"""The models that there are, with prices: the live list, the last one seen, or a small table inside."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import json
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from rustbot_jupyter.errors import ModelError
from rustbot_jupyter.llm.known_models import KNOWN_MODELS
from rustbot_jupyter.llm.prices import FREE, Prices, read_prices, write_prices
from rustbot_jupyter.llm.target import OPENROUTER_HOST
from rustbot_jupyter.whole_files import read_start, write_atomically

_SCHEMA_VERSION = 1
_MAX_BYTES = 50_000_000
_MAX_MODELS = 20_000
_MAX_NAME_CHARS = 500
_NO_CHAT = re.compile(
    r"(?<![a-z])(embed|qwen-image|(bge|gte|e5|minilm|sentence|colbert|splade|nomic-embed|arctic-embed"
    r"|rerank(er)?|reranking|cross-encoder|moderation|whisper|transcribe|transcription|speech|stt|asr|tts|kokoro|bark"
    r"|parakeet|piper|dall-?e|gpt-image|stable-?diffusion|sdxl|sd3?|flux|imagen|sora|veo|clip|vae|text-to-image"
    r"|paraphrase)(?![a-z]))",
    re.IGNORECASE,
)
"""Names of models that do something else than chat."""
_ROUTING_SUFFIXES = (":nitro", ":floor", ":exacto", ":online")


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelInfo:
    """A model as its provider lists it."""

    id: str
    name: str = ""
    canonical_slug: str = ""
    """What answers call the model; "" if nothing else."""
    context_length: int | None = None
    """Tokens, prompt and answer together."""
    max_output_tokens: int | None = None
    input_modalities: tuple[str, ...] = ()
    supported_parameters: tuple[str, ...] = ()
    """Request fields that it takes; empty when the provider does not say."""
    prices: Prices | None = None
    """None: unknown, as with routers and on local servers."""
    can_chat: bool = True
    """False when it is known, or its name tells, that it makes vectors, speech, pictures or ranks instead."""

    @property
    def takes_tools(self) -> bool:
        """True if the provider says that it calls tools."""
        return "tools" in self.supported_parameters


class ListsModels(Protocol):
    """The source that `refresh` asks: the HTTP client."""

    async def list_models(self) -> list[Any]:
        """The entries of the provider's model list, as sent.

        Raises:
            ModelError: There is none to be had.
        """


class Catalog:
    """The models of one host.

    Args:
        cache_path: The file that keeps the last list, or None to keep it in memory only.
        host: Whose models these are; a cache of another host is not read.
    """

    def __init__(self, cache_path: Path | None = None, host: str = OPENROUTER_HOST) -> None:
        self.problem = ""
        """Why the last refresh gave nothing new; "" if it did."""
        self.was_asked = False
        """True once `refresh` was tried."""
        self._path = cache_path
        self._host = host
        self._loaded: tuple[ModelInfo, ...] | None = None
        self._fetched_at: float | None = None
        self._by_name: dict[str, ModelInfo] = {}
        self._has_charged = False
        self._saving: asyncio.Future[None] | None = None

    @property
    def models(self) -> tuple[ModelInfo, ...]:
        """All models known, in the provider's order."""
        if self._loaded is None:
            self._load()
        return self._loaded or ()

    @property
    def age_s(self) -> float | None:
        """Seconds since the list was fetched; None when it is the table inside."""
        _ = self.models
        return None if self._fetched_at is None else max(0.0, time.time() - self._fetched_at)

    def get(self, name: str) -> ModelInfo | None:
        """The model with this id, or the one that answers under this name; None if it is not listed."""
        _ = self.models
        for suffix in ("", *_ROUTING_SUFFIXES):
            if suffix and not name.endswith(suffix):
                continue
            if (model := self._by_name.get(name.removesuffix(suffix))) is not None:
                return model
        return None

    def prices(self, name: str) -> Prices | None:
        """The prices of a model by id or answering name; None when they are unknown."""
        model = self.get(name)
        return model.prices if model else None

    def prices_here(self, name: str) -> Prices | None:
        """The prices of a model on this machine: nothing, unless the list or an earlier answer speaks of money."""
        found = self.prices(name)
        if self._has_charged:
            return None if found is None or found.is_free else found
        if found is None and not any(model.prices and not model.prices.is_free for model in self.models):
            return FREE
        return found

    def charged(self) -> None:
        """Remember, in the cache file too, that an answer cost something: the server is not free. In the event loop."""
        _ = self.models
        if not self._has_charged:
            self._has_charged = True
            self._saving = asyncio.get_running_loop().run_in_executor(None, self._save)

    def search(self, words: str = "") -> tuple[ModelInfo, ...]:
        """The models whose id or name holds all the words; batch-only ones are left out."""
        wanted = words.casefold().split()
        return tuple(
            model
            for model in self.models
            if not model.id.endswith(":batch") and all(word in f"{model.id} {model.name}".casefold() for word in wanted)
        )

    def nearest(self, name: str, count: int = 3) -> tuple[str, ...]:
        """Ids that look like `name`, best first: for "did you mean"."""
        wanted = name.casefold()
        scores = {model.id: _likeness(wanted, model.id.casefold()) for model in self.search()}
        best = sorted(scores, key=lambda model_id: scores[model_id], reverse=True)[:count]
        return tuple(model_id for model_id in best if scores[model_id] >= 0.6)

    async def refresh(self, client: ListsModels) -> bool:
        """True if a new list was taken; if not, the old one stays and `problem` says why. Never raises."""
        self.was_asked = True
        try:
            models = read_models(await client.list_models())
        except ModelError as error:
            self.problem = str(error)
            return False
        if not models:
            self.problem = f"{self._host} sent a model list without a usable entry; the last list is used."
            return False
        self.problem = ""
        self._set(models, time.time())
        # Beside the loop: a disk takes its time, and an answer may be streaming.
        await asyncio.to_thread(self._save)
        return True

    def _set(self, models: tuple[ModelInfo, ...], fetched_at: float | None) -> None:
        self._loaded, self._fetched_at = models, fetched_at
        by_slug = {model.canonical_slug: model for model in reversed(models) if model.canonical_slug}
        self._by_name = by_slug | {model.id: model for model in models}

    def _load(self) -> None:
        builtin = read_models(KNOWN_MODELS) if self._host == OPENROUTER_HOST else ()
        self._set(builtin, None)
        # A cache that cannot be read is as good as none: the next refresh writes a new one.
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            saved = json.loads((read_start(self._path, _MAX_BYTES) if self._path is not None else None) or b"")
            if saved["schema_version"] == _SCHEMA_VERSION and saved["host"] == self._host:
                self._has_charged = saved.get("has_charged") is True
                models = read_models(saved["models"])
                if models:
                    self._set(models, float(saved["fetched_at"]))

    def _save(self) -> None:
        if self._path is None:
            return
        saved = {
            "schema_version": _SCHEMA_VERSION,
            "host": self._host,
            "fetched_at": self._fetched_at,
            "has_charged": self._has_charged,
            "models": [_write_model(model) for model in self.models],
        }
        try:
            write_atomically(self._path, json.dumps(saved).encode(), 0o600)
        except OSError as error:
            self.problem = f"The model list could not be kept in {str(self._path)!r} ({error.strerror})."


def read_models(entries: Any) -> tuple[ModelInfo, ...]:
    """The usable entries of a model list; OpenRouter's and the bare ones of local servers."""
    if not isinstance(entries, Iterable) or isinstance(entries, str | bytes | Mapping):
        return ()
    models: dict[str, ModelInfo] = {}
    for entry in entries:
        model = _read_model(entry)
        if model is not None and len(models) < _MAX_MODELS:
            models.setdefault(model.id, model)
    return tuple(models.values())


def _likeness(wanted: str, model_id: str) -> float:
    """Return how much an id, or its part after the vendor, looks like what was typed."""
    matcher = difflib.SequenceMatcher(b=wanted, autojunk=False)
    best = 0.0
    for candidate in {model_id, model_id.rpartition("/")[2]}:
        matcher.set_seq1(candidate)
        if matcher.real_quick_ratio() > best and matcher.quick_ratio() > best:
            best = max(best, matcher.ratio())
    return best


def _read_model(entry: Any) -> ModelInfo | None:
    if not isinstance(entry, Mapping):
        return None
    model_id = _short(entry.get("id"))
    if not model_id:
        return None
    architecture, provider = _mapping(entry.get("architecture")), _mapping(entry.get("top_provider"))
    meta = _mapping(entry.get("meta"))
    return ModelInfo(
        id=model_id,
        name=_short(entry.get("name")),
        canonical_slug=_short(entry.get("canonical_slug")),
        context_length=_size(entry.get("context_length"), entry.get("max_model_len"), meta.get("n_ctx")),
        max_output_tokens=_size(provider.get("max_completion_tokens")),
        input_modalities=_names(architecture.get("input_modalities")),
        supported_parameters=_names(entry.get("supported_parameters")),
        prices=read_prices(entry.get("pricing")),
        can_chat=_can_chat(model_id, entry, architecture),
    )


def _can_chat(model_id: str, entry: Mapping[str, Any], architecture: Mapping[str, Any]) -> bool:
    written = entry.get("can_chat")
    if isinstance(written, bool):
        return written
    made = _names(architecture.get("output_modalities"))
    # Mistral lists capabilities, LM Studio and others a type.
    chats = _mapping(entry.get("capabilities")).get("completion_chat")
    kind = f"{entry.get('type')} {entry.get('task')}"
    if made and "text" not in made:
        return False
    return chats is not False and not _NO_CHAT.search(model_id) and not _NO_CHAT.search(kind)


def _write_model(model: ModelInfo) -> dict[str, Any]:
    return {
        "id": model.id,
        "name": model.name,
        "canonical_slug": model.canonical_slug,
        "context_length": model.context_length,
        "top_provider": {"max_completion_tokens": model.max_output_tokens},
        "architecture": {"input_modalities": model.input_modalities},
        "supported_parameters": model.supported_parameters,
        "pricing": write_prices(model.prices) if model.prices else None,
        "can_chat": model.can_chat,
    }


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _short(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= _MAX_NAME_CHARS else ""


def _size(*values: Any) -> int | None:
    return next((value for value in values if type(value) is int and value > 0), None)


def _names(value: Any) -> tuple[str, ...]:
    items = value[:100] if isinstance(value, list | tuple) else ()
    return tuple(item for item in items if isinstance(item, str))
