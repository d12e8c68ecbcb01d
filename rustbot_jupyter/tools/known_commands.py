"""Knowledge of programs that commands name: some only read, some run whatever they are told.

Nothing here makes a command safe. It says for which a standing rule may cover more than one exact line.
"""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SHELL_WORDS = _words(
    """
    . : [ [[ alias bg bind break builtin caller case cd command compgen complete continue coproc declare dirs
    disown do done elif else enable esac eval exec exit export fc fg fi for function getopts hash history if in
    jobs let local logout mapfile popd pushd read readarray readonly return select set shift shopt source
    suspend then time trap type typeset ulimit umask unalias unset until wait while
    """
)
"""No programs: a shell does them itself, or builds with them."""

_RUNS_ANYTHING = _words(
    """
    sh bash zsh ksh mksh pdksh dash ash tcsh csh fish nush nu elvish xonsh pwsh powershell cmd command busybox
    toybox python pypy ipython perl ruby irb node nodejs deno bun bunx npx uvx pipx tsx ts-node php lua luajit
    rscript r julia octave matlab java jshell groovy scala kotlin swift tclsh wish expect guile racket ghc
    runghc erl elixir iex ocaml osascript env xargs sudo doas su runuser pkexec chroot unshare nsenter bwrap
    firejail setpriv capsh ssh scp sftp mosh rsh telnet nc ncat netcat socat rsync nohup timeout time nice
    ionice chrt taskset setsid stdbuf unbuffer script strace ltrace gdb lldb valgrind perf watch parallel entr
    find awk gawk mawk nawk sed ed ex vi vim nvim view emacs nano less more most man info make gmake cmake ninja
    just rake ant mvn gradle bazel nox tox at batch crontab systemd-run systemctl service tmux screen
    docker-compose podman vagrant ansible ansible-playbook terraform pdb tar bsdtar zip unzip 7z cpio dd tee
    install ld gcc cc clang g++ tcpdump wireshark mysql psql sqlite3 redis-cli mongo mongosh ftp lftp mail
    sendmail xterm open xdg-open start rundll32 wsl flock run-parts start-stop-daemon jupyter streamlit flask
    gunicorn uvicorn dotenv direnv printenv poetry pdm hatch pixi conda-run micromamba doppler op vault curl
    wget aria2c http https xh ld-linux
    """
)
_VERSION = re.compile(r"[\d.]*(\.exe|\.cmd|\.bat)?$")

# What each reading program could do besides reading what it is told: these arguments are covered by no rule. A letter
# stands for itself also among others ("-ro"), a long name also for its abbreviations.
READERS = {
    "basename": "",
    "cat": "",
    "cmp": "",
    "cut": "",
    "date": "-s -f -r --set --file --reference",
    "df": "",
    "diff": "-r -l -X --recursive --paginate --exclude-from --to-file",
    "dirname": "",
    "du": "-X --exclude-from",
    "echo": "",
    "egrep": "-r -R -d -f --recursive --dereference-recursive --directories",
    "fgrep": "-r -R -d -f --recursive --dereference-recursive --directories",
    "fold": "",
    "free": "",
    "grep": "-r -R -d -f --recursive --dereference-recursive --directories",
    "head": "",
    "id": "",
    "ls": "",
    "md5sum": "-c --check",
    "nl": "",
    "nproc": "",
    "od": "",
    "pwd": "",
    "readlink": "",
    "realpath": "",
    "rg": "-f -u -z -L -. --hidden --unrestricted --no-ignore --search-zip --follow --ignore-file",
    "sha1sum": "-c --check",
    "sha256sum": "-c --check",
    "sort": "-o -T -S --temporary-directory --compress-program",
    "stat": "",
    "strings": "",
    "tail": "",
    "tr": "",
    "uname": "",
    "uptime": "",
    "wc": "",
    "which": "",
    "whoami": "",
}

_GIT = "-O -o --no-index --textconv --ext-diff --contents"
_PIP = "-i -f -r --index-url --extra-index-url --find-links --requirement --path --python --log --cert --client-cert"
_NPM = "-C -g --userconfig --globalconfig --global --node-options --cache --registry"
READING_COMMANDS: dict[str, dict[str, str]] = {
    "git": dict.fromkeys(("blame", "diff", "log", "ls-files", "ls-tree", "rev-parse", "shortlog", "show"), _GIT)
    | {
        "status": "",
        "describe": "",
        "add": "-e --pathspec-from-file --edit",
        "commit": "-F -t -c -C -e --template --edit",
    },
    "pip": dict.fromkeys(("list", "show", "freeze", "check"), _PIP),
    "pip3": dict.fromkeys(("list", "show", "freeze", "check"), _PIP),
    "npm": dict.fromkeys(("ls", "list"), _NPM),
    "cargo": dict.fromkeys(("tree", "metadata"), "-C -Z --manifest-path"),
    "docker": dict.fromkeys(("ps", "images", "version"), "-f"),
    "conda": dict.fromkeys(("list", "info"), "-p"),
    "ruff": {"check": "-o -w --fix --fix-only --unsafe-fixes --add-noqa --cache-dir --watch --isolated"},
    "uv": {"tree": "-c -p --python --default-index --index"},
}
"""Second words of tools that do many things, and what goes beyond reading (or, in git, beyond the next commit)."""

