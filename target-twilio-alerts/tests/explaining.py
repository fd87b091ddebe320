"""What ``twilio-alerts explain`` says in an office."""

from __future__ import annotations

import json

from singer import record, schema

ANNA, BO = "+46701740605", "+46701740606"
BIG = "entity: supplier_invoice, when: amount > 50000"


def big(office, rule="notify: anna, via: sms", more="", **anna):
    """One rule, and Anna whom it tells."""
    office.people(
        rules=f"\n  big: {{{BIG}, {rule}}}\n{more}timezone: Europe/Stockholm\n",
        anna={"sms": ANNA, "email": "anna@example.com", **anna},
        bo={"sms": BO, "email": "bo@example.com"},
    )


def explained(office, number, *arguments, code=0):
    out = office.run("explain", "supplier_invoices", number, "--json", *arguments, code=code)
    return json.loads(out.splitlines()[-1])


def stories(office, number, *arguments):
    return {story["rule"]: story for story in explained(office, number, *arguments)["rules"]}


def stage(office, number="1", *arguments, rule="big"):
    """Where the rule's story ended, and more of that in words."""
    story = stories(office, number, *arguments)[rule]
    return story["stage"], story["said"]


def tap_output(office, *rows):
    path = office.root / "tap.singer"
    path.write_text(schema() + "".join(record(row) for row in rows), encoding="utf-8")
    return str(path)
