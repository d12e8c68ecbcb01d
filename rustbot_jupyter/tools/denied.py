"""The places in a workspace that no tool touches, whoever allows it.

Two lists. Secrets (keys, tokens, histories, our own files) and what a shell or Python runs when it starts are neither
read nor written. What a program of the workspace runs later by itself (hooks, editor tasks, server lists, `*.pth`) may
be read, since nothing in it is secret, and is never written. CI files may be written: they run only after the user has
pushed them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache

_SECRETS = (
    ".env* *.env .ssh .gnupg .aws .azure .kube .config .local .kaggle .password-store keyrings *.keyring "
    "*.keychain *.keychain-db .netrc _netrc .pypirc .npmrc .yarnrc.yml .git-credentials .pgpass .my.cnf .mylogin.cnf "
    ".htpasswd .dockercfg .databrickscfg .boto .s3cfg .vault-token .terraformrc .pip pip.conf pip.ini .condarc "
    "id_rsa* id_dsa* id_ecdsa* id_ed25519* authorized_keys *.pem *.ppk *.p12 *.pfx *.jks *.kdbx credentials "
    "secrets.toml .mozilla .thunderbird .*_history history.sqlite* .lesshst .viminfo"
)
_JUPYTER = (
    ".jupyter .ipython kernel-*.json jpserver-* nbserver-* jupyter_cookie_secret notebook_cookie_secret "
    "jupyter_*_config.* ipython_config.* ipython_*_config.*"
)
_OURS = "rustbot.db*"
_STARTUP = (
    ".bashrc .bash_* .profile .login .logout .zshrc .zshenv .zprofile .zlogin .zlogout .kshrc .cshrc .tcshrc .inputrc "
    ".xprofile .xinitrc .xsession .xsessionrc .vimrc .gvimrc .exrc .nvimrc .emacs .emacs.d .gdbinit .lldbinit .pdbrc "
    ".pythonrc .pythonrc.py .pythonstartup .rprofile .renviron .gitconfig .hgrc crontab crontabs cron.* "
    "sitecustomize.py usercustomize.py *.pth"
)
_RUN_LATER = (
    ".git .hg .svn .bzr .gitmodules .husky .pre-commit-config.yaml .mcp.json mcp.json .vscode .idea .devcontainer "
    ".cursor .claude .zed .direnv site-packages kernel.json launchagents launchdaemons autostart *.desktop "
    "*.code-workspace .cargo .gradle .m2 .ruby-version .tool-versions"
)
_HARMLESS = frozenset({".env.example", ".env.sample", ".env.template", ".env.dist"})
"""Templates of a .env, made to be shared."""

# Places inside a folder that may be read otherwise: a token in a remote's address, a stored password, a hook.
_SECRET_WAYS = (
    (".git", "config"),
    (".git", "config.worktree"),
    (".git", "hooks"),
    (".hg", "hgrc"),
    (".docker", "config.json"),
    (".cargo", "credentials*"),
    (".huggingface", "token"),
    ("huggingface", "*token*"),
    (".streamlit", "secrets*"),
    ("jupyter", "runtime"),
)
_WRITTEN_WAYS = (("*venv*", "bin"), ("*venv*", "scripts"), ("*venv*", "pyvenv.cfg"))
_KERNEL_FOLDERS = frozenset({"proc", "sys", "dev", "run"})


@lru_cache(maxsize=4_096)
def denial(parts: tuple[str, ...], *, for_writing: bool, is_whole_machine: bool = False) -> str:
    """Return why nothing touches this place; "" when nothing is against it.

    Args:
        parts: The names from the workspace's root down.
        for_writing: Whether something would be changed there.
        is_whole_machine: Whether the root is that of the file system, so that its names are the system's own.
    """
    names = [_folded(part) for part in parts]
    if is_whole_machine and names and names[0] in _KERNEL_FOLDERS:
        return "it belongs to the system"
    if any(_SECRET.fullmatch(name) and name not in _HARMLESS for name in names) or _has_way(names, _SECRET_WAYS):
        return "it can hold secrets or run by itself, and no tool touches it"
    if for_writing and (any(_RUN.fullmatch(name) for name in names) or _has_way(names, _WRITTEN_WAYS)):
        return "what is in it runs by itself later, and no tool changes it"
    return ""


@lru_cache(maxsize=4_096)
def _folded(name: str) -> str:
    """The name as the most forgiving file system sees it: no case, no invisible characters, no tail it would drop."""
    visible = "".join(char for char in unicodedata.normalize("NFKC", name) if unicodedata.category(char) not in _UNSEEN)
    folded = unicodedata.normalize("NFKC", visible.casefold()).rstrip(". ")
    # ".env::$DATA" opens ".env" on Windows.
    return folded.partition(":")[0].rstrip(". ") or folded


_UNSEEN = frozenset({"Cf", "Cc", "Mn"})


def _has_way(names: Sequence[str], ways: Iterable[tuple[str, str]]) -> bool:
    """True if the first of a pair stands anywhere above the second."""
    for above, below in ways:
        for index, name in enumerate(names):
            if fnmatchcase(name, above) and any(fnmatchcase(later, below) for later in names[index + 1 :]):
                return True
    return False


def _one_of(globs: str) -> re.Pattern[str]:
    # A star stands for anything here, so the expression never looks back.
    return re.compile("|".join(re.escape(glob).replace(r"\*", ".*") for glob in globs.split()), re.DOTALL)


_SECRET = _one_of(f"{_SECRETS} {_JUPYTER} {_OURS} {_STARTUP}")
_RUN = _one_of(_RUN_LATER)
