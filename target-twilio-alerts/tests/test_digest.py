"""Digests: alerts that are told together, once, also across crashes and runs."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
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
A_MAIL_PROGRAM_CUTS = 102_000
"""Bytes of HTML that Gmail shows of one message."""


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
    assert text.startswith("2 alerts\n\nrule (2)\n- Kontorsbolaget AB, 1, Nov 20, 2026, 75,000.00")
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


def test_who_is_told_for_themselves_and_as_a_deputy_has_one_digest(desk):
    away = {"from": "2026-11-25", "to": "2026-11-26", "deputy": "cfo"}
    people = {
        "ap": {"name": "Anna", "email": "a@example.com", "away": away},
        "cfo": {"name": "Carl", "email": "c@example.com"},
    }
    digest(desk, notify=["ap", "cfo"], file={"recipients": people})
    desk.read(invoice("1", 75000), invoice("2", 60000))
    assert [(who, state) for who, _, state, _ in follow_up(desk)] == [("cfo", "pending")]


def test_of_two_with_one_address_the_second_is_told_nothing_that_the_first_was(desk):
    digest(desk, via="sms", notify=["ap", "cfo"])
    desk.read(invoice("1", 75000))
    states = {who: state for who, _, state, _ in follow_up(desk)}
    assert states == {"ap": "pending", "cfo": "suppressed"}


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
    listed = sum(", n" in line for line in lines)
    assert listed == 40
    assert f"- and {number - listed} more" in lines
    assert f"  Total: {number * 75000:,}.00\u00a0SEK" in lines
    [html] = [html for (html,) in desk.rows(sa.select(message_contents.c.html))]
    assert f"And {number - listed} more" in html
    assert len(html.encode()) < A_MAIL_PROGRAM_CUTS


def test_a_digest_of_very_many_rules_is_told_without_a_card():
    entries = [
        DigestEntry(f"rule-{one}", "supplier_invoice", {"number": "1"}) for one in range(200)
    ]
    rendered = Messages(None).digest(entries, channel="email", locale="en", reference="X")
    assert rendered.html is None
    assert rendered.text.startswith("200 alerts\n")
    assert "rule-199 (1)" in rendered.text


def written(*values, locale="en"):
    entries = [DigestEntry("large", "supplier_invoice", one) for one in values]
    return Messages(None).digest(entries, channel="email", locale=locale, reference="X")


def test_of_several_companies_each_alert_says_which():
    one = {"number": "1", "counterparty": "Acme", "company": "Moderbolaget AB"}
    assert "Moderbolaget AB" not in written(one, one).text
    both = written(one, {**one, "company": "Dotterbolaget AB"})
    for text in (both.text, both.html):
        assert "Moderbolaget AB" in text
        assert "Dotterbolaget AB" in text


def test_what_has_no_counterparty_is_told_by_number_account_and_description():
    posting = {"number": "42", "account": "4010", "description": "Varor", "amount": Decimal(1)}
    assert "- 42, 4010, Varor, 1.00" in written(posting).text
    assert "- Supplier invoice, 1.00" in written({"amount": Decimal(1)}).text


def test_totals_are_exact_and_amounts_of_unknown_currencies_are_added_within_a_company_only():
    amounts = [Decimal("99999999999999999999.99"), Decimal("0.01"), Decimal("-0.000001")]
    values = [{"company": "A", "amount": one, "currency": "SEK"} for one in amounts]
    assert "Total: 99,999,999,999,999,999,999.999999\u00a0SEK" in written(*values).text
    unknown = [{**one, "currency": None} for one in values]
    assert "Total: 99,999,999,999,999,999,999.999999\n" in written(*unknown).text
    assert "Total" not in written(*unknown, {**unknown[0], "company": "B"}).text


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "amount": st.none() | st.decimals(-(10**12), 10**12, places=2),
                "currency": st.sampled_from(["SEK", "EUR", None, ""]),
                "counterparty": st.none() | st.just("Acme"),
                "number": st.none() | st.just("1"),
            }
        ),
        min_size=1,
        max_size=8,
    )
)
def test_a_row_of_the_card_has_one_cell_or_two_whatever_is_unknown(values):
    html = written(*values).html
    table = html.partition('<table class="ink"')[2].partition("</table>")[0]
    rows = table.split("<tr>")[1:]
    assert len(rows) >= len(values)
    for row in rows:
        cells = row.count("<td")
        assert cells == (1 if 'colspan="2"' in row else 2)


@pytest.mark.parametrize(
    ("locale", "more"),
    [("en", "and 20 more"), ("sv_SE", "och 20 till"), ("fi_FI", "ja 20 muuta")],
)
def test_a_long_table_ends_and_its_total_is_of_all(locale, more):
    told = written(*[{"number": str(n), "amount": Decimal(1)} for n in range(120)], locale=locale)
    assert "- 99, 1" in told.text
    assert "- 100, 1" not in told.text
    for text in (told.text, told.html.lower()):
        assert more in text
        assert "120" in text.rpartition(more)[2]


def test_forty_rows_are_a_message_that_no_mail_program_cuts():
    rows = [{"number": str(n), "counterparty": "Å" * 80, "amount": Decimal(n)} for n in range(40)]
    assert len(written(*rows).html.encode()) < A_MAIL_PROGRAM_CUTS
