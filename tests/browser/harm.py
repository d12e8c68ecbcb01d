"""What foreign text must not have done to the page, and the clicks that could have helped it."""

from __future__ import annotations

from playwright.sync_api import Locator

# What is wrong in a part of the page that shows foreign text; nothing is wrong when it is empty.
HARM = """(root) => {
    const wrong = window.__xss === undefined ? [] : [`ran: ${window.__xss}`];
    const tags = 'script, style, iframe, object, embed, link, meta, base, form, video, audio, img, math, template';
    for (const element of root.querySelectorAll('*')) {
        if (element.matches(tags) && !element.closest('.rb-math-drawn')) wrong.push(element.outerHTML.slice(0, 120));
        if (element.matches('a[href]') && !/^(https?|mailto):/.test(element.getAttribute('href'))) {
            wrong.push(element.outerHTML.slice(0, 120));
        }
        for (const {name, value} of element.attributes) {
            if (/^on|^data-commandlinker|^ping$|^srcdoc$/.test(name)) wrong.push(`${name}=${value}`);
            if (name === 'class' && /(^| )(jp|lm)-/.test(value)) wrong.push(`class=${value}`);
            if (name === 'id') wrong.push(`id=${value}`);
        }
        const style = getComputedStyle(element);
        if (style.position === 'fixed' || style.backgroundImage.includes('url(')) {
            wrong.push(`${style.position} ${style.backgroundImage} ${element.outerHTML.slice(0, 80)}`);
        }
    }
    const {right} = root.getBoundingClientRect();
    const box = root.closest('.rb-root').getBoundingClientRect();
    if (right > box.right + 1) wrong.push(`leaves the widget by ${right - box.right}`);
    return wrong;
}"""
HARM_WITH_IDS = HARM.replace("name === 'id'", "false")
"""The same where elements have ids of ours."""
HARM_IN_CELL = """(output) => {
    const foreign = '[onclick], [onmouseover], [onerror], [data-commandlinker-command], img, script, iframe, link';
    const wrong = Array.from(output.querySelectorAll(foreign), (element) => element.outerHTML.slice(0, 200));
    for (const link of output.querySelectorAll('[href]')) {
        // What is no address leads nowhere.
        if (!URL.canParse(link.getAttribute('href'), location.href)) continue;
        const address = new URL(link.getAttribute('href'), location.href);
        if (!['http:', 'https:', 'mailto:'].includes(address.protocol)) wrong.push(link.outerHTML.slice(0, 200));
    }
    return window.__xss === undefined ? wrong : [...wrong, `ran: ${window.__xss}`];
}"""
LEFT_ALONE = (
    *("Load image", "Regenerate", "Retry", "Edit and resend", "Continue", "Open settings"),
    *("Allow", "Always allow", "Deny"),
)


def click_everything(part: Locator) -> None:
    """Press all buttons that stay in the chat, open all that is folded, click all links and leave them."""
    for summary in part.locator("summary").all():
        summary.click()
    for button in part.get_by_role("button").all():
        name = button.get_attribute("aria-label") or button.inner_text()
        if not name.startswith(LEFT_ALONE) and not button.is_disabled():
            button.click()
    root = part.locator("xpath=ancestor::*[contains(@class, 'rb-root')]")
    for link in part.locator("a[href]").all():
        link.click()
        root.get_by_role("dialog", name="Open this link?").get_by_role("button", name="Cancel").click()


def click_everything_at_once(part: Locator) -> None:
    """The same from within the page, where there is a lot: open all that is folded, press all buttons that stay."""
    part.evaluate(_CLICK_EVERYTHING, list(LEFT_ALONE))


_CLICK_EVERYTHING = """async (root, leftAlone) => {
    const drawn = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    // What is folded can hold what is folded.
    for (let depth = 0; depth < 3; depth++) {
        for (const summary of root.querySelectorAll('details:not([open]) > summary')) summary.click();
        await drawn();
    }
    for (const button of root.querySelectorAll('button')) {
        const name = button.getAttribute('aria-label') ?? button.innerText;
        if (!leftAlone.some((start) => name.startsWith(start))) button.click();
    }
    for (const element of root.querySelectorAll('*')) {
        for (const kind of ['mouseover', 'pointerdown', 'focus']) element.dispatchEvent(new Event(kind));
    }
    await drawn();
}"""
