"""How fast alerts are committed and how fast they leave, beside a client that keeps no ledger."""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from decimal import Decimal
from threading import local
from typing import TYPE_CHECKING, Any

import msgspec
import requests
import sqlalchemy as sa
from measuring import measure
from report import Budget, Section

from target_twilio_alerts.delivery.callback_urls import CallbackUrls
from target_twilio_alerts.delivery.channels import Accepted
from target_twilio_alerts.delivery.dispatcher import Dispatcher
from target_twilio_alerts.delivery.pace import Rates
from target_twilio_alerts.intake import Intake
from target_twilio_alerts.ledger import Ledger, runs
from target_twilio_alerts.ledger.tables import alerts, messages
from target_twilio_alerts.messages import Messages
from target_twilio_alerts.rules import load_alerts
from visma_twilio_sandbox import Sandbox, credentials

if TYPE_CHECKING:
    from pathlib import Path

    from target_twilio_alerts.delivery.channels import Outgoing

_LATENCY = 0.15
_IN_FLIGHT = 8
_MESSAGES, _ALERTS = 1_000, 20_000
_LEAST_SENT, _LEAST_RAISED, _MOST_MILLISECONDS = 45, 1_000, 5.0
_NUMBER = "+46701740605"
_RULES = f"""
recipients: {{ap: {{name: AP, sms: "{_NUMBER}"}}}}
limits: {{per_recipient: 1000000}}
rules:
  large: {{entity: supplier_invoice, when: amount > 50000, notify: ap, via: sms}}
"""
_STREAM = "supplier_invoices"
_SCHEMA = {
    "type": "object",
    "properties": {
        "tenant_id": {"type": "string"},
        "company": {"type": "string"},
        "documentType": {"type": "string"},
        "referenceNumber": {"type": "string"},
        "status": {"type": ["string", "null"]},
        "amount": {"type": ["number", "null"]},
        "currencyId": {"type": ["string", "null"]},
        "lastModifiedDateTime": {"type": ["string", "null"]},
    },
}
_PREFIX = "TARGET_TWILIO_ALERTS_"
_COMPANY = {"tenant_id": "11111111-1111-4111-8111-111111111111", "company": "Testbolaget AB"}
_KEY = ["tenant_id", "company", "documentType", "referenceNumber"]
_READ = {"context": _COMPANY, "replication_key_value": "2026-11-20T10:00:00"}
_STATE = {"bookmarks": {_STREAM: {"partitions": [_READ]}}}


def send(programs: Path, place: Path) -> Section:
    """Commit alerts, send messages, and write outcomes down, each by itself.

    Args:
        programs: Where the target is installed.
        place: An empty folder.
    """
    with Sandbox(seed=1) as sandbox:
        sandbox.faults.add("twilio", method="POST", delay=_LATENCY, times=None)
        given = {
            name.removeprefix(_PREFIX).lower(): value
            for name, value in sandbox.settings().items()
            if name.startswith(_PREFIX)
        }
        bare = _bare(given["twilio_api_url"])
        raised = _raise(programs, place / "raised", given)
        sent = _send(programs, place / "sent", given)
    overhead = _overhead(place / "overhead")
    return Section(
        f"{_MESSAGES:,} messages to a Twilio that takes {_LATENCY * 1000:.0f} ms",
        f"{_IN_FLIGHT} at a time. The bare client posts with `requests` and keeps nothing; "
        "`twilio-alerts deliver` commits three times for each message. Alerts are committed by the "
        "target while it reads, each with its message; the ledger alone is with a channel that "
        "answers at once, one message at a time.",
        ("what", "of the bare client", "a second"),
        [
            ("bare client, messages", "1.00", f"{bare:.1f}"),
            ("twilio-alerts deliver, messages", f"{sent / bare:.2f}", f"{sent:.1f}"),
            ("the ledger alone, messages", f"{1 / overhead / bare:.2f}", f"{1 / overhead:,.0f}"),
            ("target-twilio-alerts, alerts", f"{raised / bare:.2f}", f"{raised:,.0f}"),
        ],
        [
            Budget(
                f"messages a second, {_IN_FLIGHT} in flight, {_LATENCY * 1000:.0f} ms each",
                f"{sent:.1f}",
                f"at least {_LEAST_SENT}",
                met=sent >= _LEAST_SENT,
            ),
            Budget(
                "alerts committed a second",
                f"{raised:,.0f}",
                f"at least {_LEAST_RAISED:,}",
                met=raised >= _LEAST_RAISED,
            ),
            Budget(
                "the ledger's part of a message",
                f"{overhead * 1000:.1f} ms",
                f"at most {_MOST_MILLISECONDS:.0f} ms",
                met=overhead * 1000 <= _MOST_MILLISECONDS,
            ),
        ],
    )


def _bare(url: str) -> float:
    """Messages a second of a client that only posts."""
    sessions = local()
    path = f"{url}/2010-04-01/Accounts/{credentials.ACCOUNT_SID}/Messages.json"

    def post(number: int) -> None:
        if not hasattr(sessions, "one"):
            sessions.one = requests.Session()
            sessions.one.auth = (credentials.ACCOUNT_SID, credentials.AUTH_TOKEN)
        form = {"To": _NUMBER, "From": credentials.FROM_NUMBER, "Body": f"Invoice {number}"}
        sessions.one.post(path, data=form, timeout=30).raise_for_status()

    began = time.perf_counter()
    with ThreadPoolExecutor(_IN_FLIGHT) as pool:
        list(pool.map(post, range(_MESSAGES)))
    return _MESSAGES / (time.perf_counter() - began)


