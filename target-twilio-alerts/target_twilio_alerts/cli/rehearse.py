"""``twilio-alerts test``: do the rules tell whom they should, when they should?"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from target_twilio_alerts.cli.workplace import silent_logs, told_in_one_line
from target_twilio_alerts.messages import Messages
from target_twilio_alerts.rehearsal.case_file import load_cases
from target_twilio_alerts.rehearsal.cases import Problem
from target_twilio_alerts.rehearsal.past import counted
from target_twilio_alerts.rehearsal.player import Player
from target_twilio_alerts.rules import AlertsFileError

if TYPE_CHECKING:
    from target_twilio_alerts.cli.workplace import Workplace
    from target_twilio_alerts.rehearsal.cases import Case


@click.command("test")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each test.")
@click.pass_obj
@told_in_one_line
def rehearse(workplace: Workplace, files: tuple[Path, ...], *, as_json: bool) -> None:
    """Play the tests in FILES, or in `tests/` beside the alerts file; nothing is sent or kept.

    Exits with 1 when one fails, or has a mistake.
    """
    alerts, settings = workplace.alerts, workplace.settings
    folder = settings.alerts_file.parent / "tests"
    paths = sorted(files) or sorted(folder.glob("*.yml"))
    if not paths:
        raise click.ClickException(f"no tests: add a file such as {folder / 'large-invoice.yml'}")
    failed, number = 0, 0
    tested: set[str] = set()
    with TemporaryDirectory(prefix="twilio-alerts-test-") as place, silent_logs():
        player = Player(alerts, Messages(settings.templates_dir), Path(place))
        for path in paths:
            try:
                cases = load_cases(path, alerts)
            except AlertsFileError as error:
                failed += 1
                mistakes = [Problem(one.line, one.what) for one in error.mistakes]
                _tell(None, path, mistakes, as_json=as_json)
                continue
            for case in cases:
                problems = player.play(case) if case.steps else []
                number += 1
                failed += bool(problems)
                tested.update(case.rules)
                _tell(case, path, problems, as_json=as_json)
    untested = [rule.name for rule in alerts.rules if rule.name not in tested]
    click.echo(f"{counted(number, 'test')}, {failed} failed", err=as_json)
    if untested:
        click.echo(f"Rules that no test names: {', '.join(untested)}", err=as_json)
    if failed:
        raise click.exceptions.Exit(1)


def _tell(case: Case | None, path: Path, problems: list[Problem], *, as_json: bool) -> None:
    """Tell how a test went; without one, what is wrong with its file."""
    if as_json:
        row = {
            "file": path.name,
            "line": None if case is None else case.line,
            "test": None if case is None else case.name,
            "rules": [] if case is None else list(case.rules),
            "ok": not problems,
            "problems": [
                {
                    "line": one.line,
                    "step": one.step,
                    "at": None if one.at is None else one.at.isoformat(),
                    "what": one.what,
                }
                for one in problems
            ],
        }
        click.echo(json.dumps(row, ensure_ascii=False))
    elif problems:
        of = "" if case is None else f" (test {case.name!r})"
        for problem in problems:
            click.echo(f"FAILED {problem.shown(path.name)}{of}")
    elif case is not None:
        click.echo(f"ok     {path.name}: {case.name}")
