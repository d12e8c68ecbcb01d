"""The tool that runs a command: without a shell where that is the same, in a sandbox where there is one."""

from __future__ import annotations

import codecs
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

from rustbot_jupyter.errors import ToolError
from rustbot_jupyter.tools.base import BUILT_IN, Patterns, Preview, Risk, Tool, ToolContext, ToolResult
from rustbot_jupyter.tools.command_lines import covers, is_reading, simple_words, suggested_rule, touches
from rustbot_jupyter.tools.functions import tool_of
from rustbot_jupyter.tools.processes import TooMuchOutput, child_environment, run_process
from rustbot_jupyter.tools.results import cleaned
from rustbot_jupyter.tools.sandbox import has_sandbox, sandboxed
from rustbot_jupyter.tools.short_text import clip_quietly
from rustbot_jupyter.tools.workers import in_worker
from rustbot_jupyter.tools.workspace import Workspace

MAX_COMMAND_CHARS = 20_000
HEAD_BYTES = 16_000
TAIL_BYTES = 48_000
LIVE_CHARS = 200_000
"""Shown while the command runs; beyond that, a little four times a second."""


def shell_tools(workspace: Workspace, *, use_sandbox: bool = True) -> list[Tool]:
    """The tool that runs commands in a workspace.

    Args:
        workspace: Where they run.
        use_sandbox: Whether they run in a sandbox where there is one.
    """
    shell = _Shell(workspace, use_sandbox)
    tool = tool_of(
        shell.run_shell,
        risk=Risk.EXECUTE,
        source=BUILT_IN,
        label="Run a command",
        sends_out=True,
        forbid=shell.forbid,
        preview=shell.preview,
        patterns=Patterns(
            suggest=shell.suggest,
            matches=shell.matches,
            touches=lambda pattern, arguments: touches(pattern, str(arguments.get("command", ""))),
        ),
    )
    return [tool]


class _Shell:
    """Runs commands."""

    def __init__(self, workspace: Workspace, use_sandbox: bool) -> None:
        self._workspace = workspace
        self._use_sandbox = use_sandbox

    async def run_shell(
        self, command: str, context: ToolContext, timeout: float | None = None, network: bool = False
    ) -> ToolResult:
        """Run a command in the folder of the workspace and get its output and exit code.

        It has no terminal and no input, so use options by which programs ask nothing. All that it starts ends with it:
        nothing runs on in the background. Where a sandbox is available it can write in the workspace only, and has no
        network unless you ask for it. Keys and passwords are not in its environment. For the user's variables use the
        notebook tools, for reading and changing files the file tools.

        Args:
            command: A command line as for /bin/sh.
            timeout: Seconds after which it is stopped; the user's own limit for tools holds too.
            network: Whether it needs the network; the user is asked for that each time.
        """
        self.forbid({"command": command})
        argv = await in_worker(lambda: self._argv(command, network))
        output = _Output(context.progress)
        ending = ""
        code = None
        try:
            code = await run_process(
                argv,
                folder=self._workspace.root,
                environment=child_environment(os.environ),
                timeout=timeout,
                on_output=output.add,
            )
        except TimeoutError:
            ending = f"[stopped after {timeout:g} s]"
        except TooMuchOutput:
            ending = f"[stopped: it wrote more than {output.total:,} bytes]"
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ToolError(f"{clip_quietly(command, 80)!r} could not be started: {reason}.") from error
        output.finish()
        return ToolResult(
            text=f"{output.text()}{ending or f'[exit code {code}]'}",
            origin=f"output of {clip_quietly(command, 60)}",
            is_private=True,
            is_error=bool(ending),
        )

    def forbid(self, arguments: Mapping[str, Any]) -> None:
        """Refuse what is no command line."""
        command = str(arguments.get("command", ""))
        if not command.strip() or len(command) > MAX_COMMAND_CHARS:
            raise ToolError(f"A command has 1 to {MAX_COMMAND_CHARS:,} characters. Put a long text into a file first.")
        if "\0" in command or any("\ud800" <= char <= "\udfff" for char in command):
            raise ToolError("A command holds no NUL and no half characters. Write it without them.")
        timeout = arguments.get("timeout")
        if timeout is not None and not 0 < float(timeout) < 1_000_000:
            raise ToolError("'timeout' is a number of seconds above 0. Leave it out to use the user's limit.")

    def preview(self, arguments: Mapping[str, Any]) -> Preview:
        """The command, and how it is run."""
        command = str(arguments["command"])
        note = _argv_of(command)[1]
        if not self._is_sandboxed():
            return Preview(
                kind="command", text=command, note=f"{note} Not in a sandbox: it can do all that you can do."
            )
        network = "with the network" if arguments.get("network") else "without a network"
        note += f" In a sandbox (bubblewrap): it writes in the workspace only, {network}."
        return Preview(kind="command", text=command, note=note)

    def suggest(self, arguments: Mapping[str, Any]) -> str | None:
        """The rule for commands like this one. A network is never given by a rule."""
        command = str(arguments.get("command", ""))
        if arguments.get("network") or sys.platform == "win32":
            return None
        return suggested_rule(command, lambda path: self._is_off_limits(path, for_writing=False))

    def matches(self, pattern: str, arguments: Mapping[str, Any]) -> bool:
        """True if a rule covers a command."""
        command = str(arguments.get("command", ""))
        if arguments.get("network") or sys.platform == "win32":
            return False
        is_writing = not is_reading(command)
        return covers(pattern, command, lambda path: self._is_off_limits(path, for_writing=is_writing))

    def _is_off_limits(self, path: str, *, for_writing: bool) -> bool:
        try:
            self._workspace.name_of(path, for_writing=for_writing)
        except ToolError:
            return True
        return False

    def _is_sandboxed(self) -> bool:
        return self._use_sandbox and has_sandbox(self._workspace)

    def _argv(self, command: str, has_network: bool) -> list[str]:
        argv = _argv_of(command)[0]
        return sandboxed(argv, self._workspace, has_network=has_network) if self._is_sandboxed() else argv


