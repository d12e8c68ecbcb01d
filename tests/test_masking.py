"""What is taken out of what Rustbot itself puts into a request, and what is left alone."""

from __future__ import annotations

import base64
import json
import os
import random
import time
from collections import ChainMap, OrderedDict
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustbot_jupyter.key_forms import without_keys
from rustbot_jupyter.masking import is_environment, masked
from rustbot_jupyter.secret_names import Secrecy, is_secret, secrecy

LETTERS = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
HEX = "0123456789abcdef"
PEM = "\n".join(
    [
        "-----BEGIN RSA PRIVATE KEY-----",
        "Proc-Type: 4,ENCRYPTED",
        "",
        f"{LETTERS}+/",
        f"{LETTERS}==",
        "-----END RSA PRIVATE KEY-----",
    ]
)

KEYS = [
    f"sk-or-v1-{HEX * 4}",
    f"sk-proj-{LETTERS}-{LETTERS}_x",
    f"sk-ant-api03-{LETTERS}",
    f"sk-svcacct-{LETTERS}",
    f"sk-{HEX * 2}",
    f"ghp_{LETTERS}",
    f"ghs_{LETTERS}",
    f"github_pat_11{LETTERS}_{LETTERS}",
    f"glpat-{LETTERS[:20]}",
    f"hf_{LETTERS[:34]}",
    f"gsk_{LETTERS}{LETTERS}",
    "AKIA" + "IOSFODNN7EXAMPLE",
    f"AIza{LETTERS[:35]}",
    f"ya29.{LETTERS}",
    f"xoxb-123456789012-{LETTERS}",
    f"https://hooks.slack.com/services/T00000000/B00000000/{LETTERS[:24]}"[8:],
    f"sk_live_{LETTERS[:24]}",
    f"whsec_{LETTERS[:32]}",
    f"npm_{LETTERS}",
    f"pypi-{LETTERS}{LETTERS}",
    f"SG.{LETTERS[:22]}.{LETTERS}",
    f"hvs.{LETTERS}",
    f"dckr_pat_{LETTERS[:27]}",
    f"dop_v1_{HEX * 4}",
    f"eyJhbGciOiJIUzI1NiJ9.eyJ{LETTERS}.{LETTERS}-_",
]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key[:8])
@pytest.mark.parametrize(
    "around", ["{}", "key={}", "'{}'", '{{"k":"{}"}}', "({})", "x\n{}\ny", "https://a/{}?b=1", "{}."]
)
def test_keys_of_known_forms_are_taken_out(key, around):
    shown = without_keys(around.format(key))

    assert key not in shown
    assert shown.startswith(around.format("[redacted]")[:3])


@pytest.mark.parametrize("write", [str, repr, json.dumps, lambda text: repr(text.splitlines())])
def test_a_private_key_is_taken_out_however_it_is_written(write):
    shown = without_keys(f"before {write(PEM)} after")

    assert LETTERS not in shown
    assert shown.startswith("before")
    assert shown.endswith("after")


def test_a_private_key_that_was_cut_is_taken_out_up_to_its_end():
    assert LETTERS not in without_keys(PEM[:100])


NAMED = [
    "password = {q}hunter2{q}",
    "{q}password{q}: {q}hunter2{q}, {q}b{q}: 1",
    "{q}apiKey{q} : {q}hunter2{q}",
    "db.password={q}hunter2{q}",
    "cfg[{q}client_secret{q}] = {q}hunter2{q}",
    "password: str = {q}hunter2{q}",
    "if password == {q}hunter2{q}:",
    "Login(user={q}ann{q}, password={q}hunter2{q})",
    "secret=b{q}hunter2{q}",
    "headers = {{{q}X-API-Key{q}: {q}hunter2{q}}}",
    "{q}Authorization{q}: {q}Basic hunter2{q}",
]


@pytest.mark.parametrize("form", NAMED)
@pytest.mark.parametrize("quote", ["'", '"', '\\"'])
def test_a_text_under_a_secret_name_is_taken_out(form, quote):
    text = form.format(q=quote)

    assert masked(text) == text.replace("Basic hunter2", "[redacted]").replace("hunter2", "[redacted]")


@pytest.mark.parametrize(
    "text",
    [
        "DB_PASSWORD=hunter",
        'password = """hunter"""',
        "export GITHUB_TOKEN=hunter2abc",
        "host=db password=hunter2 user=ann",
        "https://x/y?api_key=hunter2&z=1",
        "Server=db;Pwd=hunter2abc;Database=x",
        "password: hunter2",
        "Authorization: Basic aHVudGVyMg",
        "<password>hunter</password>",
        "curl --password hunter --token=hunter2abc",
        "machine db login ann password hunter2",
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "postgresql://ann:hunter@db/shop",
        "redis://:hunter@db:6379/0",
        f"https://{HEX}{HEX}@o1.ingest.sentry.io/1",
    ],
)
def test_a_bare_value_under_a_secret_name_is_taken_out(text):
    shown = masked(text)

    assert "[redacted]" in shown
    assert not any(word in shown for word in ("hunter", "aHVudGVy", "wJal", HEX))


