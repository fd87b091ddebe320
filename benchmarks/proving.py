"""`audit verify` beside a plain loop that hashes the same bytes."""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import TYPE_CHECKING

import sqlalchemy as sa
from measuring import Cost, in_turns, measure
from report import Budget, Section, ratio_budget

from target_twilio_alerts.audit.reading import SealedRow, events_of
from target_twilio_alerts.ledger import Event, Ledger, events, runs
from target_twilio_alerts.ledger.alerts import Alert, raised_event
from target_twilio_alerts.ledger.events import Sealed, canonical_form
from target_twilio_alerts.ledger.outbox import NewMessage
from target_twilio_alerts.ledger.tables import alerts, message_contents, messages
from target_twilio_alerts.notify.compose import created_event

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

_PLAIN, _CHAIN, _WHOLE = "plain loop", "the chain alone", "audit verify"
_HASH = """
import hashlib, sys
with open(sys.argv[1], "rb") as lines:
    for line in lines:
        hashlib.sha256(line[:-1]).hexdigest()
"""
_WALK = """
import sys
from target_twilio_alerts.audit.chain import Walk
from target_twilio_alerts.audit.reading import events_of
from target_twilio_alerts.ledger import Ledger
ledger, walk = Ledger(f"sqlite:///{sys.argv[1]}"), Walk({})
with ledger.read() as connection:
    for rows in events_of(connection):
        walk.take(rows)
    walk.end(connection)
assert walk.fault is None
"""
_EVENTS_OF_AN_ALERT = 5
_FEW, _MANY = 2_000, 42_000
_AT_A_TIME = 1_000
_LEAST_SPEED = 100_000
_MOST_GROWTH = 16 * 2**20
_MOST_OF_CHAIN, _MOST_OF_ALL = 5, 20
_VALUES = {
    "company": "Testbolaget AB",
    "type": "Invoice",
    "status": "Open",
    "amount": "62000",
    "currency": "SEK",
    "counterparty": "Kontorsbolaget AB",
    "due_date": "2026-12-20",
}


def prove(programs: Path, place: Path, rounds: int) -> Section:
    """Verify a small ledger and a large one; what is between them is the cost of an event.

    Args:
        programs: Where the commands are installed.
        place: An empty folder.
        rounds: How often each is run.
    """
    few, many = (_ledger(place, number) for number in (_FEW, _MANY))
    python = (sys.executable, "-I", "-c")
    verify = (programs / "twilio-alerts", "--config")
    commands = {
        _PLAIN: lambda folder: [*python, _HASH, folder / "forms"],
        _CHAIN: lambda folder: [*python, _WALK, folder / "ledger.db"],
        _WHOLE: lambda folder: [*verify, folder / "config.json", "audit", "verify"],
    }
    costs = in_turns(
        {
            f"{name}, {folder.name} alerts": partial(measure, command(folder))
            for name, command in commands.items()
            for folder in (few, many)
        },
        rounds,
    )
    number = (_MANY - _FEW) * _EVENTS_OF_AN_ALERT

    def more(name: str) -> Cost:
        """What the larger ledger costs more."""
        one, other = (costs[f"{name}, {folder.name} alerts"] for folder in (few, many))
        return Cost(other.wall - one.wall, other.cpu - one.cpu, other.peak - one.peak)

    found = {name: more(name) for name in commands}
    plain, chain, whole = (found[name].cpu for name in (_PLAIN, _CHAIN, _WHOLE))
    growth = found[_WHOLE].peak
    return Section(
        f"audit verify, {number:,} events of {_MANY - _FEW:,} alerts and messages",
        "The plain loop computes the SHA-256 of each event's canonical form, read from a file. The "
        "chain is read from the ledger, written in that form, hashed and compared; the whole "
        "command also holds alerts, messages, addresses and texts against their events. Seconds "
        "are those of one core.",
        ("what", "times the plain loop", "CPU, s", "events/s"),
        [
            (name, f"{cost.cpu / plain:.1f}", f"{cost.cpu:.2f}", f"{number / cost.cpu:,.0f}")
            for name, cost in found.items()
        ],
        [
            ratio_budget("the trail's chain, times a plain loop", chain / plain, _MOST_OF_CHAIN),
            ratio_budget("audit verify, times a plain loop", whole / plain, _MOST_OF_ALL),
            Budget(
                "audit verify, events a second",
                f"{number / whole:,.0f}",
                f"at least {_LEAST_SPEED:,}",
                met=number / whole >= _LEAST_SPEED,
            ),
            Budget(
                f"audit verify, memory for {number:,} events more",
                f"{growth / 2**20:.1f} MB",
                f"at most {_MOST_GROWTH / 2**20:.0f} MB",
                met=growth <= _MOST_GROWTH,
            ),
        ],
    )


