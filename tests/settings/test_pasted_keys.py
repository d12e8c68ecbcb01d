"""Keys, .env files and settings files as people paste and save them: used as meant, or told what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustbot_jupyter.errors import SettingsError
from rustbot_jupyter.settings.environment import read_dotenv
from rustbot_jupyter.settings.key_text import fault_of, unquoted
from rustbot_jupyter.settings.layers import Settings
from rustbot_jupyter.settings.secrets import clean_key
from rustbot_jupyter.settings.sources import Sources

KEY = "sk-or-v1-0123456789abcdef0123456789abcdef"


def settings(tmp_path: Path, **environ: str) -> Settings:
    return Settings(environ=environ, config_dir=tmp_path / "config", working_dir=tmp_path)


@pytest.mark.parametrize("around", ["{}", '"{}"', "'{}'", "`{}`", ' "{}"\n', "' {} '", "\t{}\r\n"])
@pytest.mark.parametrize("name", ["OPENROUTER_API_KEY", "RUSTBOT_API_KEY"])
@pytest.mark.parametrize("place", ["environment", ".env"])
def test_quotes_and_space_around_a_key_are_no_part_of_it(tmp_path, around, name, place):
    host = "https://openrouter.ai/api/v1" if name.startswith("OPEN") else "https://models.example/v1"
    given = {name: around.format(KEY), "RUSTBOT_BASE_URL": f'"{host}"'}
    if place == ".env":
        lines = (f"{name}={around.strip().format(KEY)}", f"RUSTBOT_BASE_URL={host}")
        (tmp_path / ".env").write_text("\n".join(lines))
        given = {}

    found = settings(tmp_path, **given)

    key = found.find_key()
    assert key is not None
    assert key.value.get_secret_value() == KEY
    assert found.key_problems == ()


UNUSABLE = {
    f"Bearer {KEY}": "Bearer",
    f"Authorization: Bearer {KEY}": "Bearer",
    f"\u201c{KEY}\u201d": "curly",
    f"\u2018{KEY}\u2019": "curly",
    f"\u200b{KEY}": "U+200B",
    f"{KEY[:10]}\u00ad{KEY[10:]}": "U+00AD",
    f"\ufeff{KEY}": "U+FEFF",
    f"{KEY[:10]} {KEY[10:]}": "blank",
    f"{KEY[:10]}\n{KEY[10:]}": "line break",
    f"OPENROUTER_API_KEY={KEY}": "name of a variable",
    f"export OPENAI_API_KEY='{KEY}'": "name of a variable",
    f'"{KEY}': "one end",
    "your-key-here": "placeholder",
    "your_openrouter_api_key": "placeholder",
    "<your key>": "placeholder",
    "sk-or-v1-...": "placeholder",
    "sk-or-v1-xxxxxxxxxxxx": "placeholder",
    "${OPENROUTER_API_KEY}": "name of a variable",
    "%OPENROUTER_API_KEY%": "name of a variable",
    f"{KEY}é": "other characters",
    "k" * 5000: "too long",
}


@pytest.mark.parametrize(("written", "why"), UNUSABLE.items())
def test_a_key_that_cannot_be_used_is_told_and_never_repeated(tmp_path, written, why):
    found = settings(tmp_path, OPENROUTER_API_KEY=written)

    assert found.find_key() is None
    (problem,) = found.problems
    assert problem.startswith("OPENROUTER_API_KEY is not used: it ")
    assert why in problem
    assert KEY[-8:] not in problem
    with pytest.raises(SettingsError, match="cannot be used") as refused:
        clean_key(written)
    assert KEY[-8:] not in str(refused.value)


def test_a_key_in_env_that_cannot_be_used_names_the_file(tmp_path):
    (tmp_path / ".env").write_text("OPENROUTER_API_KEY=your-key-here\n")

    assert settings(tmp_path).problems[0].startswith("OPENROUTER_API_KEY in .env is not used: it is a placeholder")


@pytest.mark.parametrize(
    "key", ["EMPTY", "none", "x", "not-needed", "lm-studio", "gsk_aB3", KEY, 'a"b', "eyJ.a.b", "a=b="]
)
def test_unusual_keys_are_keys(key):
    assert fault_of(key) == ""


def test_a_key_that_is_set_while_the_kernel_runs_is_looked_at_anew(tmp_path):
    environ = {"OPENROUTER_API_KEY": "your-key-here"}
    sources = Sources(environ, tmp_path / "config", tmp_path)

    environ["OPENROUTER_API_KEY"] = KEY

    assert sources.have_changed()
    sources.read()
    assert sources.problems == ()
    assert KEY not in repr(vars(sources))


@given(st.text(max_size=30))
def test_any_text_is_a_key_or_has_a_reason(text):
    assert fault_of(unquoted(text)) or clean_key(text).get_secret_value() == unquoted(text)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("set A=b", "line 1 "),
        ("A: b", "line 1 "),
        ("A:\n  b: c\n", "lines 1, 2 "),
        ("$env:A = 'b'", "line 1 "),
        ('GOOD=1\n\nOTHER="abc\n', "line 3 "),
        ("GOOD=1\n# set A=b\nsetx A b\n", "line 3 "),
        ('{"A": "b"}', "line 1 "),
    ],
)
def test_a_line_of_env_that_cannot_be_read_is_named_once_and_said_nowhere_else(tmp_path, capfd, caplog, text, lines):
    (tmp_path / ".env").write_text(text)

    found = settings(tmp_path)

    (problem,) = found.problems
    assert problem.startswith(f"In .env {lines}")
    assert read_dotenv(tmp_path)[0] == ({"GOOD": "1"} if "GOOD" in text else {})
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "raw",
    [
        b"export A=1\r\nB='2'\r\n",
        b"A=1\rB=2\r",
        b"\xef\xbb\xbfA=1\nB=2 # why\n",
        b"A=1\nB=2\nBARE\n",
        b'A="1"\nB="2"\nLONG="one\ntwo"\n',
    ],
)
def test_files_of_any_editor_are_read(tmp_path, raw):
    (tmp_path / ".env").write_bytes(raw)

    values, problem = read_dotenv(tmp_path)

    assert (values["A"], values["B"], problem) == ("1", "2", "")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_files_in_utf_16_are_read_and_told(tmp_path, encoding):
    (tmp_path / ".env").write_bytes("RUSTBOT_TEMPERATURE=0.5\n".encode(encoding))
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.toml").write_bytes('model = "a/b"\n'.encode(encoding))

    found = settings(tmp_path)

    assert (found.model, found.temperature) == ("a/b", 0.5)
    assert ["UTF-16" in problem for problem in found.problems] == [True, True]


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n"])
@pytest.mark.parametrize("second", ["\r", "\r\n", "\n"])
def test_settings_with_any_line_ends_are_used_whole_and_saved_with_their_comments(tmp_path, end, second):
    (tmp_path / "config").mkdir()
    path = tmp_path / "config" / "settings.toml"
    path.write_bytes(
        f'# mine{end}model = "a/b"{second}temperature = 0.5{end}[aliases]{second}fast = "a/c"{end}'.encode()
    )

    found = settings(tmp_path)
    found.temperature = 0.25
    found.save()

    assert (found.model, found.temperature, found.problems) == ("a/b", 0.25, ())
    again = settings(tmp_path)
    assert (again.model, again.temperature, again.aliases, again.problems) == ("a/b", 0.25, {"fast": "a/c"}, ())
    assert b"# mine" in path.read_bytes()
