"""A mark of code of a tool, which is no cell of the user's."""

from __future__ import annotations

import contextvars

running: contextvars.ContextVar[object] = contextvars.ContextVar("rustbot_tool_code", default=None)
"""The run that the caller belongs to; None outside of any."""
