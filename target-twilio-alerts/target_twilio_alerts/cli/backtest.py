"""``twilio-alerts backtest``: what the rules would have told of the past, and at what cost."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from target_twilio_alerts.cli.rows import print_rows
from target_twilio_alerts.cli.workplace import FORMAT_OPTION, told_in_one_line
from target_twilio_alerts.messages import Messages
from target_twilio_alerts.reading import ProtocolError
from target_twilio_alerts.rehearsal.backtest import Backtest
from target_twilio_alerts.rules import load_alerts

if TYPE_CHECKING:
    from target_twilio_alerts.cli.workplace import Workplace
    from target_twilio_alerts.rehearsal.backtest import Line
    from target_twilio_alerts.rules import Alerts

_COLUMNS = (
    "rule",
    "alerts",
    "busiest_week",
    "recipient",
    "channel",
    "messages",
    "suppressed",
    "held",
    "segments",
    "cost",
)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", required=False, type=_FILE)
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The versions that the ledger has seen since this day, instead of a file.",
)
@click.option("--against", type=_FILE, help="Another alerts file, to compare with.")
@FORMAT_OPTION
@click.pass_obj
@told_in_one_line
def backtest(
    workplace: Workplace,
    file: Path | None,
    since: datetime | None,
    *,
    against: Path | None,
    form: str,
) -> None:
    """Tell what the rules would have told of FILE, the output of a tap, or of the ledger's past.

    Nothing is sent or kept. A file is decided as if all of it had come after the first run.
    """
    if (file is None) == (since is None):
        raise click.ClickException("give either a file of Singer messages or --since")
    rows = _rows(_play(workplace, workplace.alerts, file, since))
    columns: tuple[str, ...] = _COLUMNS
    if against is not None:
        other = _rows(_play(workplace, load_alerts(against), file, since))
        rows = [{"file": "now", **row} for row in rows]
        rows += [{"file": against.name, **row} for row in other]
        rows.sort(key=lambda row: str(row["rule"]))
        columns = ("file", *_COLUMNS)
    print_rows(rows, columns, form, empty="There are no rules.")


def _play(
    workplace: Workplace, alerts: Alerts, file: Path | None, since: datetime | None
) -> list[Line]:
    with TemporaryDirectory(prefix="twilio-alerts-backtest-") as place:
        played = Backtest(alerts, Messages(workplace.settings.templates_dir), Path(place))
        try:
            if file is not None:
                played.read_file(file)
            elif since is not None:
                start = since.replace(tzinfo=alerts.timezone or timezone.utc)
                with workplace.ledger() as ledger:
                    played.read_ledger(ledger, start.astimezone(timezone.utc))
            lines = played.finish()
        except ProtocolError as error:
            raise click.ClickException(f"{file}: {error}") from None
        finally:
            played.close()
    click.echo(f"{alerts.path.name}: {played.records} records", err=True)
    return lines


def _rows(lines: list[Line]) -> list[dict[str, str | None]]:
    return [
        {
            "rule": line.rule,
            "alerts": str(line.alerts),
            "busiest_week": line.busiest_week and f"{line.busiest_week}: {line.busiest}",
            "recipient": line.recipient,
            "channel": line.channel,
            "messages": str(line.messages),
            "suppressed": str(line.suppressed),
            "held": str(line.held),
            "segments": str(line.segments),
            "cost": None if line.cost is None else f"{line.cost:f}",
        }
        for line in lines
    ]
