"""Rows on standard output: a table for people, CSV for spreadsheets, JSON lines for programs."""

from __future__ import annotations

import csv
import json
import re
import sys
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

UNBOUNDED = 1000
"""Columns of a table that goes to a file or another program."""


_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d*.,\s]*$)")
"""How a text begins that a spreadsheet would compute; a number, or a masked one, it may."""


def print_rows(
    rows: Sequence[Mapping[str, str | None]],
    columns: Sequence[str],
    form: str,
    *,
    empty: str,
) -> None:
    """Print rows.

    Args:
        rows: Each with a value for each column.
        columns: Their names, in order.
        form: "table", "csv" or "jsonl".
        empty: What a person is told if there are none.
    """
    if form != "table":
        stream_rows(rows, columns, form)
    elif not rows:
        click.echo(empty)
    else:
        table = Table(box=None, pad_edge=False)
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*(row[column] or "" for column in columns))
        Console(width=None if sys.stdout.isatty() else UNBOUNDED).print(table)


def stream_rows(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], form: str) -> None:
    """Print rows as they come, however many there are.

    Args:
        rows: Each with a value for each column.
        columns: Their names, in order.
        form: "csv" or "jsonl".
    """
    if form == "csv":
        writer = csv.DictWriter(sys.stdout, columns)
        writer.writeheader()
        writer.writerows({name: _harmless(value) for name, value in row.items()} for row in rows)
        return
    for row in rows:
        click.echo(json.dumps(row, ensure_ascii=False))


def _harmless(value: Any) -> Any:
    """A value that a spreadsheet shows as it is: documents' texts are others' words."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value
