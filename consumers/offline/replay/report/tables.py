"""The report's tables and what stands in their cells."""

from collections.abc import Mapping, Sequence
from typing import Any

from consumers.offline.replay.verdict import VERDICTS, side, widest


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table that scrolls where the page is narrow.

    Parameters
    ----------
    header, rows
        HTML of every cell.
    """
    return f"<div class='scroll'><table>{_rows(header, rows)}</table></div>"


def worded_table(header: Sequence[str], rows: Sequence[Sequence[str]], columns: str) -> str:
    """Return a table whose first column holds sentences.

    Where the page is narrow, these stand above the other cells, so that nothing scrolls.

    Parameters
    ----------
    header, rows
        HTML of every cell.
    columns
        Widths of the other columns there, as CSS has them in `grid-template-columns`.
    """
    return f"<table class='worded' style='--columns: {columns}'>{_rows(header, rows)}</table>"


def worded(name: str, words: str) -> str:
    """Return a name with a sentence below it, both HTML already."""
    return f"<b>{name}</b><small>{words}</small>" if words else f"<b>{name}</b>"


def cell(value: float, best: float, digits: int = 4) -> str:
    """Return a mean, marked where it is the best one."""
    shown = f"{value:.{digits}f}"
    return f"<span class='best'>{shown}</span>" if value == best and best > 0.0 else shown


def signed(difference: Mapping[str, Any], digits: int = 4) -> str:
    """Return a difference in the colour of its verdict."""
    shown = f"{difference['difference']:+.{digits}f}"
    return f"<span class='{VERDICTS[side(difference)]}'>{shown}</span>"


def judged(difference: Mapping[str, Any]) -> str:
    """Return a difference with its verdict as a word, in its colour, and its interval below."""
    ends, word = widest(difference), VERDICTS[side(difference)]
    below = "too few to tell" if ends is None else f"{ends[0]:+.4f} to {ends[1]:+.4f}"
    shown = f"{difference['difference']:+.4f}"
    return f"<span class='{word}'><b>{word}</b> {shown}</span><small>{below}</small>"


def interval(found: Mapping[str, Any] | None) -> str:
    """Return the ends of an interval."""
    return "too few" if found is None else f"{found['low']:+.4f} to {found['high']:+.4f}"


def _rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{name}</th>" for name in header)
    body = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
    return f"<tr>{head}</tr>{body}"
