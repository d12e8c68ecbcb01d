"""What a recorded answer says, read in the plainest way: the whole body at once, no events, no limits.

Only as clever as the recordings need, and without a line of Rustbot: the tests compare our client with it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RECORDINGS = Path(__file__).parents[3] / "shared" / "recordings"


@dataclass
class Reading:
    """One answer."""

    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    signatures: list[str] = field(default_factory=list)
    encrypted: list[str] = field(default_factory=list)
    calls: dict[int, dict[str, str]] = field(default_factory=dict)
    urls: list[str] = field(default_factory=list)
    finish: str | None = None
    usage: dict[str, Any] = field(default_factory=dict)
    model: str | None = None
    has_error: bool = False


def names() -> list[str]:
    """All recordings of chat answers; none where there are no recordings."""
    found = sorted(folder.name for folder in RECORDINGS.iterdir() if folder.is_dir()) if RECORDINGS.is_dir() else []
    return [name for name in found if "-models" not in name or "fallback" in name]


def body(name: str) -> bytes:
    """The recorded bytes."""
    return (RECORDINGS / name / "response.body").read_bytes()


def head(name: str) -> tuple[int, dict[str, str]]:
    """The recorded status and headers."""
    saved = json.loads((RECORDINGS / name / "response.headers.json").read_text("utf-8"))
    return saved["status"], saved["headers"]


def is_stream(name: str) -> bool:
    """Whether the answer was streamed."""
    return not body(name).strip().startswith(b"{")


def read(name: str) -> Reading:
    """The recorded answer."""
    text = body(name).decode("utf-8")
    if not is_stream(name):
        chunks = [json.loads(text)]
    else:
        lines = text.replace("\r\n", "\n").split("\n")
        payloads = [line[5:].strip() for line in lines if line.startswith("data:")]
        chunks = [json.loads(payload) for payload in payloads if payload != "[DONE]"]
    reading = Reading()
    for chunk in chunks:
        _add(reading, chunk)
    return reading


def _add(reading: Reading, chunk: dict[str, Any]) -> None:
    reading.has_error |= "error" in chunk
    reading.model = reading.model or chunk.get("model") or None
    reading.usage = chunk.get("usage") or reading.usage
    for url in chunk.get("citations", []):
        _once(reading.urls, url)
    for choice in chunk.get("choices", []):
        reading.finish = reading.finish or choice.get("finish_reason") or None
        said = choice.get("delta") or choice.get("message") or {}
        _add_content(reading, said.get("content"))
        details = said.get("reasoning_details") or []
        readable = "".join(detail.get("text") or detail.get("summary") or "" for detail in details)
        reading.reasoning += said.get("reasoning") or said.get("reasoning_content") or readable
        reading.refusal += said.get("refusal") or ""
        for detail in details:
            reading.signatures += [detail["signature"]] if detail.get("signature") else []
            reading.encrypted += [detail["data"]] if detail.get("data") else []
        for position, call in enumerate(said.get("tool_calls") or []):
            whole = reading.calls.setdefault(call.get("index", position), {"id": "", "name": "", "arguments": ""})
            whole["id"] = call.get("id") or whole["id"]
            whole["name"] = call["function"].get("name") or whole["name"]
            whole["arguments"] += call["function"].get("arguments") or ""
        for annotation in said.get("annotations") or []:
            if "url_citation" in annotation:
                _once(reading.urls, annotation["url_citation"]["url"])


def _add_content(reading: Reading, content: Any) -> None:
    if not isinstance(content, list):
        reading.text += content or ""
        return
    for part in content:
        if part["type"] == "thinking":
            reading.reasoning += "".join(piece["text"] for piece in part["thinking"])
        else:
            reading.text += part["text"]


def _once(items: list[str], item: str) -> None:
    if item not in items:
        items.append(item)
