"""What two backtests of one past tell differently: alerts that only one of them raises."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST = 100
"""Alerts that are listed of each rule on each side; all of them are counted."""

# The moment at which a rule was looked at before is no part of an alert, its day is.
_SAME = """
    SELECT 1 FROM {other}.alerts AS other
    WHERE other.rule = one.rule AND other.epoch = one.epoch
    AND other.document_id = one.document_id
    AND substr(other.version, 1, instr(other.version, '|'))
        = substr(one.version, 1, instr(one.version, '|'))
    AND substr(other.raised_at, 1, 10) = substr(one.raised_at, 1, 10)
"""
_COUNT = "SELECT one.rule, count(*) FROM {this}.alerts AS one WHERE {test} GROUP BY one.rule"
_LIST = """
    SELECT rule, title, raised_at, reason FROM (
        SELECT one.*, row_number() OVER (
            PARTITION BY one.rule ORDER BY one.raised_at, one.title, one.id
        ) AS place
        FROM {this}.alerts AS one WHERE {test}
    ) WHERE place <= ? ORDER BY rule, place
"""


@dataclass(frozen=True)
class OnlyHere:
    """An alert that the other side does not raise."""

    rule: str
    document: str
    raised_at: str
    reason: str


@dataclass(frozen=True)
class Difference:
    """Two sides, ``now`` and ``other``.

    Attributes:
        both: How many alerts of each rule both raise.
        only: By side and rule, how many only that one raises.
        examples: By side, the first of them, rule by rule.
    """

    both: dict[str, int]
    only: dict[str, dict[str, int]]
    examples: dict[str, list[OnlyHere]]


def compare(now: Path, other: Path) -> Difference:
    """Compare the ledgers of two backtests."""
    with _both(now, other) as connection:
        sides = {"now": "other", "other": "now"}
        only, examples = {}, {}
        for this, that in sides.items():
            test = f"NOT EXISTS ({_SAME.format(other=that)})"
            only[this] = dict(connection.execute(_COUNT.format(this=this, test=test)).fetchall())
            found = connection.execute(_LIST.format(this=this, test=test), (MOST,))
            examples[this] = [OnlyHere(*row) for row in found]
        test = f"EXISTS ({_SAME.format(other='other')})"
        both = dict(connection.execute(_COUNT.format(this="now", test=test)).fetchall())
    return Difference(both, only, examples)


@contextmanager
def _both(now: Path, other: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect("")
    try:
        for name, path in (("now", now), ("other", other)):
            connection.execute(f"ATTACH DATABASE ? AS {name}", (str(path),))
        yield connection
    finally:
        connection.close()
