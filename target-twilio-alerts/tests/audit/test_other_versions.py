"""Ledgers of other versions: what their events tell is held against rows, and no more."""

from __future__ import annotations

import secrets

import pytest
import sqlalchemy as sa

from target_twilio_alerts.audit import erasure
from target_twilio_alerts.audit.verify import verify
from target_twilio_alerts.delivery import status
from target_twilio_alerts.delivery.channels import StatusReport
from target_twilio_alerts.ledger import Event, Ledger, events, outbox, runs
from target_twilio_alerts.ledger import alerts as ledger_alerts
from target_twilio_alerts.ledger.alerts import Alert
from target_twilio_alerts.ledger.events import salted_hash
from target_twilio_alerts.ledger.outbox import NewMessage
from target_twilio_alerts.ledger.tables import alerts, audit_events, iso_utc, messages

DECISION = '{"current":"{\\"amount\\":\\"75000\\"}","previous":null}'


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield ledger
    ledger.close()


@pytest.fixture
def run(ledger):
    return runs.start(ledger, command="test", version="0", body={})


def tell(ledger, run, *told):
    with ledger.write() as connection:
        events.append(connection, told, at=runs.utc_now(), run_id=run.id)


@pytest.fixture
def first_version(ledger, run):
    """An alert and a message, and what the first version told of them."""
    now = runs.utc_now()
    alert = Alert(
        *("A0000001", "large", 1, "d" * 32, "1|x|y", "supplier_invoice", "Invoice 1", "high"),
        *("amount 75000 > 50000", DECISION, now, run.id),
    )
    message = new_message(alert.id)
    told = {"rule": "large", "epoch": 1, "document": "d" * 32, "version": "1|x|y"}
    told |= {"title": "Invoice 1", "severity": "high", "reason": alert.reason, "decision": DECISION}
    written = {
        "recipient": "anna",
        "channel": "sms",
        "attempt": 1,
        "state": "pending",
        "template": "t",
        "locale": "en",
        "address_hash": salted_hash(message.salt, message.address),
        "text_hash": salted_hash(message.salt, message.text),
    }
    with ledger.write() as connection:
        ledger_alerts.add(connection, alert)
        outbox.add(connection, message, at=now, run_id=run.id)
        both = [
            Event("alert_raised", told, alert_id=alert.id),
            Event("message_created", written, alert_id=alert.id, message_id=message.id),
        ]
        events.append(connection, both, at=now, run_id=run.id)
    return ledger


def new_message(alert_id=None):
    return NewMessage(
        id="M0000001",
        alert_id=alert_id,
        recipient="anna",
        channel="sms",
        address="+46701740605",
        subject=None,
        text="Invoice 1",
        html=None,
        salt=secrets.token_hex(16),
        template="t",
        locale="en",
        encoding=None,
        segments=None,
        severity_rank=1,
    )


def change(ledger, table, **values):
    with ledger.write() as connection:
        connection.execute(sa.update(table).values(**values))


def test_a_ledger_of_the_first_version_is_right(first_version):
    verdict = verify(first_version)
    assert (verdict.fault, verdict.events, verdict.messages) == (None, 3, 1)


@pytest.mark.parametrize(
    ("table", "column"),
    [(alerts, "reason"), (alerts, "decision"), (alerts, "title"), (messages, "recipient")],
)
def test_what_its_events_tell_is_held_against_its_rows(first_version, table, column):
    change(first_version, table, **{column: "{}"})
    assert f"column {column} of " in verify(first_version).fault.what


def test_what_its_events_do_not_tell_is_not(first_version):
    change(first_version, messages, severity_rank=3, encoding="GSM-7")
    assert verify(first_version).fault is None


def test_its_alerts_can_be_erased_too(first_version):
    scope = erasure.Scope(before=runs.utc_now())
    change(first_version, messages, state="suppressed")
    done = erasure.erase(first_version, scope, at=runs.utc_now(), operator="o", reason="r")
    assert (done.messages, done.alerts) == (1, 1)
    change(first_version, messages, state="pending")
    assert verify(first_version).fault is None


def test_an_event_of_a_later_version_hides_what_it_may_have_done(first_version, run):
    tell(first_version, run, Event("message_moved", {"x": 1}, message_id="M0000001"))
    change(first_version, messages, state="accepted", sid="SM1")
    assert verify(first_version).fault is None
    change(first_version, messages, recipient="bo")
    assert "column recipient of message M0000001" in verify(first_version).fault.what


def test_a_message_that_was_settled_by_evidence_is_accepted_as_the_event_says(first_version, run):
    lost = {"reason": "the answer is lost", "late": False}
    tell(first_version, run, Event("message_unknown", lost, message_id="M0000001"))
    then = runs.utc_now()
    found = {"sid": "SM1", "status": "sent", "evidence": "reference", "accepted_at": iso_utc(then)}
    tell(first_version, run, Event("message_settled", found, message_id="M0000001"))
    change(first_version, messages, state="accepted", sid="SM1", status="sent", accepted_at=then)
    assert verify(first_version).fault is None
    change(first_version, messages, sid="SM2")
    assert verify(first_version).fault.what == "event 5: column sid of message M0000001 was changed"


def test_a_status_that_another_process_was_faster_with_is_not_told(ledger, run):
    with ledger.write() as connection:
        outbox.add(connection, new_message(), at=runs.utc_now(), run_id=run.id)
        connection.execute(sa.update(messages).values(state="accepted", sid="SM1", status="sent"))
        stale = connection.execute(sa.select(messages)).one()
        connection.execute(sa.update(messages).values(state="delivered", status="delivered"))
    status.apply_report(ledger, stale, StatusReport("undelivered", 30003), run=run)
    with ledger.read() as connection:
        assert connection.execute(sa.select(messages.c.state, messages.c.error_code)).one() == (
            "delivered",
            None,
        )
        kinds = connection.execute(sa.select(audit_events.c.kind)).scalars().all()
    assert kinds == ["run_started"]
