"""``twilio-alerts audit``: who was told what, when, over which channel, and how it ended."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import click
import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from target_twilio_alerts.cli.rows import UNBOUNDED, stream_rows
from target_twilio_alerts.cli.workplace import FORMAT_OPTION, moment_of, told_in_one_line
from target_twilio_alerts.delivery.channels.codes import explain
from target_twilio_alerts.ledger import MessageState
from target_twilio_alerts.ledger.tables import alerts, iso_utc, message_contents, messages
from target_twilio_alerts.messages import mask_address, mask_contacts
from target_twilio_alerts.messages.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.cli.workplace import Workplace

ERASED = "erased"
"""Stands where an address or a text was."""

_NEWEST = 50
_AT_A_TIME = 500

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
    "template",
    "alert",
    "run",
    "erased_at",
)


@click.group(invoke_without_command=True)
@click.option("--rule", help="Only messages of this rule.")
@click.option("--recipient", help="Only messages to this recipient.")
@click.option(
    "--state",
    type=click.Choice([state.value for state in MessageState]),
    help="Only messages in this state.",
)
@click.option("--error", help="Only messages with this error code, such as 21614.")
@click.option("--run", help="Only messages of this run, by its id or how that begins.")
@click.option("--days", type=click.IntRange(min=1), help="Only messages of the last DAYS days.")
@click.option("--since", help="Only messages from this day or time on, UTC: 2026-11-01T08:00.")
@click.option("--until", help="Only messages before this day or time, UTC.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    help="At most so many, the newest; if not given, 50 in a table, else all.",
)
@FORMAT_OPTION
@click.pass_context
@told_in_one_line
def audit(
    context: click.Context,
    /,
    *,
    days: int | None,
    since: str | None,
    until: str | None,
    limit: int | None,
    form: str,
    **filters: str | None,
) -> None:
    """Show messages: SID, recipient, Visma document, time, status, error."""
    if context.invoked_subcommand is not None:
        return
    workplace: Workplace = context.obj
    conditions = [*_conditions(filters), *_times(days, since, until)]
    if limit is None and form == "table":
        limit = _NEWEST
    with workplace.ledger() as ledger, ledger.read() as connection:
        if form == "table":
            _print_table(list(messages_of(connection, conditions, limit)))
        else:
            stream_rows(messages_of(connection, conditions, limit), _COLUMNS, form)


def _conditions(filters: Mapping[str, str | None]) -> Iterator[sa.ColumnElement[bool]]:
    columns = {
        "rule": alerts.c.rule,
        "recipient": messages.c.recipient,
        "state": messages.c.state,
        "error": messages.c.error_code,
    }
    for name, column in columns.items():
        if filters[name]:
            yield column == filters[name]
    if filters["run"]:
        yield messages.c.run_id.startswith(filters["run"].lower(), autoescape=True)


def _times(
    days: int | None, since: str | None, until: str | None
) -> Iterator[sa.ColumnElement[bool]]:
    created_at = messages.c.created_at
    if days:
        yield created_at >= datetime.now(timezone.utc) - timedelta(days=days)
    if since:
        yield created_at >= moment_of("--since", since)
    if until:
        yield created_at < moment_of("--until", until)


def messages_of(
    connection: Connection,
    conditions: Sequence[sa.ColumnElement[bool]],
    limit: int | None = None,
) -> Iterator[dict[str, Any]]:
    """Messages as they are shown, the oldest first; of more than the limit, the newest."""
    joined = messages.join(alerts, alerts.c.id == messages.c.alert_id, isouter=True).join(
        message_contents, message_contents.c.message_id == messages.c.id
    )
    order = (messages.c.created_at, messages.c.id)
    query = (
        sa.select(
            messages,
            alerts.c.rule,
            alerts.c.title,
            alerts.c.entity,
            alerts.c.severity,
            alerts.c.decision,
            message_contents.c.address,
            message_contents.c.erased_at,
        )
        .select_from(joined)
        .order_by(*order)
    )
    if limit is None:
        query = query.where(*conditions)
    else:
        newest = (
            sa.select(messages.c.id)
            .select_from(joined)
            .where(*conditions)
            .order_by(messages.c.created_at.desc(), messages.c.id.desc())
            .limit(limit)
        )
        query = query.where(messages.c.id.in_(newest))
    found = connection.execute(query, execution_options={"yield_per": _AT_A_TIME})
    for row in found.mappings():
        yield _row(row)


def document_values(decision: str) -> Mapping[str, Any]:
    """The values of an alert's document by names of fields; none if they were erased."""
    values: Mapping[str, Any] = json.loads(json.loads(decision).get("current") or "{}")
    return values


def _row(row: Mapping[Any, Any]) -> dict[str, Any]:
    code = row[messages.c.error_code]
    values = document_values(row[alerts.c.decision]) if row[alerts.c.rule] else {}
    number = values.get("number")
    erased_at = row[message_contents.c.erased_at]
    address = row[message_contents.c.address]
    return {
        "message": row[messages.c.id],
        "created_at": iso_utc(row[messages.c.created_at]),
        "rule": row[alerts.c.rule],
        "severity": row[alerts.c.severity],
        "document": row[alerts.c.title],
        "entity": row[alerts.c.entity],
        "company": values.get("company"),
        "number": None if number is None else mask_contacts(str(number)),
        "recipient": row[messages.c.recipient],
        "because": row[messages.c.because],
        "channel": row[messages.c.channel],
        "address": mask_address(address) if erased_at is None else ERASED,
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
        "template": row[messages.c.template],
        "alert": row[messages.c.alert_id],
        "run": row[messages.c.run_id],
        "erased_at": _time(erased_at),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else iso_utc(moment)


def _explained(code: str | None) -> str | None:
    """What a code of a status report means, and how to mend it."""
    known = explain(code)
    return None if known is None else f"{known.meaning} (error {code}): {known.mend}"


def _told_by_provider(row: Mapping[Any, Any]) -> str | None:
    """What a report says of itself."""
    words: str | None = row[messages.c.error_message] or row[messages.c.error_code]
    known = explain(row[messages.c.status])
    return words or (f"{known.meaning}: {known.mend}" if known else None)


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
            row["rule"] or KINDS.get(row["template"], row["template"]),
            row["document"] or "",
            f"{row['recipient']} by {row['channel']} ({row['address']})",
            f"{row['state']}{again}{error}",
            row["sid"] or "",
        )
    width = None if sys.stdout.isatty() else UNBOUNDED
    Console(width=width).print(table)