def _raise(programs: Path, place: Path, given: dict[str, str]) -> float:
    """Alerts that the target commits a second, its start included; nothing is sent after."""
    config, url = _office(place, {**given, "delivery_deadline_seconds": 0})
    lines = place / "lines.singer"
    _write_lines(lines, _ALERTS)
    target = [programs / "target-twilio-alerts", "--config", config]
    seconds = measure(target, stdin=lines, cwd=place).wall
    with closing(Ledger(url)) as ledger, ledger.read() as connection:
        found = connection.execute(sa.select(sa.func.count()).select_from(alerts)).scalar_one()
    _expect(found, _ALERTS)
    return _ALERTS / seconds


def _send(programs: Path, place: Path, given: dict[str, str]) -> float:
    """Messages a second from the first hand-over to the last answer."""
    config, url = _office(place, given)
    _take_in(place, url, _MESSAGES)
    measure([programs / "twilio-alerts", "--config", config, "deliver"], cwd=place)
    table = messages.c
    query = sa.select(
        sa.func.count(table.sid), sa.func.min(table.sending_at), sa.func.max(table.accepted_at)
    )
    with closing(Ledger(url)) as ledger, ledger.read() as connection:
        number, first, last = connection.execute(query).one()
    _expect(number, _MESSAGES)
    return _MESSAGES / (last - first).total_seconds()


def _overhead(place: Path) -> float:
    """Seconds of each message whose channel answers at once."""
    _, url = _office(place, {})
    _take_in(place, url, _MESSAGES)
    with closing(Ledger(url)) as ledger:
        run = runs.start(ledger, command="deliver", version="0", body={})
        delivering = Dispatcher(
            ledger,
            {"sms": _AtOnce()},
            run=run,
            max_in_flight=1,
            callbacks=CallbackUrls(None),
            rates=Rates(),
        )
        began = time.perf_counter()
        delivering.start()
        delivering.finish(deadline_seconds=600, more=())
        seconds = time.perf_counter() - began
    _expect(delivering.tally.accepted, _MESSAGES)
    return seconds / _MESSAGES


def _expect(found: int, wanted: int) -> None:
    if found != wanted:
        sys.exit(f"{found} of {wanted}: nothing was measured")


class _AtOnce:
    """A channel that takes everything at once."""

    def sender_of(self, _to: str) -> str:
        return credentials.FROM_NUMBER

    def send(self, outgoing: Outgoing) -> Accepted:
        return Accepted(f"SM{outgoing.message_id:0>32}", "queued", None, 1)


def _office(place: Path, given: dict[str, Any]) -> tuple[Path, str]:
    """A configuration and the URL of its ledger, whose stream has been read and was empty."""
    place.mkdir()
    (place / "alerts.yml").write_text(_RULES, encoding="utf-8")
    url = f"sqlite:///{place / 'ledger.db'}"
    settings = {
        **given,
        "alerts_file": str(place / "alerts.yml"),
        "ledger_url": url,
        "restored_ledger": "ignore",  # several ledgers send from one account
        "max_in_flight": _IN_FLIGHT,
    }
    config = place / "config.json"
    config.write_text(json.dumps(settings), encoding="utf-8")
    _take_in(place, url, 0)
    return config, url


def _take_in(place: Path, url: str, number: int) -> None:
    """Take invoices in, in this process: what alerts waits in the ledger."""
    with closing(Ledger(url)) as ledger:
        run = runs.start(ledger, command="target", version="0", body={})
        intake = Intake(
            ledger,
            load_alerts(place / "alerts.yml"),
            Messages(place / "templates"),
            run=run,
            on_messages=lambda: None,
        )
        intake.begin_stream(_STREAM)
        for one in range(number):
            intake.add(_STREAM, _invoice(one), _KEY, problem=None)
        intake.state(_STATE)
        intake.finish()
        intake.close()
        runs.end(ledger, run, outcome="completed", summary={})


def _invoice(number: int) -> dict[str, Any]:
    return {
        **_COMPANY,
        "documentType": "Invoice",
        "referenceNumber": str(number),
        "status": "Open",
        "amount": Decimal(75000),
        "currencyId": "SEK",
        "lastModifiedDateTime": "2026-11-20T10:00:00",
    }


def _write_lines(path: Path, number: int) -> None:
    """Singer messages of so many invoices."""
    encode = msgspec.json.Encoder(decimal_format="number").encode
    schema = {"type": "SCHEMA", "stream": _STREAM, "schema": _SCHEMA, "key_properties": _KEY}
    with path.open("wb") as file:
        file.write(encode(schema) + b"\n")
        for one in range(number):
            record = {"type": "RECORD", "stream": _STREAM, "record": _invoice(one)}
            file.write(encode(record) + b"\n")
        file.write(encode({"type": "STATE", "value": _STATE}) + b"\n")
