"""``twilio-alerts audit``: who was told what, when, over which channel, and how it ended."""

from __future__ import annotations

import csv
import json
import sys
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import click
import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from target_twilio_alerts.cli.workplace import FORMAT_OPTION, told_in_one_line
from target_twilio_alerts.delivery.channels.codes import explain
from target_twilio_alerts.ledger import MessageState
from target_twilio_alerts.ledger.tables import (
    alerts,
    audit_events,
    iso_utc,
    message_contents,
    messages,
    runs,
)
from target_twilio_alerts.messages import mask_address

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.cli.workplace import Workplace

_UNBOUNDED = 1000
"""Columns of a table that goes to a file or another program."""

_COLUMNS = (
    "message",
    "created_at",
    "rule",
    "severity",
    "document",
    "entity",
    "company",
    "number",
    "recipient",
    "because",
    "channel",
    "address",
    "state",
    "status",
    "sid",
    "accepted_at",
    "status_at",
    "not_before",
    "error_code",
    "error",
    "resend_of",
    "resend_reason",
    "operator",
)


@click.group(invoke_without_command=True)
@click.option("--rule", help="Only messages of this rule.")
@click.option("--recipient", help="Only messages to this recipient.")
@click.option(
    "--state",
    type=click.Choice([state.value for state in MessageState]),
    help="Only messages in this state.",
)
@click.option("--days", type=click.IntRange(min=1), help="Only messages of the last DAYS days.")
@click.option("--limit", default=50, show_default=True, help="At most so many, the newest.")
@FORMAT_OPTION
@click.pass_context
@told_in_one_line
def audit(
    context: click.Context,
    *,
    rule: str | None,
    recipient: str | None,
    state: str | None,
    days: int | None,
    limit: int,
    form: str,
) -> None:
    """Show messages: SID, recipient, Visma document, time, status, error."""
    if context.invoked_subcommand is not None:
        return
    workplace: Workplace = context.obj
    conditions = []
    if rule:
        conditions.append(alerts.c.rule == rule)
    if recipient:
        conditions.append(messages.c.recipient == recipient)
    if state:
        conditions.append(messages.c.state == state)
    if days:
        since = datetime.now(timezone.utc) - timedelta(days=days)
        conditions.append(messages.c.created_at >= since)
    with workplace.ledger() as ledger, ledger.read() as connection:
        rows = _messages(connection, conditions, limit)
    if form == "table":
        _print_table(rows)
    elif form == "csv":
        writer = csv.DictWriter(sys.stdout, _COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    else:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))


@audit.command("show")
@click.argument("message_id")
@click.pass_obj
@told_in_one_line
def show(workplace: Workplace, message_id: str) -> None:
    """Tell one message's whole story: the decision, the text, each step."""
    message_id = message_id.upper()
    with workplace.ledger() as ledger, ledger.read() as connection:
        found = _messages(connection, [messages.c.id == message_id], limit=1)
        if not found:
            raise click.ClickException(
                f"no message {message_id} in the ledger; `twilio-alerts audit` lists them",
            )
        for name, value in found[0].items():
            if value is not None:
                click.echo(f"{name:>13}: {value}")
        _tell_decision(connection, message_id)
        contents = connection.execute(
            sa.select(message_contents.c.subject, message_contents.c.text).where(
                message_contents.c.message_id == message_id,
            ),
        ).one()
        if contents.subject:
            click.echo(f"{'subject':>13}: {contents.subject}")
        click.echo(f"{'text':>13}: {contents.text}")
        click.echo(f"{'steps':>13}:")
        events = connection.execute(
            sa.select(audit_events)
            .where(audit_events.c.message_id == message_id)
            .order_by(audit_events.c.seq),
        )
        for event in events:
            click.echo(f"  {iso_utc(event.at)}  #{event.seq}  {event.kind}  {event.body}")


@audit.command("runs")
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
        click.echo(f"{iso_utc(row.started_at)}  {row.command}  {row.outcome}")
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
    decision = json.loads(row.decision)
    click.echo(f"{'why':>13}: {row.reason}")
    click.echo(f"{'when':>13}: {decision['when']}")
    click.echo(f"{'before':>13}: {_plain(decision['previous']) or 'never seen'}")
    click.echo(f"{'now':>13}: {_plain(decision['current'])}")
    for call, numbers in decision.get("others", {}).items():
        click.echo(f"{'with':>13}: {', '.join(numbers) or 'no other document'} ({call})")
    for rate in decision.get("rates", ()):
        used = f"1 {rate['base']} = {rate['rate']} {rate['quote']} of {rate['day']}"
        click.echo(f"{'rate':>13}: {used} ({rate['source']})")


