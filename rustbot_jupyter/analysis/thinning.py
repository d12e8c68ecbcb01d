"""Fewer points with the same picture: figures stay small for any number of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

MOST_POINTS = 2_000


def thinned_line(frame: pd.DataFrame, most: int = MOST_POINTS) -> pd.DataFrame:
    """Rows at equal distances, the first and the last included: enough for a line that only rises."""
    if len(frame) <= most:
        return frame
    last = len(frame) - 1
    return frame.iloc[[round(step * last / (most - 1)) for step in range(most)]]


def merged_bars(frame: pd.DataFrame, lane: str, most: int = MOST_POINTS) -> pd.DataFrame:
    """Bars of one lane that start in the same sliver of the time axis, as one bar.

    Args:
        frame: Has `start`, `end`, `seconds` and the lane's column; sorted by `start`.
        lane: The column whose values are the lanes.
        most: Roughly how many bars may be left.

    Returns:
        `start`, `end`, `seconds` (the sum) and `count` of each bar, and its lane.
    """
    if len(frame) <= most:
        return frame.assign(count=1)
    slivers = max(1, most // frame[lane].nunique())
    begin, span = frame["start"].min(), frame["end"].max() - frame["start"].min()
    sliver = ((frame["start"] - begin) / span * slivers).astype(int) if span.total_seconds() else 0
    groups = frame.assign(sliver=sliver).groupby([lane, "sliver"], sort=False)
    return groups.agg(
        start=("start", "min"), end=("end", "max"), seconds=("seconds", "sum"), count=("start", "size")
    ).reset_index()


def binned_sums(frame: pd.DataFrame, columns: list[str], most: int) -> tuple[pd.DataFrame, int]:
    """Sums over equally many neighbouring rows, and how many rows each sum holds (1: nothing was summed)."""
    size = -(-len(frame) // most)
    if size <= 1:
        return frame[columns], 1
    return frame[columns].groupby([row // size for row in range(len(frame))]).sum(min_count=1), size
