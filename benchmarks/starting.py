"""Goal 5: what `%load_ext` and the first chat add to a kernel's start."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from benchmarks.processes import run_script
from benchmarks.report import Line, claim_line, median, ratio_line, show

HEAVY = ("pandas", "plotly", "mcp", "openai")

_IMPORT = """
import json, time
import ipykernel.kernelapp, ipykernel.ipkernel, ipykernel.zmqshell
print(json.dumps({"cpu_s": time.process_time()}))
"""

_STEPS = (
    "import time, sys, json; _start = time.process_time()",
    "%load_ext rustbot_jupyter\n_loaded = time.process_time()",
    "import rustbot_jupyter as rb\n_before = time.process_time()\nrb.Rustbot()",
    "_shown = time.process_time()",
    # What the page's first message loads, while the page draws.
    "import rustbot_jupyter.parts, rustbot_jupyter.notebook.session\n_loaded_all = time.process_time()",
)

_FIGURES = f"""json.dumps({{
    "loaded_s": _loaded - _start,
    "shown_s": _loaded - _start + _shown - _before,
    "behind_s": _loaded_all - _shown,
    "heavy": [name for name in {HEAVY!r} if name in sys.modules],
}})"""


def start_up(quick: bool) -> Iterator[Line]:
    """Goal 5: the CPU of a real kernel, beside that of importing ipykernel."""
    rounds = 3 if quick else 7
    # The first round compiles what is imported.
    found = [(run_script(_IMPORT)["cpu_s"], _in_a_kernel()) for _ in range(rounds + 1)][1:]
    base = median([imported for imported, _ in found])
    of = "importing ipykernel"
    for what, name, limit in (("%load_ext", "loaded_s", 1.05), ("the first chat shown", "shown_s", 1.40)):
        added = median([figures[name] for _, figures in found])
        yield ratio_line(5, f"CPU of a start with {what}", base + added, base, limit, unit="s", of=of)
    behind = median([figures["behind_s"] for _, figures in found])
    yield Line(goal=5, what="CPU behind it, while the page draws", ours=show(behind, "s"), ratio=f"{behind / base:.2f}")
    heavy = sorted({name for _, figures in found for name in figures["heavy"]})
    yield claim_line(5, f"not loaded: {', '.join(HEAVY)}", not heavy, ", ".join(heavy))


def _in_a_kernel() -> dict[str, Any]:
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3")
    try:
        for step in _STEPS:
            reply = client.execute_interactive(step, output_hook=lambda _: None, timeout=60)
            if reply["content"]["status"] != "ok":
                raise RuntimeError("\n".join(reply["content"]["traceback"]))
        reply = client.execute_interactive("", user_expressions={"figures": _FIGURES}, timeout=60)
        text = reply["content"]["user_expressions"]["figures"]["data"]["text/plain"]
        figures: dict[str, Any] = json.loads(text.strip("'"))
        return figures
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
