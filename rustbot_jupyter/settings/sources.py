"""The places settings come from, as layers: the file with its profiles, .env and environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rustbot_jupyter.settings import environment, files, secrets, stored
from rustbot_jupyter.settings.key_text import unquoted
from rustbot_jupyter.settings.profile import FIELDS, HIDDEN
from rustbot_jupyter.settings.stored import Stored


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Checked values from one place."""

    name: str
    where: Callable[[str], str]
    """For the name of a setting: the file, variable or profile it stands in."""
    values: Mapping[str, Any] = field(default_factory=dict)
    is_project: bool = False
    """True if it came with the working folder rather than from the user."""


class Sources:
    """File, .env and environment as they were last read."""

    stored: Stored
    outside: tuple[Layer, Layer]
    """.env and environment; the second wins."""
    wished_profile: str
    """What `RUSTBOT_PROFILE` says, or ""."""
    is_wish_of_project: bool
    """True if only the .env file of the working folder says so."""
    problems: tuple[str, ...]
    """What could not be used, one sentence each."""
    key_problems: tuple[str, ...]
    """Those of them that are about keys."""

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        config_dir: Path | str | None = None,
        working_dir: Path | str | None = None,
    ) -> None:
        # In a function, not in an attribute: `vars` must not show the keys that stand in the environment.
        self.environ: Callable[[], Mapping[str, str]] = lambda: os.environ if environ is None else environ
        self.config_dir = files.config_dir(environ) if config_dir is None else Path(config_dir)
        self._working_dir = Path(working_dir) if working_dir is not None else Path()
        self.read()

    @property
    def path(self) -> Path | None:
        """Return where settings.toml is, or would be."""
        return None if self.config_dir is None else self.config_dir / files.SETTINGS_FILE

    def dotenv(self) -> Mapping[str, str]:
        """The variables of .env as it is now."""
        return environment.read_dotenv(self._working_dir)[0]

    def read(self) -> None:
        """Read everything anew; never raises."""
        self._seen = self._look()
        environ = self.environ()
        dotenv, dotenv_problem = environment.read_dotenv(self._working_dir)
        self.stored = stored.read(self.path)
        from_dotenv, dotenv_problems = environment.settings_from(dotenv, " in .env")
        dotenv_problems += _withhold_consent(from_dotenv)
        from_environ, environ_problems = environment.settings_from(environ)
        self.outside = (
            Layer(name="environment", where=lambda _: ".env", values=from_dotenv, is_project=True),
            Layer(name="environment", where=lambda name: environment.PREFIX + name.upper(), values=from_environ),
        )
        wished = unquoted(environ.get("RUSTBOT_PROFILE", ""))
        self.wished_profile = wished or dotenv.get("RUSTBOT_PROFILE", "").strip()
        self.is_wish_of_project = self.wished_profile != wished
        self.key_problems = (*secrets.problems_of(environ), *secrets.problems_of(dotenv, " in .env"))
        others = [self.stored.problem, dotenv_problem, *dotenv_problems, *environ_problems]
        self.problems = tuple(filter(None, [*self.key_problems, *others]))

    def have_changed(self) -> bool:
        """True if reading again may give something else; looks at dates and variables only."""
        return self._seen != self._look()

    def layers(self, profile: str | None, *, is_wish_of_project: bool = False) -> tuple[Layer, ...]:
        """All layers of these sources, the lowest first, with a profile that the file has.

        Args:
            profile: Its name, or None.
            is_wish_of_project: Whether the working folder chose it: then it does not loosen what the user decides.
        """
        path = str(self.path)
        of_profile = self.stored.profiles[profile] if profile else {}
        if is_wish_of_project:
            of_profile = {name: value for name, value in of_profile.items() if name not in _CONSENT}
        return (
            Layer(name="file", where=lambda _: path, values=self.stored.values),
            Layer(
                name="profile",
                where=lambda _: f"[profiles.{profile}] in {path}",
                values=of_profile,
            ),
            *self.outside,
        )

    def _look(self) -> tuple[Any, ...]:
        environ = self.environ()
        names = ("RUSTBOT_PROFILE", *(environment.PREFIX + name.upper() for name in FIELDS))
        # Keys are kept nowhere but in a `Key`.
        keys = (hash(environ.get(name)) for name in secrets.KEY_VARIABLES)
        read = (self.path, self._working_dir / ".env")
        return (*map(files.stamp, read), *(environ.get(name) for name in names), *keys)


_CONSENT = ("approve", "disabled_tools", "mcp_registry", "send_values")
"""What the user alone decides: a folder that came from somewhere else does not."""


def _withhold_consent(values: dict[str, Any]) -> list[str]:
    """Take out what a project may not set, and say so."""
    withheld = [name for name in (*_CONSENT, *HIDDEN) if values.pop(name, None) is not None]
    return [
        f"{environment.PREFIX}{name.upper()} in .env is not used: what tools may do and what is sent is the user's own "
        "choice. Set it in settings.toml or in the environment."
        for name in withheld
    ]