def _ledger(place: Path, number: int) -> Path:
    """A folder with a ledger of so many alerts, its configuration, and its canonical forms."""
    folder = place / str(number)
    folder.mkdir()
    url = f"sqlite:///{folder / 'ledger.db'}"
    (folder / "config.json").write_text(json.dumps({"ledger_url": url}), encoding="utf-8")
    ledger = Ledger(url, is_scratch=True)
    run = runs.start(ledger, command="target", version="0", body={})
    for first in range(0, number, _AT_A_TIME):
        _fill(ledger, first, run.id)
    runs.end(ledger, run, outcome="completed", summary={})
    with ledger.read() as connection, (folder / "forms").open("wb") as file:
        for rows in events_of(connection):
            for row in map(SealedRow._make, rows):
                sealed = Sealed(**{name: getattr(row, name) for name in SealedRow._fields[:-1]})
                file.write(canonical_form(sealed) + b"\n")
    ledger.close()
    return folder


def _fill(ledger: Ledger, first: int, run_id: str) -> None:
    now = runs.utc_now()
    rows: dict[sa.Table, list[dict[str, object]]] = {alerts: [], messages: [], message_contents: []}
    told: list[Event] = []
    for number in range(first, first + _AT_A_TIME):
        alert, message = _alert(number, run_id, now), _message(number)
        way = {"alert_id": alert.id, "message_id": message.id}
        sid = f"SM{number:032x}"
        accepted = {"late": False, "sid": sid, "status": "queued", "request_id": None}
        delivered = {"error_code": None, "sid": sid, "status": "delivered"}
        told += [
            raised_event(alert, is_counted=True),
            created_event(message),
            Event("message_sending", {"try": 1}, **way),
            Event("message_accepted", accepted, **way),
            Event("message_status", delivered, **way),
        ]
        rows[alerts].append(vars(alert))
        kept = dict(vars(message))
        content = {name: kept.pop(name) for name in ("address", "subject", "text", "html", "salt")}
        rows[message_contents].append({"message_id": message.id, **content})
        del kept["content_sid"], kept["content_variables"]
        rows[messages].append(
            kept
            | {"created_at": now, "updated_at": now, "run_id": run_id, "tries": 1, "sid": sid}
            | {"state": "delivered", "status": "delivered", "sending_at": now, "accepted_at": now}
        )
    with ledger.write() as connection:
        for table, each in rows.items():
            connection.execute(sa.insert(table), each)
        events.append(connection, told, at=now, run_id=run_id)


def _alert(number: int, run_id: str, now: datetime) -> Alert:
    current = json.dumps({**_VALUES, "number": str(number)})
    decision = {"when": "amount > 50000", "fingerprint": "f" * 64, "current": current}
    return Alert(
        id=f"A{number:07}",
        rule="large-supplier-invoice",
        epoch=1,
        document_id=f"{number:032x}",
        version="1|2026-11-20T10:00:00|88d1a3a13fbebc292970a17a10c2476e",
        entity="supplier_invoice",
        title=f"Supplier invoice Invoice {number}",
        severity="high",
        reason="amount 62000 > 50000",
        decision=json.dumps({**decision, "previous": None, "today": None, "stamp": None}),
        raised_at=now,
        run_id=run_id,
        salt=f"{number:032x}",
    )


def _message(number: int) -> NewMessage:
    return NewMessage(
        id=f"M{number:07}",
        alert_id=f"A{number:07}",
        recipient="ap-manager",
        channel="sms",
        address="+46701740605",
        subject=None,
        text=f"Testbolaget AB: Ny leverantörsfaktura {number}, Kontorsbolaget AB, 62 000,00 SEK, "
        f"förfaller 2026-12-20, regel large-supplier-invoice. Ref M{number:07}",
        html=None,
        salt=f"{number:032x}",
        template="built-in/supplier_invoice.sms",
        locale="sv_SE",
        encoding="GSM-7",
        segments=1,
        severity_rank=2,
    )
