"""A backtest from its beginning to what there is to tell of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timezone
from typing import TYPE_CHECKING, Any

from target_twilio_alerts.rehearsal.backtest import Backtest
from target_twilio_alerts.rehearsal.past import counted
from target_twilio_alerts.rehearsal.tally import Row, Tally, shown, total
from target_twilio_alerts.rules import Outcome

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from target_twilio_alerts.messages import Messages
    from target_twilio_alerts.rehearsal.past import Past
    from target_twilio_alerts.rules import Alerts

NOBODY_ACTED = (
    "nobody acknowledged an alert, opted out or corrected anything; each message was accepted, so "
    "no step of an escalation was left out"
)


@dataclass(frozen=True)
class Played:
    """One alerts file over one past.

    Attributes:
        file: Name of the alerts file.
        records: How many records or versions were decided.
        begin: From when on alerts were told.
        end: When the last record came, or the last run was.
        rules: For each rule its alerts, by week too, and what it decided of records.
        rows: What was told, by week, rule, recipient and channel.
        assumed: What was taken for granted, a sentence each.
        notes: What else there is to know, a sentence each.
        ledger: The file that it was played over.
    """

    file: str
    records: int
    begin: datetime
    end: datetime
    rules: list[dict[str, Any]]
    rows: list[Row]
    assumed: list[str]
    notes: list[str]
    ledger: Path

    @property
    def totals(self) -> dict[str, Any]:
        """Alerts of all rules, and the messages of all rows."""
        return {"alerts": sum(rule["alerts"] for rule in self.rules), **total(self.rows)}

    def as_json(self) -> dict[str, Any]:
        """The same for a program; money is text, so that it stays exact."""
        return {
            "alerts_file": self.file,
            "records": self.records,
            "from": self.begin.isoformat() if self.records else None,
            "to": self.end.isoformat() if self.records else None,
            "rules": self.rules,
            "told": [row.as_json() for row in self.rows],
            "totals": {**self.totals, "cost": shown(self.totals["cost"])},
            "assumed": self.assumed,
            "notes": self.notes,
        }


def play(alerts: Alerts, writer: Messages, past: Past, place: Path, *, name: str) -> Played:
    """Play a past.

    Args:
        alerts: The alerts file.
        writer: Writes the texts.
        past: What came.
        place: Folder for its ledger, which stays.
        name: What the alerts file is called.
    """
    backtest = Backtest(alerts, writer, past, place)
    try:
        backtest.play()
        zone = alerts.timezone or timezone.utc
        tally = Tally(backtest.ledger, zone, has_prices=alerts.limits.prices is not None)
        return Played(
            file=name,
            records=backtest.records,
            begin=past.begin.astimezone(zone),
            end=past.end.astimezone(zone),
            rules=_rules(alerts, tally.weeks(), backtest.outcomes),
            rows=tally.rows(),
            assumed=[*past.assumed(), NOBODY_ACTED],
            notes=_notes(backtest, past),
            ledger=backtest.path,
        )
    finally:
        backtest.close()


def _rules(
    alerts: Alerts, weeks: dict[str, Counter[str]], outcomes: Counter[tuple[str, str]]
) -> list[dict[str, Any]]:
    """Each rule; what it decided of records does not count what became true with time."""
    told = []
    for rule in alerts.rules:
        raised = weeks.get(rule.name, Counter())
        decided = {
            outcome.value: outcomes[rule.name, outcome.value]
            for outcome in Outcome
            if outcomes[rule.name, outcome.value]
        }
        told.append(
            {
                "rule": rule.name,
                "alerts": sum(raised.values()),
                "weeks": dict(sorted(raised.items())),
                "outcomes": decided,
            }
        )
    return told


def _notes(backtest: Backtest, past: Past) -> list[str]:
    notes = backtest.idle()
    waiting = backtest.waiting()
    if waiting["digest"]:
        notes.append(f"{counted(waiting['digest'], 'alert')} waited for a digest at the end")
    if waiting["escalation"]:
        steps = counted(waiting["escalation"], "step")
        notes.append(f"{steps} of escalations had not come due at the end")
    for (rule, outcome), number in sorted(backtest.outcomes.items()):
        if outcome == Outcome.UNDECIDED.value and number:
            records = counted(number, "record")
            notes.append(f"rule {rule} could not decide {records}: a value or a rate is missing")
    if past.malformed:
        notes.append(f"{counted(past.malformed, 'record')} could not be read, or not in whole")
    notes += [
        f"{counted(number, 'record')} of {stream}, which is no entity of the alerts file"
        for stream, number in sorted(past.unread.items())
    ]
    return notes
