"""``twilio-alerts backtest``: what the rules would have told of the past, and at what cost."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from target_twilio_alerts.cli.backtest_tables import (
    CSV_COLUMNS,
    csv_rows,
    difference_rows,
    print_difference,
    print_played,
    remarks,
    total_difference,
)
from target_twilio_alerts.cli.rows import print_rows
from target_twilio_alerts.cli.workplace import silent_logs, told_in_one_line
from target_twilio_alerts.messages import Messages
from target_twilio_alerts.reading import ProtocolError
from target_twilio_alerts.rehearsal.difference import compare
from target_twilio_alerts.rehearsal.past_file import SingerFile
from target_twilio_alerts.rehearsal.past_ledger import SeenByLedger
from target_twilio_alerts.rehearsal.played import play
from target_twilio_alerts.rehearsal.tally import shown
from target_twilio_alerts.rules import load_alerts

if TYPE_CHECKING:
    from target_twilio_alerts.cli.workplace import Workplace
    from target_twilio_alerts.rehearsal.difference import Difference
    from target_twilio_alerts.rehearsal.played import Played
    from target_twilio_alerts.rules import Alerts

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", required=False, type=_FILE)
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The versions that the ledger has seen since this day, instead of a file.",
)
@click.option("--against", type=_FILE, help="Another alerts file, to compare with.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv"]),
    default="table",
    show_default=True,
    help="How to print; CSV has a line for each week, rule, recipient and channel.",
)
@click.option("--json", "as_json", is_flag=True, help="Print all of it as a line of JSON.")
@click.pass_obj
@told_in_one_line
def backtest(
    workplace: Workplace,
    file: Path | None,
    since: datetime | None,
    *,
    against: Path | None,
    form: str,
    as_json: bool,
) -> None:
    """Tell what the rules would have told of FILE, the output of a tap, or of the ledger's past.

    The clock is played from record to record, digests and escalations are told when they were due.
    Nothing is sent or kept.
    """
    if (file is None) == (since is None):
        raise click.ClickException("give either a file of Singer messages or --since")
    files = {workplace.alerts.path.name: workplace.alerts}
    if against is not None:
        name = str(against.resolve()) if against.name in files else against.name
        files[name] = load_alerts(against)
    with TemporaryDirectory(prefix="twilio-alerts-backtest-") as place, silent_logs():
        played = [
            _play(workplace, alerts, file, since, Path(place), name=name)
            for name, alerts in files.items()
        ]
        differs = None if against is None else compare(played[0].ledger, played[1].ledger)
    if as_json:
        click.echo(json.dumps(_as_json(played, differs), ensure_ascii=False))
        return
    if form == "csv":
        print_rows(list(csv_rows(played)), CSV_COLUMNS, form, empty="")
    elif differs is None:
        print_played(played[0])
    else:
        print_difference(differs, *played)
    for line in remarks(played):
        click.echo(line, err=form == "csv")


def _play(
    workplace: Workplace,
    alerts: Alerts,
    file: Path | None,
    since: datetime | None,
    place: Path,
    *,
    name: str,
) -> Played:
    writer = Messages(workplace.settings.templates_dir)
    with ExitStack() as stack:
        if file is not None:
            try:
                past = stack.enter_context(closing(SingerFile(file, alerts)))
            except ProtocolError as error:
                raise click.ClickException(f"{file}: {error}") from None
            return play(alerts, writer, past, place, name=name)
        assert since is not None  # noqa: S101 - one of the two is given
        ledger = stack.enter_context(workplace.known_ledger())
        start = since.replace(tzinfo=alerts.timezone or timezone.utc).astimezone(timezone.utc)
        return play(alerts, writer, SeenByLedger(ledger, alerts, start), place, name=name)


def _as_json(played: list[Played], differs: Difference | None) -> dict[str, Any]:
    difference = None
    if differs is not None:
        now, other = played
        more = total_difference(now, other)
        difference = {
            "rules": list(difference_rows(differs, now, other)),
            "only_now": [asdict(one) for one in differs.examples["now"]],
            "only_against": [asdict(one) for one in differs.examples["other"]],
            "totals": {**more, "cost": shown(more.get("cost"))},
        }
    return {"played": [one.as_json() for one in played], "difference": difference}
