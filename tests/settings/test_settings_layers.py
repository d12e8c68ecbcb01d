from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustbot_jupyter.errors import SettingsError, UnsupportedVersion
from rustbot_jupyter.settings.layers import Settings
from rustbot_jupyter.settings.profile import FIELDS, Profile

FILE = """\
# mine
model = "file/model"  # the good one
temperature = 0.1
top_p = 0.1

[profiles.fast]
model = "fast/model"
temperature = 0.2

[aliases]
quick = "qwen/quick"
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "settings.toml").write_text(FILE, encoding="utf-8")
    return tmp_path


def load(folder: Path, environ: dict[str, str] | None = None, **kwargs) -> Settings:
    return Settings.load(environ=environ or {}, config_dir=folder, working_dir=folder, **kwargs)


def source(settings: Settings, name: str) -> tuple[object, str]:
    row = next(row for row in settings.explain() if row.name == name)
    return row.value, row.layer


def test_without_any_file_the_defaults_are_in_effect(tmp_path):
    settings = load(tmp_path)

    assert settings.values == Profile()
    assert settings.problems == ()
    assert {row.layer for row in settings.explain()} == {"default"}


def test_each_layer_wins_over_the_one_below(folder):
    (folder / ".env").write_text("RUSTBOT_MODEL=dotenv/model\nRUSTBOT_SEED=1\n")
    environ = {"RUSTBOT_MODEL": "env/model", "RUSTBOT_PROFILE": "fast"}

    assert source(load(folder), "model") == ("dotenv/model", "environment")
    assert source(load(folder, environ), "model") == ("env/model", "environment")
    assert source(load(folder, environ), "temperature") == (0.2, "profile")
    assert source(load(folder, environ), "top_p") == (0.1, "file")
    assert source(load(folder, environ), "seed") == (1, "environment")
    assert source(load(folder, environ), "retries") == (2, "default")
    assert source(load(folder, environ, call={"model": "call/model"}), "model") == ("call/model", "call")


@given(
    data=st.fixed_dictionaries(
        {layer: st.none() | st.floats(0, 2) for layer in ("file", "profile", "environment", "call")}
    )
)
def test_the_highest_layer_that_has_a_value_gives_it(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("layers")
    text = "" if data["file"] is None else f"temperature = {data['file']:f}\n"
    text += "[profiles.p]\n" + ("" if data["profile"] is None else f"temperature = {data['profile']:f}\n")
    (folder / "settings.toml").write_text(text)
    environ = {} if data["environment"] is None else {"RUSTBOT_TEMPERATURE": f"{data['environment']:f}"}

    value, layer = source(load(folder, environ, profile="p", call={"temperature": data["call"]}), "temperature")

    given_layers = [name for name in ("file", "profile", "environment", "call") if data[name] is not None]
    assert layer == (given_layers[-1] if given_layers else "default")
    assert value == (pytest.approx(data[layer], abs=1e-5) if given_layers else None)


def test_the_explanation_shows_itself_as_text_and_as_a_table(folder):
    settings = load(folder, {"RUSTBOT_PERSONALITY": "<script>alert(1)</script>"})

    explanation = settings.explain()

    assert len(explanation) == len(FIELDS)
    assert "file/model" in repr(explanation)
    assert "RUSTBOT_PERSONALITY" in repr(explanation)
    assert "<script>" not in explanation._repr_html_()
    assert "<table>" in settings._repr_html_()


def test_attributes_read_and_write_settings(folder):
    settings = load(folder)

    settings.temperature = 0.7
    settings.stop = "END"

    assert settings.temperature == 0.7
    assert settings.values.stop == ("END",)
    assert source(settings, "temperature") == (0.7, "call")
    assert "temperature" in dir(settings)


def test_a_wrong_value_or_name_changes_nothing(folder):
    settings = load(folder)
    before = settings.values

    with pytest.raises(SettingsError, match="'temperature' cannot be 3"):
        settings.temperature = 3
    with pytest.raises(SettingsError, match="did you mean 'temperature'"):
        settings.temprature = 0.3
    with pytest.raises(SettingsError, match="retries"):
        settings.update({"seed": 1, "retries": -1})
    with pytest.raises(AttributeError, match="did you mean 'temperature'"):
        _ = settings.temprature

    assert settings.values == before


def test_reset_lets_the_layers_below_count_again(folder):
    settings = load(folder, call={"model": "x/y", "seed": 3})

    settings.reset("model")
    assert settings.model == "file/model"

    settings.reset()
    assert settings.seed is None


def test_listeners_hear_the_names_of_what_changed(folder):
    settings = load(folder)
    heard = []
    stop = settings.on_change(heard.append)

    settings.temperature = 0.9
    settings.temperature = 0.9
    settings.update({"seed": 1, "top_p": 0.3})
    settings.use_profile("fast")
    stop()
    settings.temperature = 0.4

    assert heard == [("temperature",), ("top_p", "seed"), ("model",)]


def test_a_failing_listener_does_not_keep_the_others_from_hearing(folder):
    settings = load(folder)
    heard = []
    settings.on_change(lambda names: 1 / 0)
    settings.on_change(heard.append)

    settings.seed = 5

    assert heard == [("seed",)]


def test_saving_keeps_comments_and_a_backup(folder):
    settings = load(folder, call={"seed": 4})
    settings.temperature = 0.9

    settings.save()

    text = (folder / "settings.toml").read_text()
    assert "# mine" in text
    assert 'model = "file/model"  # the good one' in text
    assert (folder / "settings.toml.bak").read_text() == FILE
    assert source(settings, "temperature") == (0.9, "file")
    assert load(folder).values == settings.values


def test_saving_into_a_new_profile_makes_it(folder):
    settings = load(folder)
    settings.temperature = 0.9

    settings.save("temperature", profile="hot")

    assert settings.profiles() == ("fast", "hot")
    assert load(folder, profile="hot").temperature == 0.9
    assert load(folder).temperature == 0.1


def test_saving_what_the_environment_overrides_does_not_change_the_value_in_use(folder):
    settings = load(folder, {"RUSTBOT_TEMPERATURE": "0.5"})
    settings.temperature = 0.9

    settings.save()

    assert settings.temperature == 0.9
    assert "temperature = 0.9" in (folder / "settings.toml").read_text()


def test_saving_an_unset_value_takes_it_out_of_the_file(folder):
    settings = load(folder)
    settings.temperature = None

    settings.save()

    assert load(folder).temperature is None


def test_a_profile_can_be_changed_and_deleted(folder):
    settings = load(folder, {"RUSTBOT_PROFILE": "fast"})
    assert settings.profile_name == "fast"

    settings.use_profile(None)
    assert (settings.profile_name, settings.model) == (None, "file/model")

    settings.use_profile("fast")
    settings.delete_profile("fast")
    assert (settings.profile_name, settings.profiles()) == (None, ())


def test_an_unknown_profile_is_named_with_the_nearest(folder):
    with pytest.raises(SettingsError, match="no profile 'fsat'; the nearest is 'fast'"):
        load(folder, profile="fsat")

    settings = load(folder, {"RUSTBOT_PROFILE": "fsat"})

    assert settings.profile_name is None
    assert "fsat" in settings.problems[0]


def test_values_for_one_request_leave_the_settings_alone(folder):
    settings = load(folder, call={"seed": 1})

    values = settings.values_for(profile="fast", call={"top_p": "0.9"})

    assert (values.model, values.top_p, values.seed) == ("fast/model", 0.9, 1)
    assert settings.model == "file/model"
    with pytest.raises(SettingsError, match="tempratur"):
        settings.values_for(call={"tempratur": 1})


def test_aliases_stand_for_models_and_are_kept(folder):
    settings = load(folder)

    settings.set_alias("best", "anthropic:claude-opus")

    assert settings.resolve_model("best") == "anthropic/claude-opus"
    assert load(folder).aliases == {"quick": "qwen/quick", "best": "anthropic/claude-opus"}

    settings.delete_alias("quick")

    assert load(folder).aliases == {"best": "anthropic/claude-opus"}
    with pytest.raises(SettingsError, match="no alias 'bset'; the nearest is 'best'"):
        settings.delete_alias("bset")
    with pytest.raises(SettingsError, match="no name"):
        settings.set_alias("a\nb", "x/y")


def test_a_file_edited_by_hand_is_seen_on_reload(folder):
    settings = load(folder)
    heard = []
    settings.on_change(heard.append)
    assert settings.reload() is False

    (folder / "settings.toml").write_text(FILE.replace("0.1", "0.15"))

    assert settings.reload() is True
    assert settings.temperature == 0.15
    assert heard == [("temperature", "top_p")]


def test_the_environment_is_seen_on_reload(folder, monkeypatch):
    settings = Settings.load(config_dir=folder, working_dir=folder)

    monkeypatch.setenv("RUSTBOT_SEED", "12")

    assert settings.reload() is True
    assert settings.seed == 12


def test_a_wrong_variable_is_told_and_left_out(folder):
    settings = load(folder, {"RUSTBOT_TEMPERATURE": "warm", "RUSTBOT_SEED": "3"})

    assert (settings.temperature, settings.seed) == (0.1, 3)
    assert settings.problems == (
        "RUSTBOT_TEMPERATURE is not used: 'temperature' cannot be 'warm': it is a number from 0 to 2.",
    )


def test_lists_and_tables_can_stand_in_variables(folder):
    environ = {
        "RUSTBOT_FALLBACK_MODELS": "a/b, c/d",
        "RUSTBOT_STOP": '["one, two"]',
        "RUSTBOT_PROVIDER": '{"sort": "price"}',
        "RUSTBOT_SEND_VALUES": "no",
    }

    values = load(folder, environ).values

    assert values.fallback_models == ("a/b", "c/d")
    assert values.stop == ("one, two",)
    assert values.provider == {"sort": "price"}
    assert values.send_values is False


@pytest.mark.parametrize(
    ("raw", "model", "words"),
    [
        (b'model = "a/b"\ntemperature = "hot"\n', "a/b", "'temperature' cannot be 'hot'"),
        (b'model = "a/b"\ntemperature = nan\n', "a/b", "'temperature' cannot be nan"),
        (b'model = "a/b"\ntemperature = true\nretries = [1]\n', "a/b", "'retries' cannot be [1]"),
        (b'model = "a/b"\nprofiles = 3\naliases = "x"\n', "a/b", "'profiles' is no table"),
        (b'model = "a/b"\n[profiles]\nfast = 1\n', "a/b", "'profiles.fast' is no table"),
        (b'model = "a/b"\ntopp = 1\n', "a/b", "did you mean 'top_p'"),
        (b'model = "a/b"\ntop_p = \n', "a/b", "line 2 is not TOML"),
        (b'model = "a/b"\nmodel = "a/b"\n', "a/b", "twice"),
        (b"\xff\xfe\0\0", None, "UTF-16"),
        (b"\0" * 5000, None, "not TOML"),
        (b'model = "a/b"\n[aliases]\nx = ""\n', "a/b", "in 'aliases'"),
        (b'model = "a/b"\nschema_version = "one"\n', "a/b", ""),
    ],
)
def test_of_a_broken_file_the_good_fields_are_used_and_one_message_tells_the_rest(tmp_path, raw, model, words):
    (tmp_path / "settings.toml").write_bytes(raw)

    settings = load(tmp_path)

    assert settings.model == model
    assert len(settings.problems) == (1 if words else 0)
    assert words in "".join(settings.problems)
    assert (tmp_path / "settings.toml").read_bytes() == raw


@given(raw=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_file_loads_and_saving_keeps_its_bytes_beside_it(tmp_path_factory, raw):
    folder = tmp_path_factory.mktemp("any")
    (folder / "settings.toml").write_bytes(raw)
    settings = load(folder)
    settings.seed = 7

    settings.save()

    assert load(folder).seed == 7
    copies = [path.read_bytes() for path in folder.iterdir() if path.name != "settings.toml"]
    assert raw in copies


def test_the_bytes_of_a_broken_file_outlive_later_saves(tmp_path):
    raw = b'model = "a/b"\ntop_p = \n'
    (tmp_path / "settings.toml").write_bytes(raw)
    settings = load(tmp_path)

    for seed in (1, 2, 3):
        settings.seed = seed
        settings.save()

    (kept,) = tmp_path.glob("settings.toml.broken-*")
    assert kept.read_bytes() == raw
    assert settings.problems == ()


def test_unknown_fields_stay_in_the_file_and_make_one_copy_at_most(tmp_path):
    (tmp_path / "settings.toml").write_text("colour = 3\n")
    settings = load(tmp_path)

    for seed in (1, 2, 3):
        settings.seed = seed
        settings.save()

    assert "colour = 3" in (tmp_path / "settings.toml").read_text()
    assert len(list(tmp_path.iterdir())) <= 3


def test_an_old_file_is_migrated_with_a_copy_that_stays(tmp_path):
    raw = b'model = "anthropic/claude-sonnet-4.5:beta"\n[profiles.p]\nfallback_models = ["x/y:beta"]\n'
    (tmp_path / "settings.toml").write_bytes(raw)
    settings = load(tmp_path, profile="p")
    assert (settings.model, settings.fallback_models) == ("anthropic/claude-sonnet-4.5", ("x/y",))

    for seed in (1, 2):
        settings.seed = seed
        settings.save()

    (kept,) = tmp_path.glob("settings.toml.schema0-*")
    assert kept.read_bytes() == raw
    assert "schema_version = 1" in (tmp_path / "settings.toml").read_text()


def test_a_newer_file_is_not_used_and_never_overwritten(tmp_path):
    raw = b'schema_version = 2\nmodel = "a/b"\n'
    (tmp_path / "settings.toml").write_bytes(raw)

    settings = load(tmp_path)
    settings.seed = 3

    assert settings.values == Profile(seed=3)
    assert "newer Rustbot" in settings.problems[0]
    with pytest.raises(UnsupportedVersion, match=r"settings\.toml' is left alone"):
        settings.save()
    assert [path.name for path in tmp_path.iterdir()] == ["settings.toml"]
    assert (tmp_path / "settings.toml").read_bytes() == raw


def test_a_huge_file_is_read_at_its_start_and_kept_whole(tmp_path):
    raw = b'model = "a/b"\n' + b"# padding\n" * 200_000
    (tmp_path / "settings.toml").write_bytes(raw)

    settings = load(tmp_path)
    settings.seed = 1
    settings.save()

    assert settings.model == "a/b"
    (kept,) = tmp_path.glob("settings.toml.broken-*")
    assert kept.read_bytes() == raw


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "pipe"])
def test_something_else_in_the_files_place_is_told_and_does_not_hang(tmp_path, make):
    make(tmp_path / "settings.toml")
    make(tmp_path / ".env")

    settings = load(tmp_path)

    assert "cannot be read" in settings.problems[0]
    with pytest.raises(SettingsError, match="cannot be saved"):
        settings.save("seed")


def test_where_nothing_can_be_written_the_session_goes_on(tmp_path):
    (tmp_path / "blocked").write_text("a file where a folder should be")
    settings = Settings.load(environ={}, config_dir=tmp_path / "blocked" / "rustbot", working_dir=tmp_path)
    settings.seed = 3

    with pytest.raises(SettingsError, match="cannot be saved"):
        settings.save()
    with pytest.raises(SettingsError, match="cannot be saved"):
        settings.set_alias("x", "a/b")

    assert settings.seed == 3
    assert settings.resolve_model("x") == "a/b"


def test_a_linked_settings_file_stays_a_link_and_keeps_its_mode(tmp_path):
    real = tmp_path / "dotfiles.toml"
    real.write_text("seed = 1\n")
    real.chmod(0o640)
    (tmp_path / "settings.toml").symlink_to(real)
    settings = load(tmp_path)
    settings.seed = 2

    settings.save()

    assert (tmp_path / "settings.toml").is_symlink()
    assert "seed = 2" in real.read_text()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_two_who_save_at_once_leave_a_whole_file(folder):
    def save_often(name: str) -> None:
        settings = load(folder)
        for number in range(15):
            settings.set(name, number + 1)
            settings.save(name)

    threads = [threading.Thread(target=save_often, args=(name,)) for name in ("seed", "max_tokens")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert load(folder).problems == ()
    assert not list(folder.glob(".settings*"))


def test_the_config_folder_can_be_moved(folder):
    settings = Settings.load(environ={"RUSTBOT_CONFIG_DIR": str(folder)}, working_dir=folder)

    assert settings.path == folder / "settings.toml"
    assert settings.model == "file/model"


def test_an_unencrypted_server_elsewhere_is_warned_about(tmp_path):
    settings = load(tmp_path, call={"base_url": "http://10.0.0.5:8000/v1"})

    assert "not encrypted" in settings.problems[0]


def test_a_project_cannot_loosen_what_tools_may_do_by_choosing_a_profile(tmp_path: Path) -> None:
    config, project = tmp_path / "config", tmp_path / "project"
    config.mkdir()
    project.mkdir()
    (config / "settings.toml").write_text(
        'approve = "read-only"\nsend_values = false\n'
        '[profiles.loose]\napprove = "ask"\nsend_values = true\ntemperature = 1\n'
    )
    (project / ".env").write_text("RUSTBOT_PROFILE=loose\nRUSTBOT_DISABLED_TOOLS=nothing\n")

    chosen_by_project = Settings.load(environ={}, config_dir=config, working_dir=project)
    chosen_by_user = Settings.load(profile="loose", environ={}, config_dir=config, working_dir=project)

    assert (chosen_by_project.approve, chosen_by_project.send_values) == ("read-only", False)
    assert (chosen_by_project.temperature, chosen_by_project.disabled_tools) == (1, ())
    assert any("RUSTBOT_DISABLED_TOOLS" in problem for problem in chosen_by_project.problems)
    assert (chosen_by_user.approve, chosen_by_user.send_values) == ("ask", True)
