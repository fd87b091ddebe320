"""At the end of a run: documents that nobody touched, decided by the clock or by what came late."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from target_twilio_alerts.ledger import alerts as ledger_alerts
from target_twilio_alerts.ledger import answers, events, locks, versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import date

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.intake.arrivals import Watch
    from target_twilio_alerts.intake.decisions import Group
    from target_twilio_alerts.intake.reads import CompleteReads
    from target_twilio_alerts.intake.recorder import Recorder
    from target_twilio_alerts.ledger import Event, Ledger
    from target_twilio_alerts.ledger.versions import StoredVersion
    from target_twilio_alerts.rules import Rule

Due: TypeAlias = "Callable[[Connection, Rule, date], Iterable[StoredVersion]]"
"""Documents that a rule may have become true for by a day."""


def every_open_document(
    connection: Connection,
    rule: Rule,
    today: date,  # noqa: ARG001 - others need it
) -> Iterator[StoredVersion]:
    """The documents that time may make a rule true for: all that are not at their end."""
    return versions.open_documents(connection, rule.entity.name)


class Untouched:
    """Decides stored documents without a record.

    Args:
        ledger: Where they are.
        recorder: Writes what comes of it.
        reads: Which partitions have been read whole: what is in others is still a baseline.
        group: Makes an empty group that knows these documents.
        run_id: The run at work.
        keep: Whether what is written stays.
        due: Documents that a rule may have become true for by a day.
    """

    def __init__(
        self,
        ledger: Ledger,
        recorder: Recorder,
        reads: CompleteReads,
        *,
        group: Callable[[Connection, list[str]], Group],
        run_id: str,
        keep: bool,
        due: Due = every_open_document,
        on_commit: Callable[[], None] = lambda: None,
    ) -> None:
        self._ledger = ledger
        self._recorder = recorder
        self._reads = reads
        self._group = group
        self._run_id = run_id
        self._keep = keep
        self._due = due
        self._on_commit = on_commit

    def look(self, watches: Iterable[Watch], today: date | None) -> bool:
        """Decide what each rule may have to; True if that raised alerts."""
        told: list[Event] = []
        for watch in watches:
            if watch.rule.condition.uses_rates:
                told += self._late(watch)
                self._on_commit()
            if watch.rule.condition.uses_clock and today is not None:
                told += self._by_the_clock(watch, today)
                self._on_commit()
        return bool(told)

    def _late(self, watch: Watch) -> list[Event]:
        """Documents that wanted a rate which may be known now."""
        rule, epoch = watch.rule.name, watch.epoch.epoch
        with self._ledger.write(keep=self._keep) as connection:
            locks.streams(connection, [watch.rule.entity.stream])
            ids = answers.undecided_of(connection, rule=rule, epoch=epoch)
            if not ids:
                return []
            group = self._group(connection, ids)
            for version in list(group.stored.values()):
                before = versions.header_before(connection, version)
                group.late(watch, version, watch.rule.entity, before=before)
            return self._write(connection, group)

    def _by_the_clock(self, watch: Watch, today: date) -> list[Event]:
        """At most once a day: what became due without being touched."""
        decided_on = watch.epoch.decided_on
        if decided_on is not None and decided_on >= today:  # a clock may have been set back
            return []
        rule, epoch = watch.rule.name, watch.epoch.epoch
        with self._ledger.write(keep=self._keep) as connection:
            locks.streams(connection, [watch.rule.entity.stream])
            # Another run may have looked since this one began.
            decided_on = ledger_alerts.decided_on(connection, rule=rule, epoch=epoch)
            if decided_on is not None and decided_on >= today:
                return []
            watch = watch._replace(epoch=replace(watch.epoch, decided_on=decided_on))
            group = self._group(connection, [])
            if decided_on is not None:
                entity = watch.rule.entity
                remembered = answers.load_remembered_of(connection, rule=rule, epoch=epoch)
                for version in self._due(connection, watch.rule, today):
                    if self._reads.covers(version.stream, json.loads(version.key).get):
                        known = remembered.get(version.id)
                        group.pass_of_time(watch, version, entity, remembered=known)
            decided = ledger_alerts.mark_decided(connection, rule=rule, epoch=epoch, day=today)
            return self._write(connection, group, decided)

    def _write(self, connection: Connection, group: Group, *more: Event) -> list[Event]:
        """Write what a group amounts to; gives its events, without those that follow it."""
        told = self._recorder.write(connection, group)
        events.append(connection, [*told, *more], at=group.at, run_id=self._run_id)
        return told
