"""Digests: alerts that are told together, once, also across crashes and runs."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from ledgers import ON_BOTH
from singer import invoice

from target_twilio_alerts.ledger import runs, silences
from target_twilio_alerts.ledger.silences import Silence
from target_twilio_alerts.ledger.tables import audit_events, digest_contents, message_contents
from target_twilio_alerts.ledger.tables import messages as messages_table
from target_twilio_alerts.messages import DigestEntry, Messages
from target_twilio_alerts.notify.follow_up import FollowUp
from target_twilio_alerts.rules import load_alerts

START = datetime(2026, 11, 25, 10, tzinfo=timezone.utc)
DUE = datetime(2026, 11, 25, 15, 30, tzinfo=timezone.utc)
DAILY = {"daily": "16:30"}


@pytest.fixture(autouse=True)
def at_the_start(desk):
    desk.clock = lambda: START


def follow_up(desk, at=DUE, *, fails=False):
    """Take what is due; gives recipient, channel, state and text of its messages."""
    run = runs.start(desk.ledger, command="deliver", version="0", body={})
    texts = Messages(None)
    if fails:
        texts.digest = lambda *_, **__: 1 / 0
    FollowUp(desk.ledger, load_alerts(desk.file), texts, run=run, clock=lambda: at).take()
    table = messages_table.c
    query = (
        sa.select(table.recipient, table.channel, table.state, message_contents.c.text)
        .join(message_contents, message_contents.c.message_id == table.id)
        .where(table.run_id == run.id)
        .order_by(table.recipient, table.channel)
    )
    return [tuple(row) for row in desk.rows(query)]


def digest(desk, **rule):
    desk.rule("amount > 50000", digest=DAILY, **{"via": "email", **rule})


@ON_BOTH
def test_alerts_wait_for_their_digest_and_are_told_together_once(desk):
    digest(desk)
    assert desk.read(invoice("1", 75000), invoice("2", 60000)) == ["1", "2"]
    assert desk.counts["alerts that wait for a digest"] == 2
    assert follow_up(desk, DUE - timedelta(seconds=1)) == []
    [(recipient, channel, state, text)] = follow_up(desk)
    assert (recipient, channel, state) == ("ap", "email", "pending")
    assert text.startswith("2 alerts\n\nrule (2)\n- 1, ")
    assert "Total: 135,000.00" in text
    assert follow_up(desk, DUE + timedelta(days=1)) == []


@ON_BOTH
def test_a_crash_while_it_is_written_leaves_it_for_the_next_run(desk):
    digest(desk)
    desk.read(invoice("1", 75000))
    with pytest.raises(ZeroDivisionError):
        follow_up(desk, fails=True)
    assert len(follow_up(desk)) == 1
    assert follow_up(desk) == []


@ON_BOTH
def test_an_alert_after_the_time_waits_for_the_next_day(desk):
    digest(desk)
    desk.clock = lambda: DUE
    desk.read(invoice("1", 75000))
    assert follow_up(desk, DUE + timedelta(hours=1)) == []
    assert len(follow_up(desk, DUE + timedelta(days=1))) == 1


@ON_BOTH
def test_totals_are_of_each_currency_and_a_digest_has_all_rules(desk):
    other = {
        "entity": "supplier_invoice",
        "when": "on_hold",
        "notify": "ap",
        "via": "email",
        "digest": DAILY,
    }
    digest(desk)
    first = {
        "entity": "supplier_invoice",
        "when": "amount > 50000",
        "notify": "ap",
        "via": "email",
        "digest": DAILY,
    }
    desk.rule("amount > 1", file={"rules": {"large": first, "held": other}})
    desk.read(
        invoice("1", 75000),
        invoice("2", 60000, currencyId="EUR"),
        invoice("3", 10, hold=True),
    )
    [(_, _, _, text)] = follow_up(desk)
    assert text.startswith("3 alerts\n")
    assert "large (2)" in text
    assert "held (1)" in text
    assert "Total: 60,000.00\u00a0EUR + 75,000.00\u00a0SEK" in text


@ON_BOTH
def test_each_recipient_and_channel_has_one_and_the_ledger_knows_what_it_told(desk):
    people = {
        "ap": {"name": "Anna", "sms": "+46701740605", "email": "a@example.com"},
        "cfo": {"name": "Carl", "sms": "+46701740606", "email": "c@example.com"},
    }
    digest(desk, via=["sms", "email"], notify=["ap", "cfo"], file={"recipients": people})
    desk.read(invoice("1", 75000), invoice("2", 60000))
    told = follow_up(desk)
    assert [(who, over) for who, over, *_ in told] == [
        ("ap", "email"),
        ("ap", "sms"),
        ("cfo", "email"),
        ("cfo", "sms"),
    ]
    assert told[1][3].startswith("2 alerts: rule (2) 135,000.00 SEK. Ref ")
    assert len(desk.rows(sa.select(digest_contents))) == 8
    bodies = [body for (body,) in desk.rows(sa.select(audit_events.c.body))]
    assert sum('"alerts":["' in body for body in bodies) == 4


@ON_BOTH
def test_what_is_silenced_when_it_is_due_is_not_in_it(desk):
    digest(desk)
    desk.read(invoice("1", 75000))
    with desk.ledger.write() as connection:
        quiet = Silence("S", "Anna", "test", START, DUE + timedelta(hours=1), rule="rule")
        silences.add(connection, quiet)
    assert follow_up(desk) == []


@ON_BOTH
def test_a_rule_that_is_gone_has_no_digest_and_the_trail_says_so(desk):
    digest(desk)
    desk.read(invoice("1", 75000))
    desk.rule(
        "amount > 1",
        file={
            "rules": {
                "other": {
                    "entity": "supplier_invoice",
                    "when": "amount > 1",
                    "notify": "ap",
                    "via": "sms",
                }
            }
        },
    )
    assert follow_up(desk) == []
    kinds = [kind for (kind,) in desk.rows(sa.select(audit_events.c.kind))]
    assert kinds.count("digest_dropped") == 1


@pytest.mark.parametrize("locale", ["sv_SE", "nb_NO", "da_DK", "fi_FI", "en"])
def test_the_card_has_a_table_and_says_it_in_the_readers_language(locale):
    values = {"number": "1 < 2", "counterparty": "Åkeri & Co", "amount": None, "currency": "SEK"}
    entries = [DigestEntry("large", "supplier_invoice", values)]
    rendered = Messages(None).digest(entries, channel="email", locale=locale, reference="X")
    assert rendered.locale == locale
    assert "1 &lt; 2" in rendered.html
    assert "Åkeri &amp; Co" in rendered.html
    assert "prefers-color-scheme: dark" in rendered.html
    assert rendered.subject.startswith("1 ")
    assert rendered.text.splitlines()[0] == rendered.subject
    two = Messages(None).digest(entries * 2, channel="email", locale=locale, reference="X")
    assert two.subject.startswith("2 ")
    assert (two.subject[2:] == rendered.subject[2:]) is (locale == "sv_SE")


@pytest.mark.parametrize("number", [120, 3000])
def test_a_digest_of_many_alerts_lists_the_first_and_totals_all(desk, number):
    digest(desk)
    desk.read(*(invoice(f"n{one}", 75000) for one in range(number)))
    [(_, _, _, text)] = follow_up(desk)
    lines = text.splitlines()
    assert lines[0] == f"{number} alerts"
    assert sum(line.startswith("- n") for line in lines) == 40
    assert f"- and {number - 40} more" in lines
    assert f"  Total: {number * 75000:,}.00\u00a0SEK" in lines
    [html] = [html for (html,) in desk.rows(sa.select(message_contents.c.html))]
    assert f"And {number - 40} more" in html


def test_a_digest_of_very_many_rules_is_told_without_a_card():
    entries = [
        DigestEntry(f"rule-{one}", "supplier_invoice", {"number": "1"}) for one in range(200)
    ]
    rendered = Messages(None).digest(entries, channel="email", locale="en", reference="X")
    assert rendered.html is None
    assert rendered.text.startswith("200 alerts\n")
    assert "rule-199 (1)" in rendered.text
