"""``twilio-alerts preview``: the messages of a rule, as each recipient would get them now."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click
import sqlalchemy as sa

from target_twilio_alerts.cli.explain import documents_of
from target_twilio_alerts.cli.workplace import told_in_one_line
from target_twilio_alerts.documents import load_values
from target_twilio_alerts.intake.arrivals import UNDECIDED
from target_twilio_alerts.ledger import LedgerError, opt_outs, runs, silences, versions
from target_twilio_alerts.ledger.tables import documents
from target_twilio_alerts.messages import Messages
from target_twilio_alerts.messages.check import sample_values
from target_twilio_alerts.notify.compose import Quiet
from target_twilio_alerts.rehearsal.previews import Previews
from target_twilio_alerts.rehearsal.story import Stories
from target_twilio_alerts.rehearsal.tally import ALERT, DIGEST, ESCALATION
from target_twilio_alerts.rules.expressions import suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.cli.workplace import Workplace
    from target_twilio_alerts.ledger.versions import StoredVersion
    from target_twilio_alerts.rules import Rule

_SAMPLE = "sample values"
_HOLDS = {
    True: "the rule holds for it",
    False: "the rule does not hold for it",
    None: "the rule cannot decide it",
}
_NOTES = ("because", "reason", "template_problem", "subject")


@click.command()
@click.argument("rule")
@click.option("--document", help="About the document of this number, not the newest one.")
@click.option("--company", help="Only a document of this company.")
@click.option("--sample", is_flag=True, help="With sample values, not a document of the ledger.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each message.")
@click.pass_obj
@told_in_one_line
def preview(
    workplace: Workplace,
    rule: str,
    *,
    document: str | None,
    company: str | None,
    sample: bool,
    as_json: bool,
) -> None:
    """Show the messages of RULE as its recipients would get them now; nothing is sent or kept.

    They are about the newest document that the ledger has of its entity, whether the rule holds for
    it or not; without one, with sample values. Steps of an escalation follow, as of their time.
    """
    if sample and (document or company):
        raise click.ClickException("give either --sample or a document")
    alerts, now = workplace.alerts, runs.utc_now()
    shown = _rule(workplace, rule)
    version, previous, holds, quiet = None, None, None, Quiet()
    with ExitStack() as stack:
        try:
            ledger = stack.enter_context(workplace.known_ledger())
        except LedgerError:
            if document or company:
                raise
        else:
            connection = stack.enter_context(ledger.read())
            quiet = Quiet(silences.active(connection, at=now), opt_outs.load(connection))
            if not sample:
                version = _version(connection, shown, document, company)
            if version is not None:
                holds = Stories(connection, alerts, now).holds(version, shown)
                before = versions.header_before(connection, version)
                previous = None if before is None else load_values(before, shown.entity)
    if version is None:
        kinds = {name: field.kind.value for name, field in shown.entity.fields.items()}
        values, about = sample_values(kinds, 1), _SAMPLE
    else:
        values = load_values(version.header, shown.entity)
        about = f"{shown.entity.label} {values.get('number') or ''}".strip()
    settings = workplace.settings
    writer = Messages(settings.templates_dir, public_url=settings.public_url)
    for one in Previews(alerts, writer, quiet, now).of(shown, values, previous):
        row = {"rule": rule, "about": about, "holds": holds, **one.as_json()}
        click.echo(json.dumps(row, ensure_ascii=False) if as_json else _told(row, one.due_at, now))


def _rule(workplace: Workplace, name: str) -> Rule:
    alerts = workplace.alerts
    rules = {one.name: one for one in (*alerts.rules, *alerts.disabled)}
    if name not in rules:
        meant = suggestion(name, rules, "there are")
        raise click.ClickException(f"no rule {name} in the alerts file; {meant}")
    return rules[name]


def _version(
    connection: Connection, rule: Rule, number: str | None, company: str | None
) -> StoredVersion | None:
    """The document to tell of; None if none is asked for, and there is none."""
    entity, table = rule.entity, documents.c
    if number is not None:
        found = next(documents_of(connection, entity, number, company), None)
    else:
        newest = (
            sa.select(table.id)
            .where(table.stream == entity.stream)
            .order_by(table.seen_at.desc(), table.id)
        )
        if company is not None:
            wanted = f'"company":{json.dumps(company, ensure_ascii=False)}'
            newest = newest.where(table.header.contains(wanted, autoescape=True))
        ids = connection.execute(newest.limit(1)).scalars().all()
        found = next(iter(versions.load(connection, ids).values()), None)
    if found is None and (number or company):
        of = " ".join(filter(None, (entity.name, number)))
        raise click.ClickException(
            f"the ledger has no {of}" + (f" of {company}" if company else "")
        )
    return found


def _told(row: Mapping[str, Any], due_at: datetime, now: datetime) -> str:
    about = row["about"] if row["about"] == _SAMPLE else f"{row['about']}: {_HOLDS[row['holds']]}"
    size = ""
    if row["segments"]:
        segments = "1 segment" if row["segments"] == 1 else f"{row['segments']} segments"
        size = f", {segments} of {row['encoding']}"
    cost = f", costs {row['cost']}" if row["cost"] else ""
    lines = [
        f"{row['recipient']} by {row['channel']} ({row['address']}), about {about}",
        f"  {_when(row, due_at, now)}",
        f"  {row['locale']}, {row['template']}{size}{cost}",
    ]
    lines += [f"  {name}: {row[name]}" for name in _NOTES if row[name]]
    lines += [f"  {line}" for line in row["text"].splitlines()]
    return "\n".join([*lines, ""])


def _when(row: Mapping[str, Any], due_at: datetime, now: datetime) -> str:
    when = {
        ALERT: "at once",
        UNDECIDED: "instead, if it cannot be decided",
        ESCALATION: f"{_span(due_at - now)} later unless somebody acts",
        DIGEST: f"in the digest of {row['due_at']}",
    }[row["kind"]]
    waits = f", and waits until {row['not_before']}" if row["not_before"] else ""
    return f"{row['state']}, {when}{waits}"


def _span(span: timedelta) -> str:
    """A duration as the alerts file has it, such as 15m, 2h or 1d."""
    minutes = int(span.total_seconds()) // 60
    for size, name in ((1440, "d"), (60, "h")):
        if minutes % size == 0:
            return f"{minutes // size}{name}"
    return f"{minutes}m"
