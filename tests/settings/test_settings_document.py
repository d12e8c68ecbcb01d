from __future__ import annotations

import tomllib

import pytest
from effort import cpu_at_most, examples
from hypothesis import given, settings
from hypothesis import strategies as st

from rustbot_jupyter.errors import UnsupportedVersion
from rustbot_jupyter.settings.document import parse
from rustbot_jupyter.settings.edits import edit

GOOD = b'model = "a/b"\ntemperature = 0.5\n\n[profiles.fast]\nmodel = "c/d"\n'
NAMES = st.sampled_from(["model", "temperature", "x", "two words", 'quo"te', "ünï", "a.b"])
SCALARS = st.text(st.characters(codec="utf-8"), max_size=30) | st.integers(-(2**63), 2**63 - 1) | st.booleans()
VALUES = SCALARS | st.floats(allow_nan=False) | st.lists(SCALARS, max_size=4).map(tuple)
PATHS = st.tuples(NAMES) | st.tuples(st.just("profiles"), NAMES, NAMES) | st.tuples(st.just("aliases"), NAMES)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_failing(raw):
    assert isinstance(parse(raw).data, dict)


@given(at=st.integers(0, len(GOOD)), junk=st.binary(max_size=20))
def test_a_file_torn_anywhere_gives_what_stands_before(at, junk):
    whole = tomllib.loads(GOOD[:at].rpartition(b"\n")[0].decode())

    found = parse(GOOD[:at] + b"\n" + b"\0" + junk.replace(b"\n", b"").replace(b"\r", b"")).data

    fast = found.pop("profiles", {}).get("fast", {})
    assert whole.pop("profiles", {}).get("fast", {}).items() <= fast.items()
    assert whole.items() <= found.items()


@pytest.mark.parametrize(
    ("raw", "model", "faults"),
    [
        (b'\xef\xbb\xbfmodel = "a/b"', "a/b", 0),
        ('model = "a/b"'.encode("utf-16"), "a/b", 1),
        (b'personality = "caf\xe9"\nmodel = "a/b"', "a/b", 1),
        (b'model = "x/y"\nmodel = "a/b"', "a/b", 1),
        (b'model = "a/b"\n\0\0\0', "a/b", 1),
        (b'model = "a/b"\r\ntop_p = \r\n', "a/b", 1),
        (b'instructions = """\nopen\nmodel = "a/b"', "a/b", 1),
        (b'x = {{{{\nmodel = "a/b"', "a/b", 1),
        (b'[broken\nmodel = "not this"\n[profiles.a]\n', None, 1),
        (b"", None, 0),
    ],
)
def test_what_is_good_in_a_broken_file_is_found(raw, model, faults):
    parsed = parse(raw)

    assert parsed.data.get("model") == model
    assert len(parsed.faults) == faults


def test_a_value_over_several_lines_survives_a_broken_neighbour():
    parsed = parse(b'top_p = \nstop = [\n "a",\n "b",\n]\ninstructions = """one\ntwo"""\n')

    assert parsed.data == {"stop": ["a", "b"], "instructions": "one\ntwo"}
    assert parsed.faults == ("line 1 is not TOML",)


def test_faults_name_lines_and_never_what_stands_in_them():
    parsed = parse(b"api_key = sk-or-v1-0123456789abcdef\n" * 9)

    assert parsed.faults == ("9 lines are not TOML (1, 2, 3, 4, 5, ...)",)


@pytest.mark.parametrize(
    "raw",
    [
        b"x = " + b"[" * 500_000,
        b"a." * 400_000 + b"a = 1",
        b"x = {" + b"a." * 300_000 + b"a = 1}",
        b"x = [\n" * 100_000,
        b'x = """\n' * 100_000,
        b"x = 1\n" * 100_000,
        b"".join(b"k%d = 1\n" % n for n in range(60_000)),
        b"x = '" + b"a" * 2_000_000 + b"'",
    ],
)
def test_huge_and_deep_files_take_a_few_seconds_at_most(raw):
    with cpu_at_most(5):
        parsed = parse(raw + b'\nmodel = "a/b"\n')

    assert isinstance(parsed.data, dict)


def test_comments_order_and_unknown_entries_survive_an_edit():
    raw = b'# top\nmodel = "a/b"  # why\nmine = 1\n\n# fast one\n[profiles.fast]\ntop_p = 0.5 # p\n'

    text = edit(raw, {("model",): "x/y", ("profiles", "fast", "top_p"): 0.7, ("seed",): 1})

    for piece in ("# top", 'model = "x/y"  # why', "mine = 1", "# fast one", "top_p = 0.7 # p", "seed = 1"):
        assert piece in text
    assert tomllib.loads(text)["seed"] == 1


@settings(max_examples=examples(60))
@given(first=st.dictionaries(PATHS, VALUES, max_size=5), second=st.dictionaries(PATHS, VALUES | st.none(), max_size=5))
def test_what_is_written_is_what_is_read(first, second):
    text = edit(edit(b"", first).encode(), second)

    data = tomllib.loads(text)
    for path, value in {**first, **second}.items():
        table = data
        for name in path[:-1]:
            table = table.get(name, {})
        found = table.get(path[-1])
        assert found == (list(value) if isinstance(value, tuple) else value)


@settings(max_examples=examples(60))
@given(raw=st.binary(max_size=120).map(lambda junk: b'model = "a/b"\n' + junk))
def test_an_edit_of_any_file_keeps_what_could_be_read_of_it(raw):
    before = parse(raw).data
    before.pop("schema_version", None)
    before["seed"] = 7

    after = tomllib.loads(edit(raw, {("seed",): 7}))

    assert after.pop("schema_version") == 1
    assert repr(sorted(after.items())) == repr(sorted(before.items()))


def test_instructions_of_several_lines_stay_readable_in_the_file():
    text = edit(b"", {("instructions",): "Be brief.\nSei höflich.\n"})

    assert '"""Be brief.\nSei höflich.\n"""' in text


def test_a_newer_file_is_not_edited():
    with pytest.raises(UnsupportedVersion, match="schema 99"):
        edit(b"schema_version = 99\n", {("seed",): 1})


def test_an_old_model_name_is_migrated_and_its_comment_kept():
    raw = (
        b'model = "anthropic/claude-sonnet-4.5:beta" # best\n'
        b'fallback_models = ["a/b:beta", "c/d"]\n[aliases]\nq = "q/q:beta"\n'
    )

    text = edit(raw, {})

    assert 'model = "anthropic/claude-sonnet-4.5" # best' in text
    assert tomllib.loads(text) == {
        "model": "anthropic/claude-sonnet-4.5",
        "fallback_models": ["a/b", "c/d"],
        "aliases": {"q": "q/q"},
        "schema_version": 1,
    }
