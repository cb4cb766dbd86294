"""Align plain text in columns."""

from collections.abc import Iterable


def columns(rows: Iterable[tuple[str, ...]]) -> str:
    """Align rows in columns, each as wide as its widest cell."""
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table)
    return "\n".join(line.rstrip() for line in lines)
