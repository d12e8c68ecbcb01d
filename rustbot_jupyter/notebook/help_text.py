"""The text of `%rustbot help`, as Markdown."""

from __future__ import annotations

from rustbot_jupyter.notebook.arguments import COMMANDS, SPELLINGS, Command
from rustbot_jupyter.notebook.flags import FLAGS, Flag

_ABOUT = """\
### Rustbot in cells

- `%rustbot` shows the chat, `%rustbot how do I sort a list?` asks on one line, `answer = %rustbot ...` keeps the reply.
- `%%rustbot [MODEL] [flags]` asks what stands in the lines below it.

**Variables in a question.** `{name}`, `{name.attr}`, `{name[key]}`, `{In[3]}`, `{Out[3]}` and `{Err[3]}` become their \
values when they exist, and everything else in braces stays as typed. `{{name}}` is a literal `{name}`. \
`` $`len(df)` `` becomes the value of the expression. A data frame becomes its schema, its first rows and statistics.

**Commands**

| line | what it does |
|---|---|
"""
_QUESTIONS = """
A line that begins with a command but does not fit it is a question: `explain 3` is the command, \
`explain how trees work` asks. In quotes, or behind `--`, everything is a question.

**Flags**

| flag | what it does |
|---|---|
"""


def help_text() -> str:
    """All commands and flags, good to read in a notebook."""
    commands = "\n".join(f"| {_command_cell(command)} | {command.help} |" for command in COMMANDS.values())
    flags = "\n".join(f"| {_flag_cell(flag)} | {flag.help} |" for flag in FLAGS)
    return f"{_ABOUT}{commands}\n{_QUESTIONS}{flags}\n"


def _command_cell(command: Command) -> str:
    others = [name for name, verb in SPELLINGS.items() if verb == command.verb and name != verb]
    also = f" (also {', '.join(f'`{name}`' for name in others)})" if others else ""
    return f"`{f'%rustbot {command.verb} {command.usage}'.rstrip()}`{also}"


def _flag_cell(flag: Flag) -> str:
    # A "|" would end the table's cell.
    takes = " ".join(flag.takes).replace("|", " or ")
    return f"{', '.join(f'`{name}`' for name in flag.names)} {takes}".rstrip()
