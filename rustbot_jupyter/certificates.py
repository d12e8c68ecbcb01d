"""Whom https trusts: the system's authorities, or those that the environment names; the same for every address."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Mapping

FILES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
FOLDERS = ("SSL_CERT_DIR",)
_made: dict[tuple[object, ...], ssl.SSLContext] = {}


class BadCertificates(Exception):
    """A variable names certificates that cannot be read; `str` is its name and what it says."""


def trusted(environ: Mapping[str, str] = os.environ) -> ssl.SSLContext:
    """Return how certificates are checked, for this machine's own addresses too. Made once for what the variables say.

    Raises:
        BadCertificates: SSL_CERT_FILE, SSL_CERT_DIR or REQUESTS_CA_BUNDLE names none that can be read.
    """
    named = [(name, path) for name in (*FILES, *FOLDERS) if (path := environ.get(name, "").strip())]
    key = tuple((name, path, _stamp(path)) for name, path in named)
    if key not in _made:
        _made.clear()
        _made[key] = _of_variables(named) if named else _of_system()
    return _made[key]


def _of_variables(named: list[tuple[str, str]]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for name, path in named:
        for each in path.split(os.pathsep) if name in FOLDERS else [path]:
            try:
                if os.path.isdir(each):
                    context.load_verify_locations(capath=each)
                else:
                    context.load_verify_locations(cafile=each)
            except (OSError, ValueError) as error:
                raise BadCertificates(f"{name} ({path!r})") from error
    return context


def _of_system() -> ssl.SSLContext:
    import truststore

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if sys.platform not in ("win32", "darwin") and not _has_default_paths():
        import certifi

        # A small container may have no authorities of its own; these come with httpx.
        context.load_verify_locations(cafile=certifi.where())
    return context


def _has_default_paths() -> bool:
    defaults = ssl.get_default_verify_paths()
    return bool(defaults.cafile or (defaults.capath and os.listdir(defaults.capath)))


def _stamp(path: str) -> object:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)
