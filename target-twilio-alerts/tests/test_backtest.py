"""A backtest tells what would have happened: over a ledger's past, what did happen."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
import sqlalchemy as sa
from desk import READ_WHOLE, STREAM
from singer import KEY, invoice

from target_twilio_alerts.documents import ENTITIES
from target_twilio_alerts.intake import Intake
from target_twilio_alerts.ledger import Ledger, silences, tables
from target_twilio_alerts.ledger.ids import long_id
from target_twilio_alerts.ledger.runs import Run
from target_twilio_alerts.ledger.silences import Silence
from target_twilio_alerts.messages import Messages
from target_twilio_alerts.notify.follow_up import FollowUp
from target_twilio_alerts.rehearsal.backtest import Backtest
from target_twilio_alerts.rehearsal.past_ledger import SeenByLedger
from target_twilio_alerts.rules import load_alerts

FIRST = datetime(2026, 10, 1, 6, tzinfo=timezone.utc)
FILE = {
    "timezone": "Europe/Stockholm",
    "recipients": {
        "anna": {
            "name": "Anna",
            "sms": "+46701740605",
            "email": "anna@example.com",
            "quiet_hours": {"from": "18:00", "to": "08:00", "days": ["sun"]},
            "away": [{"from": "2026-10-12", "to": "2026-10-14", "deputy": "bo"}],
        },
        "bo": {
            "name": "Bo",
            "sms": "+46701740606",
            "email": "bo@example.com",
            "quiet_hours": {"from": "12:00", "to": "13:00", "do": "drop"},
        },
        "cfo": {"name": "Carl", "sms": "+46701740607", "email": "carl@example.com"},
    },
    "rotations": {"on-duty": {"start": "2026-10-05", "members": ["anna", "bo"]}},
    "limits": {"per_run": 6, "per_hour": 8, "per_rule": 5, "notify": "cfo", "via": "email"},
    "rates": {"file": "rates.csv"},
    "rules": {
        "large": {
            "when": "amount > 50000",
            "notify": ["anna", "cfo"],
            "via": ["sms", "email"],
            "escalate": [
                {"after": "2h", "notify": "on-duty", "via": "sms"},
                {"after": "2d", "unless": "delivered", "notify": "cfo", "via": "email"},
            ],
        },
        "due": {
            "when": 'due_date <= today + days(3) and status == "Open"',
            "notify": ["anna", "bo"],
            "via": "email",
            "digest": {"workdays": "08:00", "country": "SE"},
        },
        "overdue": {
            "when": 'today - due_date > days(2) and status == "Open" and amount > 40000',
            "notify": "on-duty",
            "via": "sms",
            "max_age": "30d",
        },
        "grown": {"when": "amount - previous.amount > 1000", "notify": "on-duty", "via": "sms"},
        "again": {
            "when": "amount > 80000",
            "notify": "cfo",
            "via": "sms",
            "again_on": "amount",
            "digest": {"daily": "16:30"},
        },
        "once": {
            "when": "amount > 20000",
            "notify": "cfo",
            "via": "email",
            "once_per": ["counterparty", "day"],
        },
        "kronor": {"when": 'amount_in("SEK") > 300000', "notify": "bo", "via": "sms"},
        "double": {"when": "recent_count(days(20), amount) > 1", "notify": "cfo", "via": "email"},
        "held": {
            "when": "on_hold",
            "notify": "bo",
            "via": "sms",
            "undecided": {"notify": "cfo", "via": "email"},
        },
    },
}
RATES = "date,from,to,rate\n2026-09-20,EUR,SEK,11.0425\n2026-10-12,EUR,SEK,11.2\n"


class Company:
    """A company of which runs bring what has changed, at times that a test names."""

    def __init__(self, root):
        self.file = root / "alerts.yml"
        rules = {
            name: {"entity": "supplier_invoice", **rule} for name, rule in FILE["rules"].items()
        }
        self.file.write_text(json.dumps({**FILE, "rules": rules}), encoding="utf-8")
        (root / "rates.csv").write_text(RATES, encoding="utf-8")
        self.ledger = Ledger(f"sqlite:///{root / 'ledger.db'}")

    def run(self, at, *rows):
        """One run of the target, whole."""
        alerts, texts = load_alerts(self.file), Messages(None)
        run = Run(id=long_id(), command="target", started_at=at)
        intake = Intake(
            self.ledger, alerts, texts, run=run, on_messages=lambda: None, clock=lambda: at
        )
        intake.begin_stream(STREAM)
        for row in rows:
            intake.add(STREAM, row, KEY, problem=None)
        intake.state(READ_WHOLE)
        intake.finish()
        intake.close()
        self.deliver(at, run)

    def deliver(self, at, run=None):
        """What follows from what is there; then the run is in the ledger."""
        run = run or Run(id=long_id(), command="deliver", started_at=at)
        FollowUp(
            self.ledger, load_alerts(self.file), Messages(None), run=run, clock=lambda: at
        ).take()
        row = {"version": "0", "host": "here", "pid": 1, "outcome": "completed"}
        with self.ledger.write() as connection:
            connection.execute(
                sa.insert(tables.runs).values(
                    id=run.id, command=run.command, started_at=at, ended_at=at, **row
                )
            )

    def backtest(self, root, since=FIRST - timedelta(days=1)):
        """Play its past anew; gives the backtest's ledger."""
        alerts = load_alerts(self.file)
        backtest = Backtest(alerts, Messages(None), SeenByLedger(self.ledger, alerts, since), root)
        backtest.play()
        return backtest.ledger


