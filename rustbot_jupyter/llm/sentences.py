"""The sentences that tell a user what a provider said, and what to do next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rustbot_jupyter.llm.target import Target


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """The parts of a sentence."""

    detail: str
    status: int | None
    retry_after_s: float | None


Sentence = Callable[[Target, Said], str]


def key(target: Target, said: Said) -> str:
    """401."""
    if target.has_key and not target.sends_key:
        return (
            f"{target.host} wants a key, and Rustbot sends none over an unencrypted connection to another machine. "
            "Use an https address."
        )
    if not target.has_key:
        return f"{target.host} wants an API key. Give one in the settings, or as an environment variable."
    return f"{target.host} did not accept the API key{says(said.detail)}. Check the key in the settings."


def credits_used_up(target: Target, said: Said) -> str:
    """402."""
    step = "Add some at https://openrouter.ai/settings/credits" if target.is_openrouter else "Add some there"
    used_up = f"The credits or the key's limit at {target.host} are used up{says(said.detail)}"
    return f"{used_up}. {step}, or pick a free model."


def blocked(target: Target, said: Said) -> str:
    """403."""
    return f"{target.host} refused the request{says(said.detail)}. Change the message, the key or the model."


def proxy_login(target: Target) -> str:
    """A proxy that wants a login, or another one."""
    if target.proxy is None:
        return f"A proxy before {target.host} wants a login. Give HTTPS_PROXY one: http://user:password@proxy:port."
    name, variable = target.proxy.shown, target.proxy.variable
    if target.proxy.has_login:
        return f"The proxy {name} ({variable}) did not accept the login in that variable. Correct it."
    return f"The proxy {name} ({variable}) wants a login. Write it into that variable: http://user:password@proxy:port."


def behind_proxy(target: Target, said: Said) -> str:
    """407."""
    return proxy_login(target)


def rate_limited(target: Target, said: Said) -> str:
    """429."""
    again = f"It accepts requests again in {said.retry_after_s:.0f} s. " if said.retry_after_s else ""
    return f"{_model(target)} is rate limited at {target.host}{says(said.detail)}. {again}Wait, or pick another model."


def unavailable(target: Target, said: Said) -> str:
    """5xx and timeouts."""
    failed = f"{who(target)} could not answer{_status_note(said)}{says(said.detail)}"
    return f"{failed}. Try again in a moment, or pick another model."


def unknown_model(target: Target, said: Said) -> str:
    """A model that is not served."""
    return f"{target.host} does not serve {_model(target)}{says(said.detail)}. Pick another model."


def context_too_long(target: Target, said: Said) -> str:
    """A conversation that does not fit."""
    return (
        f"The conversation is too long for {_model(target)}{says(said.detail)}. "
        "Shorten it, start a new one, or pick a model with more context."
    )


def bad_request(target: Target, said: Said) -> str:
    """Any other request that is not taken."""
    return f"{who(target)} did not take the request{_status_note(said)}{says(said.detail)}. Check its parameters."


def who(target: Target) -> str:
    """The model and its host."""
    return f"{target.model!r} at {target.host}" if target.model else target.host


def _model(target: Target) -> str:
    return repr(target.model) if target.model else "The model"


def _status_note(said: Said) -> str:
    return f" (status {said.status})" if said.status else ""


def says(detail: str) -> str:
    """The provider's own words, as the end of a sentence."""
    return f": {detail.rstrip('. ')}" if detail else ""
