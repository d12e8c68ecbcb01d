"""A tool that converts units."""

from typing import Any

from rustbot_jupyter.errors import ToolError
from rustbot_jupyter.tools.base import Risk

_FACTORS = {
    "length": {"mm": 0.001, "cm": 0.01, "m": 1.0, "km": 1000.0, "inch": 0.0254, "foot": 0.3048, "mile": 1609.344},
    "mass": {"g": 0.001, "kg": 1.0, "tonne": 1000.0, "ounce": 0.028349523125, "pound": 0.45359237},
}
_KELVIN = {"K": (1.0, 0.0), "°C": (1.0, 273.15), "°F": (5 / 9, 459.67 * 5 / 9)}


def convert_units(value: float, from_unit: str, to_unit: str) -> str:
    """Convert a length, mass or temperature. Use it instead of calculating yourself.

    Args:
        value: How many of `from_unit`.
        from_unit: mm, cm, m, km, inch, foot, mile; g, kg, tonne, ounce, pound; K, °C or °F.
        to_unit: Another unit of the same kind.
    """
    if from_unit in _KELVIN and to_unit in _KELVIN:
        (factor, offset), (to_factor, to_offset) = _KELVIN[from_unit], _KELVIN[to_unit]
        return f"{(value * factor + offset - to_offset) / to_factor:.6g} {to_unit}"
    for units in _FACTORS.values():
        if from_unit in units and to_unit in units:
            return f"{value * units[from_unit] / units[to_unit]:.6g} {to_unit}"
    known = ", ".join([*(unit for units in _FACTORS.values() for unit in units), *_KELVIN])
    raise ToolError(f"{from_unit!r} cannot be converted to {to_unit!r}; the units are {known}.")


def register(registry: Any) -> None:
    """Add the tool; Rustbot calls this when tools are first wanted."""
    registry.add(convert_units, risk=Risk.READ, label="Convert units")