def told(ledger):
    """Alerts, messages and the alerts of digests, without what is drawn by lot."""
    alerts, messages = tables.alerts.c, tables.messages.c
    queries = {
        "alerts": sa.select(alerts.rule, alerts.title, alerts.raised_at, alerts.reason),
        "messages": sa.select(
            messages.recipient,
            messages.channel,
            messages.state,
            messages.reason,
            messages.created_at,
            messages.not_before,
            messages.because,
            messages.step,
            messages.template,
            messages.segments,
        ),
        "digests": sa.select(alerts.title, messages.recipient, messages.created_at)
        .join(tables.digest_contents, tables.digest_contents.c.alert_id == alerts.id)
        .join(tables.messages, messages.id == tables.digest_contents.c.message_id),
    }
    with ledger.read() as connection:
        return {
            name: sorted(map(str, connection.execute(query))) for name, query in queries.items()
        }


def business(seed):
    """Weeks of runs, each with what has changed: new invoices, changed ones, deleted ones."""
    chance = random.Random(seed)
    known, made = {}, 0
    at = FIRST
    for _ in range(60):
        at += timedelta(
            hours=chance.choice([1, 1, 2, 5, 9, 14, 26, 70]), minutes=chance.randint(0, 59)
        )
        rows = []
        for _ in range(chance.choice([0, 0, 1, 2, 3, 9])):
            is_known = bool(known) and chance.random() < 0.4
            number = chance.choice(sorted(known)) if is_known else str(made)
            made += not is_known
            row = invoice(
                number,
                Decimal(chance.choice([100, 10000, 30000, 45000, 60000, 90000])),
                status=chance.choice(["Open", "Open", "Closed", "Hold"]),
                currencyId=chance.choice(["SEK", "SEK", "EUR", "NOK"]),
                hold=chance.choice([True, False, False, None]),
                date=(at - timedelta(days=chance.randint(0, 40))).strftime("%Y-%m-%dT00:00:00"),
                dueDate=(at + timedelta(days=chance.randint(-9, 20))).strftime("%Y-%m-%dT00:00:00"),
                supplier={"name": chance.choice(["Kontorsbolaget AB", "Fjord AS"])},
                stamp=at.strftime("%Y-%m-%dT%H:%M:%S"),
            )
            known[number] = row
            if is_known and chance.random() < 0.2:
                row["_sdc_deleted_at"] = at.isoformat()
                del known[number]
            rows.append(row)
        yield at, sorted(rows, key=in_order)


def in_order(row):
    """The order of one run's documents, which a ledger does not keep."""
    document_id = ENTITIES["supplier_invoice"].document(row, KEY).id
    return "_sdc_deleted_at" in row, document_id


@pytest.mark.parametrize("seed", [0, 16])
def test_the_past_of_a_ledger_played_anew_is_what_happened(tmp_path, seed):
    company = Company(tmp_path)
    company.run(FIRST, *(invoice(f"old{number}", 60000) for number in range(5)))
    for number, (at, rows) in enumerate(business(seed)):
        if number == 20:
            with company.ledger.write() as connection:
                silence = Silence("S1", "anna", "moving", at, at + timedelta(days=2), rule="large")
                silences.add(connection, silence)
        if number % 7 == 6:
            company.deliver(at)
        else:
            company.run(at, *rows)
    played = company.backtest(tmp_path)
    happened, would_have = told(company.ledger), told(played)
    for name, rows in happened.items():
        assert would_have[name] == rows, name
        assert rows, name
    states = {row.split(", ")[2] for row in happened["messages"]}
    assert states == {"'pending'", "'suppressed'"}
