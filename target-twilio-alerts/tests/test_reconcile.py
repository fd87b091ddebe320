"""A message whose answer was lost is settled by evidence in Twilio's list, or stays unknown."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from singer import baseline, invoice, record, schema, state

from target_twilio_alerts.delivery.channels import Found
from target_twilio_alerts.delivery.reconcile import BY_REFERENCE, BY_TEXT, THE_ONLY_ONE, the_one
from target_twilio_alerts.ledger import Ledger, tables
from target_twilio_alerts.ledger.unsettled import Unsettled

ANNA = "+46701740605"
RULES = """
recipients:
  anna: {{name: Anna Berg, sms: "{number}", voice: "{number}", email: anna@example.com}}
rules:
  large: {{entity: supplier_invoice, when: amount > 50000, notify: anna, via: {via}}}
"""
NOTHING_LISTED = json.dumps({"messages": [], "calls": [], "next_page_uri": None})


@pytest.fixture
def lost(workplace, zygote):
    """Runs the target over large invoices whose hand-overs Twilio takes, and whose answers break.

    Twilio's list is out of order in that run, so that nothing is settled in it.
    """

    def run(*numbers, via="sms"):
        workplace.write_alerts(RULES.format(number=ANNA, via=via))
        zygote.run(workplace, baseline())
        service = "sendgrid" if via == "email" else "twilio"
        workplace.sandbox.faults.add(service, method="POST", drop="after", times=len(numbers))
        workplace.sandbox.faults.add("twilio", method="GET", status=503, times=None)
        rows = [record(invoice(n, 75000, stamp="2026-11-20T11:00:00")) for n in numbers]
        ended = zygote.run(workplace, schema() + "".join(rows) + state())
        assert set(workplace.messages("state")) == {("unknown",)}
        workplace.sandbox.faults.clear()
        return ended

    return run


@pytest.fixture
def again(workplace, zygote):
    """Runs the target with nothing new; gives the states of messages."""

    def run():
        zygote.run(workplace, schema() + state())
        return [found for (found,) in workplace.messages("state")]

    return run


def settled(workplace):
    """By which evidence messages were settled."""
    ledger = Ledger(f"sqlite:///{workplace.ledger_path}")
    events = tables.audit_events.c
    query = sa.select(events.body).where(events.kind == "message_settled").order_by(events.seq)
    with ledger.read() as connection:
        bodies = [json.loads(body) for (body,) in connection.execute(query)]
    ledger.close()
    return bodies


def redact(workplace):
    """Empty the texts of all messages, as an account with message redaction does."""
    twilio = workplace.sandbox.twilio
    twilio.settle()
    for message in twilio.messages:
        twilio.store.update(message.sid, body="")


def test_a_lost_answer_is_found_by_the_reference_in_the_text_in_the_same_run(workplace, zygote):
    workplace.write_alerts(RULES.format(number=ANNA, via="sms"))
    zygote.run(workplace, baseline())
    workplace.sandbox.faults.add("twilio", method="POST", drop="after")
    row = record(invoice("1", 75000, stamp="2026-11-20T11:00:00"))
    ended = zygote.run(workplace, schema() + row + state())
    (message,) = workplace.accepted
    assert workplace.messages("state", "sid", "messages.reason") == [
        ("accepted", message.sid, None)
    ]
    (body,) = settled(workplace)
    assert (body["sid"], body["evidence"]) == (message.sid, BY_REFERENCE)
    assert "was accepted after all" in ended.stderr


def test_a_list_that_cannot_be_read_settles_nothing_and_the_next_run_asks_again(
    workplace, lost, again
):
    ended = lost("1")
    assert "is not looked for" in ended.stderr
    workplace.sandbox.faults.add("twilio", method="GET", status=500)
    assert again() == ["unknown"]
    assert "unknown" not in again()
    assert len(workplace.accepted) == 1


def test_a_list_that_lags_behind_proves_nothing(workplace, lost, again):
    lost("1")
    workplace.sandbox.faults.add("twilio", method="GET", status=200, body=NOTHING_LISTED)
    assert again() == ["unknown"]
    assert "unknown" not in again()
    posts = [one for one in workplace.sandbox.requests("twilio") if one.method == "POST"]
    assert len(posts) == 1


def test_what_twilio_never_took_stays_unknown(workplace, zygote, again):
    workplace.write_alerts(RULES.format(number=ANNA, via="sms"))
    zygote.run(workplace, baseline())
    workplace.sandbox.faults.add("twilio", method="POST", drop="before")
    row = record(invoice("1", 75000, stamp="2026-11-20T11:00:00"))
    zygote.run(workplace, schema() + row + state())
    assert again() == ["unknown"]
    assert workplace.accepted == []


def test_several_are_told_apart_by_their_references(workplace, lost, again):
    lost("1", "2", "3")
    assert "unknown" not in again()
    assert {body["sid"] for body in settled(workplace)} == {m.sid for m in workplace.accepted}
    for sid, text in workplace.messages("sid", "text"):
        assert workplace.sandbox.twilio.store.get(sid).body == text


def test_a_redacted_text_is_found_if_it_is_the_only_one(workplace, lost, again):
    lost("1")
    redact(workplace)
    assert "unknown" not in again()
    assert [body["evidence"] for body in settled(workplace)] == [THE_ONLY_ONE]


def test_of_two_redacted_texts_neither_is_taken_for_ours(workplace, lost, again):
    lost("1", "2")
    redact(workplace)
    assert again() == ["unknown", "unknown"]
    assert settled(workplace) == []


def test_a_call_is_found_if_it_is_the_only_one(workplace, lost, again):
    lost("1", via="voice")
    assert "unknown" not in again()
    (call,) = workplace.sandbox.twilio.calls
    assert workplace.messages("sid") == [(call.sid,)]


def test_of_two_calls_neither_is_taken_for_ours(lost, again):
    lost("1", "2", via="voice")
    assert again() == ["unknown", "unknown"]


def test_a_message_that_is_found_delivered_ends_so_and_its_trail_agrees(workplace, lost, again):
    lost("1")
    workplace.sandbox.twilio.settle()
    assert again() == ["delivered"]
    assert "ok" in workplace.command("audit", "verify")


def test_of_an_email_nobody_can_ask(lost, again):
    lost("1", via="email")
    assert again() == ["unknown"]


SENT = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)
OURS = Unsettled("H95DWAB8", None, "sms", ANNA, "Invoice 1. Ref H95DWAB8", SENT)
SECOND = timedelta(seconds=1)
SENDER, SERVICE = "+46701740600", "MG" + "0" * 31 + "1"
LISTED = Found("SM1", "sent", SENT + SECOND, OURS.text)


def one_of(*found, rivals=(), sender=SENDER):
    match = the_one(OURS, found, sender=sender, texts_of_rivals=rivals)
    return None if match is None else (match.found.sid, match.evidence)


def test_a_reference_is_a_whole_word():
    assert one_of(replace(LISTED, text=f"Sent from a trial account - {OURS.text}")) == (
        "SM1",
        BY_REFERENCE,
    )
    assert one_of(replace(LISTED, text="Ref XH95DWAB8")) is None


def test_a_text_without_a_reference_counts_only_near_its_time_and_only_if_nobody_else_has_it():
    plain = OURS._replace(text="Invoice 1 is large")
    listed = replace(LISTED, text=plain.text)

    def found(*listed, rivals=()):
        match = the_one(plain, listed, sender=SENDER, texts_of_rivals=rivals)
        return None if match is None else match.evidence

    assert found(listed) == BY_TEXT
    assert found(listed, replace(listed, sid="SM2")) is None
    assert found(listed, rivals=[plain.text]) is None
    assert found(listed, rivals=["another text"]) == BY_TEXT
    assert found(listed, rivals=["another text", None]) is None
    assert found(replace(listed, created_at=SENT - timedelta(hours=1))) is None
    assert found(replace(listed, created_at=SENT + timedelta(hours=1))) is None


@pytest.mark.parametrize(
    ("listed", "sender", "can_be"),
    [
        ({"sender": SENDER}, SENDER, True),
        ({"sender": "+46701740601"}, SENDER, False),
        ({"sender": "NordAB"}, "NORDAB", True),
        ({"sender": "NordAB"}, "SydAB", False),
        ({"sender": SENDER, "service": SERVICE}, SERVICE, True),
        ({"service": SERVICE}, SERVICE, True),
        ({"sender": SENDER, "service": "MG" + "f" * 32}, SERVICE, False),
        ({"sender": SENDER, "service": "MG" + "f" * 32}, SENDER, True),
        ({}, SENDER, True),
        ({}, SERVICE, True),
    ],
)
def test_what_another_sender_has_sent_is_not_ours_unless_it_has_our_reference(
    listed, sender, can_be
):
    redacted = replace(LISTED, text="", **listed)
    assert one_of(redacted, sender=sender) == (("SM1", THE_ONLY_ONE) if can_be else None)
    assert one_of(replace(LISTED, **listed), sender=sender) == ("SM1", BY_REFERENCE)


offsets = st.integers(-3600, 3600).map(lambda seconds: SENT + timedelta(seconds=seconds))
lists = st.lists(
    st.builds(
        Found,
        st.uuids().map(str),
        st.just("sent"),
        offsets,
        st.sampled_from([None, "", OURS.text, "Ref H95DWAB8", "another text"]),
    ),
    max_size=4,
    unique_by=lambda found: found.sid,
)


@given(lists, st.lists(st.sampled_from([OURS.text, "another text"]), max_size=2))
def test_what_is_found_is_the_only_one_that_can_be_it(listed, rivals):
    match = the_one(OURS, listed, sender=SENDER, texts_of_rivals=rivals)
    named = [one for one in listed if one.text and "H95DWAB8" in one.text]
    if len(named) == 1:
        assert match is not None
        assert match.found == named[0]
    elif named:
        assert match is None
    elif match is not None:
        hidden = [
            one
            for one in listed
            if not one.text and -300 <= (one.created_at - SENT).total_seconds() <= 900
        ]
        assert hidden == [match.found]
        assert not rivals
