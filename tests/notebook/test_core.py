"""The core thread: started when needed, gone when nobody needs it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

from rustbot_jupyter.notebook.core import attach_core, detach_core


def core_threads() -> int:
    return sum(thread.name == "rustbot-core" for thread in threading.enumerate())


def test_all_users_share_one_thread_and_the_last_one_stops_it():
    first, second = attach_core(), attach_core()

    running = core_threads()
    detach_core(first)
    still_running = core_threads()
    detach_core(second)

    assert first is second
    assert (running, still_running, core_threads()) == (1, 1, 0)


def test_a_thread_whose_loop_died_is_replaced():
    dead = attach_core()
    dead.stop()

    core = attach_core()

    assert core is not dead
    assert core.start(asyncio.sleep(0, "alive")).result(timeout=30) == "alive"
    detach_core(core)
    detach_core(dead)
    assert core_threads() == 0


def test_stopping_cancels_what_still_runs_and_lets_it_clean_up():
    core = attach_core()
    started, cleaned = threading.Event(), threading.Event()

    async def work() -> None:
        started.set()
        try:
            await asyncio.sleep(60)
        finally:
            cleaned.set()

    core.start(work())
    assert started.wait(30)
    detach_core(core)

    assert cleaned.is_set()


def test_a_script_that_forgets_to_close_its_bot_ends_quietly():
    script = "import rustbot_jupyter as rb; print(rb.Rustbot(model='rustbot/demo').ask('repeat: done').text)"

    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)

    assert (ended.returncode, ended.stdout.strip(), ended.stderr) == (0, "done", "")
