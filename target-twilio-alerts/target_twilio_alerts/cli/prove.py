"""``twilio-alerts audit prove``: one alert's whole story, or a run's counts, for who checks it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
import sqlalchemy as sa

from target_twilio_alerts import wiring
from target_twilio_alerts.audit import story
from target_twilio_alerts.audit.tally import Agreement, agreements
from target_twilio_alerts.cli.proofs import story_lines
from target_twilio_alerts.cli.workplace import told_in_one_line
from target_twilio_alerts.delivery.channels.sent_list import LISTED_CHANNELS, ListError
from target_twilio_alerts.delivery.comparison import Comparison
from target_twilio_alerts.ledger.tables import iso_utc, messages, runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.cli.workplace import Workplace


@click.command()
@click.argument("alert_id", required=False)
@click.option("--run", "run_id", help="Prove the counts of this run, by its id or how it begins.")
@click.option("--online", is_flag=True, help="With --run: ask Twilio for its own list, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
@click.pass_obj
@told_in_one_line
def prove(
    workplace: Workplace,
    *,
    alert_id: str | None,
    run_id: str | None,
    online: bool,
    as_json: bool,
) -> None:
    """Tell all of ALERT_ID: record, rule, decision, messages, each event with its hash.

    ALERT_ID is an alert's reference, or that of one of its messages. With --run instead: do the
    counts of records, outcomes, alerts and messages agree?
    """
    if (alert_id is None) == (run_id is None):
        raise click.ClickException("name an alert, or a run with --run")
    if online and run_id is None:
        raise click.ClickException("--online goes with --run")
    with workplace.ledger() as ledger, ledger.read() as connection:
        if alert_id is not None:
            _prove_alert(connection, alert_id.upper(), as_json=as_json)
        else:
            _prove_run(workplace, connection, str(run_id), online=online, as_json=as_json)


def _prove_alert(connection: Connection, reference: str, *, as_json: bool) -> None:
    query = sa.select(messages.c.alert_id).where(messages.c.id == reference)
    told = story.tell(connection, connection.execute(query).scalar() or reference)
    if told is None:
        raise click.ClickException(
            f"no alert, and no message of one, {reference} in the ledger; `twilio-alerts audit` "
            "lists messages",
        )
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        for line in story_lines(told):
            click.echo(line)
    if told["faults"]:
        raise click.exceptions.Exit(1)


def _prove_run(
    workplace: Workplace, connection: Connection, run_id: str, *, online: bool, as_json: bool
) -> None:
    begins = runs.c.id.startswith(run_id.lower(), autoescape=True)
    found = connection.execute(sa.select(runs).where(begins).limit(2)).all()
    if len(found) != 1:
        what = "several runs begin with" if found else "no run in the ledger begins with"
        raise click.ClickException(f"{what} {run_id}; `twilio-alerts audit runs` lists them")
    (run,) = found
    held = [*agreements(connection, run.id)]
    if online:
        held += _beside_twilio(workplace, connection, run.id)
    differs = [one for one in held if not one.holds]
    if as_json:
        click.echo(json.dumps(_as_json(run, held), ensure_ascii=False))
    else:
        click.echo(f"run {run.id}: {run.command}, {run.outcome}, {iso_utc(run.started_at)}")
        if run.ended_at is None:
            click.echo("  it has not ended: what it counted is not known")
        for one in held:
            click.echo(f"{'ok     ' if one.holds else 'DIFFERS'} {_told(one)}")
            for line in one.listed:
                click.echo(f"          {line}")
    if differs:
        raise click.exceptions.Exit(1)


def _beside_twilio(
    workplace: Workplace, connection: Connection, run_id: str
) -> Iterator[Agreement]:
    settings = workplace.settings
    usable = [name for name in wiring.configured_channels(settings) if name in LISTED_CHANNELS]
    channels = wiring.build_channels(settings, usable)
    try:
        found = Comparison(connection, channels, run_id)
    except ListError as error:
        raise click.ClickException(str(error)) from None
    finally:
        for channel in channels.values():
            channel.close()
    numbers = {"accepted": found.accepted, "listed by Twilio": found.listed}
    yield Agreement("messages at Twilio", numbers, tuple(found.differences))
    if found.not_compared:
        what = "not compared: emails have no list, and of what was erased there is no address"
        yield Agreement(what, {"messages": found.not_compared})


def _told(one: Agreement) -> str:
    numbers = ", ".join(f"{number} {who}" for who, number in one.numbers.items())
    return f"{one.what}: {numbers or len(one.listed) or 'none'}"


def _as_json(run: sa.Row[Any], held: list[Agreement]) -> dict[str, Any]:
    return {
        "run": run.id,
        "command": run.command,
        "outcome": run.outcome,
        "started_at": iso_utc(run.started_at),
        "ended_at": None if run.ended_at is None else iso_utc(run.ended_at),
        "agrees": all(one.holds for one in held),
        "counts": [
            {"what": one.what, "agrees": one.holds, **one.numbers, "differences": one.listed}
            for one in held
        ],
    }
