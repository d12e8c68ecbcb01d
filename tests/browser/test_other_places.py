"""A chat in other places than its cell, and what is dropped on it."""

from __future__ import annotations

import pytest
from browser_notebook import Chat
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

_DROP = """(root) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(['x'], 'x.png', {type: 'image/png'}));
    const drop = new DragEvent('drop', {dataTransfer, bubbles: true, cancelable: true});
    return root.dispatchEvent(drop);
}"""


def test_a_chat_in_a_view_of_its_own_fits_into_it_and_files_are_refused_in_words(chat: Chat) -> None:
    page = chat.page
    assert chat.root.evaluate(_DROP) is False
    expect(chat.root.locator(".rb-banners")).to_contain_text("cannot be attached")

    chat.root.locator(".rb-header").click(button="right")
    page.get_by_text("Create New View for Cell Output").click()
    view = page.locator(".jp-LinkedOutputView")
    root = view.locator(".rb-root")
    expect(root).to_be_visible()
    fits = "(view) => view.querySelector('.rb-root').offsetHeight <= view.clientHeight"
    page.wait_for_function(f"({fits})(document.querySelector('.jp-LinkedOutputView'))")
    assert view.evaluate("(view) => view.scrollHeight <= view.clientHeight")
    page.locator(".lm-TabBar-tab:has-text('Output View') .lm-TabBar-tabCloseIcon").click()
