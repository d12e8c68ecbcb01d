"""Request fields that each kind of server takes, in its spelling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import MappingProxyType

_USAGE = frozenset({"stream_options"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialect:
    """The spellings of one kind of server."""

    name: str
    hosts: tuple[str, ...] = ()
    """Patterns of host names; what runs on this machine is told by its usual port."""
    port: int | None = None
    source: str
    """Where its fields are described."""
    limit: str = "max_tokens"
    """The field that limits the answer."""
    effort: str = "reasoning_effort"
    """`reasoning_effort`: a word; `reasoning`: OpenRouter's object."""
    takes: frozenset[str] = _USAGE
    """Fields beside the usual ones that it knows: models, provider, session_id, cache_control, stream_options."""
    renames: Mapping[str, str] = field(default_factory=dict)
    """Its names of usual fields."""


OPENROUTER = Dialect(
    name="OpenRouter",
    hosts=("openrouter.ai", "*.openrouter.ai"),
    # `usage: {include: true}` has no effect there any more: the usage always comes.
    source="https://openrouter.ai/docs/api-reference/parameters",
    effort="reasoning",
    takes=_USAGE | {"models", "provider", "session_id", "cache_control"},
)
DIALECTS: tuple[Dialect, ...] = (
    OPENROUTER,
    Dialect(
        name="OpenAI",
        hosts=("api.openai.com", "*.api.openai.com"),
        # `max_tokens` is deprecated, and refused by models that reason.
        source="https://platform.openai.com/docs/api-reference/chat/create",
        limit="max_completion_tokens",
    ),
    Dialect(
        name="Azure",
        hosts=("*.openai.azure.com", "*.services.ai.azure.com", "*.cognitiveservices.azure.com"),
        source="https://learn.microsoft.com/azure/ai-foundry/openai/how-to/reasoning",
        limit="max_completion_tokens",
    ),
    Dialect(name="Ollama", port=11434, source="https://docs.ollama.com/api/openai-compatibility"),
    Dialect(
        name="llama.cpp", port=8080, source="https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md"
    ),
    Dialect(name="vLLM", port=8000, source="https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html"),
    Dialect(name="LM Studio", port=1234, source="https://lmstudio.ai/docs/developer/openai-compat/chat-completions"),
    Dialect(
        name="DeepSeek", hosts=("api.deepseek.com",), source="https://api-docs.deepseek.com/api/create-chat-completion"
    ),
    Dialect(
        name="Gemini",
        hosts=("generativelanguage.googleapis.com",),
        source="https://ai.google.dev/gemini-api/docs/openai",
    ),
    Dialect(
        name="Mistral",
        hosts=("api.mistral.ai", "codestral.mistral.ai"),
        # It sends the usage by itself, and answers 422 to each field that it does not know.
        source="https://docs.mistral.ai/api/endpoint/chat",
        takes=frozenset(),
        renames=MappingProxyType({"seed": "random_seed"}),
    ),
)
_OTHER = Dialect(name="another server", source="https://platform.openai.com/docs/api-reference/chat/create")
_OTHER_HERE = Dialect(
    name="another server on this machine",
    # It may be a gateway to OpenRouter, which keeps a conversation where its prompt is cached.
    source="https://docs.litellm.ai/docs/completion/input",
    takes=_USAGE | {"session_id"},
)


def dialect_of(host: str, *, is_local: bool) -> Dialect:
    """Return how the server at this host (name and port) wants to be asked, as far as that can be told from outside."""
    name, _, port = host.lower().rpartition(":") if host.rpartition(":")[2].isdigit() else (host.lower(), "", "")
    for dialect in DIALECTS:
        if any(fnmatchcase(name, pattern) for pattern in dialect.hosts):
            return dialect
        if is_local and dialect.port is not None and port == str(dialect.port):
            return dialect
    return _OTHER_HERE if is_local else _OTHER
