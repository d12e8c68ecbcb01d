"""The settings in use: default < file < profile < environment and .env < call, and which layer gave each value."""

from __future__ import annotations

import difflib
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn, Self

from pydantic import SecretStr

from rustbot_jupyter.errors import SettingsError
from rustbot_jupyter.settings import stored
from rustbot_jupyter.settings.explain import Explanation, Origin
from rustbot_jupyter.settings.hosts import OPENROUTER_URL, host_of, insecure_http, is_loopback
from rustbot_jupyter.settings.profile import FIELDS, HIDDEN, Profile, check, model_id, shown, unknown_field
from rustbot_jupyter.settings.secrets import (
    Key,
    KeyPlace,
    UrlOrigin,
    clean_key,
    find_key,
    forget_key,
    given_key,
    remember_key,
)
from rustbot_jupyter.settings.sources import Layer, Sources

OnChange = Callable[[tuple[str, ...]], None]
_logger = logging.getLogger(__name__)


class Settings:
    """All settings of one bot, as attributes that are checked when they are set.

    `settings.temperature = 0.2` holds until the kernel ends; `settings.save("temperature")` keeps it.
    """

    def __init__(
        self,
        *,
        profile: str | None = None,
        call: Mapping[str, Any] | None = None,
        api_key: str | SecretStr | None = None,
        environ: Mapping[str, str] | None = None,
        config_dir: Path | str | None = None,
        working_dir: Path | str | None = None,
    ) -> None:
        api_key = given_key(api_key)
        # First of all, so that a traceback out of here can show this object.
        self._values = Profile()
        self._profile_name: str | None = None
        self._lock = threading.RLock()
        self._sources = Sources(environ, config_dir, working_dir)
        self._aliases = dict(self._sources.stored.aliases)
        self._call = {name: check(name, value) for name, value in (call or {}).items() if value is not None}
        self._listeners: list[OnChange] = []
        self._chosen = profile
        if profile is not None and not self._has_profile(profile):
            raise SettingsError(self._unknown_profile(profile))
        self._build()
        self._bind_given(self._call)
        self._argument = self._bound(api_key)

    @classmethod
    def load(
        cls,
        profile: str | None = None,
        call: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
        config_dir: Path | str | None = None,
        working_dir: Path | str | None = None,
        api_key: str | SecretStr | None = None,
    ) -> Self:
        """Settings from all layers.

        Args:
            profile: Name of a profile in the file; None takes `RUSTBOT_PROFILE`, or none.
            call: Values given in code; None among them means not given.
            environ: Variables instead of the process's own.
            config_dir: Folder of settings.toml instead of the usual one.
            working_dir: Folder of the .env file; None is the current one.
            api_key: A key given in code. It is bound to the host of the base URL, whatever .env says about that.

        Raises:
            SettingsError: The profile, a value of `call` or the key cannot be used. What is wrong in files and
                environment raises nothing and stands in `problems`.
        """
        api_key = given_key(api_key)
        return cls(
            profile=profile,
            call=call,
            api_key=api_key,
            environ=environ,
            config_dir=config_dir,
            working_dir=working_dir,
        )

    # Reading.

    @property
    def values(self) -> Profile:
        """All values that are in effect; it never changes, a change makes a new one."""
        return self._values

    @property
    def profile_name(self) -> str | None:
        """The profile in use, or None."""
        return self._profile_name

    @property
    def path(self) -> Path | None:
        """Return where settings.toml is, or would be."""
        return self._sources.path

    @property
    def problems(self) -> tuple[str, ...]:
        """Return what could not be used, one sentence each."""
        url = self._values.base_url
        found = [*self._problems, insecure_http(url)]
        for name in HIDDEN:
            table = getattr(self._values, name)
            if table and table.host != host_of(url):
                found.append(
                    f"{name!r} was given for {table.host!r} and is not sent to {host_of(url)!r}; write it beside the "
                    "'base_url' it is for."
                )
        if self._url_origin(url) == "project" and not is_loopback(url):
            found.append(
                f"The server {url!r} was chosen by .env in the working folder; keys of yours are not sent there."
            )
        return tuple(filter(None, found))

    @property
    def key_problems(self) -> tuple[str, ...]:
        """Those of the problems that are about keys."""
        return self._sources.key_problems

    @property
    def aliases(self) -> dict[str, str]:
        """Short names of models."""
        return dict(self._aliases)

    def profiles(self) -> tuple[str, ...]:
        """The names of the profiles in the file."""
        return tuple(self._sources.stored.profiles)

    def explain(self) -> Explanation:
        """Every setting with its value, the layer that gave it, and where that is."""
        with self._lock:
            return Explanation(self._origin(name) for name in FIELDS)

    def values_for(self, profile: str | None = None, call: Mapping[str, Any] | None = None) -> Profile:
        """The values for one request: with another profile, and with `call` over everything.

        Raises:
            SettingsError: The profile or a value cannot be used.
        """
        checked = {name: check(name, value) for name, value in (call or {}).items()}
        with self._lock:
            if profile is not None and not self._has_profile(profile):
                raise SettingsError(self._unknown_profile(profile))
            if profile is None and not checked:
                return self._values
            layers = self._layers if profile is None else self._layers_with(profile)
            return _merged([*layers, Layer(name="call", where=str, values=checked)])

    def resolve_model(self, name: str, base_url: str | None = None) -> str:
        """The model's full name, from an alias or any usual spelling.

        Raises:
            SettingsError: It cannot be the name of a model.
        """
        name = check("model", self._aliases.get(name.strip(), name) if isinstance(name, str) else name)
        if name is None:
            raise SettingsError("There is no model to ask; name one such as 'openai/gpt-5'.")
        return model_id(name, base_url or self._values.base_url)

    # Changing.

    def set(self, name: str, value: Any) -> None:
        """Use another value from now on, until the kernel ends. None unsets it, where that has a meaning.

        Raises:
            SettingsError: There is no such setting, or it does not take the value; nothing changed.
        """
        self.update({name: value})

    def update(self, changes: Mapping[str, Any]) -> None:
        """Set several values, all or none of them.

        Raises:
            SettingsError: One of them cannot be used; nothing changed.
        """
        checked = {name: check(name, value) for name, value in changes.items()}
        with self._lock:
            before = self._values
            for name in HIDDEN:
                if name in checked:
                    checked[name] = checked[name].filled_from(getattr(before, name))
            self._call.update(checked)
            self._build()
            self._bind_given(checked)
        self._tell(before)

    def reset(self, name: str | None = None) -> None:
        """Forget what was set in code, for one setting or all; the layers below count again.

        Raises:
            SettingsError: There is no such setting.
        """
        if name is not None and name not in FIELDS:
            raise SettingsError(unknown_field(name))
        with self._lock:
            before = self._values
            for each in [name] if name is not None else list(self._call):
                self._call.pop(each, None)
            self._build()
        self._tell(before)

    def use_profile(self, name: str | None) -> None:
        """Change to another profile, or with None to none.

        Raises:
            SettingsError: There is no such profile.
        """
        with self._lock:
            if name is not None and not self._has_profile(name):
                raise SettingsError(self._unknown_profile(name))
            before = self._values
            # "" is told from None: no profile, whatever RUSTBOT_PROFILE says.
            self._chosen = name or ""
            self._build()
        self._tell(before)

    def reload(self) -> bool:
        """True if files or environment gave other values than before; cheap when nothing changed."""
        with self._lock:
            before = self._values
            if not self._sources.have_changed():
                return False
            self._read()
            self._build()
        return self._tell(before)

    def on_change(self, listener: OnChange) -> Callable[[], None]:
        """Have `listener` called with the names of changed settings; the result ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    # Keeping.

    def save(self, names: str | Iterable[str] | None = None, profile: str | None = None) -> None:
        """Write values that are in effect into settings.toml; comments in it survive.

        Args:
            names: The settings; None takes all that were set in code.
            profile: Into which profile, made if need be; None takes the one in use, or else the file's top level.

        Raises:
            SettingsError: A name is unknown, or the file cannot be written and is as it was.
        """
        with self._lock:
            before = self._values
            names = [names] if isinstance(names, str) else list(self._call if names is None else names)
            for name in names:
                if name not in FIELDS:
                    raise SettingsError(unknown_field(name))
            into = stored.check_name(profile) if profile is not None else self._profile_name
            table = ("profiles", into) if into else ()
            stored.save(self.path, {(*table, name): getattr(self._values, name) for name in names})
            self._read()
            if into == self._profile_name:
                self._drop_saved(names)
            self._build()
        self._tell(before)

    def delete_profile(self, name: str) -> None:
        """Take a profile out of the file; when it is in use, none is from now on.

        Raises:
            SettingsError: There is no such profile, or the file cannot be written.
        """
        if not self._has_profile(name):
            raise SettingsError(self._unknown_profile(name))
        if name == self._profile_name:
            self.use_profile(None)
        with self._lock:
            before = self._values
            stored.save(self.path, {("profiles", name): None})
            self._read()
            self._build()
        self._tell(before)

    def set_alias(self, name: str, model: str) -> None:
        """Let `name` stand for `model`, now and, when the file can be written, later.

        Raises:
            SettingsError: The name or model cannot be used, or it could not be saved (it holds until the kernel ends).
        """
        self._change_alias(stored.check_name(name), self.resolve_model(model))

    def delete_alias(self, name: str) -> None:
        """Forget an alias.

        Raises:
            SettingsError: There is none of that name, or it could not be taken out of the file.
        """
        if name not in self._aliases:
            raise SettingsError(f"There is no alias {shown(name)}{_nearest(name, self._aliases)}.")
        self._change_alias(name, None)

    # Keys.

    def find_key(self, base_url: str | None = None) -> Key | None:
        """The key for the server in use, or for another address; None if none was given for that host."""
        url = base_url or self._values.base_url
        return find_key(
            url,
            argument=self._argument,
            environ=self._sources.environ(),
            dotenv=self._sources.dotenv(),
            url_from=self._url_origin(url),
            config_dir=self._sources.config_dir,
        )

    def remember_key(self, key: str | SecretStr, where: KeyPlace = "memory", host: str | None = None) -> Key:
        """The key, used from now on for `host` (None: of the server in use) instead of any other.

        Raises:
            SettingsError: The key cannot be used, or cannot be kept in that place.
        """
        key = SecretStr(key) if isinstance(key, str) else key
        found = remember_key(host or host_of(self._values.base_url), key, where, self._sources.config_dir)
        if self._argument is not None and self._argument.host == found.host:
            self._argument = None
        return found

    def forget_key(self, host: str | None = None) -> None:
        """Forget the key given in code or in the settings tab, also in keyring and key file.

        Raises:
            SettingsError: The key file cannot be changed.
        """
        host = host or host_of(self._values.base_url)
        if self._argument is not None and self._argument.host == host:
            self._argument = None
        forget_key(host, self._sources.config_dir)

    def sent_along(self, values: Profile) -> tuple[dict[str, SecretStr], dict[str, SecretStr]]:
        """The headers and the query that go to the server of these values; none to a host they were not given for.

        Raises:
            SettingsError: A variable in them is not set.
        """
        host = host_of(values.base_url)
        tables = [getattr(values, name) for name in HIDDEN]
        if insecure_http(values.base_url) or not any(tables):
            return {}, {}
        headers, query = (table.expanded(self._variable) if table.host == host else {} for table in tables)
        return headers, query

    def _variable(self, name: str) -> str:
        return self._sources.environ().get(name, "") or self._sources.dotenv().get(name, "")

    # Inside.

    def __getattr__(self, name: str) -> Any:
        if name in FIELDS:
            return getattr(self._values, name)
        raise AttributeError(unknown_field(name) if not name.startswith("_") else name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
        else:
            self.set(name, value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("Settings are not copied or pickled: a key may be among them. `save` keeps them in a file.")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *FIELDS})

    def __repr__(self) -> str:
        default = Profile()
        changed = {name: getattr(self._values, name) for name in FIELDS}
        parts = [f"profile={self._profile_name!r}"] if self._profile_name else []
        parts += [f"{name}={shown(value)}" for name, value in changed.items() if value != getattr(default, name)]
        return f"Settings({', '.join(parts)})"

    def _repr_html_(self) -> str:
        return self.explain()._repr_html_()

    def _read(self) -> None:
        self._sources.read()
        self._aliases = dict(self._sources.stored.aliases)

    def _build(self) -> None:
        name = self._sources.wished_profile if self._chosen is None else self._chosen
        known = self._has_profile(name)
        self._problems = self._sources.problems + ((self._unknown_profile(name),) if name and not known else ())
        self._profile_name = name if known else None
        of_project = self._chosen is None and self._sources.is_wish_of_project
        self._layers = self._layers_with(self._profile_name, is_wish_of_project=of_project)
        self._values = _merged(self._layers)

    def _layers_with(self, profile: str | None, *, is_wish_of_project: bool = False) -> tuple[Layer, ...]:
        call = Layer(name="call", where=lambda _: "set in code or in the settings tab", values=dict(self._call))
        return (*self._sources.layers(profile, is_wish_of_project=is_wish_of_project), call)

    def _origin(self, name: str) -> Origin:
        layer = self._layer_of(name)
        if layer is None:
            return Origin(name, getattr(self._values, name), "default", "built in")
        return Origin(name, layer.values[name], layer.name, layer.where(name))

    def _layer_of(self, name: str) -> Layer | None:
        return next((layer for layer in reversed(self._layers) if name in layer.values), None)

    def _url_origin(self, base_url: str) -> UrlOrigin:
        if base_url != self._values.base_url:
            return "user"
        layer = self._layer_of("base_url")
        return "default" if layer is None else "project" if layer.is_project else "user"

    def _bind_given(self, names: Iterable[str]) -> None:
        """Keep headers and query that were given in code for the server in use now, whichever comes later."""
        given = [name for name in HIDDEN if name in names]
        self._call.update({name: getattr(self._values, name) for name in given})
        if given:
            self._build()

    def _bound(self, api_key: SecretStr | None) -> Key | None:
        if api_key is None:
            return None
        trusted = _merged([layer for layer in self._layers if not layer.is_project])
        return Key(value=clean_key(api_key), source="argument", host=host_of(trusted.base_url))

    def _drop_saved(self, names: Iterable[str]) -> None:
        for name in names:
            # What the environment says would win over the file: then the value goes on being one of this session.
            if not any(name in layer.values for layer in self._sources.outside):
                self._call.pop(name, None)

    def _change_alias(self, name: str, model: str | None) -> None:
        with self._lock:
            self._aliases.pop(name, None)
            if model is not None:
                self._aliases[name] = model
            stored.save(self.path, {("aliases", name): model})

    def _has_profile(self, name: object) -> bool:
        return isinstance(name, str) and name in self._sources.stored.profiles

    def _unknown_profile(self, name: str) -> str:
        return f"There is no profile {shown(name)}{_nearest(name, self._sources.stored.profiles)}."

    def _tell(self, before: Profile) -> bool:
        names = tuple(name for name in FIELDS if getattr(before, name) != getattr(self._values, name))
        for listener in list(self._listeners) if names else ():
            try:
                listener(names)
            except Exception:
                _logger.exception("A listener to settings failed.")
        return bool(names)


def _merged(layers: Iterable[Layer]) -> Profile:
    values: dict[str, Any] = {}
    own_url = OPENROUTER_URL
    for layer in layers:
        values.update(layer.values)
        if not layer.is_project:
            own_url = layer.values.get("base_url", own_url)
        # As with keys, it is the user's own address beside them that they are for.
        values.update({name: layer.values[name].bound(host_of(own_url)) for name in HIDDEN if name in layer.values})
    return Profile(**values)


def _nearest(name: str, known: Iterable[str]) -> str:
    known = list(known)
    near = difflib.get_close_matches(str(name), known, n=1)
    if near:
        return f"; the nearest is {near[0]!r}"
    return f"; there are {', '.join(map(repr, known[:5]))}" if known else ", and none else is in the settings file"
