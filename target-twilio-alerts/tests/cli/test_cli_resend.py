"""`twilio-alerts resend`: a new attempt, linked to the old one, which stays as it is."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from ledgers import ON_BOTH
from singer import invoice

from target_twilio_alerts.ledger import Ledger, MessageState, tables

WRONG, RIGHT = "+46701740696", "+46701740606"


@pytest.fixture
def office(office):
    office.people(anna={"sms": WRONG}, erik={"sms": "+46701740607"})
    return office


@pytest.fixture
def rejected(office):
    """The id of a message to Anna that Twilio refused; Erik was told."""
    office.alert(invoice("1", 60000))
    office.run("deliver")
    (message,) = [one for one in office.trail() if one["recipient"] == "anna"]
    assert message["state"] == "rejected"
    return message["message"]


def of(office, recipient):
    return [one for one in office.trail() if one["recipient"] == recipient]


def put(office, message, state):
    """Leave a message in a state as another run would."""
    ledger = Ledger(office.config["ledger_url"])
    with ledger.write() as connection:
        connection.execute(
            sa.update(tables.messages)
            .where(tables.messages.c.id == message)
            .values(state=state.value),
        )
    ledger.close()


def events(office, message):
    ledger = Ledger(office.config["ledger_url"])
    with ledger.read() as connection:
        query = sa.select(tables.audit_events).where(tables.audit_events.c.message_id == message)
        found = connection.execute(query).all()
    ledger.close()
    return found


@ON_BOTH
def test_a_corrected_number_is_a_new_linked_attempt_and_history_stays(office, rejected):
    (before,) = of(office, "anna")
    steps = events(office, rejected)
    told = office.run("resend", rejected, "--to", RIGHT, "--reason", "wrong number in the file")
    old, new = of(office, "anna")
    assert old == before
    assert events(office, rejected) == steps
    assert new["resend_of"] == rejected
    assert new["state"] == "accepted"
    assert new["document"] == old["document"]
    assert told.splitlines()[-1] == f"{new['message']}: accepted {new['sid']}"
    assert office.sent[-1] == (RIGHT, new["message"])
    shown = office.run("audit", "show", new["message"])
    assert "wrong number in the file" in shown
    assert rejected not in office.workplace.accepted[-1].body


def test_without_to_the_number_that_the_alerts_file_has_now_is_used(office, rejected):
    office.people(anna={"sms": RIGHT}, erik={"sms": "+46701740607"})
    office.run("resend", rejected.lower(), "--reason", "corrected in the file")
    assert office.sent[-1][0] == RIGHT


def test_another_recipient_may_be_named(office, rejected):
    office.run("resend", rejected, "--to", "erik", "--reason", "Anna is on leave")
    first, second = of(office, "erik")
    assert first["resend_of"] is None
    assert second["resend_of"] == rejected


def test_each_resend_is_an_attempt_of_its_own(office, rejected):
    told = office.run("resend", rejected, "--reason", "once more", code=1)
    assert "error 21614" in told.splitlines()[-1]
    office.run("resend", rejected, "--to", RIGHT, "--reason", "mended")
    office.run("resend", rejected, "--to", "+46701740608", "--reason", "her other telephone")
    messages = of(office, "anna")
    assert [one["resend_of"] for one in messages] == [None, rejected, rejected, rejected]
    assert [one["state"] for one in messages][2:] == ["accepted", "accepted"]
    ledger = Ledger(office.config["ledger_url"])
    with ledger.read() as connection:
        query = sa.select(tables.messages.c.attempt).where(tables.messages.c.recipient == "anna")
        attempts = sorted(connection.execute(query).scalars())
    ledger.close()
    assert attempts == [1, 2, 3, 4]


def test_a_resend_of_a_resend_is_linked_to_it(office, rejected):
    office.run("resend", rejected, "--reason", "once more", code=1)
    again = of(office, "anna")[-1]["message"]
    office.run("resend", again, "--to", RIGHT, "--reason", "mended")
    assert of(office, "anna")[-1]["resend_of"] == again


@pytest.mark.parametrize("arguments", [[], ["--reason", "  "]])
def test_it_refuses_without_a_reason(office, rejected, arguments):
    told = office.run("resend", rejected, *arguments, code=1 if arguments else 2)
    assert "--reason" in told
    assert len(of(office, "anna")) == 1


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (MessageState.DELIVERED, "is delivered: it did not fail; to tell somebody else"),
        (MessageState.ACCEPTED, "is accepted: it did not fail; to tell somebody else"),
        (MessageState.PENDING, "is still pending; `twilio-alerts deliver` sends it"),
        (MessageState.SENDING, "is still sending"),
    ],
)
def test_it_refuses_what_arrived_or_is_under_way(office, rejected, state, words):
    put(office, rejected, state)
    told = office.run("resend", rejected, "--reason", "impatient", code=1)
    assert words in told
    assert len(told.splitlines()) == 1
    assert len(of(office, "anna")) == 1


def test_a_delivered_message_may_go_to_somebody_else_but_not_to_the_same_address(office, rejected):
    put(office, rejected, MessageState.DELIVERED)
    office.run("resend", rejected, "--to", "anna", "--reason", "again", code=1)
    office.run("resend", rejected, "--to", WRONG, "--reason", "again", code=1)
    assert len(of(office, "anna")) == 1
    office.run("resend", rejected, "--to", RIGHT, "--reason", "her deputy")
    assert office.sent[-1][0] == RIGHT


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["NOSUCH00"], "no message NOSUCH00 in the ledger; `twilio-alerts audit` lists them"),
        (["--to", "erk"], "erk is neither a recipient of the alerts file nor an address for sms; "),
        (["--to", "ann@example.com"], "ann@example.com is neither a recipient"),
        (["--to", "0701740606"], "0701740606 is neither a recipient"),
        (["--to", "maria"], "recipient maria has no address for sms; add one"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(office, rejected, arguments, words):
    office.people(
        anna={"sms": WRONG},
        erik={"sms": "+46701740607"},
        rules="""
  any: {entity: supplier_invoice, when: amount > 1, notify: anna, via: sms}
""",
        maria={"email": "maria@example.com"},
    )
    given = arguments if arguments[0] != "--to" else [rejected, *arguments]
    told = office.run("resend", *given, "--reason", "mended", code=1)
    assert told.startswith(f"Error: {words}")
    assert len(told.splitlines()) == 1
    assert len(of(office, "anna")) == 1


def test_with_wrong_credentials_the_attempt_waits_and_is_told(office, rejected):
    right = office.config["auth_token"]
    office.config["auth_token"] = "not-the-right-one"
    told = office.run("resend", rejected, "--to", RIGHT, "--reason", "mended", code=1)
    assert told.splitlines()[-1].endswith("what is pending is kept")
    assert of(office, "anna")[-1]["state"] == "pending"
    office.config["auth_token"] = right
    office.run("deliver")
    assert office.sent[-1][0] == RIGHT
