"""``twilio-alerts audit verify``: is the trail as it was written, and do the rows agree with it?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from target_twilio_alerts.audit import anchors
from target_twilio_alerts.audit.verify import verify as verify_ledger
from target_twilio_alerts.cli.workplace import told_in_one_line

if TYPE_CHECKING:
    from target_twilio_alerts.audit.verify import Verdict
    from target_twilio_alerts.cli.workplace import Workplace


@click.command()
@click.option(
    "--anchors",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of anchors, or a log of runs; may be given more than once.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
@click.pass_obj
@told_in_one_line
def verify(workplace: Workplace, *, files: tuple[Path, ...], as_json: bool) -> None:
    """Find the first event that was edited, deleted, swapped or put in.

    Alerts, messages, runs and the rest are held against their events too. That the trail's tail was
    cut, or that it was written anew as a whole, shows only with --anchors, kept where whoever can
    change the ledger cannot change them.
    """
    try:
        kept = anchors.read(files)
    except anchors.AnchorError as error:
        raise click.ClickException(str(error)) from None
    with workplace.ledger() as ledger:
        verdict = verify_ledger(ledger, kept)
    number = sum(map(len, kept.values()))
    click.echo(_as_json(verdict, number) if as_json else _told(verdict, number))
    if verdict.fault is not None:
        raise click.exceptions.Exit(1)


def _told(verdict: Verdict, anchors_read: int) -> str:
    if verdict.fault is not None:
        more = f" (and {verdict.faults - 1} more)" if verdict.faults > 1 else ""
        return f"WRONG  {verdict.fault.what}{more}"
    against = f"; {anchors_read} anchors agree" if anchors_read else "; no anchors were given"
    return (
        f"ok     {verdict.events} events, {verdict.messages} messages, the last event is "
        f"{verdict.head}{against}"
    )


def _as_json(verdict: Verdict, anchors_read: int) -> str:
    fault = verdict.fault
    told = {
        "ok": fault is None,
        "events": verdict.events,
        "messages": verdict.messages,
        "head": verdict.head,
        "anchors": anchors_read,
        "event": None if fault is None else fault.seq,
        "what": None if fault is None else fault.what,
        "faults": verdict.faults,
    }
    return json.dumps(told)
