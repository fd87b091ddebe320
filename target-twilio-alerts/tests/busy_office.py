"""A ledger with something of everything: made by the intake, the commands and the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer import invoice
from time_passing import make_due

if TYPE_CHECKING:
    from office import Office

RULES = """
  large:
    entity: supplier_invoice
    when: amount > 50000
    notify: [anna, erik]
    via: sms
    severity: high
    escalate: {after: 15m, unless: acknowledged, notify: cfo, via: email}
  in-the-evening:
    entity: supplier_invoice
    when: amount > 50000
    notify: anna
    via: email
    digest: {daily: "16:30", timezone: Europe/Stockholm}
  first-of-a-supplier:
    entity: supplier_invoice
    when: amount > 50000
    notify: cfo
    via: sms
    once_per: counterparty
limits: {per_recipient: 3}
"""
PEOPLE: dict[str, Any] = {
    "anna": {"sms": "+46701740605", "email": "anna.berg@example.com", "locale": "sv_SE"},
    "erik": {"sms": "+46701740696"},
    "cfo": {"sms": "+46701740607", "email": "carl.dahl@example.com"},
    "controller": {"email": "maria.holm@example.com"},
}
ALERT = "(SELECT alert_id FROM audit_events WHERE seq = 10)"
MESSAGE = "(SELECT message_id FROM audit_events WHERE seq = 11)"
"""An alert that the filled ledger has, and its first message."""


def fill(office: Office) -> None:
    """Do what a company does in some days."""
    office.config["anchor_notify"] = "controller"
    office.config["anchor_file"] = str(office.root / "anchors.txt")
    office.people(rules=RULES, **PEOPLE)
    faults = office.sandbox.faults
    office.baseline(invoice("1", 100))
    office.alert(invoice("2", 75000), invoice("3", None))
    faults.add("twilio", status=429, method="POST")
    office.run("deliver")
    faults.add("twilio", drop="before", method="POST")
    office.run("send-test", "cfo", code=1)
    made = office.run("silence", "add", "--recipient", "cfo", "--for", "8h", "--reason", "moving")
    office.alert(invoice("4", 85000))
    office.run("silence", "end", made.partition(":")[0], "--reason", "moved")
    office.run("deliver")
    to_anna, *_ = office.trail("--recipient", "anna")
    office.run("ack", to_anna["message"], "--reason", "I call them")
    office.alert(invoice("5", 95000), invoice("6", 96000), invoice("7", 97000))
    office.run("release", "--all", "--reason", "they are wanted")
    make_due(office.workplace)
    office.run("deliver")
    office.alert(invoice("8", 98000))
    refused, *_ = office.trail("--state", "rejected")
    to = PEOPLE["anna"]["sms"]
    office.run("resend", "--yes", refused["message"], "--to", to, "--reason", "his deputy")
    office.run("deliver")
