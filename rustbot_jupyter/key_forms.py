"""Keys that are known by their form: the prefixes of their makers, tokens in three parts, private keys, bearer tokens.

Only what cannot well be anything else: hashes, UUIDs, pictures in base64 and long names stay as they are. All patterns
are linear: each begins with a mark that is searched for as plain text, and gives back nothing of what it took.
"""

from __future__ import annotations

import re

REDACTED = "[redacted]"
MASK = "[key]"
"""In place of a live key that a provider sent back."""

_ALNUM = "[A-Za-z0-9]"
_WORD = "[A-Za-z0-9_-]"
_UPPER = "[A-Z0-9]"
_HEX = "[a-f0-9]"

_PREFIXES: tuple[tuple[tuple[str, ...], str, int], ...] = (
    # OpenRouter, OpenAI, Anthropic; then those of one form with a bare "sk-" (OpenAI's older ones, DeepSeek).
    (("sk-or-", "sk-ant-", "sk-proj-", "sk-svcacct-", "sk-admin-"), _WORD, 16),
    (("sk-",), _ALNUM, 32),
    # GitHub and GitLab.
    (("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), _ALNUM, 30),
    (("github_pat_",), "[A-Za-z0-9_]", 22),
    (("glpat-", "gldt-", "glrt-", "glptt-", "glsoat-", "glcbt-", "glagent-", "glft-"), "[A-Za-z0-9_.-]", 20),
    # Other model servers.
    (("hf_",), _ALNUM, 30),
    (("gsk_", "xai-", "pplx-", "csk-"), _ALNUM, 40),
    (("r8_",), _ALNUM, 36),
    (("nvapi-", "tvly-"), _WORD, 24),
    (("lsv2_pt_", "lsv2_sk_"), "[a-f0-9_]", 32),
    # Clouds.
    (("AIza",), _WORD, 35),
    (("GOCSPX-",), _WORD, 28),
    (("ya29.",), _WORD, 20),
    (("dapi",), _HEX, 32),
    (("dop_v1_", "doo_v1_", "dor_v1_"), _HEX, 64),
    (("hvs.", "hvb."), _WORD, 24),
    (("AGE-SECRET-KEY-1",), _UPPER, 58),
    (("dckr_pat_",), _WORD, 20),
    # Services.
    (("xoxa-", "xoxb-", "xoxe-", "xoxo-", "xoxp-", "xoxr-", "xoxs-", "xoxe.xoxp-", "xapp-"), "[A-Za-z0-9-]", 10),
    (("hooks.slack.com/services/",), "[A-Za-z0-9/]", 20),
    (("sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_"), _ALNUM, 16),
    (("npm_",), _ALNUM, 36),
    (("pypi-",), _WORD, 50),
    (("SG.",), "[A-Za-z0-9_.-]", 40),
    (("shpat_", "shpca_", "shppa_", "shpss_"), "[A-Fa-f0-9]", 32),
    (("ATATT3",), "[A-Za-z0-9_=-]", 50),
    (("ntn_", "lin_api_", "figd_", "sb_secret_", "sbp_", "glsa_"), "[A-Za-z0-9_-]", 32),
)


def _pattern_of(marks: tuple[str, ...], characters: str, at_least: int) -> re.Pattern[str]:
    # Text in base64 holds any few letters somewhere: what goes before may be no part of it.
    return re.compile(rf"(?<![A-Za-z0-9+])(?:{'|'.join(map(re.escape, marks))}){characters}{{{at_least},}}+")


_JWT = re.compile(r"(?<![A-Za-z0-9_+-])eyJ[A-Za-z0-9_-]{8,}+\.eyJ[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]*+)?")
# Lines of base64 may have line ends as text, and may each be a text of a list.
_PEM = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}?PRIVATE KEY(?: BLOCK)?-----"
    r"(?:[A-Za-z0-9+/=\\\s,:]|-(?!----)|[\"'],?[ \n]?[\"'])*+"
    r"(?:-----END [A-Z0-9 ]{0,40}?PRIVATE KEY(?: BLOCK)?-----)?"
)
# AWS writes the number of a key so; its secret half has no form of its own.
_AWS = re.compile(r"(?<![A-Za-z0-9+_-])(?:AKIA|ASIA(?=[A-Z0-9]{0,15}[0-9]))[A-Z0-9]{16}(?![A-Za-z0-9+_-])")
_BEARER = re.compile(r"(?P<kept>\b[Bb][Ee][Aa][Rr][Ee][Rr][\s+]+)[\w.~+/-]{16,}=*")

_FORMS: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = (
    (("eyJ",), _JWT),
    (("AKIA", "ASIA"), _AWS),
    *((marks, _pattern_of(marks, characters, at_least)) for marks, characters, at_least in _PREFIXES),
)
_IN_WORDS = (("PRIVATE KEY", _PEM), ("earer", _BEARER), ("EARER", _BEARER))


_SHORTEST = 16
"""No key is shorter, whatever its form; nor is a line of a private key."""


def without_keys(text: str) -> str:
    """The text with `[redacted]` in the place of what looks like a key."""
    # Few words are long enough, and a few plain strings are found in them many times faster than patterns in the text.
    words = " ".join([word for word in text.split() if len(word) >= _SHORTEST])
    if not words:
        return text
    forms = [pattern for marks, pattern in _FORMS if any(mark in words for mark in marks)]
    forms += [pattern for mark, pattern in _IN_WORDS if mark in text]
    for pattern in forms:
        text = pattern.sub(_mask, text)
    return text


def _mask(match: re.Match[str]) -> str:
    return (match.groupdict().get("kept") or "") + REDACTED
