"""Results of servers, made such that the SDK takes them: nulls, gaps and older shapes cost the rest nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

Fields = dict[str, Any]
_FIRST_VERSION = "2024-11-05"


def mended_result(method: str, result: Any) -> Fields | None:
    """Return what a server answered to a method, as MCP prescribes it; None when that cannot be made of it."""
    if isinstance(result, list) and method in _LISTS:
        result = {_LISTS[method][0]: result}
    if result is None and method in ("ping", "logging/setLevel"):
        result = {}
    if method == "tools/call" and not isinstance(result, Mapping):
        # The bare value that a tool gave.
        return {"content": _contents(result if isinstance(result, str | list) else _text(result))}
    if not isinstance(result, Mapping):
        return None
    mended = {key: each for key, each in result.items() if each is not None}
    if mended.get("resultType", "complete") != "complete":
        return mended
    for key in ("_meta", "nextCursor"):
        if key in mended and not isinstance(mended[key], dict if key == "_meta" else str):
            del mended[key]
    if method in _LISTS:
        key, mend = _LISTS[method]
        mended[key] = [each for each in map(mend, _items(mended.get(key))) if each is not None]
    elif method in _RESULTS:
        _RESULTS[method](mended)
    return mended


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _named(item: Any, *needed: str) -> Fields | None:
    """The texts of an item that has a name; None for what has none."""
    if not isinstance(item, Mapping):
        return None
    kept = {key: item[key] for key in ("name", "description", "uri", "mimeType", "uriTemplate") if key in item}
    kept = {key: each for key, each in kept.items() if isinstance(each, str)}
    return kept if all(kept.get(key) for key in needed) else None


# Lists.


def _tool(item: Any) -> Fields | None:
    """Name, description and schema. Titles and hints are the server's own praise; schemas of results would be checked
    here, with patterns that may take forever."""
    tool = _named(item, "name")
    if tool is None:
        return None
    schema = item.get("inputSchema", item.get("input_schema", item.get("parameters")))
    return {"name": tool["name"], "description": tool.get("description", ""), "inputSchema": _schema(schema)}


def _schema(schema: Any) -> Fields:
    if not isinstance(schema, dict):
        return {"type": "object"}
    mended: Fields = {**schema, "type": "object"}
    if not isinstance(mended.get("$schema"), str):
        mended.pop("$schema", None)
    properties, required = mended.pop("properties", None), mended.pop("required", None)
    if isinstance(properties, dict):
        # `true` is a schema of everything.
        usable = {name: each for name, each in properties.items() if isinstance(each, dict | bool)}
        mended["properties"] = {name: each if isinstance(each, dict) else {} for name, each in usable.items()}
        # As JSON Schema had it before: "required": true beside the property's type.
        old = [name for name, each in mended["properties"].items() if each.get("required") is True]
        required = [*(required if isinstance(required, list) else []), *old]
    if isinstance(required, list) and required:
        mended["required"] = list(dict.fromkeys(name for name in required if isinstance(name, str)))
    return mended


def _prompt(item: Any) -> Fields | None:
    prompt = _named(item, "name")
    if prompt is not None:
        given = [(each, _named(each, "name")) for each in _items(item.get("arguments"))]
        prompt["arguments"] = [{**kept, "required": each.get("required") is True} for each, kept in given if kept]
    return prompt


def _resource(item: Any) -> Fields | None:
    resource = _named(item, "uri")
    return None if resource is None else {"name": resource["uri"], **resource}


def _template(item: Any) -> Fields | None:
    template = _named(item, "uriTemplate")
    return None if template is None else {"name": template["uriTemplate"], **template}


_LISTS: Mapping[str, tuple[str, Callable[[Any], Fields | None]]] = {
    "tools/list": ("tools", _tool),
    "prompts/list": ("prompts", _prompt),
    "resources/list": ("resources", _resource),
    "resources/templates/list": ("resourceTemplates", _template),
}


# Content.


def _contents(value: Any) -> list[Fields]:
    return [_content(each) for each in _items(value)]


def _content(item: Any) -> Fields:
    if not isinstance(item, Mapping):
        return {"type": "text", "text": _text(item)}
    kind = item.get("type") or ("text" if "text" in item else "resource" if "resource" in item else None)
    data, media = item.get("data"), item.get("mimeType", item.get("mime_type"))
    match kind:
        case "text":
            return {"type": "text", "text": _text(item.get("text"))}
        case "image" | "audio" if isinstance(data, str):
            usual = "image/png" if kind == "image" else "audio/wav"
            return {"type": kind, "data": data, "mimeType": media if isinstance(media, str) else usual}
        case "resource" if isinstance(item.get("resource"), Mapping):
            return {"type": "resource", "resource": _read(item["resource"])}
        case "resource_link" if (link := _resource(item)) is not None:
            return {"type": "resource_link", **link}
    return {"type": "text", "text": f"[{kind or 'content'} that is not as MCP prescribes it: {_text(item)[:500]}]"}


def _read(item: Any) -> Fields:
    fields = item if isinstance(item, Mapping) else {"text": _text(item)}
    kept: Fields = {"uri": _text(fields.get("uri"))}
    media = fields.get("mimeType")
    if isinstance(media, str):
        kept["mimeType"] = media
    if isinstance(fields.get("blob"), str) and not isinstance(fields.get("text"), str):
        return {**kept, "blob": fields["blob"]}
    return {**kept, "text": _text(fields.get("text"))}


def _called(result: Fields) -> None:
    if "toolResult" in result:
        # As MCP had it before its first release.
        result.setdefault("content", _text(result.pop("toolResult")))
    result["content"] = _contents(result.get("content"))
    result["isError"] = result.get("isError") in (True, "true", 1)
    structured = result.get("structuredContent")
    if structured is not None and not isinstance(structured, dict):
        result["structuredContent"] = {"result": structured}


def _prompted(result: Fields) -> None:
    messages = [each if isinstance(each, Mapping) else {"content": each} for each in _items(result.get("messages"))]
    result["messages"] = [
        {"role": each.get("role") if each.get("role") in ("user", "assistant") else "user", "content": content}
        for each in messages
        for content in _contents(each.get("content"))
    ]


def _resources_read(result: Fields) -> None:
    result["contents"] = [_read(each) for each in _items(result.get("contents"))]


def _initialized(result: Fields) -> None:
    given = result.get("capabilities")
    capabilities = given if isinstance(given, Mapping) else {}
    result["capabilities"] = {
        name: each if isinstance(each, dict) else {}
        for name, each in capabilities.items()
        if each is not None and each is not False
    }
    info = result.get("serverInfo")
    fields = info if isinstance(info, Mapping) else {}
    result["serverInfo"] = {"name": _text(fields.get("name")), "version": _text(fields.get("version"))}
    if not isinstance(result.get("protocolVersion"), str):
        result["protocolVersion"] = _FIRST_VERSION
    if not isinstance(result.get("instructions", ""), str):
        del result["instructions"]


_RESULTS: Mapping[str, Callable[[Fields], None]] = {
    "initialize": _initialized,
    "tools/call": _called,
    "prompts/get": _prompted,
    "resources/read": _resources_read,
}
