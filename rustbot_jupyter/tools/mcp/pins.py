"""The user's approvals of MCP servers, by hash: the command that starts one, and each tool it offers."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rustbot_jupyter.errors import SettingsError
from rustbot_jupyter.whole_files import read_start, write_atomically

SCHEMA_VERSION = 1
MAX_BYTES = 32_000_000
MAX_TEXT = 20_000
"""Characters kept of what a tool was, to show later what has changed; the hash is of all."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A tool as a server describes it."""

    name: str
    """The server's own name for it."""
    description: str
    parameters: Mapping[str, Any]

    @property
    def text(self) -> str:
        """Name, description and schema, laid out for reading. The server's hints (`readOnlyHint`, titles) are no part
        of it: nothing depends on them."""
        schema = json.dumps(self.parameters, ensure_ascii=False, indent=2, sort_keys=True, default=str)
        return f"{self.name}\n\n{self.description}\n\n{schema}"

    @property
    def fingerprint(self) -> str:
        """Changes with name, description and schema."""
        whole = json.dumps([self.name, self.description, self.parameters], sort_keys=True, default=str)
        return hashlib.sha256(whole.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Change:
    """A tool that is not as it was approved."""

    offer: Offer
    diff: str
    """What is new, as a unified diff; of a new tool, all of it."""


class Pins:
    """Approvals of servers in a file. A file that cannot be read approves nothing.

    Args:
        path: The file; None keeps approvals in memory.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        # By the digest of the command: another command is another server, here and in other projects.
        self._servers = _load(path) if path is not None else {}

    def is_approved(self, start: str) -> bool:
        """True if what has this digest may start."""
        return start in self._servers

    def approve_start(self, start: str, server: str) -> None:
        """Let what has this digest start from now on.

        Raises:
            SettingsError: It cannot be kept.
        """
        if start not in self._servers:
            self._servers[start] = {"server": server, "tools": None}
            self._save()

    def changes(self, start: str, offers: Iterable[Offer]) -> list[Change]:
        """The tools that are new, or not as they were approved. At a server's first start there are none: whoever
        approved it took it as it is."""
        known = self._servers.get(start, {}).get("tools")
        if known is None:
            return []
        return [
            Change(offer=offer, diff=_diff(offer, _Known.of(known.get(offer.name))))
            for offer in offers
            if _Known.of(known.get(offer.name)).hash != offer.fingerprint
        ]

    def approve_tools(self, start: str, offers: Iterable[Offer]) -> None:
        """Take these tools as they are now.

        Raises:
            SettingsError: It cannot be kept.
        """
        entry = self._servers.setdefault(start, {"server": "", "tools": None})
        new = {offer.name: {"hash": offer.fingerprint, "text": offer.text[:MAX_TEXT]} for offer in offers}
        tools = {**(entry["tools"] or {}), **new}
        if tools != entry["tools"]:
            entry["tools"] = tools
            self._save()

    def forget(self, start: str) -> None:
        """Take an approval back, with those of the tools.

        Raises:
            SettingsError: It cannot be kept.
        """
        if self._servers.pop(start, None) is not None:
            self._save()

    def _save(self) -> None:
        if self._path is None:
            return
        content = {"schema_version": SCHEMA_VERSION, "servers": self._servers}
        data = json.dumps(content, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass")
        try:
            write_atomically(self._path, data, mode=0o600)
        except OSError as error:
            raise SettingsError(
                f"The approval is not kept beyond this session: {self._path.name!r} cannot be written ({error})."
            ) from error


@dataclass(frozen=True)
class _Known:
    hash: str
    text: str

    @classmethod
    def of(cls, entry: Any) -> _Known:
        fields = entry if isinstance(entry, dict) else {}
        return cls(str(fields.get("hash", "")), str(fields.get("text", "")))


def _diff(offer: Offer, known: _Known) -> str:
    before, after = known.text.splitlines(), offer.text[:MAX_TEXT].splitlines()
    lines = difflib.unified_diff(before, after, f"{offer.name} (approved)", f"{offer.name} (now)", lineterm="", n=1)
    return "\n".join(lines) or f"{offer.name} differs after its first {MAX_TEXT:,} characters"


def _load(path: Path) -> dict[str, dict[str, Any]]:
    try:
        raw = read_start(path, MAX_BYTES) or b""
        if len(raw) > MAX_BYTES:
            return {}
        content = json.loads(raw.decode("utf-8", "surrogatepass"))
        servers = content["servers"] if content["schema_version"] == SCHEMA_VERSION else {}
        return {str(start): _checked(entry) for start, entry in servers.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def _checked(entry: Any) -> dict[str, Any]:
    tools = entry.get("tools")
    return {"server": str(entry.get("server", "")), "tools": dict(tools) if isinstance(tools, dict) else None}
