"""Keys that somebody presses in a call."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest
from office import Office
from serving import served
from singer import invoice

from target_twilio_alerts.ledger import Ledger, escalations

RULES = """
  large:
    entity: supplier_invoice
    when: amount > 50000
    notify: anna
    via: {via}
    escalate: {{after: 15m, notify: anna, via: sms}}
"""
THANKS = "Tack. Larmet är kvitterat."


@pytest.fixture
def office(workplace):
    return Office(workplace)


@pytest.fixture
def called(office):
    """The id and SID of a message to Anna, who reads Swedish."""

    def message(via="voice"):
        anna = {"sms": "+46701740605", "voice": "+46701740605", "locale": "sv_SE"}
        office.people(rules=RULES.format(via=via), anna=anna)
        office.alert(invoice("1", 75000, stamp="2026-11-20T11:00:00"))
        office.run("deliver")
        ((message_id, sid),) = office.workplace.messages("messages.id", "sid")
        return message_id, sid

    return message


def press(server, message_id, sid, digits):
    """Press a key; gives what is said then."""
    fields = {"CallSid": sid, "CallStatus": "in-progress", "Digits": digits}
    answer = server.twilio(f"/twilio/keypress?message={message_id}", fields)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/xml")
    root = ET.fromstring(answer.content)
    assert root.tag == "Response"
    return [(one.text, one.get("language")) for one in root]


def test_a_digit_acknowledges_the_alert_and_is_answered_in_the_callers_language(office, called):
    message_id, sid = called()
    with served(office.workplace) as server:
        for _ in range(2):
            assert press(server, message_id, sid, "1") == [(THANKS, "sv-SE")]
    told = office.workplace.query("SELECT body FROM audit_events WHERE kind = 'alert_acknowledged'")
    assert [json.loads(body) for (body,) in told] == [{"by": "anna", "how": "keypress"}]
    assert office.workplace.query("SELECT state, reason FROM escalations") == [
        ("ended", "acknowledged by anna")
    ]
    assert office.workplace.messages("state", "status") == [("sent", "in-progress")]
    office.run("audit", "verify")


@pytest.mark.parametrize("digits", ["", "#", "*", "12", "x"])
def test_what_is_no_digit_acknowledges_nothing(office, called, digits):
    message_id, sid = called()
    with served(office.workplace) as server:
        assert press(server, message_id, sid, digits) == []
    assert office.workplace.query("SELECT count(*) FROM acknowledgements") == [(0,)]


def test_a_key_of_another_call_or_about_an_sms_acknowledges_nothing(office, called):
    message_id, _ = called("sms")
    with served(office.workplace) as server:
        assert press(server, message_id, "CA" + "c" * 32, "1") == []
        assert press(server, "ZZZZZZZZ", "CA" + "c" * 32, "1") == []
    assert office.workplace.query("SELECT count(*) FROM acknowledgements") == [(0,)]


def test_a_key_settles_a_call_whose_answer_was_lost(office, called):
    message_id, sid = called()
    lost = "UPDATE messages SET state = 'unknown', sid = NULL, status = NULL, accepted_at = NULL"
    office.workplace.query(lost)
    with served(office.workplace) as server:
        assert press(server, message_id, sid, "5") == [(THANKS, "sv-SE")]
    assert office.workplace.messages("state", "sid") == [("sent", sid)]
    office.run("audit", "verify")


def test_a_forged_key_acknowledges_nothing(office, called):
    message_id, sid = called()
    with served(office.workplace) as server:
        fields = {"CallSid": sid, "CallStatus": "in-progress", "Digits": "1"}
        path = f"/twilio/keypress?message={message_id}"
        assert server.twilio(path, fields, signature="x" * 28).status_code == 403
    ledger = Ledger(office.config["ledger_url"])
    with ledger.read() as connection:
        alert_id = connection.exec_driver_sql("SELECT id FROM alerts").scalar()
        assert escalations.acknowledgement(connection, alert_id) is None
    ledger.close()
    assert office.workplace.messages("state") == [("accepted",)]


def test_the_end_of_a_call_is_heard(office, called):
    message_id, sid = called()
    with served(office.workplace) as server:
        assert server.status(sid, "completed", message=message_id) == 204
        assert server.status(sid, "ringing", message=message_id) == 204
    assert office.workplace.messages("state", "status") == [("delivered", "completed")]
