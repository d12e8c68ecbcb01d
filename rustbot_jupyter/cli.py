"""The `rustbot` command: lab, ask, models, doctor."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from io import StringIO

from rustbot_jupyter import __version__
from rustbot_jupyter.control_characters import harmless
from rustbot_jupyter.errors import RustbotError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code: 0 well, 1 it failed, 2 it was called wrongly, 130 interrupted."""
    # A stream that was closed before the start (`>&-`) is None.
    sys.stdout, sys.stderr = sys.stdout or StringIO(), sys.stderr or StringIO()
    parsed, rest = _parser().parse_known_args(arguments)
    if rest and parsed.command != "lab":
        _parser().error(f"There is no option {rest[0]!r} for 'rustbot {parsed.command}'. 'rustbot -h' lists them.")
    parsed.rest = rest
    command: Callable[[argparse.Namespace], int] = parsed.run
    try:
        return command(parsed)
    except RustbotError as error:
        print(f"rustbot: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output (`| head`) has enough.
        _leave_output()
        return 0
    except OSError as error:
        # What Rustbot reads and writes itself raises errors of its own; this is the terminal, or what stands for it.
        _leave_output()
        print(f"rustbot: The output cannot be written ({error.strerror or error}).", file=sys.stderr)
        return 1


def _leave_output() -> None:
    """Keep Python from flushing at its end what cannot be written."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rustbot", description="An LLM assistant that lives in your Jupyter kernel.")
    parser.add_argument("--version", action="version", version=f"rustbot {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    lab = commands.add_parser("lab", help="open JupyterLab; what follows goes to it as it is")
    lab.set_defaults(run=_lab)

    ask = commands.add_parser("ask", help="ask a question; the answer streams to the terminal")
    ask.add_argument("question", nargs="*", help="the question; '-' or nothing reads standard input")
    ask.add_argument("-m", "--model", help="who answers, as vendor/name")
    ask.add_argument("-p", "--profile", help="a profile of the settings file")
    ask.add_argument(
        "-t",
        "--tools",
        default="none",
        help="tools it may use, which here only read: names or patterns with commas between, 'all', or 'none'",
    )
    ask.set_defaults(run=_ask)

    models = commands.add_parser("models", help="list models and their prices")
    models.add_argument("words", nargs="*", help="only those whose name has all these words")
    models.set_defaults(run=_models)

    doctor = commands.add_parser("doctor", help="check installation, key, server, sandbox and MCP servers")
    doctor.set_defaults(run=_doctor)
    return parser


def _lab(arguments: argparse.Namespace) -> int:
    if find_spec("jupyterlab") is None:
        print(
            "rustbot: JupyterLab is not installed. Install it with: pip install 'rustbot-jupyter[lab]'", file=sys.stderr
        )
        return 1
    from jupyterlab.labapp import main as lab_main

    sys.argv = ["jupyter-lab", *arguments.rest]
    lab_main()  # type: ignore[no-untyped-call]
    return 0


def _ask(arguments: argparse.Namespace) -> int:
    words = arguments.question
    question = _standard_input() if not words or words == ["-"] else " ".join(words)
    tools = {"none": (), "all": ("*",)}.get(arguments.tools, tuple(filter(None, arguments.tools.split(","))))
    return asyncio.run(_stream_answer(question, arguments.model, arguments.profile, tools))


def _standard_input() -> str:
    return "" if sys.stdin is None else sys.stdin.read()


async def _stream_answer(question: str, model: str | None, profile: str | None, tools: tuple[str, ...]) -> int:
    from rustbot_jupyter.events import RetryScheduled, TextStreamed, ToolFailed, ToolStarted, TurnInterrupted
    from rustbot_jupyter.rustbot import Rustbot

    # A terminal has no card on which to allow anything.
    bot = Rustbot(model=model, profile=profile, tools=tools, approve="read-only")
    for problem in bot.settings.problems:
        print(f"rustbot: {problem}", file=sys.stderr)
    exit_code = 0
    try:
        async for event in bot.stream(question):
            if isinstance(event, TextStreamed):
                sys.stdout.write(_writable(event.text))
                sys.stdout.flush()
            elif isinstance(event, ToolStarted):
                print(f"\nrustbot: {event.tool} …", file=sys.stderr)
            elif isinstance(event, ToolFailed):
                print(f"rustbot: {_writable(event.error)}", file=sys.stderr)
            elif isinstance(event, RetryScheduled):
                print(f"rustbot: {event.reason} Trying again in {event.wait_s:.1f} s.", file=sys.stderr)
            elif isinstance(event, TurnInterrupted):
                print(f"\nrustbot: {event.error or 'The answer was interrupted.'}", file=sys.stderr)
                exit_code = 1
        sys.stdout.write("\n")
    finally:
        bot.close()
    return exit_code


def _writable(text: str) -> str:
    """The text as the terminal's encoding can show it, without the control characters that would steer it."""
    encoding = sys.stdout.encoding or "utf-8"
    return harmless(text).encode(encoding, "replace").decode(encoding)


def _models(arguments: argparse.Namespace) -> int:
    from rustbot_jupyter.rustbot import Rustbot

    bot = Rustbot()
    try:
        bot.refresh_models()
        found = bot.planner.catalog.search(" ".join(arguments.words))
    finally:
        bot.close()
    if not found:
        print(f"rustbot: No model is named like {' '.join(arguments.words)!r}.", file=sys.stderr)
        return 1
    width = max(len(model.id) for model in found)
    print(f"{'model':<{width}}  {'context':>9}  {'in $/M':>8}  {'out $/M':>8}")
    for model in found:
        prices = model.prices
        cost = (
            f"{_per_million(prices.input_usd)}  {_per_million(prices.output_usd)}" if prices else f"{'?':>8}  {'?':>8}"
        )
        print(f"{model.id:<{width}}  {model.context_length or '?':>9}  {cost}")
    return 0


def _per_million(usd_per_token: float) -> str:
    return f"{usd_per_token * 1e6:>8.2f}"


def _doctor(arguments: argparse.Namespace) -> int:
    from rustbot_jupyter.doctor import examine
    from rustbot_jupyter.rustbot import Rustbot

    bot = Rustbot()
    try:
        report = examine(bot)
    finally:
        bot.close()
    print(report)
    return 1 if report.has_problem else 0
