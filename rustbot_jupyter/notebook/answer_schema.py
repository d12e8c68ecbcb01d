"""The JSON of an answer, held against the schema that was asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rustbot_jupyter.errors import SchemaError
from rustbot_jupyter.notebook.answer_formats import json_values
from rustbot_jupyter.notebook.json_schema import faults_of

MOST_TOLD = 5


def fitting_value(text: str, schema: Mapping[str, Any]) -> Any:
    """The answer's JSON: all of it, a fenced block, or a value in prose, if just one fits the schema.

    Raises:
        SchemaError: None fits, or several do; the message says what is wrong where.
    """
    values = list(json_values(text))
    faults = [faults_of(value, schema) for value in values]
    fitting = {
        json.dumps(value, sort_keys=True): value for value, found in zip(values, faults, strict=True) if not found
    }
    if len(fitting) == 1:
        return next(iter(fitting.values()))
    # Of several values the one that is most like it is what was meant.
    nearest = min(faults, key=len, default=["it is no JSON"])
    told = ["it holds several values that do"] if fitting else nearest
    more = f"; and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
    raise SchemaError(
        f"The answer does not fit the schema: {'; '.join(told[:MOST_TOLD])}{more}. "
        "The error's `.reply` has it. Ask in other words, or pick another model.",
        faults=tuple(told[:MOST_TOLD]),
        detail=text[:500],
    )