@pytest.mark.parametrize(
    "text",
    [
        "max_tokens = 100",
        'token = "hello"',
        'pad_token = "<|endoftext|>"',
        '"tokens": "12345678a"',
        "def log_in(password: str, token: str = None):",
        "connect(password=password, token=token2)",
        'password = os.environ["PW1"]',
        "password = getpass()",
        'api_key=os.getenv("KEY1")',
        'primary_key = "id"',
        'sort_key = "name2"',
        "password: the password of the user",
        "the secret of success is 42",
        "password=None, secret=''",
        "password='***'",
        "password=SecretStr('**********')",
        "password_length = 12, first_passes=10",
        "secrets.token_hex(16)",
        "PWD=/home/ann1",
        "postgresql://ann:{password}@db/shop",
        "http://localhost:8888/lab?x=1, mail ann@example.org",
        "d41d8cd98f00b204e9800998ecf8427e",
        "123e4567-e89b-12d3-a456-426614174000",
        "sk-estimator-doc-link, xai-explainable-methods-of-2024-and-more-things",
        'input type="password" name="x1"',
        "ASIAPACIFICREGIONMARKETS",
        "",
    ],
)
def test_what_is_no_secret_stays(text):
    assert masked(text) == text


def test_base64_and_hashes_stay_as_they_are():
    rng = random.Random(1)
    blobs = [base64.b64encode(rng.randbytes(30_000)).decode() for _ in range(5)]
    hashes = " ".join(rng.randbytes(32).hex() for _ in range(500))

    assert [masked(blob) for blob in blobs] == blobs
    assert masked(hashes) == hashes


def test_its_own_sources_stay_as_they_are():
    from rustbot_jupyter.settings import profile, secrets
    from rustbot_jupyter.tools import evaluate

    for module in (profile, secrets, evaluate):
        with open(module.__file__, encoding="utf-8") as file:
            source = file.read()
        assert masked(source) == source


@given(st.text(alphabet=st.sampled_from("pasword:=\"'\\ \n()[]{}<>@/-_,.skeytoken19éİ"), max_size=300))
def test_masking_never_fails_and_is_done_at_once(text):
    once = masked(text)

    assert masked(once).count("[redacted]") >= once.count("[redacted]")


UNITS = [
    *"aA0 -_='\"\\@:/.\n",
    *("sk-", "sk-or-", "eyJ", "eyJaaaaaaaa.", "AKIA", "Bearer ", "-----BEGIN PRIVATE KEY-----", "://a:", "://a:b@"),
    *("token", "password=", "password='", "password: ", "password'\\", "api_key:", "--password ", 'token = "', "key "),
    *("password: str", "secret = [", "İ", "password=" + "x" * 299),
]


@pytest.mark.parametrize("unit", UNITS)
def test_the_time_grows_with_the_text_and_no_faster(unit):
    def seconds(length: int) -> float:
        text = (unit * length)[:length]
        times = []
        for _ in range(3):
            start = time.thread_time()
            masked(text)
            times.append(time.thread_time() - start)
        return min(times)

    # Twice as much would be linear; of what is quicker than the clock nothing can be said.
    assert seconds(60_000) < 8 * max(seconds(15_000), 0.002)


def test_secrets_of_the_environment_are_found_wherever_they_stand(monkeypatch):
    monkeypatch.setenv("SHOP_PASSWORD", "blue-Horse")
    monkeypatch.setenv("SHOP_COLOUR", "turquoise")

    assert masked("url: x/blue-Horse/turquoise") == "url: x/[redacted]/turquoise"


def test_secrets_among_the_variables_are_found_wherever_they_stand():
    assert masked("joined: a-blue-Horse-b", {"db_password": "blue-Horse", "n": 3}) == "joined: a-[redacted]-b"


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("password", Secrecy.CERTAIN),
        ("dbPassword2", Secrecy.CERTAIN),
        ("AWS_SECRET_ACCESS_KEY", Secrecy.CERTAIN),
        ("x-api-key", Secrecy.CERTAIN),
        ("APIKey", Secrecy.CERTAIN),
        ("clientSecret", Secrecy.CERTAIN),
        ("access_token", Secrecy.PERHAPS),
        ("password_length", Secrecy.NONE),
        ("max_tokens", Secrecy.NONE),
        ("key", Secrecy.NONE),
        ("monkey", Secrecy.NONE),
        ("PWD", Secrecy.NONE),
        ("", Secrecy.NONE),
    ],
)
def test_a_name_is_secret_by_its_last_words(name, level):
    assert secrecy(name) is level


@pytest.mark.parametrize(
    "make",
    [
        dict,
        lambda environ: environ | {"MORE": "1"},
        lambda environ: OrderedDict(environ),
        lambda environ: {name: value for name, value in environ.items() if name.startswith("SHOP")},
        MappingProxyType,
        lambda environ: ChainMap({}, environ),
        lambda environ: {"API_TOKEN": "abcdefgh1", "DEBUG": "1", "EMPTY": None},
    ],
)
def test_a_copy_of_the_environment_is_known(monkeypatch, make):
    monkeypatch.setenv("SHOP_PASSWORD", "blue-Horse")

    assert is_environment(make(os.environ))


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"a": "b"},
        {"A": "1", "B": "2"},
        {1: 2},
        {"host": "db", "password": "x"},
        {"PAD_TOKEN": "<pad>", "UNKNOWN_TOKEN": "<unk>"},
        {"KEYWORD": "if", "TOKEN": "word"},
        [],
        None,
    ],
)
def test_another_mapping_is_no_environment(value):
    assert not is_environment(value)


@pytest.mark.parametrize(
    ("name", "value", "is_hidden"),
    [
        ("account_key", 17, False),
        ("session_key", 17.0, False),
        ("client_key", float("nan"), False),
        ("sessionKey2", 17, False),
        ("account_key", "hunter2", True),
        ("private_key", 2**255 - 19, True),
        ("password", 1234, True),
        ("apikey", [1, 2], True),
    ],
)
def test_the_number_of_a_row_is_no_key(name, value, is_hidden):
    assert is_secret(name, value) is is_hidden
