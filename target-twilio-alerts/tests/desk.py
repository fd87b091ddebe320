"""A target without its process: records go into the intake, alerts are read from the ledger."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from singer import CONTEXT, KEY

from target_twilio_alerts.intake import Intake
from target_twilio_alerts.ledger import Ledger, runs, tables
from target_twilio_alerts.messages import Messages
from target_twilio_alerts.rules import load_alerts

if TYPE_CHECKING:
    from pathlib import Path

STREAM = "supplier_invoices"
READ_WHOLE = {
    "bookmarks": {
        STREAM: {"partitions": [{"context": CONTEXT, "replication_key_value": "2026-11-20"}]},
    },
}


class Desk:
    """A ledger whose streams have been read whole once, and one rule.

    Args:
        root: Folder for the alerts file.
        url: Where the ledger is.
    """

    def __init__(self, root: Path, url: str) -> None:
        self._root = root
        self.file = root / "alerts.yml"
        self.clock = runs.utc_now
        self.ledger = Ledger(url)
        self.outcomes: dict[str, int] = {}
        self.counts: dict[str, int] = {}
        self.run_id = ""
        self.rule("amount > 50000")
        self.read()

    def rule(
        self,
        when: str,
        *,
        rates: str | None = None,
        rate_type: str | None = None,
        file: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        """Set the only rule, in JSON, which is YAML too, what else the file has, and rates."""
        rule = {"entity": "supplier_invoice", "when": when, "notify": "ap", "via": "sms", **more}
        recipients = {
            "ap": {"name": "Anna Berg", "sms": "+46701740605", "email": "a@example.com"},
            "cfo": {"name": "Carl Dahl", "sms": "+46701740605", "email": "c@example.com"},
        }
        file = {
            "timezone": "Europe/Stockholm",
            "recipients": recipients,
            "rules": {"rule": rule},
            **(file or {}),
        }
        if rates is not None:
            (self._root / "rates.csv").write_text(f"date,from,to,rate\n{rates}", encoding="utf-8")
            file["rates"] = {"file": "rates.csv"}
        if rate_type is not None:
            file["rates"] = {"type": rate_type}
        text = json.dumps(file)
        (self._root / "alerts.yml").write_text(text, encoding="utf-8")

    def open_intake(self) -> Intake:
        """Begin a run, at the moment of ``self.clock``."""
        run = runs.start(self.ledger, command="test", version="0", body={})
        self.run_id = run.id
        return Intake(
            self.ledger,
            load_alerts(self._root / "alerts.yml"),
            Messages(self._root / "templates"),
            run=run,
            on_messages=lambda: None,
            clock=self.clock,
        )

    def read(
        self,
        *rows: dict[str, Any],
        stream: str = STREAM,
        key: list[str] = KEY,
        interrupted: bool = False,
    ) -> list[str]:
        """One run over these records, whole; gives the numbers of the documents it alerted on.

        An interrupted run commits what it has read, and does not look at the clock at its end.
        """
        intake = self.open_intake()
        intake.begin_stream(STREAM)
        for row in rows:
            intake.add(stream, row, key, problem=None)
        intake.state(READ_WHOLE)
        if interrupted:
            intake.commit()
        else:
            intake.finish()
        intake.close()
        self.outcomes = {outcome: number for (_, outcome), number in intake.outcomes.items()}
        self.counts = dict(intake.counts)
        titles = sa.select(tables.alerts.c.title).where(tables.alerts.c.run_id == self.run_id)
        return [title.split()[-1] for (title,) in self.rows(titles)]

    def rows(self, query: Any) -> list[Any]:
        """What a query of the ledger gives."""
        with self.ledger.read() as connection:
            return list(connection.execute(query))
