"""Failures of servers and their SDK in words."""

from __future__ import annotations

from rustbot_jupyter.tools.mcp.launch import Launch
from rustbot_jupyter.tools.results import cut

CONNECTION_CLOSED = -32000
"""The SDK's code for a connection that has ended."""
_MAX = 500


def why(error: BaseException | None, launch: Launch | None = None, ending: str = "", log: str = "") -> str:
    """Return why a server did not do what it should, in a part of a sentence.

    Args:
        error: What was raised; groups are looked into.
        launch: What was started, if it was the start that failed.
        ending: How its process ended.
        log: What it wrote; its last line often names the reason.
    """
    error = _innermost(error)
    if launch is not None and isinstance(error, OSError) and launch.command:
        return _not_started(error, launch)
    if launch is not None and launch.url and type(error).__name__ in ("ConnectError", "ConnectTimeout"):
        return f"nothing answers at {launch.url.partition('?')[0]!r}"
    if ending and (error is None or getattr(error, "code", None) == CONNECTION_CLOSED):
        last = next((line for line in reversed(log.splitlines()) if line.strip()), "")
        return f"it ended ({ending})" + (f": {cut(last.strip(), 200)}" if last else "")
    if type(error).__name__ == "ValidationError":
        return "its answer is not what MCP prescribes"
    text = str(error) if error is not None else "it ended"
    return cut(" ".join(text.split()) or type(error).__name__, _MAX)


def _innermost(error: BaseException | None) -> BaseException | None:
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return error


def _not_started(error: OSError, launch: Launch) -> str:
    if isinstance(error, FileNotFoundError):
        missing = error.filename if error.filename == launch.cwd else launch.command[0]
        kind = "folder" if error.filename == launch.cwd else "program"
        return f"there is no {kind} {missing!r} here"
    return f"{launch.command[0]!r} cannot be run ({error.strerror or error})"
