"""``twilio-alerts preview``: the messages of a rule, as each recipient would get them now."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
import sqlalchemy as sa

from target_twilio_alerts.cli.workplace import told_in_one_line
from target_twilio_alerts.documents import load_values
from target_twilio_alerts.ledger import opt_outs, runs, silences
from target_twilio_alerts.ledger.alerts import Alert
from target_twilio_alerts.ledger.tables import documents, iso_utc
from target_twilio_alerts.messages import Messages, mask_address
from target_twilio_alerts.messages.check import sample_values
from target_twilio_alerts.notify.compose import Composer, Occasion, Quiet
from target_twilio_alerts.rules.expressions import suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.cli.workplace import Workplace
    from target_twilio_alerts.ledger.outbox import NewMessage
    from target_twilio_alerts.rules import Rule

_SAMPLE = "sample values"
_NOTES = ("because", "reason", "template_problem", "subject")


@click.command()
@click.argument("rule")
@click.option("--sample", is_flag=True, help="With sample values, not a document of the ledger.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each message.")
@click.pass_obj
@told_in_one_line
def preview(workplace: Workplace, rule: str, *, sample: bool, as_json: bool) -> None:
    """Show the messages of RULE as its recipients would get them now; nothing is sent or kept.

    They are about the newest document that the ledger has of its entity, whether the rule holds for
    it or not.
    """
    alerts = workplace.alerts
    rules = {one.name: one for one in (*alerts.rules, *alerts.disabled)}
    if rule not in rules:
        meant = suggestion(rule, rules, "there are")
        raise click.ClickException(f"no rule {rule} in the alerts file; {meant}")
    shown, now = rules[rule], runs.utc_now()
    with workplace.ledger() as ledger, ledger.read() as connection:
        quiet = Quiet(silences.active(connection, at=now), opt_outs.load(connection))
        newest = None if sample else _newest(connection, shown)
    values = newest or sample_values(
        {name: field.kind.value for name, field in shown.entity.fields.items()}, 1
    )
    occasion = Occasion(
        rule=shown,
        alert=Alert(
            id="PREVIEW",
            rule=shown.name,
            epoch=0,
            document_id="",
            version="",
            entity=shown.entity.name,
            title=shown.entity.label,
            severity=shown.severity,
            reason="preview",
            decision="{}",
            raised_at=now,
            run_id="",
        ),
        values=values,
        previous=None,
        today=None if alerts.timezone is None else now.astimezone(alerts.timezone).date(),
    )
    about = _SAMPLE if newest is None else f"{shown.entity.label} {values.get('number') or ''}"
    composer = Composer(Messages(workplace.settings.templates_dir), alerts)
    for message, problem in composer.compose(occasion, at=now, quiet=quiet):
        row = _row(message, about.strip(), problem)
        click.echo(json.dumps(row, ensure_ascii=False) if as_json else _told(row))


def _newest(connection: Connection, rule: Rule) -> Mapping[str, Any] | None:
    table = documents.c
    header = connection.execute(
        sa.select(table.header)
        .where(table.stream == rule.entity.stream)
        .order_by(table.seen_at.desc(), table.id)
        .limit(1),
    ).scalar()
    return None if header is None else load_values(header, rule.entity)


def _row(message: NewMessage, about: str, problem: str | None) -> dict[str, Any]:
    return {
        "about": about,
        "recipient": message.recipient,
        "because": message.because,
        "channel": message.channel,
        "address": mask_address(message.address),
        "state": message.state.value,
        "reason": message.reason,
        "not_before": None if message.not_before is None else iso_utc(message.not_before),
        "locale": message.locale,
        "template": message.template,
        "template_problem": problem,
        "encoding": message.encoding,
        "segments": message.segments,
        "subject": message.subject,
        "text": message.text,
    }


def _told(row: Mapping[str, Any]) -> str:
    size = f", {row['segments']} segment(s) of {row['encoding']}" if row["segments"] else ""
    lines = [
        f"{row['recipient']} by {row['channel']} ({row['address']}), about {row['about']}",
        f"  {row['locale']}, {row['template']}{size}",
    ]
    lines += [f"  {name}: {row[name]}" for name in _NOTES if row[name]]
    lines += [f"  {line}" for line in row["text"].splitlines()]
    return "\n".join([*lines, ""])
