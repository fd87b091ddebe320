"""``twilio-alerts silence``: tell nobody of what matches, for a while, and say who wanted it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import click

from target_twilio_alerts.cli.rows import print_rows
from target_twilio_alerts.cli.workplace import (
    BY_OPTION,
    FORMAT_OPTION,
    REASON_OPTION,
    signed,
    told_in_one_line,
)
from target_twilio_alerts.ledger import Event, events, runs, silences
from target_twilio_alerts.ledger.ids import short_id
from target_twilio_alerts.ledger.silences import MATCHERS, Silence
from target_twilio_alerts.ledger.tables import iso_utc
from target_twilio_alerts.rules.expressions import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_twilio_alerts.cli.workplace import Workplace

_COLUMNS = ("silence", "state", "matches", "until", "author", "reason")
_LONGEST = timedelta(days=366)
_SPANS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@click.group()
def silence() -> None:
    """Tell nobody of what matches, for a while: alerts are recorded, messages are suppressed."""


@silence.command("add")
@click.option("--rule", help="Only alerts of this rule.")
@click.option("--entity", help="Only alerts on documents of this entity.")
@click.option("--company", help="Only alerts on documents of this company.")
@click.option("--counterparty", help="Only this supplier or customer, by name or number.")
@click.option("--recipient", help="Only messages to this recipient.")
@click.option("--for", "span", help="How long, such as 90m, 8h, 3d or 2w.")
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"]),
    help="Until when, in the alerts file's timezone; a day alone: until it begins.",
)
@REASON_OPTION
@BY_OPTION
@click.pass_obj
@told_in_one_line
def add(
    workplace: Workplace,
    /,
    *,
    span: str | None,
    until: datetime | None,
    reason: str,
    by: str | None,
    **matchers: str | None,
) -> None:
    """Silence what matches all that is given, from now on.

    Messages that wait already are sent. A silence ends by itself, at the latest after a year.
    """
    named = {name: value for name, value in matchers.items() if value}
    if not named:
        options = ", ".join(f"--{name}" for name in MATCHERS)
        raise click.ClickException(f"nothing to match; give one of {options} or several")
    _check_names(workplace, named)
    now, who = runs.utc_now(), signed(by, reason)
    made = Silence(
        id=short_id(),
        author=who["by"],
        reason=reason,
        starts_at=now,
        ends_at=_end(workplace, span, until, now),
        **named,
    )
    with workplace.ledger() as ledger, ledger.write() as connection:
        silences.add(connection, made)
        body = {
            "silence": made.id,
            "author": made.author,
            **who,
            "matches": made.matchers,
            "until": iso_utc(made.ends_at),
        }
        events.append(connection, [Event("silence_added", body)], at=now, run_id=None)
    click.echo(f"{made.id}: nobody is told of {_matches(made)} until {iso_utc(made.ends_at)}")


@silence.command("list")
@click.option("--all", "ended_too", is_flag=True, help="Also those that have ended.")
@FORMAT_OPTION
@click.pass_obj
@told_in_one_line
def list_silences(workplace: Workplace, *, ended_too: bool, form: str) -> None:
    """List silences."""
    now = runs.utc_now()
    with workplace.ledger() as ledger, ledger.read() as connection:
        found = silences.every(connection) if ended_too else silences.active(connection, at=now)
    print_rows([_row(one, now) for one in found], _COLUMNS, form, empty="Nothing is silenced.")


@silence.command("end")
@click.argument("silence_id")
@REASON_OPTION
@BY_OPTION
@click.pass_obj
@told_in_one_line
def end(workplace: Workplace, silence_id: str, *, reason: str, by: str | None) -> None:
    """End SILENCE_ID now; what it kept back is not sent."""
    now = runs.utc_now()
    with workplace.ledger() as ledger, ledger.write() as connection:
        known = {one.id: one for one in silences.active(connection, at=now)}
        ended = known.get(silence_id.upper())
        if ended is None:
            raise click.ClickException(
                f"there is no silence {silence_id} that has not ended; see `silence list --all`",
            )
        silences.end(connection, ended, at=now)
        body = {
            "silence": ended.id,
            **signed(by, reason),
            "would_have_ended": iso_utc(ended.ends_at),
        }
        events.append(connection, [Event("silence_ended", body)], at=now, run_id=None)
    click.echo(f"{ended.id}: ended")


def _check_names(workplace: Workplace, named: Mapping[str, str]) -> None:
    """Refuse names that the alerts file does not have: such a silence would keep nothing back."""
    alerts = workplace.alerts
    known: dict[str, Iterable[str]] = {
        "rule": [rule.name for rule in alerts.rules],
        "recipient": alerts.recipients,
        "entity": dict.fromkeys(rule.entity.name for rule in alerts.rules),
    }
    for name, names in known.items():
        given = named.get(name)
        if given is not None and given not in names:
            meant = suggestion(given, names, "there are")
            raise click.ClickException(f"the alerts file has no {name} {given}; {meant}")


def _end(workplace: Workplace, span: str | None, until: datetime | None, now: datetime) -> datetime:
    if (span is None) == (until is None):
        raise click.ClickException("give either --for or --until, so that the silence ends")
    if until is not None:
        end = until.replace(tzinfo=workplace.alerts.timezone or timezone.utc)
        end = end.astimezone(timezone.utc)
    else:
        match = re.fullmatch(r"([1-9][0-9]{0,4})([mhdw])", span or "")
        if match is None:
            raise click.ClickException(f"--for {span} is no span; write it as in 90m, 8h, 3d or 2w")
        end = now + timedelta(**{_SPANS[match[2]]: int(match[1])})
    if not now < end <= now + _LONGEST:
        raise click.ClickException("a silence ends in the future, within a year; correct its end")
    return end


def _matches(one: Silence) -> str:
    return ", ".join(f"{name} {value}" for name, value in one.matchers.items())


def _row(one: Silence, now: datetime) -> dict[str, str]:
    return {
        "silence": one.id,
        "state": "active" if one.ends_at > now else "ended",
        "matches": _matches(one),
        "until": iso_utc(one.ends_at),
        "author": one.author,
        "reason": one.reason,
    }