TWO_WORD_TOOLS = _words(
    """
    apt apt-get aws az brew bundle cargo composer conda dnf docker dotnet dvc gcloud gem gh git go helm hg
    kubectl mamba npm pip pip3 pnpm ruff rustup svn uv yarn
    """
)

_RUN_BY_SECOND_WORD = {
    "git": _words(
        """
        bisect config difftool mergetool filter-branch submodule rebase clone daemon instaweb send-email
        help am web--browse remote-ext upload-pack receive-pack hook maintenance credential worktree init
        gui citool var for-each-repo
        """
    ),
    "docker": _words("run exec build buildx compose cp create start context plugin"),
    "npm": _words(
        """
        exec x run run-script start test explore config install i ci init create edit set hook rebuild
        restart stop pack
        """
    ),
    "pnpm": _words("exec dlx run start test create install add i"),
    "yarn": _words("exec dlx run node start test create install add"),
    "pip": _words("install download wheel config"),
    "pip3": _words("install download wheel config"),
    "uv": _words("run tool pip add sync build python"),
    "cargo": _words("run test bench install build rustc rustdoc fix clippy check b r t c doc"),
    "conda": _words("run install create develop config"),
    "mamba": _words("run install create"),
    "go": _words("run generate test tool build install vet get"),
    "dotnet": _words("run exec test build tool script fsi"),
    "kubectl": _words("exec run cp debug attach edit apply create plugin config"),
    "gh": _words("extension alias codespace api auth secret"),
    "gem": _words("install exec"),
    "bundle": _words("exec install"),
    "helm": _words("plugin"),
    "brew": _words("install"),
    "hg": _words("serve debugshell"),
    "svn": _words("propset"),
}

NEVER_LONG = _words(
    """
    --exec --exec-batch --exec-path --execute --command --eval --output --output-file --output-dir --output-directory
    --output-document --to-command --use-compress-program --compress-program --checkpoint-action --rsh
    --rsync-path --upload-pack --receive-pack --config --config-file --config-env --config-settings --pager
    --paginate --editor --ext-diff --textconv --open-files-in-pager --pre --hostname-bin --plugin --plugins
    --rcfile --init-file --script --script-shell --shell --preprocessor --interpreter --require --import --load
    --preload --prefix --root --rootdir --override-ini --info-script --new-volume-script --files0-from
    --files-from --file --from-file --log-file --proxy --post-file --upload-file --run --hook --git-dir
    --work-tree --super-prefix --namespace --separate-git-dir --directory --chdir --index-file --to-stdin
    --startup --wrapper
    """
)
"""Told to any program: run this, take your settings from there, write to that place."""
NEVER_SHORT = "-c -e -x -o -p -C -f -I -O"
"""The same in letters, for programs that are not known here."""


def runs_anything(words: tuple[str, ...]) -> bool:
    """True if a command line names a program whose work is to run what it is told."""
    program = words[0].casefold()
    if program in _RUNS_ANYTHING or _VERSION.sub("", program) in _RUNS_ANYTHING:
        return True
    second = _RUN_BY_SECOND_WORD.get(program)
    # An option before the second word can move it, or say where programs come from.
    return second is not None and len(words) > 1 and (words[1] in second or words[1].startswith("-"))


def reading_words(words: tuple[str, ...]) -> int:
    """Return how many words name a program that only reads; 0 for another one."""
    # File systems that ignore case find "GIT" too.
    program = words[0].casefold()
    if program in READERS:
        return 1
    return 2 if len(words) > 1 and words[1] in READING_COMMANDS.get(program, {}) else 0


def refused_options(words: tuple[str, ...]) -> list[str]:
    """The options that no rule covers for this program, besides those that none covers at all."""
    program, second = words[0].casefold(), words[1] if len(words) > 1 else ""
    if program in READERS:
        return READERS[program].split()
    return READING_COMMANDS.get(program, {}).get(second, NEVER_SHORT).split()
