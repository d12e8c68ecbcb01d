"""Notebooks and chats in the page, as their user sees and handles them."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from browser_lab import TOKEN, Lab
from playwright.sync_api import BrowserContext, Locator, Page, expect

_NUMBERED = re.compile(r"\[\d+\]:")
_ERRORS = '[data-mime-type="application/vnd.jupyter.stderr"]'
STREAMING, COMPLETE, INTERRUPTED, ERROR = "streaming", "complete", "interrupted", "error"


def open_lab(context: BrowserContext, lab: Lab) -> Page:
    """A browser tab with JupyterLab, and nothing open in it."""
    page = context.new_page()
    load_lab(page, lab)
    return page


def load_lab(page: Page, lab: Lab) -> None:
    """Load JupyterLab in a browser tab, anew if it was there, with nothing open in it."""
    page.goto(f"{lab.url}/lab/workspaces/{uuid.uuid4().hex}?token={TOKEN}")
    page.wait_for_function("window.jupyterapp !== undefined")
    page.evaluate("jupyterapp.restored.then(() => jupyterapp.shell.collapseLeft())")


class Notebook:
    """A notebook open in a browser tab, connected to a kernel.

    Args:
        lab: The server.
        page: The tab.
        kernel: Id of the kernel that runs its cells.
        path: An existing notebook of the server; None makes a new one.
    """

    def __init__(self, lab: Lab, page: Page, kernel: str, path: str | None = None) -> None:
        self.lab, self.page, self.kernel = lab, page, kernel
        self.path = path or f"notebook-{uuid.uuid4().hex[:8]}.ipynb"
        if path is None:
            self.file.write_text(json.dumps(_EMPTY), encoding="utf-8")
        self._open()

    @property
    def file(self) -> Path:
        """The saved notebook."""
        return self.lab.notebooks / self.path

    def _open(self) -> None:
        self.page.evaluate(_OPEN, [self.path, self.kernel])
        self.panel = self.page.locator(f'[id="{self._js("({panel}) => panel.id")}"]')

    def reload(self) -> None:
        """Save, load the whole page anew, and open the notebook again; what was found in the page before is gone."""
        self.save()
        # Not by what JupyterLab restores: that comes when it likes, other notebooks too.
        load_lab(self.page, self.lab)
        self._open()

    def start(self, code: str) -> Locator:
        """Run a new last cell without waiting for its end; returns the cell."""
        index = self._js(
            """({panel}, code) => {
                const model = panel.content.model.sharedModel;
                model.insertCell(model.cells.length, {cell_type: 'code', source: code, metadata: {}});
                panel.content.activeCellIndex = model.cells.length - 1;
                jupyterapp.shell.activateById(panel.id);
                void jupyterapp.commands.execute('notebook:run-cell');
                return model.cells.length - 1;
            }""",
            code,
        )
        # A long notebook has only the cells in sight in the page.
        self._js("({panel}, index) => { void panel.content.scrollToItem(index); return true; }", index)
        cell = self.panel.locator(f'.jp-Cell[data-windowed-list-index="{index}"]')
        expect(cell).to_be_attached()
        return cell

    def run(self, code: str) -> str:
        """What a new last cell printed; fails if it raised."""
        return self.finish(self.start(code))

    def finish(self, cell: Locator) -> str:
        """What a started cell printed, once it ended; fails if it raised."""
        expect(self.prompt_of(cell)).to_have_text(_NUMBERED, timeout=60_000)
        self._fail_on_error(cell)
        return "".join(cell.locator(".jp-OutputArea-output pre").all_inner_texts()).strip("\n")

    @staticmethod
    def _fail_on_error(cell: Locator) -> None:
        errors = cell.locator(_ERRORS)
        assert errors.count() == 0, errors.first.inner_text()

    @contextmanager
    def running(self, code: str) -> Iterator[Locator]:
        """A cell that has printed "begun" and still runs; interrupted at the end of the block."""
        cell = self.start(code)
        expect(cell.locator(".jp-OutputArea-output")).to_contain_text("begun")
        try:
            yield cell
        finally:
            self.interrupt_kernel()
            expect(self.prompt_of(cell)).to_have_text(_NUMBERED)

    @staticmethod
    def prompt_of(cell: Locator) -> Locator:
        """`[3]:` beside a cell, `[*]:` while it runs."""
        return cell.locator(".jp-InputArea-prompt")

    def show(self, code: str) -> Chat:
        """The chat that a cell's last line shows."""
        cell = self.start(code)
        chat = Chat(cell.locator(".rb-root"))
        expect(chat.root.or_(cell.locator(_ERRORS)).first).to_be_visible()
        self._fail_on_error(cell)
        chat.expect_state("idle")
        return chat

    def chats(self, count: int) -> list[Chat]:
        """The chats in this notebook, once there are so many."""
        roots = self.panel.locator(".rb-root")
        expect(roots).to_have_count(count)
        return [Chat(roots.nth(index)) for index in range(count)]

    def save(self) -> str:
        """Save the notebook; returns what is in the file."""
        self._js("({panel}) => panel.context.save().then(() => true)")
        return self.file.read_text(encoding="utf-8")

    def restart_kernel(self) -> None:
        """Restart the kernel, and wait until it runs again."""
        self._js("({panel}) => panel.sessionContext.restartKernel().then(() => true)")

    def interrupt_kernel(self) -> None:
        """What the notebook's ■ does."""
        self._js("({panel}) => panel.sessionContext.session.kernel.interrupt().then(() => true)")

    def hold_subshells(self) -> None:
        """Let JupyterLab know of no subshell that the kernel makes, until `release_subshells`."""
        self._js(_HOLD_SUBSHELLS)

    def until_held_words(self) -> None:
        """Return once a widget has said something while subshells are held."""
        self.page.wait_for_function("window.heldSubshells.words > 0")

    def release_subshells(self) -> None:
        """Let JupyterLab know of the subshells that were held."""
        self.page.evaluate("window.heldSubshells.release()")

    def until_kernel_is_free(self) -> None:
        """Return once the kernel has ended what it was asked before, and will run the next cell.

        Until a failed cell has ended, the kernel answers the next one "aborted" and does not run it. And of a cell that
        is interrupted again while it fails there may be no reply, so its prompt says nothing.
        """
        self._js("({panel}) => panel.sessionContext.session.kernel.requestKernelInfo().then(() => true)")

    def activate(self) -> None:
        """Bring the notebook to the front."""
        self._js("({panel}) => { jupyterapp.shell.activateById(panel.id); return true; }")

    def close(self) -> None:
        """Close the notebook without saving; its kernel goes on."""
        self._js("({panel}) => { panel.dispose(); return true; }")

    def _js(self, function: str, argument: Any = None) -> Any:
        return self.page.evaluate(_WITH_PANEL % function, [self.path, argument])


