"""A rule's owner is told what it cannot decide: once, in plain words, and it is no alert."""

from __future__ import annotations

import sqlalchemy as sa
from singer import baseline, invoice, record, schema, state

from target_twilio_alerts.ledger import tables

OWNER = {"notify": "cfo", "via": ["sms", "email"]}
LATER, LAST = "2026-11-20T11:00:00", "2026-11-20T12:00:00"


def told(desk):
    contents, messages = tables.message_contents, tables.messages
    query = (
        sa.select(messages.c.recipient, messages.c.channel, contents.c.text)
        .join(messages, messages.c.id == contents.c.message_id)
        .order_by(messages.c.created_at, messages.c.channel)
    )
    return desk.rows(query)


def test_the_owner_is_told_once_why_and_the_outcome_stays_undecided(desk):
    desk.rule("amount > 50000", undecided=OWNER)
    desk.read(invoice("1", None))
    assert desk.outcomes == {"undecided": 1}
    (email, sms) = told(desk)
    assert (email.recipient, sms.recipient) == ("cfo", "cfo")
    assert sms.text.startswith(
        "Testbolaget AB: Supplier invoice 1 cannot be decided, amount is null, Kontorsbolaget AB, "
    )
    assert email.text.startswith("Supplier invoice 1 cannot be decided\nTestbolaget AB\n")
    assert "\namount is null\n" in email.text
    desk.read(invoice("1", None, stamp=LATER, description="still none"))
    desk.read(invoice("1", None, stamp=LATER, description="still none"))
    assert len(told(desk)) == 2


def test_what_can_be_decided_meanwhile_and_then_not_is_told_again(desk):
    desk.rule("amount > 50000", undecided=OWNER)
    desk.read(invoice("1", None))
    assert desk.read(invoice("1", 75000, stamp=LATER)) == ["1"]
    desk.read(invoice("1", None, stamp=LAST))
    recipients = [one.recipient for one in told(desk)]
    assert sorted(recipients) == ["ap", "cfo", "cfo", "cfo", "cfo"]


def test_a_baseline_that_cannot_be_decided_is_told_to_nobody(desk):
    desk.rule("amount > 50000", undecided=OWNER)
    desk.read(invoice("1", None, company="Another AB"))
    assert desk.outcomes == {"baseline": 1}
    assert told(desk) == []


def test_the_rules_own_template_and_once_per_are_for_its_alerts(desk, tmp_path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "rule.sms.j2").write_text("Large: {{ amount }}", encoding="utf-8")
    desk.rule("amount > 50000", undecided={**OWNER, "via": "sms"}, once_per="counterparty")
    desk.read(invoice("1", None), invoice("2", None))
    assert [one.recipient for one in told(desk)] == ["cfo", "cfo"]
    assert all("cannot be decided" in one.text for one in told(desk))
    assert desk.read(invoice("3", 75000, stamp=LATER)) == ["3"]


def test_an_owners_channel_is_used_though_no_alert_of_the_rule_needs_it(workplace):
    """Else its messages would wait for ever."""
    path = workplace.root / "alerts.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        f"{text.rstrip()}\n    undecided: {{notify: ap-manager, via: email}}\n", encoding="utf-8"
    )
    assert "email" in workplace.command("check")
    workplace.run(baseline())
    workplace.run(schema() + record(invoice("1", None)) + state())
    (message,) = workplace.trail()
    assert (message["channel"], message["state"]) == ("email", "accepted")
