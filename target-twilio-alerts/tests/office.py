"""An office for tests of ``twilio-alerts``: alerts in the ledger, and the command in-process."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any

import discretion
import sqlalchemy as sa
from click.testing import CliRunner
from desk import READ_WHOLE, STREAM
from singer import KEY

from target_twilio_alerts.cli import main
from target_twilio_alerts.intake import Intake
from target_twilio_alerts.ledger import Ledger, runs, tables
from target_twilio_alerts.messages import Messages
from target_twilio_alerts.rules import load_alerts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RULE = """
  large-supplier-invoice:
    entity: supplier_invoice
    when: amount > 50000
    notify: ap-team
    via: {via}
    severity: high
"""


class Office:
    """A workplace whose alerts are written by the intake, and whose command runs in-process.

    Args:
        workplace: Its files, its configuration and the sandbox.
    """

    def __init__(self, workplace: Any) -> None:
        self.workplace = workplace
        self.config: dict[str, Any] = workplace.config
        self.sandbox = workplace.sandbox
        self.root: Path = workplace.root

    def people(
        self, *, rules: str | None = None, via: str = "sms", **people: dict[str, str]
    ) -> None:
        """Write the alerts file: who is told, all in one group, and one rule unless given."""
        recipients = {name: {"name": name.title(), **given} for name, given in people.items()}
        text = (
            f"recipients: {json.dumps(recipients)}\ngroups: {{ap-team: {json.dumps([*people])}}}\n"
        )
        self.workplace.write_alerts(f"{text}rules:{rules or RULE.format(via=via)}")

    def alert(self, *rows: dict[str, Any]) -> None:
        """Take documents in, after a baseline of nothing; what alerts waits in the ledger."""
        self.baseline()
        self._read(rows)

    def baseline(self, *rows: dict[str, Any]) -> None:
        """Take documents in that were there when the stream was first read."""
        self._read(rows)

    def _read(self, rows: Sequence[dict[str, Any]]) -> None:
        ledger = Ledger(self.config["ledger_url"])
        run = runs.start(ledger, command="target", version="0", body={})
        intake = Intake(
            ledger,
            load_alerts(self.root / "alerts.yml"),
            Messages(self.root / "templates", public_url=self.config.get("public_url")),
            run=run,
            on_messages=lambda: None,
        )
        intake.begin_stream(STREAM)
        for row in rows:
            intake.add(STREAM, row, KEY, problem=None)
        intake.state(READ_WHOLE)
        intake.finish()
        intake.close()
        counted: dict[str, dict[str, int]] = {}
        for (rule, outcome), number in intake.outcomes.items():
            counted.setdefault(rule, {})[outcome] = number
        runs.end(ledger, run, outcome="completed", summary={"rules": counted})
        ledger.close()

    def put(self, message, state):
        """Leave a message in a state as another run would."""
        ledger = Ledger(self.config["ledger_url"])
        with ledger.write() as connection:
            connection.execute(
                sa.update(tables.messages)
                .where(tables.messages.c.id == message)
                .values(state=state.value),
            )
        ledger.close()

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run the command; gives what it printed, and refuses a traceback."""
        ended = CliRunner().invoke(
            main,
            ["--config", str(self.workplace.config_file()), *arguments],
        )
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        discretion.check(ended.output)
        assert ended.exit_code == code, ended.output
        return ended.output

    def trail(self, *arguments: str) -> list[dict[str, Any]]:
        """The messages of the audit, oldest first."""
        told = self.run("audit", "--format", "jsonl", *arguments)
        return [json.loads(line) for line in told.splitlines()]

    def as_csv(self, *arguments: str) -> list[dict[str, str]]:
        """The messages of the audit as a spreadsheet reads them."""
        return list(csv.DictReader(io.StringIO(self.run("audit", "--format", "csv", *arguments))))

    @property
    def sent(self) -> list[tuple[str, str]]:
        """Number and reference of each SMS that Twilio took."""
        found = [(one.to, re.search(r"Ref (\w+)", one.body)) for one in self.workplace.accepted]
        return [(to, "" if reference is None else reference[1]) for to, reference in found]
