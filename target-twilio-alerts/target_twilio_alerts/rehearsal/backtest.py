"""What rules would have told of a past, by the code of every run, over a ledger of its own.

The clock is played from one happening to the next: on each day that passes rules with `today` are
looked at, and digests and steps of escalations are told by the run after their time.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING

import sqlalchemy as sa

from target_twilio_alerts.intake import Intake, rate_records
from target_twilio_alerts.intake.notices import absent_streams
from target_twilio_alerts.ledger import Ledger, escalations, opt_outs, silences, told, versions
from target_twilio_alerts.ledger.ids import long_id
from target_twilio_alerts.ledger.runs import Run
from target_twilio_alerts.ledger.tables import StepState, digest_items, messages
from target_twilio_alerts.ledger.tables import escalations as escalations_table
from target_twilio_alerts.messages.kinds import BRAKE_SUMMARY
from target_twilio_alerts.notify.brake import HOUR
from target_twilio_alerts.notify.follow_up import FollowUp
from target_twilio_alerts.rehearsal.due_days import DueDays
from target_twilio_alerts.rehearsal.past import RateRecord
from target_twilio_alerts.rehearsal.past_ledger import SeenByLedger
from target_twilio_alerts.rehearsal.seen import Seen
from target_twilio_alerts.rules import Rates, Surroundings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from target_twilio_alerts.intake.arrivals import Arrival
    from target_twilio_alerts.messages import Messages
    from target_twilio_alerts.rehearsal.past import Happening, Past
    from target_twilio_alerts.rules import Alerts, Rule

COMMAND = "backtest"
_START = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Backtest:
    """One pass over a past.

    Args:
        alerts: The alerts file.
        writer: Writes the texts.
        past: What came.
        place: Where its ledger is made.
    """

    def __init__(self, alerts: Alerts, writer: Messages, past: Past, place: Path) -> None:
        # The rates that the past brings are added to those of the file, and are no one else's.
        rates = Rates(max_age=alerts.rates.max_age, type=alerts.rates.type)
        rates.add(alerts.rates.every())
        self._alerts = replace(alerts, rates=rates)
        self._zone = alerts.timezone or timezone.utc
        self._writer = writer
        self._past = past
        self.path = place / f"{long_id()}.db"
        self.ledger = Ledger(f"sqlite:///{self.path}", is_scratch=True)
        self._prepare()
        self._rules: dict[str, list[Rule]] = {}
        for rule in alerts.rules:
            self._rules.setdefault(rule.entity.name, []).append(rule)
        self._has_clock = any(rule.condition.uses_clock for rule in alerts.rules)
        until = past.end.astimezone(self._zone).date() if self._has_clock else None
        self._days = DueDays(self.ledger, alerts.rules, until)
        self._counts_runs = alerts.limits.per_run is not None
        self._seen = Seen()
        self._now = _START
        self._today = _START.date()
        self._day_ends = _START
        self._looked: date | None = None
        self._is_loud = self._has_rates = False
        self._follow_up: datetime | None = None
        self._knows_follow_up = False
        self._open()
        self.records = 0
        self.outcomes: Counter[tuple[str, str]] = Counter()

    def _prepare(self) -> None:
        """Let every stream have been read whole, and keep what the past knows of people."""
        with self.ledger.write() as connection:
            # What no summary has named is asked for at each moment, also in a flood.
            connection.exec_driver_sql("CREATE INDEX ix_held ON messages (state, summary_id)")
            for stream in self._alerts.entities:
                versions.add_complete_read(
                    connection, stream=stream, context={}, at=_START, run_id=COMMAND, reason=COMMAND
                )
            if isinstance(self._past, SeenByLedger):
                self._alerts.rates.add(self._past.rates)
                for silence in self._past.silences:
                    silences.add(connection, silence)
                for opt_out in self._past.opt_outs:
                    opt_outs.add(connection, opt_out)

    def play(self) -> None:
        """Play the past to its end."""
        for happening in self._past.happenings():
            if self._looked is None and happening.at >= self._past.begin:
                self._begin()
            if self._looked is not None:
                self._pass_time(happening.at)
            self._take(happening)
            self.records += 1
        if self._looked is None:
            self._begin()
        self._pass_time(self._past.end if self._past.is_over else None, is_end=True)
        self.outcomes.update(self._intake.outcomes)
        self._intake.close()

    def close(self) -> None:
        """Give the ledger back."""
        self.ledger.close()

    def waiting(self) -> Mapping[str, int]:
        """What was still to be told at the end: alerts for digests, and steps of escalations."""
        unread = sa.select(sa.func.count()).where(digest_items.c.told_at.is_(None))
        steps = sa.select(sa.func.count()).where(
            escalations_table.c.state == StepState.WAITING.value
        )
        with self.ledger.read() as connection:
            return {
                "digest": int(connection.execute(unread).scalar_one()),
                "escalation": int(connection.execute(steps).scalar_one()),
            }

    def idle(self) -> list[str]:
        """Rules that had nothing to decide, a line each."""
        return list(absent_streams(self._alerts.rules, self._past.streams))

    def _open(self) -> None:
        """Begin a run: rules know the day on which they were looked at last."""
        self._run = Run(id=long_id(), command=COMMAND, started_at=self._now)
        self._intake = Intake(
            self.ledger,
            self._alerts,
            self._writer,
            run=self._run,
            on_messages=self._forget_follow_up,
            clock=lambda: self._now,
            due=self._days.due,
        )

    def _reopen(self) -> None:
        self.outcomes.update(self._intake.outcomes)
        self._intake.close()
        self._open()

    def _forget_follow_up(self) -> None:
        self._knows_follow_up = False

    def _begin(self) -> None:
        """From here on alerts are told: what is true by now has been so before."""
        self._intake.commit()
        self._set(self._past.begin)
        self._days.forget(self._today)
        self._look()

    def _take(self, happening: Happening) -> None:
        if happening.at >= self._day_ends:
            self._settle()
            self._set(happening.at)
        what = happening.what
        if isinstance(what, RateRecord):
            self._be_loud(happening.at)
            self._has_rates = True
            stream = rate_records.STREAM
            self._intake.add(stream, what.record, what.key_properties, problem=None)
            return
        around = Surroundings(self._today, self._alerts.rates)
        is_new = not self._seen.add(what.document.id)
        if self._may_tell(what, around, is_new=is_new):
            self._be_loud(happening.at)
        if not what.deleted:
            self._days.add(what.document, around)
        self._intake.take(what)

    def _may_tell(self, arrival: Arrival, around: Surroundings, *, is_new: bool) -> bool:
        """Whether a rule might tell somebody of it: then its moment counts, not its day alone."""
        if arrival.baseline or arrival.deleted:
            return False
        values = arrival.document.values
        for rule in self._rules.get(arrival.entity.name, ()):
            condition = rule.condition
            if condition.uses_previous:
                if is_new:
                    continue
                return True
            answer = condition.answer(values, None, around)
            if answer or (answer is None and (condition.recent_days or rule.undecided)):
                return True
        return False

    def _be_loud(self, at: datetime) -> None:
        self._set(at)
        self._is_loud = True

    def _set(self, moment: datetime) -> None:
        """Put the clock to a moment, which is never earlier than it was."""
        if self._counts_runs and moment != self._now:
            self._settle()
            self._now = moment
            self._reopen()
        self._now = moment
        if moment >= self._day_ends:
            self._today = moment.astimezone(self._zone).date()
            self._day_ends = self._midnight(self._today + timedelta(days=1))

    def _settle(self) -> None:
        """Commit what has come by now."""
        if self._has_rates:
            self._intake.finish()
        else:
            self._intake.commit()
        self._is_loud = self._has_rates = False

    def _pass_time(self, until: datetime | None, *, is_end: bool = False) -> None:
        """Let the runs come that had something to tell before a moment, or in the end at it."""
        if until is not None and not is_end and self._is_nothing_due(until):
            return
        if is_end or (self._is_loud and until != self._now):
            self._settle()
        while True:
            look, follow_up = self._next_look(until), self._next_follow_up()
            moment = min(filter(None, (look, follow_up)), default=None)
            if moment is None or (
                until is not None and (moment > until or (moment == until and not is_end))
            ):
                return
            self._settle()
            self._set(max(moment, self._now))
            if look == moment:
                self._look()
            self._knows_follow_up = False
            FollowUp(
                self.ledger, self._alerts, self._writer, run=self._run, clock=lambda: self._now
            ).take()

    def _is_nothing_due(self, until: datetime) -> bool:
        """Whether surely nothing happens before a moment; asked before each record."""
        return (
            self._knows_follow_up
            and (not self._is_loud or until == self._now)
            and until < self._day_ends
            and (self._looked == self._today or not self._has_clock)
            and (self._follow_up is None or until <= self._follow_up)
        )

    def _look(self) -> None:
        """Decide what is due by the day, as the first run of each day does."""
        self._intake.finish()
        self._looked = self._today
        if self._has_clock:
            self._days.forget(self._looked)
            self._reopen()

    def _next_look(self, until: datetime | None) -> datetime | None:
        if not self._has_clock or self._looked is None:
            return None
        next_day = self._looked + timedelta(days=1)
        days = [next_day]
        if not self._past.runs.looks_each_day:
            arrival = None if until is None else until.astimezone(self._zone).date()
            days = [
                day for day in (self._days.first(), arrival) if day is not None and day >= next_day
            ]
        if not days:
            return None
        return self._past.runs.first_from(self._midnight(min(days)), reads=True)

    def _next_follow_up(self) -> datetime | None:
        if not self._knows_follow_up:
            due = self._due()
            self._follow_up = None if due is None else self._past.runs.first_from(due)
            self._knows_follow_up = True
        return self._follow_up

    def _due(self) -> datetime | None:
        """When the next digest, step of an escalation, or summary of what is held is due."""
        digest = sa.select(sa.func.min(digest_items.c.due_at)).where(
            digest_items.c.told_at.is_(None)
        )
        with self.ledger.read() as connection:
            moments = [connection.execute(digest).scalar(), escalations.next_due(connection)]
            if self._alerts.limits.recipients and told.unsummarised(connection):
                last = sa.select(sa.func.max(messages.c.created_at))
                before = connection.execute(
                    last.where(messages.c.template == BRAKE_SUMMARY)
                ).scalar()
                moments.append(self._now if before is None else max(self._now, before + HOUR))
        return min(filter(None, moments), default=None)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(0), self._zone).astimezone(timezone.utc)
