"""``twilio-alerts audit show | runs``: one message's whole story, and what runs decided."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
import sqlalchemy as sa

from target_twilio_alerts.cli.audit import ERASED, messages_of
from target_twilio_alerts.cli.proofs import plain, told_rate
from target_twilio_alerts.cli.workplace import told_in_one_line
from target_twilio_alerts.delivery.channels.codes import explain
from target_twilio_alerts.ledger.tables import (
    alerts,
    audit_events,
    iso_utc,
    message_contents,
    messages,
    runs,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.cli.workplace import Workplace


@click.command("show")
@click.argument("message_id")
@click.pass_obj
@told_in_one_line
def show(workplace: Workplace, message_id: str) -> None:
    """Tell one message's whole story: the decision, the text, each step."""
    message_id = message_id.upper()
    with workplace.ledger() as ledger, ledger.read() as connection:
        found = list(messages_of(connection, [messages.c.id == message_id]))
        if not found:
            raise click.ClickException(
                f"no message {message_id} in the ledger; `twilio-alerts audit` lists them",
            )
        for name, value in found[0].items():
            if value is not None:
                click.echo(f"{name:>13}: {value}")
        known = explain(found[0]["error_code"] or found[0]["status"])
        if known is not None:
            click.echo(f"{'fault':>13}: {known.fault.value}")
        _tell_decision(connection, message_id)
        contents = connection.execute(
            sa.select(
                message_contents.c.subject,
                message_contents.c.text,
                message_contents.c.erased_at,
            ).where(message_contents.c.message_id == message_id),
        ).one()
        if contents.subject:
            click.echo(f"{'subject':>13}: {contents.subject}")
        text = contents.text if contents.erased_at is None else ERASED
        click.echo(f"{'text':>13}: {text}")
        click.echo(f"{'steps':>13}:")
        events = connection.execute(
            sa.select(audit_events)
            .where(audit_events.c.message_id == message_id)
            .order_by(audit_events.c.seq),
        )
        for event in events:
            click.echo(f"  {iso_utc(event.at)}  #{event.seq}  {event.kind}  {event.body}")


@click.command("runs")
@click.option("--limit", default=20, show_default=True, help="At most so many, the newest.")
@click.pass_obj
@told_in_one_line
def show_runs(workplace: Workplace, limit: int) -> None:
    """Show runs and what each decided."""
    with workplace.ledger() as ledger, ledger.read() as connection:
        rows = connection.execute(
            sa.select(runs).order_by(runs.c.started_at.desc()).limit(limit),
        ).all()
    if not rows:
        click.echo("No runs.")
    for row in reversed(rows):
        click.echo(f"{iso_utc(row.started_at)}  {row.command}  {row.outcome}  {row.id}")
        summary = json.loads(row.summary or "{}")
        if taken := _told(summary.get("taken", {})):
            click.echo(f"    taken in: {taken}")
        for name, outcomes in summary.get("rules", {}).items():
            click.echo(f"    {name}: {_told(outcomes)}")
        if delivered := _told(summary.get("delivery", {})):
            click.echo(f"    handed over: {delivered}")


def _told(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in numbers.items() if n)


def _tell_decision(connection: Connection, message_id: str) -> None:
    row = connection.execute(
        sa.select(alerts)
        .join(messages, messages.c.alert_id == alerts.c.id)
        .where(messages.c.id == message_id),
    ).first()
    if row is None:
        return
    if row.erased_at is not None:
        click.echo(f"{'why':>13}: {ERASED}")
        return
    decision = json.loads(row.decision)
    click.echo(f"{'why':>13}: {row.reason}")
    click.echo(f"{'when':>13}: {decision['when']}")
    click.echo(f"{'before':>13}: {plain(_values(decision['previous'])) or 'never seen'}")
    click.echo(f"{'now':>13}: {plain(_values(decision['current']))}")
    for call, numbers in decision.get("others", {}).items():
        click.echo(f"{'with':>13}: {', '.join(numbers) or 'no other document'} ({call})")
    for rate in decision.get("rates", ()):
        click.echo(f"{'rate':>13}: {told_rate(rate)}")


def _values(text: str | None) -> Mapping[str, Any]:
    values: Mapping[str, Any] = json.loads(text or "{}")
    return values
