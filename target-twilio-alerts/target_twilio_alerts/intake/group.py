"""The intake: gathers records into groups and commits each group in one transaction.

A group is committed at latest half a second after its first record, also while the tap is silent: a
timer thread sees to that. A STATE leaves with the commit that covers it, never before.
"""

from __future__ import annotations

import logging
import threading
import time
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from target_twilio_alerts.documents import UnusableRecord
from target_twilio_alerts.documents.typed import DELETED_AT, TypedStream
from target_twilio_alerts.intake import rate_records
from target_twilio_alerts.intake.arrivals import Arrival, arrive, identity_of
from target_twilio_alerts.intake.baselines import READ_WHOLE, Baselines
from target_twilio_alerts.intake.counted import Counted
from target_twilio_alerts.intake.decisions import Group
from target_twilio_alerts.intake.neighbours import Neighbours
from target_twilio_alerts.intake.notices import absent_streams, unknown_companies
from target_twilio_alerts.intake.opening import open_ledger
from target_twilio_alerts.intake.recorder import MalformedRecord, Recorder, digest_of
from target_twilio_alerts.intake.untouched import Due, Untouched, every_open_document
from target_twilio_alerts.ledger import answers, events, locks, versions
from target_twilio_alerts.ledger.runs import utc_now
from target_twilio_alerts.rules import Outcome, Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date, datetime

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.documents import Entity
    from target_twilio_alerts.intake.baselines import Partition
    from target_twilio_alerts.ledger import Ledger
    from target_twilio_alerts.ledger.runs import Run
    from target_twilio_alerts.messages import Messages
    from target_twilio_alerts.rules import Alerts, Rate

logger = logging.getLogger(__name__)

GROUP_SECONDS = 0.5
GROUP_RECORDS = 2000


