"""Every column of every table is held against the trail, but those that docs/promises.md names."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from target_twilio_alerts.ledger.tables import UtcDateTime, metadata

PROMISES = (Path(__file__).parents[3] / "docs" / "promises.md").read_text(encoding="utf-8")
NAMES = r"((?:`\w+`(?:, )?)+)"
PARTLY = {("messages", "state"), ("messages", "not_before")}
"""Named with what of it is not held; all else of them is."""


def columns(names, tables):
    """Those that a cell of the table names; all of these tables, unless it names some."""
    found = re.findall(r"\w+", names)
    every = [(table, column.name) for table in tables for column in metadata.tables[table].c]
    return every if names == "all" else [(table, name) for table in tables for name in found]


def read_promises():
    wholly, partly = set(), set()
    for cell in re.findall(r"^  \| (`.*?) \|", PROMISES, re.MULTILINE):
        tables, names, rest = re.fullmatch(rf"{NAMES}: (?:all|{NAMES})(.*)", cell).groups()
        named = columns(names or "all", re.findall(r"\w+", tables))
        (partly if rest else wholly).update(named)
    return wholly, partly


EXCEPTED, IN_PART = read_promises()
HELD = [
    (table.name, column.name)
    for table in metadata.sorted_tables
    for column in table.c
    if (table.name, column.name) not in EXCEPTED
]


def others(column, value):
    """Values that are not this one, of the column's own kind and of another."""
    is_moment = isinstance(column.type, UtcDateTime)
    if value is None:
        return ["2031-01-01T00:00:00.000000Z" if is_moment else "9"]
    if isinstance(value, int):
        return [value + 1, -1]
    moved = f"2031{value[4:]}" if is_moment or isinstance(column.type, sa.Date) else value[1:]
    return [f"{value} ", moved] if column.nullable is False else [None, f"{value} ", moved]


def test_what_is_excepted_is_named_by_columns_that_there_are():
    known = {(table.name, column.name) for table in metadata.sorted_tables for column in table.c}
    assert known >= EXCEPTED | IN_PART
    assert IN_PART == PARTLY
    assert len(HELD) > 90


@pytest.mark.parametrize(("table", "name"), HELD)
def test_an_edit_of_every_other_column_is_found(copy, table, name):
    column = metadata.tables[table].c[name]
    rows = copy.do(f"SELECT rowid, {name} FROM {table} ORDER BY {name} IS NULL, rowid")
    assert rows
    for row, value in (rows[0], rows[len(rows) // 2], rows[-1]):
        for new in others(column, value):
            changed = copy.again()
            try:
                changed.do(f"UPDATE {table} SET {name} = ? WHERE rowid = ?", new, row)
            except sqlite3.IntegrityError:
                continue  # the database itself refuses it
            fault = changed.fault
            assert fault is not None, f"{table}.{name} of row {row}: {value!r} -> {new!r}"
            assert "\n" not in fault
