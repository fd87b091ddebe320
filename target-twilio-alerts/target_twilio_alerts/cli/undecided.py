"""``twilio-alerts audit undecided``: documents that a rule cannot decide, and what is missing."""

from __future__ import annotations

import csv
import json
import sys
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from target_twilio_alerts.cli.workplace import FORMAT_OPTION, told_in_one_line
from target_twilio_alerts.ledger import answers
from target_twilio_alerts.ledger.tables import iso_utc

if TYPE_CHECKING:
    from target_twilio_alerts.cli.workplace import Workplace

_COLUMNS = ("since", "rule", "entity", "company", "number", "reason")
_UNBOUNDED = 1000


@click.command("undecided")
@click.option("--rule", help="Only documents that this rule cannot decide.")
@click.option("--limit", default=50, show_default=True, help="At most so many, the newest.")
@FORMAT_OPTION
@click.pass_obj
@told_in_one_line
def undecided(workplace: Workplace, *, rule: str | None, limit: int, form: str) -> None:
    """Show documents that a rule cannot decide, since something that it needs is not known."""
    with workplace.ledger() as ledger, ledger.read() as connection:
        found = answers.list_undecided(connection, rule=rule, limit=limit)
    rows = [_row(one) for one in found]
    if form == "csv":
        writer = csv.DictWriter(sys.stdout, _COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    elif form == "jsonl":
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
    elif not rows:
        click.echo("Nothing is undecided.")
    else:
        table = Table(box=None, pad_edge=False)
        for column in _COLUMNS:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*(row[column] or "" for column in _COLUMNS))
        Console(width=None if sys.stdout.isatty() else _UNBOUNDED).print(table)


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
