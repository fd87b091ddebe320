"""What waits for its time, held against the events that tell of it: digests, and next steps.

An event of the first versions does not tell when they are due: of what such a run raised, only what
later events tell is held against them.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from target_twilio_alerts.audit.reading import Keyed
from target_twilio_alerts.ledger.tables import (
    StepState,
    alerts,
    digest_contents,
    digest_items,
    escalations,
)

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.audit.chain import Faults
    from target_twilio_alerts.audit.reading import SealedRow

    Told = tuple[SealedRow, dict[str, Any]]
    """An event, and its body."""
    Steps = dict[tuple[Any, int], tuple[SealedRow, Any]]
    """By alert and number, which event tells of a step, and when it says that it is due."""

STEP = ("due_at", "state", "reason", "updated_at")
"""Columns of a step that the event tells which settles it."""

_STEP = [escalations.c[name] for name in ("alert_id", "step", *STEP)]
_STEPS = Keyed(sa.select(*_STEP), escalations.c.alert_id)
_ITEMS = Keyed(sa.select(digest_items.c.alert_id, digest_items.c.due_at), digest_items.c.alert_id)
_WAITING, _ENDED = StepState.WAITING.value, StepState.ENDED.value


class Waiting:
    """Holds alerts that wait for a digest, and steps of escalations, against events.

    Args:
        connection: To the ledger.
        faults: Takes what differs.
    """

    def __init__(self, connection: Connection, faults: Faults) -> None:
        self._connection = connection
        self._faults = faults
        self._numbers: Counter[str] = Counter()
        self._settled = 0
        self._dropped: set[Any] = set()
        self._differing: dict[tuple[Any, int], tuple[SealedRow, list[str]]] = {}

    def raised(self, told: Iterable[Told]) -> None:
        """Take alerts: what they wait for must be there."""
        items: dict[Any, tuple[SealedRow, Any]] = {}
        steps: Steps = {}
        for event, body in told:
            if "digest_due_at" in body:
                items[event.alert_id] = event, body["digest_due_at"]
            due = body.get("steps_due_at")
            if isinstance(due, list):
                steps |= {(event.alert_id, step): (event, at) for step, at in enumerate(due, 1)}
        self._numbers[digest_items.name] += len(items)
        self._numbers[escalations.name] += len(steps)
        if items:
            rows = dict(_ITEMS.read(self._connection, list(items)))
            for alert_id, (event, due_at) in items.items():
                if alert_id not in rows:
                    self._blame(event, f"its row of {digest_items.name} is missing")
                elif rows[alert_id] != due_at:
                    self._blame(
                        event, f"column due_at of its row of {digest_items.name} was changed"
                    )
        self._hold(steps)

    def released(self, told: Iterable[Told]) -> None:
        """Take messages that were released: steps that waited with them come later."""
        steps: Steps = {}
        for event, body in told:
            due = body.get("steps_due_at")
            if isinstance(due, dict):
                steps |= {
                    (event.alert_id, int(step)): (event, at)
                    for step, at in due.items()
                    if step.isdecimal()
                }
        self._hold(steps)

    def _hold(self, steps: Steps) -> None:
        """Note steps that are not as these events left them: a later one may have put them off."""
        ids = list(dict.fromkeys(alert_id for alert_id, _ in steps))
        rows = {row[:2]: row[2:] for row in _STEPS.read(self._connection, ids)}
        for key, (event, told) in steps.items():
            if key not in rows:
                self._blame(event, f"its row of {escalations.name}, step {key[1]}, is missing")
                continue
            due_at, state, reason, updated_at = rows[key]
            is_waiting = state == _WAITING
            differs = {
                "due_at": due_at != told,
                "reason": is_waiting and reason is not None,
                "updated_at": is_waiting and updated_at != event.at,
            }
            if any(differs.values()):
                self._differing[key] = event, [name for name in differs if differs[name]]
            else:
                self._differing.pop(key, None)

    def acknowledged(self, told: Iterable[Told]) -> None:
        """Take acknowledgements: none of the alerts' steps waits any more."""
        by_alert = {event.alert_id: (event, body) for event, body in told}
        for row in _STEPS.read(self._connection, list(by_alert)):
            alert_id, step, _, *settled = row
            event, body = by_alert[alert_id]
            if settled[0] == _WAITING:
                self._blame(event, f"step {step} of its row of {escalations.name} waits again")
            # Those that were settled before have events of their own.
            self._settled += settled == [_ENDED, f"acknowledged by {body['by']}", event.at]

    def settled(self, number: int) -> None:
        """Take the number of steps that events tell to be taken or ended."""
        self._settled += number

    def dropped(self, told: Iterable[Told]) -> None:
        """Take alerts that no digest told."""
        self._dropped.update(event.alert_id for event, _ in told)

    def settle(self) -> None:
        """Tell of steps that no later event has put right."""
        for event, columns in self._differing.values():
            for name in columns:
                self._blame(event, f"column {name} of its row of {escalations.name} was changed")

    def end(self, runs: Container[str]) -> None:
        """Look for what no event tells of.

        Args:
            runs: Those whose alerts tell what they wait for.
        """
        for table in (digest_items, escalations):
            told = self._numbers[table.name]
            number = sum(
                number for run_id, number in self._by_run(table) if run_id is None or run_id in runs
            )
            if number > told:
                what = f"{number} rows, but events tell of {told}: put in"
                self._faults.add(None, f"{table.name}: {what}")
        number = self._connection.execute(
            sa.select(sa.func.count()).where(escalations.c.state != _WAITING)
        ).scalar_one()
        if number > self._settled:
            what = f"{number} steps were taken or ended, but events tell of {self._settled}"
            self._faults.add(None, f"{escalations.name}: {what}: column state was changed")
        for alert_id, run_id in self._told_by_none():
            if alert_id not in self._dropped and run_id in runs:
                what = f"no digest told alert {alert_id}: column told_at was changed"
                self._faults.add(None, f"{digest_items.name}: {what}")

    def _by_run(self, table: sa.Table) -> Sequence[Any]:
        """How many rows of a table are of alerts of each run."""
        query = (
            sa.select(alerts.c.run_id, sa.func.count())
            .select_from(table)
            .join(alerts, alerts.c.id == table.c.alert_id, isouter=True)
            .group_by(alerts.c.run_id)
        )
        return self._connection.execute(query).all()

    def _told_by_none(self) -> Sequence[Any]:
        """Alerts that are marked as told and are in no digest, and their runs."""
        query = (
            sa.select(digest_items.c.alert_id, alerts.c.run_id)
            .join(alerts, alerts.c.id == digest_items.c.alert_id)
            .where(
                digest_items.c.told_at.is_not(None),
                digest_items.c.alert_id.not_in(sa.select(digest_contents.c.alert_id)),
            )
        )
        return self._connection.execute(query).all()

    def _blame(self, event: SealedRow, what: str) -> None:
        self._faults.add(event.seq, f"event {event.seq} ({event.kind}): {what}")
