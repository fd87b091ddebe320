"""The target beside a default SDK sink that validates, on records that match nothing."""

from __future__ import annotations

import json
import sys
import timeit
from datetime import date
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from measuring import ROOT, in_turns, measure
from report import Budget, Section

from target_twilio_alerts.documents import ENTITIES
from target_twilio_alerts.rules import Rates, Surroundings, compile_condition
from visma_twilio_sandbox import credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from measuring import Cost

ALERTS = ROOT / "benchmarks" / "alerts" / "alerts.yml"
"""Twenty rules on the records' own entity; none of them holds."""

_TRIVIAL = ROOT / "benchmarks" / "trivial" / "target"
_START = "from target_trivial import TargetTrivial; TargetTrivial.cli()"
_LEAST_SPEED = 8
_MOST_BYTES = 1000
_MOST_MICROSECONDS = 1.0

_FIRST, _CHANGED, _AGAIN = "first contact", "each record changed", "the same once more"
_DEFAULT = "default SDK sink"
_LATER = "2099-01-01T00:00:00"


def alert(programs: Path, place: Path, lines: Path, records: int, rounds: int) -> Section:
    """The target and the default sink read the same Singer messages.

    Args:
        programs: Where the target is installed.
        place: An empty folder.
        lines: The messages.
        records: How many records are in them.
        rounds: How often.
    """
    changed, ledger = place / "changed.singer", place / "ledger.db"
    _change(lines, changed)
    ours = partial(measure, [programs / "target-twilio-alerts", *_config(place, ledger)])
    sizes: list[float] = []

    def first() -> Cost:
        ledger.unlink(missing_ok=True)
        cost = ours(stdin=lines)
        sizes.append(ledger.stat().st_size / records)
        return cost

    default = [sys.executable, "-c", _START]
    runs = {
        _DEFAULT: partial(measure, default, stdin=changed, cwd=_TRIVIAL),
        _FIRST: first,
        _CHANGED: partial(ours, stdin=changed),
        _AGAIN: partial(ours, stdin=changed),
    }
    costs = in_turns(runs, rounds)
    speeds = {name: costs[_DEFAULT].wall / cost.wall for name, cost in costs.items()}
    return Section(
        f"The target, {records:,} supplier invoices that match nothing",
        "The default sink of the SDK validates and drops. The target decides twenty rules on "
        "supplier invoices for each version, and keeps the versions in its ledger: at first "
        "contact, when each record has changed since, and when all come once more.",
        ("target", "times the default's speed", "wall, s", "CPU, s", "records/s"),
        [
            (
                name,
                f"{speeds[name]:.1f}",
                f"{cost.wall:.2f}",
                f"{cost.cpu:.2f}",
                f"{records / cost.wall:,.0f}",
            )
            for name, cost in costs.items()
        ],
        [
            Budget(
                "the target's speed, in that of a default SDK sink",
                f"{speeds[_CHANGED]:.1f}",
                f"at least {_LEAST_SPEED}",
                met=speeds[_CHANGED] >= _LEAST_SPEED,
            ),
            Budget(
                "ledger, bytes a document",
                f"{max(sizes):,.0f}",
                f"at most {_MOST_BYTES:,}",
                met=max(sizes) <= _MOST_BYTES,
            ),
        ],
    )


def conditions() -> Section:
    """What a condition of three comparisons costs, beside the same in plain Python."""
    entity = ENTITIES["supplier_invoice"]
    text = 'type == "Invoice" and amount > 50000 and currency == "SEK"'
    answer = compile_condition(text, entity).answer
    values = {"type": "Invoice", "amount": Decimal("62000.00"), "currency": "SEK"}
    around = Surroundings(date(2026, 11, 25), Rates())
    limit = Decimal(50000)

    def plain(current: Mapping[str, object]) -> bool:
        amount = current["amount"]
        return bool(
            current["type"] == "Invoice"
            and isinstance(amount, Decimal)
            and amount > limit
            and current["currency"] == "SEK"
        )

    ours = _microseconds(lambda: answer(values, None, around))
    theirs = _microseconds(lambda: plain(values))
    return Section(
        "A condition",
        f"`{text}`, of a document for which all of it holds.",
        ("decided by", "ratio", "microseconds"),
        [
            ("the compiled condition", f"{ours / theirs:.2f}", f"{ours:.2f}"),
            ("the same in Python", "1.00", f"{theirs:.2f}"),
        ],
        [
            Budget(
                "a rule of three comparisons",
                f"{ours:.2f} us",
                f"at most {_MOST_MICROSECONDS} us",
                met=ours <= _MOST_MICROSECONDS,
            ),
        ],
    )


def _microseconds(call: Callable[[], object]) -> float:
    number = 100_000
    return min(timeit.repeat(call, number=number, repeat=7)) / number * 1e6


def _config(place: Path, ledger: Path) -> list[str | Path]:
    config = place / "target.json"
    settings = {
        "alerts_file": str(ALERTS),
        "ledger_url": f"sqlite:///{ledger}",
        "account_sid": credentials.ACCOUNT_SID,
        "auth_token": credentials.AUTH_TOKEN,
        "from_number": credentials.FROM_NUMBER,
    }
    config.write_text(json.dumps(settings), encoding="utf-8")
    return ["--config", config]


def _change(lines: Path, changed: Path) -> None:
    """Write the same messages with another description and a later stamp in each record."""
    decode = msgspec.json.Decoder(float_hook=Decimal).decode
    encode = msgspec.json.Encoder(decimal_format="number").encode
    with lines.open("rb") as given, changed.open("wb") as written:
        for line in given:
            message = decode(line)
            if message["type"] == "RECORD":
                record = message["record"]
                record["description"] = f"{record.get('description')}, changed"
                record["lastModifiedDateTime"] = _LATER
            written.write(encode(message) + b"\n")
