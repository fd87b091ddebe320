"""What follows an alert, by the command: steps and digests that are due are sent by `deliver`."""

from __future__ import annotations

from singer import invoice

EMAILS = {
    "anna": {"sms": "+46701740605", "email": "anna@example.com"},
    "bo": {"sms": "+46701740606", "email": "bo@example.com"},
}
RULE = """
  large:
    entity: supplier_invoice
    when: amount > 50000
    notify: anna
    via: {via}
    {more}
"""


def due_now(office, table):
    """Let time pass: what waits is due."""
    office.workplace.query(f"UPDATE {table} SET due_at = '2026-01-01T00:00:00.000000Z'")


def test_a_digest_that_is_due_is_one_email_with_a_card(office):
    more = "digest: {daily: 08:00, timezone: Europe/Stockholm}"
    office.people(rules=RULE.format(via="email", more=more), **EMAILS)
    office.alert(invoice("1", 75000), invoice("2", 60000))
    office.run("deliver")
    assert office.sandbox.sendgrid.emails == []
    due_now(office, "digest_items")
    office.run("deliver")
    office.run("deliver")
    [email] = office.sandbox.sendgrid.emails
    told = str(vars(email))
    assert "2 alerts" in told
    assert "<table" in told
    [row] = office.trail()
    assert (row["recipient"], row["channel"], row["state"]) == ("anna", "email", "accepted")


def test_a_step_that_is_due_is_sent_by_deliver_unless_somebody_acknowledged(office):
    more = "escalate: {after: 15m, notify: bo, via: sms}"
    office.people(rules=RULE.format(via="sms", more=more), **EMAILS)
    office.alert(invoice("1", 75000), invoice("2", 60000))
    office.run("deliver")
    office.run("ack", office.trail()[0]["message"], "--reason", "I call them")
    due_now(office, "escalations")
    office.run("deliver")
    office.run("deliver")
    later = [row for row in office.trail() if row["recipient"] == "bo"]
    assert [row["because"] for row in later] == ["not acknowledged (step 1)"]
    assert [message.to for message in office.workplace.accepted].count("+46701740606") == 1


def test_templates_of_channels_that_only_escalate_are_used(office):
    more = "escalate: {after: 15m, notify: bo, via: email}"
    office.people(rules=RULE.format(via="sms", more=more), **EMAILS)
    (office.root / "templates").mkdir(exist_ok=True)
    (office.root / "templates" / "large.email.j2").write_text(
        "Invoice {{ number }}, step {{ step }}"
    )
    assert "no rule uses" not in office.run("check")