def _argv_of(command: str) -> tuple[list[str], str]:
    """The program and arguments that a command line becomes, and a sentence about it."""
    if sys.platform == "win32":
        return [os.environ.get("COMSPEC", "cmd.exe"), "/d", "/s", "/c", command], "Run by cmd."
    words = simple_words(command)
    if words is not None and shutil.which(words[0], path=child_environment(os.environ)["PATH"]):
        return list(words), "Run without a shell."
    return ["/bin/sh", "-c", command], "Run by /bin/sh."


class _Output:
    """What a command writes: beginning and end are kept, and it is shown while it comes, as fast as one can see."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self.total = 0
        self._head = bytearray()
        self._tail = bytearray()
        self._show = show
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._shown = 0
        self._shown_at = 0.0

    def add(self, chunk: bytes) -> None:
        """Take the next piece."""
        self.total += len(chunk)
        room = max(0, HEAD_BYTES - len(self._head))
        self._head += chunk[:room]
        self._tail += chunk[room:][-TAIL_BYTES:]
        del self._tail[:-TAIL_BYTES]
        if self._shown < LIVE_CHARS or monotonic() - self._shown_at > 0.25:
            self._show_piece(self._decoder.decode(chunk[-8_000:]))

    def finish(self) -> None:
        """Show what is left of the last character."""
        self._show_piece(self._decoder.decode(b"", final=True))

    def text(self) -> str:
        """Return what the result holds of it, with a line end after it."""
        left_out = self.total - len(self._head) - len(self._tail)
        if not self.total:
            return ""
        if _is_binary(bytes(self._head)):
            return f"[{self.total:,} bytes of binary output; write them to a file to use them]\n"
        note = f"\n[… {left_out:,} bytes left out …]\n".encode() if left_out else b""
        text = cleaned((bytes(self._head) + note + bytes(self._tail)).decode("utf-8", "replace"))
        return text if text.endswith("\n") else f"{text}\n"

    def _show_piece(self, text: str) -> None:
        if text:
            self._shown += len(text)
            self._shown_at = monotonic()
            self._show(cleaned(text))


def _is_binary(data: bytes) -> bool:
    text = data.decode("utf-8", "replace")
    odd = sum(char == "\ufffd" or (char < " " and char not in "\t\n\r\f\b\x1b") for char in text)
    return odd > len(text) // 10
