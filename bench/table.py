"""Tables for the terminal, which are Markdown too."""

from __future__ import annotations

from collections.abc import Sequence

Row = tuple[str, ...]


def print_table(head: Row, rows: Sequence[Row]) -> None:
    """Columns as wide as they need; the first to the left, figures to the right."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    rule = tuple("-" * (w - 1) + (":" if i else "-") for i, w in enumerate(widths))
    for row in (head, rule, *rows):
        cells = (cell.rjust(w) if i else cell.ljust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True)))
        print(f"| {' | '.join(cells)} |")


def verdict(reached: bool) -> str:
    """In words."""
    return "reached" if reached else "NOT REACHED"