class Chat:
    """One view of a chat.

    Args:
        root: Its `.rb-root`.
    """

    def __init__(self, root: Locator) -> None:
        self.root = root
        self.page = root.page
        self.prompt = root.get_by_label("Message to Rustbot")
        self.questions = root.locator('[data-role="user"]')
        self.answers = root.locator('[data-role="assistant"]')
        self.queue = root.get_by_role("list", name="Waiting messages")
        self.approvals = root.locator('[data-kind="approval"]')
        self.calls = root.locator('[data-kind="tool"]')

    @property
    def answer(self) -> Locator:
        """The newest answer."""
        return self.answers.last

    def button(self, name: str) -> Locator:
        """A button by its accessible name."""
        return self.root.get_by_role("button", name=name, exact=True)

    def send(self, text: str) -> None:
        """Type a message and press Enter."""
        self.prompt.fill(text)
        self.prompt.press("Enter")

    def ask(self, text: str) -> Locator:
        """Send a message; returns its answer once that is complete."""
        count = self.answers.count()
        self.send(text)
        answer = self.answers.nth(count)
        expect(answer).to_have_attribute("data-status", COMPLETE, timeout=30_000)
        return answer

    def open_tab(self, name: str) -> Locator:
        """Open a tab by its label; returns its panel."""
        self.root.get_by_role("tab", name=name, exact=True).click()
        return self.root.get_by_role("tabpanel", name=name, exact=True)

    def expect_state(self, state: str, timeout_s: float = 20.0) -> None:
        """Return once the chat is in this state."""
        expect(self.root).to_have_attribute("data-state", state, timeout=timeout_s * 1000)
        expect(self.root).to_have_attribute("data-connection", "live", timeout=timeout_s * 1000)

    def expect_answer(self, text: str, status: str, timeout_s: float = 20.0) -> None:
        """Return once the newest answer says this and has this status."""
        expect(self.answer).to_have_attribute("data-status", status, timeout=timeout_s * 1000)
        expect(self.answer.locator(".rb-answer")).to_have_text(text, timeout=timeout_s * 1000)


_EMPTY = {
    "cells": [],
    "metadata": {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    },
    "nbformat": 4,
    "nbformat_minor": 5,
}
_OPEN = """async ([path, kernel]) => {
    const open = jupyterapp.commands.execute('docmanager:open', {path, factory: 'Notebook', kernel: {id: kernel}});
    const panel = await open;
    await panel.context.ready;
    await panel.sessionContext.ready;
    await panel.sessionContext.session.kernel.info;
    return true;
}"""
_WITH_PANEL = """async ([path, argument]) => {
    const panels = Array.from(jupyterapp.shell.widgets('main'));
    const panel = panels.find((widget) => widget.context?.path === path);
    if (!panel) throw new Error(`${path} is not open`);
    return (%s)({panel}, argument);
}"""
_HOLD_SUBSHELLS = """({panel}) => {
    const {kernel} = panel.sessionContext.session;
    const held = window.heldSubshells = {words: 0};
    const released = new Promise((resolve) => { held.release = () => resolve(); });
    const create = kernel.requestCreateSubshell.bind(kernel);
    kernel.requestCreateSubshell = (...given) => {
        const {done} = create(...given);
        return {done: released.then(() => done)};
    };
    kernel.anyMessage.connect((_, {msg, direction}) => {
        if (direction === 'send' && msg.header.msg_type === 'comm_msg') held.words += 1;
    });
    return true;
}"""