class Intake:
    """Takes records in; gives alerts and messages out, through the ledger.

    Args:
        ledger: Where versions, alerts and messages are written.
        alerts: Rules, recipients and groups.
        messages: Writes the texts.
        run: The run at work.
        on_messages: Called after a commit that added messages.
        empty_ledger: ``refuse``, ``baseline`` or ``alert``: see the setting.
        dry_run: Decide and render, and keep nothing.
        clock: What time it is.
        let_go: Called with each STATE once what came before it is committed, the last one of a
            group only, under a lock.
        due: Documents that a rule may have become true for by a day.
    """

    def __init__(
        self,
        ledger: Ledger,
        alerts: Alerts,
        messages: Messages,
        *,
        run: Run,
        on_messages: Callable[[], None],
        empty_ledger: str = "refuse",
        dry_run: bool = False,
        clock: Callable[[], datetime] = utc_now,
        let_go: Callable[[Mapping[str, Any]], None] = lambda _state: None,
        due: Due = every_open_document,
    ) -> None:
        self._clock = clock
        self._due = due
        self._let_go = let_go
        self._state: Mapping[str, Any] | None = None
        self._ledger = ledger
        self._alerts = alerts
        self._run = run
        self._on_messages = on_messages
        self._dry_run = dry_run
        self._arrivals: list[Arrival] = []
        self._malformed: list[MalformedRecord] = []
        self._new_rates: list[Rate] = []
        self._first_at = 0.0
        self._lock = threading.Condition()
        self._closed = False
        self._timer = threading.Thread(target=self._commit_in_time, name="intake", daemon=True)
        self.error: BaseException | None = None
        self._counted = Counted()
        self.outcomes, self.counts = self._counted.outcomes, self._counted.counts
        self.taken = self._counted.taken
        self._recorder = Recorder(alerts, messages, run=run, counts=self.counts, dry_run=dry_run)
        self._reads, self._watches = open_ledger(
            ledger, alerts, run=run, at=clock(), keep=not dry_run
        )
        self._baselines = Baselines(self._reads, alerts, empty_ledger=empty_ledger)
        self._recent_days = {
            entity: max(days)
            for entity, watches in self._watches.items()
            if any(days := [watch.rule.condition.recent_days for watch in watches])
        }

    def start(self) -> None:
        """Begin to commit in time."""
        self._timer.start()

    def begin_stream(self, stream: str) -> None:
        """Note that the tap has begun to read: a STATE from now on is of this run."""
        self._baselines.begun.add(stream)

    def add(
        self,
        stream: str,
        record: dict[str, Any],
        key_properties: Sequence[str],
        *,
        problem: str | None,
    ) -> None:
        """Take one record in.

        A record that breaks its schema (``problem`` says how) is recorded and still decided as far
        as it can be read; one without its key cannot be, and is recorded alone.
        """
        self.raise_error()
        self._baselines.ends_with_state = False
        entity = self._alerts.entities.get(stream)
        if self._is_rate_alone(stream, entity, record):
            return
        if entity is None:
            self.counts[f"unknown stream {stream}"] += 1
            return
        is_gone = record.get(DELETED_AT) is not None
        arrival = None
        try:
            arrival = arrive(
                entity,
                record,
                key_properties,
                baseline=not self._baselines.is_over(stream, record.get),
                deleted=is_gone,
            )
        except UnusableRecord as error:
            problem = f"{error}; {problem}" if problem else str(error)
            document_id = None
        else:
            document_id = arrival.document.id
            problems = [*([problem] if problem else []), *arrival.document.problems]
            problem = "; ".join(problems) or None
        with self._lock:
            self.counts["records"] += 1
            self.taken[entity.name] += 1
            if is_gone:
                self.counts["deleted"] += 1
            if problem is not None:
                self.counts["malformed"] += 1
                self._malformed.append(
                    MalformedRecord(stream, digest_of(record), document_id, problem),
                )
            if arrival is None:
                rules = [watch.rule.name for watch in self._watches.get(entity.name, ())]
                self.outcomes.update((name, Outcome.MALFORMED.value) for name in rules)
            self._gather(arrival)

    def typed(
        self, stream: str, schema: Mapping[str, Any], key_properties: Sequence[str]
    ) -> TypedStream | None:
        """A faster way to read a stream's records, if there is one."""
        entity = self._alerts.entities.get(stream)
        if entity is None or stream == rate_records.STREAM:
            return None
        return TypedStream.of(entity, schema, key_properties)

    def add_line(self, typed: TypedStream, line: bytes) -> bool:
        """Take the record of a line in, the faster way; False if it must be taken in by `add`."""
        record = typed.read(line)
        if record is None:
            return False
        self.raise_error()
        self._baselines.ends_with_state = False
        entity, document = typed.entity, record.document
        arrival = Arrival(
            entity,
            document,
            identity_of(typed.keys, document),
            not self._baselines.is_over(entity.stream, record.get),
        )
        with self._lock:
            self.counts["records"] += 1
            self.taken[entity.name] += 1
            self._gather(arrival)
        return True

    def take(self, arrival: Arrival) -> None:
        """Take in what is a document already."""
        self.raise_error()
        with self._lock:
            self.counts["records"] += 1
            self.taken[arrival.entity.name] += 1
            self._gather(arrival)

    def _gather(self, arrival: Arrival | None) -> None:
        """Keep an arrival, if there is one, for the group; the first thing kept starts its time."""
        if arrival is not None:
            self._arrivals.append(arrival)
        if not self._first_at:
            self._first_at = time.monotonic()
            self._lock.notify_all()
        if len(self._arrivals) >= GROUP_RECORDS:
            self._commit()

    def _is_rate_alone(self, stream: str, entity: Entity | None, record: dict[str, Any]) -> bool:
        """Take a currency rate in, if that is what it is; a rule may want it as a document too."""
        if stream != rate_records.STREAM or self._alerts.rates.type is None:
            return False
        self._add_rate(record)
        return entity is None or entity.name not in self._watches

    def _add_rate(self, record: dict[str, Any]) -> None:
        """Take a currency rate in: documents that follow are decided by it at once."""
        self.counts["currency rates"] += 1
        try:
            rate_type, rate = rate_records.read_rate(record)
        except UnusableRecord as error:
            self.counts["malformed"] += 1
            with self._lock:
                self._malformed.append(
                    MalformedRecord(rate_records.STREAM, digest_of(record), None, str(error)),
                )
            return
        if rate_type == self._alerts.rates.type:
            with self._lock:
                self._alerts.rates.add([rate])
                self._new_rates.append(rate)

    def state(self, value: Mapping[str, Any]) -> None:
        """Take a STATE in, and with it what it says of whole reads.

        Raises:
            UnknownHistoryError: It has bookmarks of reads that this ledger never saw.
            LedgerError: The ledger refused.
        """
        self.raise_error()
        self._baselines.ends_with_state = True
        with self._lock:
            self._state = value
            # What comes after a whole read is no baseline any more; else it waits for its group.
            if not self._first_at or self._baselines.is_news(value):
                self._commit()

    def commit(self) -> None:
        """Commit what has been taken in.

        Raises:
            LedgerError: The ledger refused.
        """
        self.raise_error()
        with self._lock:
            self._commit()

    def finish(self) -> None:
        """Commit the rest, and decide what nobody touched, by the clock or by what came late."""
        self.commit()
        with self._lock:
            for ended, reason in self._baselines.ended_with_the_run():
                self._end(ended, reason)
            self._look_at_the_untouched()
            self._counted.keep()

    def close(self) -> None:
        """Stop the timer; commits nothing, and what was not committed does not count."""
        with self._lock:
            self._closed = True
            self._counted.undo()
            self._lock.notify_all()
        if self._timer.ident is not None:
            self._timer.join()

    def raise_error(self) -> None:
        """Raise what the timer thread met, in the thread that can tell it."""
        if self.error is not None:
            raise self.error

    def _commit_in_time(self) -> None:
        try:
            with self._lock:
                while not self._closed:
                    if not (self._arrivals or self._malformed):
                        self._lock.wait()
                        continue
                    left = self._first_at + GROUP_SECONDS - time.monotonic()
                    if left > 0:
                        self._lock.wait(left)
                        continue
                    self._commit()
        except Exception as error:  # noqa: BLE001 - raised again in the reading thread
            self.error = error

    def _commit(self) -> None:
        self._write()
        self._counted.keep()
        state, self._state = self._state, None
        if state is not None:
            self._let_go(state)

    def _write(self) -> None:
        arrivals, self._arrivals = self._arrivals, []
        malformed, self._malformed = self._malformed, []
        self._first_at = 0.0
        rates, self._new_rates = self._new_rates, []
        fresh = self._baselines.ended_with(self._state)
        if not (arrivals or malformed or fresh or rates):
            return
        with self._ledger.write(keep=not self._dry_run) as connection:
            touched: list[Iterable[str]] = [
                (arrival.entity.stream for arrival in arrivals),
                (record.stream for record in malformed),
                (stream for stream, _ in fresh),
                (rate_records.STREAM for _ in rates[:1]),
            ]
            locks.streams(connection, chain.from_iterable(touched))
            group = self._group(connection, [arrival.document.id for arrival in arrivals])
            for arrival in arrivals:
                group.take(arrival, self._watches.get(arrival.entity.name, ()))
            self._recorder.rates(connection, rates, at=group.at)
            told = self._recorder.malformed(connection, malformed, at=group.at)
            raised = self._recorder.write(connection, group)
            told += raised
            told += self._recorder.complete(connection, fresh, at=group.at, reason=READ_WHOLE)
            events.append(connection, told, at=group.at, run_id=self._run.id)
        self._baselines.add(fresh)
        self.outcomes.update(group.outcomes)
        if raised:
            self._on_messages()

    def _group(self, connection: Connection, ids: list[str]) -> Group:
        now = self._clock()
        return Group(
            stored=versions.load(connection, ids),
            remembered=answers.load_remembered(connection, ids),
            known_undecided=answers.load_undecided(connection, ids),
            run_id=self._run.id,
            at=now,
            around=Surroundings(self._today(now), self._alerts.rates),
            zone=self._alerts.timezone,
            neighbours=Neighbours(partial(versions.of_group, connection), self._recent_days),
        )

    def _today(self, now: datetime) -> date | None:
        return now.astimezone(zone).date() if (zone := self._alerts.timezone) else None

    def _look_at_the_untouched(self) -> None:
        untouched = Untouched(
            self._ledger,
            self._recorder,
            self._reads,
            group=self._group,
            run_id=self._run.id,
            keep=not self._dry_run,
            due=self._due,
            on_commit=self._counted.keep,
        )
        watches = [watch for named in self._watches.values() for watch in named]
        if untouched.look(watches, self._today(self._clock())):
            self._on_messages()

    def _end(self, ended: list[Partition], reason: str) -> None:
        """Write down that baselines are over."""
        if not ended:
            return
        now = self._clock()
        with self._ledger.write(keep=not self._dry_run) as connection:
            locks.streams(connection, (stream for stream, _ in ended))
            told = self._recorder.complete(connection, ended, at=now, reason=reason)
            events.append(connection, told, at=now, run_id=self._run.id)
        self._baselines.add(ended)

    def notices(self) -> list[str]:
        """Rules that had nothing to decide, and why, a line each."""
        return [
            *absent_streams(self._alerts.rules, self._baselines.begun),
            *unknown_companies(self._alerts.rules, self._reads),
        ]
