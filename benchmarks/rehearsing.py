"""A backtest of a long history: how long it takes, and that its memory does not grow with it."""

from __future__ import annotations

import json
from datetime import date, timedelta
from itertools import islice
from typing import TYPE_CHECKING

import alerting
import msgspec
from measuring import measure
from report import Budget, Section

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from measuring import Cost

SMALL, LARGE = 10_000, 1_000_000
_FIRST_DAY = date(2024, 1, 1)
_DAYS = 1000
_MOST_SECONDS = 300
_MOST_MEGABYTES = 50
_MEGABYTE = 1e6
_RECORD = b'"type":"RECORD"'


def backtest(programs: Path, place: Path, lines: Path) -> Section:
    """Twenty rules on a short history and on a long one.

    Args:
        programs: Where the command is installed.
        place: An empty folder.
        lines: Singer messages of invoices, which the histories are made of.
    """
    config = place / "backtest.json"
    config.write_text(json.dumps({"alerts_file": str(alerting.ALERTS)}), encoding="utf-8")
    history = place / "history.singer"
    costs: dict[int, Cost] = {}
    for records in (SMALL, LARGE):
        with history.open("wb") as file:
            file.writelines(_history(lines, records))
        costs[records] = measure(
            [programs / "twilio-alerts", "--config", config, "backtest", history], cwd=place
        )
        history.unlink()
    seconds = costs[LARGE].wall
    more = (costs[LARGE].peak - costs[SMALL].peak) / _MEGABYTE
    return Section(
        f"A backtest of {LARGE:,} supplier invoices",
        f"Twenty rules, none of which holds; the invoices were changed over {_DAYS:,} days.",
        ("records", "wall, s", "CPU, s", "records/s", "peak, MB"),
        [
            (
                f"{records:,}",
                f"{cost.wall:.1f}",
                f"{cost.cpu:.1f}",
                f"{records / cost.wall:,.0f}",
                f"{cost.peak / _MEGABYTE:.0f}",
            )
            for records, cost in costs.items()
        ],
        [
            Budget(
                f"a backtest of {LARGE:,} records",
                f"{seconds:.0f} s",
                f"at most {_MOST_SECONDS} s",
                met=seconds <= _MOST_SECONDS,
            ),
            Budget(
                f"its memory over that for {SMALL:,}",
                f"{more:+.0f} MB",
                f"at most +{_MOST_MEGABYTES} MB",
                met=more <= _MOST_MEGABYTES,
            ),
        ],
    )


def _history(lines: Path, records: int) -> Iterator[bytes]:
    """Their SCHEMA, and their records again and again, each time others, of other days."""
    with lines.open("rb") as given:
        yield next(given)
    made = 0
    while made < records:
        with lines.open("rb") as given:
            for line in islice((one for one in given if _RECORD in one[:40]), records - made):
                yield _another(line, made)
                made += 1


def _another(line: bytes, number: int) -> bytes:
    message = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    record = msgspec.json.decode(message["record"], type=dict[str, msgspec.Raw])
    day = _FIRST_DAY + timedelta(days=number * 7 % _DAYS)
    record["referenceNumber"] = msgspec.Raw(b'"%d"' % number)
    record["lastModifiedDateTime"] = msgspec.Raw(f'"{day.isoformat()}T12:00:00"'.encode())
    message["record"] = msgspec.Raw(msgspec.json.encode(record))
    return msgspec.json.encode(message) + b"\n"
