"""The banners above the input: what is wrong with the settings, the budget, or the kernel."""

from __future__ import annotations

import zlib

from rustbot_jupyter.events import AssistantEvent, BudgetWarned, RequestAdapted
from rustbot_jupyter.notebook.compat import KernelFacts
from rustbot_jupyter.notebook.protocol import NoticeView
from rustbot_jupyter.settings.layers import Settings
from rustbot_jupyter.settings.redaction import redact

_MOST_OF_SERVER = 3


class Notices:
    """News worth a banner, without those that the user has put away."""

    def __init__(self, kernel: KernelFacts) -> None:
        self.kernel = kernel
        self._of_kernel = _kernel_notices(kernel)
        self._of_settings: list[NoticeView] = []
        self._of_budget: list[NoticeView] = []
        self._of_server: list[NoticeView] = []
        self._dismissed: set[str] = set()

    def shown(self) -> list[NoticeView]:
        """All banners that were not put away."""
        notices = [*self._of_settings, *self._of_budget, *self._of_server, *self._of_kernel]
        return [notice for notice in notices if notice["id"] not in self._dismissed]

    def dismiss(self, notice_id: str) -> None:
        """Put a banner away for this kernel's life; one that says something else comes up again."""
        self._dismissed.add(notice_id)

    def look_at(self, settings: Settings) -> bool:
        """True if the settings have other problems than before."""
        before = self._of_settings
        self._of_settings = [_notice("settings", "warning", problem) for problem in settings.problems]
        return self._of_settings != before

    def on_event(self, event: AssistantEvent) -> bool:
        """True if an event changed the banners."""
        if isinstance(event, RequestAdapted):
            self._of_server = [*self._of_server, _notice("server", "info", event.text)][-_MOST_OF_SERVER:]
            return True
        if not isinstance(event, BudgetWarned):
            return False
        text = f"${event.spent_usd:.2f} of the cap of ${event.cap_usd:g} are spent."
        self._of_budget = [_notice("budget", "warning", text)]
        return True


def _kernel_notices(kernel: KernelFacts) -> list[NoticeView]:
    if not kernel.ipykernel or kernel.has_subshells:
        return []
    text = (
        f"ipykernel {kernel.ipykernel} reads messages between cells only: one sent while a cell runs waits until the "
        "cell is done. With ipykernel 7.1 or newer (`pip install -U ipykernel`, then restart) it is answered at once."
    )
    return [_notice("kernel", "info", text)]


def _notice(kind: str, level: str, text: str) -> NoticeView:
    text = redact(text)
    return {"id": f"{kind}-{zlib.crc32(text.encode('utf-8', 'replace')):08x}", "level": level, "text": text}  # type: ignore[typeddict-item]