def _plain(values: str | None) -> str:
    """The values of a version, as ``amount 62000, status Open``."""
    told = []
    for name, value in json.loads(values or "{}").items():
        if isinstance(value, bool):
            told.append(f"{name} {'yes' if value else 'no'}")
        elif isinstance(value, list):
            told.append(f"{name} {' + '.join(map(str, value)) or 'empty'}")
        else:
            told.append(f"{name} {value}")
    return ", ".join(told)


def _messages(
    connection: Connection,
    conditions: Iterable[sa.ColumnElement[bool]],
    limit: int,
) -> list[dict[str, Any]]:
    query = (
        sa.select(
            messages,
            alerts.c.rule,
            alerts.c.title,
            alerts.c.entity,
            alerts.c.severity,
            alerts.c.decision,
            message_contents.c.address,
        )
        .join(alerts, alerts.c.id == messages.c.alert_id, isouter=True)
        .join(message_contents, message_contents.c.message_id == messages.c.id)
        .where(*conditions)
        .order_by(messages.c.created_at.desc(), messages.c.id)
        .limit(limit)
    )
    return [_row(row._mapping) for row in reversed(connection.execute(query).all())]  # noqa: SLF001 - public by documentation


def _row(row: Mapping[Any, Any]) -> dict[str, Any]:
    code = row[messages.c.error_code]
    values = json.loads(json.loads(row[alerts.c.decision])["current"]) if row[alerts.c.rule] else {}
    return {
        "message": row[messages.c.id],
        "created_at": iso_utc(row[messages.c.created_at]),
        "rule": row[alerts.c.rule],
        "severity": row[alerts.c.severity],
        "document": row[alerts.c.title],
        "entity": row[alerts.c.entity],
        "company": values.get("company"),
        "number": values.get("number"),
        "recipient": row[messages.c.recipient],
        "because": row[messages.c.because],
        "channel": row[messages.c.channel],
        "address": mask_address(row[message_contents.c.address]),
        "state": row[messages.c.state],
        "status": row[messages.c.status],
        "sid": row[messages.c.sid],
        "accepted_at": _time(row[messages.c.accepted_at]),
        "status_at": _time(row[messages.c.status_at]),
        "not_before": _time(row[messages.c.not_before]),
        "error_code": code,
        "error": row[messages.c.reason] or _explained(code) or _told_by_provider(row),
        "resend_of": row[messages.c.resend_of],
        "resend_reason": row[messages.c.resend_reason],
        "operator": row[messages.c.operator],
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else iso_utc(moment)


def _explained(code: str | None) -> str | None:
    """What a code of a status report means, and how to mend it."""
    known = explain(code)
    return None if known is None else f"{known.meaning} (error {code}): {known.mend}"


_UNANSWERED = {"busy": "the line was busy", "no-answer": "nobody answered"}


def _told_by_provider(row: Mapping[Any, Any]) -> str | None:
    """What a report says of itself."""
    words = row[messages.c.error_message] or row[messages.c.error_code]
    is_call = row[messages.c.channel] == "voice"
    return words or (_UNANSWERED.get(row[messages.c.status] or "") if is_call else None)


def _print_table(rows: list[dict[str, Any]]) -> None:
    """One line a message as far as the window goes; all of it where there is no window."""
    if not rows:
        click.echo("No messages.")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("message", "time (UTC)", "rule", "document", "told", "how it went", "SID"):
        narrow = heading in {"message", "time (UTC)", "SID"}
        table.add_column(heading, overflow="fold", no_wrap=narrow)
    for row in rows:
        again = f" (again, after {row['resend_of']})" if row["resend_of"] else ""
        error = f": {row['error']}" if row["error"] else ""
        table.add_row(
            row["message"],
            row["created_at"][:16].replace("T", " "),
            row["rule"] or "send-test",
            row["document"] or "",
            f"{row['recipient']} by {row['channel']} ({row['address']})",
            f"{row['state']}{again}{error}",
            row["sid"] or "",
        )
    width = None if sys.stdout.isatty() else _UNBOUNDED
    Console(width=width).print(table)
