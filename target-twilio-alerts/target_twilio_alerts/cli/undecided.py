"""``twilio-alerts audit undecided``: documents that a rule cannot decide, and what is missing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from target_twilio_alerts.cli.rows import print_rows
from target_twilio_alerts.cli.workplace import FORMAT_OPTION, told_in_one_line
from target_twilio_alerts.ledger import answers
from target_twilio_alerts.ledger.tables import iso_utc

if TYPE_CHECKING:
    from target_twilio_alerts.cli.workplace import Workplace

_COLUMNS = ("since", "rule", "entity", "company", "number", "reason")


@click.command("undecided")
@click.option("--rule", help="Only documents that this rule cannot decide.")
@click.option("--limit", default=50, show_default=True, help="At most so many, the newest.")
@FORMAT_OPTION
@click.pass_obj
@told_in_one_line
def undecided(workplace: Workplace, *, rule: str | None, limit: int, form: str) -> None:
    """Show documents that a rule cannot decide, since something that it needs is not known."""
    # What a rule left that is gone, or not enabled, nobody waits for.
    rules = [one.name for one in workplace.alerts.rules] if rule is None else [rule]
    with workplace.ledger() as ledger, ledger.read() as connection:
        found = answers.list_undecided(connection, rules=rules, limit=limit)
    rows = [_row(one) for one in found]
    print_rows(rows, _COLUMNS, form, empty="Nothing is undecided.")


def _row(one: answers.Undecided) -> dict[str, str | None]:
    values = json.loads(one.header)
    return {
        "since": iso_utc(one.since),
        "rule": one.rule,
        "entity": one.entity,
        "company": values.get("company"),
        "number": values.get("number"),
        "reason": one.reason,
    }
