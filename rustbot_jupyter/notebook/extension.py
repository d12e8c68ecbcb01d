"""Additions of `%load_ext rustbot_jupyter` to a shell. The magics themselves are loaded with their first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.magic import no_var_expand

from rustbot_jupyter.notebook import tool_code
from rustbot_jupyter.notebook.question_lines import QuestionLine

if TYPE_CHECKING:
    from rustbot_jupyter.notebook.failures import Failures
    from rustbot_jupyter.notebook.magics import RustbotMagics

NAME = "rustbot"


class Extension:
    """`%rustbot` and `%%rustbot` of one shell, and who watches which of its cells fail."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._magics: RustbotMagics | None = None

    @no_var_expand
    def rustbot(self, line: str, cell: str | None = None) -> Any:
        """Ask a model, or run a command. `%rustbot help` shows all of it."""
        return self._loaded().rustbot(line, cell)

    def note_failure(self, result: Any) -> None:
        """Keep what failed; IPython calls it after each cell. Code that a tool ran is no cell."""
        if result is None or tool_code.running.get() is not None:
            return
        if result.error_in_exec is not None or result.error_before_exec is not None:
            self._loaded().note_failure(result)

    @property
    def failures(self) -> Failures:
        """The cells that failed."""
        return self._loaded().failures

    def _loaded(self) -> RustbotMagics:
        if self._magics is None:
            from rustbot_jupyter.notebook.magics import RustbotMagics

            self._magics = RustbotMagics(self._shell)
        return self._magics


def register(shell: Any) -> None:
    """Add the magics to a shell, and watch which of its cells fail."""
    extension = Extension(shell)
    shell.register_magic_function(extension.rustbot, "line_cell", NAME)
    shell.events.register("post_run_cell", extension.note_failure)
    shell.input_transformer_manager.token_transformers.append(QuestionLine)


def unregister(shell: Any) -> None:
    """Take them away again; what runs goes on."""
    magics = shell.magics_manager.magics
    registered = [magics[kind].pop(NAME, None) for kind in ("line", "cell")]
    extension = getattr(registered[0], "__self__", None)
    if isinstance(extension, Extension):
        shell.events.unregister("post_run_cell", extension.note_failure)
    transformers = shell.input_transformer_manager.token_transformers
    if QuestionLine in transformers:
        transformers.remove(QuestionLine)
