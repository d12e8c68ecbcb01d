"""Tool calls put together from the fragments of a stream, in every dialect seen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rustbot_jupyter.llm.base import ToolCallStarted
from rustbot_jupyter.llm.call_text import mended
from rustbot_jupyter.messages import ToolCallPart, new_id

_ENDS = ("}", "]", '"', "null")
"""Ends of arguments that may be whole."""


@dataclass(kw_only=True, eq=False)
class _Call:
    place: int
    """Among all calls, in the order in which they began."""
    index: int | None
    """As the provider sends it."""
    id: str
    """As the provider sends it; "" for none."""
    own_id: str = field(default_factory=lambda: new_id("call"))
    """Stands in for an id that is missing or not unique."""
    name: str = ""
    pieces: list[str] = field(default_factory=list)
    is_announced: bool = False


class ToolCallAssembler:
    """Collects fragments; `parts` are the calls so far."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        # An answer may hold very many: a call is found without a look at the others.
        self._last: dict[int | None, _Call] = {}
        self._by_id: dict[str, dict[int | None, _Call]] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, fragments: Any) -> list[ToolCallStarted]:
        """Take the `tool_calls` list of one chunk; gives the calls whose name became known with it."""
        if not isinstance(fragments, list):
            return []
        started = []
        for fragment in fragments:
            if not isinstance(fragment, dict):
                continue
            call = self._add_one(fragment)
            if call.name and not call.is_announced:
                call.is_announced = True
                started.append(ToolCallStarted(call.place, call.name))
        return started

    def parts(self) -> tuple[ToolCallPart, ...]:
        """The calls in order, each with an id that no other call has."""
        taken: set[str] = set()
        parts = []
        for call in self._calls:
            arguments = "".join(call.pieces)
            if not call.name and not arguments:
                continue
            call_id = call.id if _is_good_id(call.id) and call.id not in taken else call.own_id
            taken.add(call_id)
            # "" and "null" is what Groq and others send for a tool without parameters.
            arguments = "{}" if arguments.strip() in ("", "null") else mended(arguments)
            parts.append(ToolCallPart(call_id=call_id, name=call.name, arguments=arguments))
        return tuple(parts)

    def _add_one(self, fragment: dict[str, Any]) -> _Call:
        function = fragment.get("function")
        function = function if isinstance(function, dict) else {}
        index = fragment.get("index")
        index = index if isinstance(index, int) else None
        call_id, name = _text(fragment.get("id")), _text(function.get("name"))
        call = self._open_call(index, call_id, name)
        if call is None:
            call = _Call(place=len(self._calls), index=index, id=call_id)
            self._calls.append(call)
            self._last[index] = call
        call.id = call.id or call_id
        if call.id:
            self._by_id.setdefault(call.id, {}).setdefault(call.index, call)
        # Some repeat the name in every fragment, some send "" in later ones: set it, never join.
        call.name = name or call.name
        arguments = function.get("arguments")
        if isinstance(arguments, str):
            call.pieces.append(arguments)
        elif arguments is not None:
            call.pieces.append(json.dumps(arguments))
        return call

    def _open_call(self, index: int | None, call_id: str, name: str) -> _Call | None:
        """The call that a fragment continues, or None if it begins a new one."""
        if known := _at(self._by_id.get(call_id, {}), index):
            return min(known, key=lambda call: call.place)
        here = self._calls[-1:] if index is None else _at(self._last, index)
        last = max(here, key=lambda call: call.place, default=None)
        return None if last is None or _begins_another(last, index, call_id, name) else last


def _at(calls: Mapping[int | None, _Call], index: int | None) -> list[_Call]:
    """Those that a fragment with this index may be a part of."""
    if index is None:
        return list(calls.values())[:1]
    return [call for each in (index, None) if (call := calls.get(each)) is not None]


def _begins_another(call: _Call, index: int | None, call_id: str, name: str) -> bool:
    """True if a fragment at the place of `call`, not known by its id, is a call of its own."""
    if not name or not call.name:
        # Some gateways make a new id for each fragment: a call begins with a name, not with an id.
        return False
    if name != call.name:
        return True
    if call_id and call.id:
        # Some servers give every call index 0, others repeat the name with each new id.
        return bool(call.pieces) and call.pieces[-1].rstrip().endswith(_ENDS) and _is_whole("".join(call.pieces))
    return index is None and any(call.pieces)


def _is_whole(arguments: str) -> bool:
    try:
        json.loads(arguments, strict=False)
    except (ValueError, RecursionError):
        return False
    return True


def _is_good_id(call_id: str) -> bool:
    # Kimi calls every first call "0", in every turn.
    return bool(call_id) and not call_id.isdigit()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
