"""`server.json`, the form in which MCP registries describe servers: what starting one would run.

The fields: https://github.com/modelcontextprotocol/registry, docs/reference/server-json
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

Entry = dict[str, Any]


class Unusable(Exception):
    """A server that cannot be used here; says why."""


def entry_of(server: Mapping[str, Any]) -> Entry:
    """The entry for `.mcp.json` that starts a server: its first usable package, else its first usable address. What
    the user has to supply stands as `${NAME}`.

    Raises:
        Unusable: There is none.
    """
    ways: list[tuple[Callable[[Mapping[str, Any]], Entry], Any]] = [
        *((_package, each) for each in _list(server, "packages")),
        *((_remote, each) for each in _list(server, "remotes")),
    ]
    problems = []
    for make, description in ways:
        try:
            return make(description)
        except Unusable as problem:
            problems.append(str(problem))
    raise Unusable(problems[0] if problems else "it names no package and no address")


def _package(package: Mapping[str, Any]) -> Entry:
    kind = _get(package, "registryType")
    transport = package.get("transport")
    if isinstance(transport, dict) and transport.get("type", "stdio") != "stdio":
        raise Unusable(f"its package talks over {transport.get('type')!r}, and only stdio can be started")
    if kind not in _RUNNERS:
        raise Unusable(f"its package is of the kind {kind!r}, which cannot be run here")
    identifier, version = _identifier(package), _version(package)
    before, after = _arguments(package, "runtimeArguments"), _arguments(package, "packageArguments")
    env = {name: value for name, value in map(_named, _list(package, "environmentVariables")) if value}
    command, *args = _RUNNERS[kind](identifier, version, before, env)
    return {"command": command, "args": [*args, *after], **({"env": env} if env else {})}


def _npm(identifier: str, version: str, before: list[str], env: Mapping[str, str]) -> list[str]:
    return ["npx", "-y", *before, f"{identifier}@{version}"]


def _pypi(identifier: str, version: str, before: list[str], env: Mapping[str, str]) -> list[str]:
    return ["uvx", *before, f"{identifier}@{version}"]


def _oci(identifier: str, version: str, before: list[str], env: Mapping[str, str]) -> list[str]:
    # An image's identifier may hold its tag.
    image = identifier if ":" in identifier.rpartition("/")[2] or "@" in identifier else f"{identifier}:{version}"
    return ["docker", "run", "-i", "--rm", *(word for name in env for word in ("-e", name)), *before, image]


def _nuget(identifier: str, version: str, before: list[str], env: Mapping[str, str]) -> list[str]:
    return ["dnx", *before, f"{identifier}@{version}", "--yes", "--"]


_RUNNERS = {"npm": _npm, "pypi": _pypi, "oci": _oci, "nuget": _nuget}
_IDENTIFIER = re.compile(r"@?[A-Za-z0-9][A-Za-z0-9._/:@-]{0,199}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,99}")


def _identifier(package: Mapping[str, Any]) -> str:
    identifier = package.get("identifier")
    if not (isinstance(identifier, str) and _IDENTIFIER.fullmatch(identifier)) or "://" in identifier:
        raise Unusable(f"its package has the name {str(identifier)[:100]!r}, which cannot be one")
    return identifier


def _version(package: Mapping[str, Any]) -> str:
    version = package.get("version")
    if version is None and _get(package, "registryType") == "oci" and ":" in str(package.get("identifier")):
        return ""
    # What was looked at is what will run: no "latest", no range.
    if not (isinstance(version, str) and _VERSION.fullmatch(version)) or version == "latest":
        raise Unusable(f"its package names no exact version, but {str(version)[:100]!r}")
    return version


def _remote(remote: Mapping[str, Any]) -> Entry:
    kind, url = remote.get("type") or _get(remote, "transportType"), remote.get("url")
    if kind != "streamable-http":
        raise Unusable(f"its address is of the kind {kind!r}, and only Streamable HTTP can be used")
    if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise Unusable(f"its address is {str(url)[:100]!r}, which cannot be one")
    headers = {name: value for name, value in map(_named, _list(remote, "headers")) if value}
    return {"type": "http", "url": _filled(url, remote), **({"headers": headers} if headers else {})}


def _arguments(package: Mapping[str, Any], key: str) -> list[str]:
    words: list[str] = []
    for each in _list(package, key):
        name = each.get("name")
        is_named = each.get("type") == "named" and isinstance(name, str)
        value = _value(each, hint=_get(each, "valueHint") or name or "argument")
        if is_named and (value or not _takes_value(each)):
            words += [_own(str(name)), *([value] if value else [])]
        elif not is_named and value:
            words.append(value)
    return words


def _takes_value(argument: Mapping[str, Any]) -> bool:
    return any(_get(argument, key) for key in ("value", "default", "valueHint", "format", "description", "choices"))


def _named(pair: Mapping[str, Any]) -> tuple[str, str]:
    """A variable or header and its value; "" for one that can be left out."""
    name = pair.get("name")
    if not (isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", name)):
        raise Unusable(f"it wants a variable {str(name)[:100]!r}, which cannot be one")
    return name, _value(pair, hint=name)


def _value(field: Mapping[str, Any], hint: str) -> str:
    """Return what stands in the file: its value, its default, `${HINT}` for what the user must supply, or ""."""
    fixed = field.get("value")
    if isinstance(fixed, str):
        return _filled(fixed, field)
    default = field.get("default")
    if default is not None and not isinstance(default, dict | list):
        return _own(str(default))
    return _variable(hint) if _get(field, "isRequired") is True else ""


def _filled(text: str, field: Mapping[str, Any]) -> str:
    """A text with its `{variables}`, as the registry writes them, in our own spelling."""
    variables = field.get("variables")
    known = variables if isinstance(variables, dict) else {}

    def value(found: re.Match[str]) -> str:
        variable = known.get(found[1])
        return (_value(variable, hint=found[1]) or _variable(found[1])) if isinstance(variable, dict) else found[0]

    return re.sub(r"\{([A-Za-z0-9_-]+)\}", value, _own(text))


def _own(text: str) -> str:
    """The text of a registry, which may not name variables of ours: they would carry secrets of this machine away."""
    if "${" in text or not text.isprintable():
        raise Unusable(f"it uses {text[:100]!r}, which a registry may not")
    return text


def _variable(name: str) -> str:
    plain = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
    return f"${{{plain if plain[:1].isalpha() else f'VALUE_{plain}'}}}"


def _get(field: Mapping[str, Any], key: str) -> Any:
    """A field in today's spelling, or in the older one: registryType, registry_type."""
    return field.get(key, field.get(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower()))


def _list(field: Mapping[str, Any], key: str) -> Iterable[Mapping[str, Any]]:
    values = _get(field, key)
    return [each for each in values if isinstance(each, dict)] if isinstance(values, list) else []
