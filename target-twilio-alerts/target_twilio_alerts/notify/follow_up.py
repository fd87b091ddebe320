"""What an alert brings with it later: the next steps, and other channels for who opted out."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from target_twilio_alerts.ledger import (
    Event,
    MessageState,
    digests,
    escalations,
    events,
    locks,
    opt_outs,
    outbox,
    silences,
    told,
)
from target_twilio_alerts.ledger.opt_outs import OPTED_OUT_CODES
from target_twilio_alerts.ledger.runs import utc_now
from target_twilio_alerts.ledger.tables import StepState, iso_utc, messages
from target_twilio_alerts.messages.kinds import BRAKE_SUMMARY
from target_twilio_alerts.notify.anchor import anchor_messages
from target_twilio_alerts.notify.brake import HOUR, priced
from target_twilio_alerts.notify.compose import Composer, Quiet, created_event
from target_twilio_alerts.notify.digest import due_digests
from target_twilio_alerts.notify.failures import failure_summary, warn_of_unheard
from target_twilio_alerts.notify.stored import load_occasion
from target_twilio_alerts.notify.together import tell_together
from target_twilio_alerts.rules.model import DELIVERED
from target_twilio_alerts.rules.routing import route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.ledger import Ledger
    from target_twilio_alerts.ledger.escalations import DueStep
    from target_twilio_alerts.ledger.runs import Run
    from target_twilio_alerts.messages import Messages, Rendered
    from target_twilio_alerts.notify.compose import Composed
    from target_twilio_alerts.rules import Alerts
    from target_twilio_alerts.rules.model import EscalationStep
    from target_twilio_alerts.rules.routing import Reached

logger = logging.getLogger(__name__)

_REFUSED = (MessageState.REJECTED, MessageState.FAILED, MessageState.UNDELIVERED)

_FALLS_BACK = timedelta(days=3)
"""How long after it was refused a message is told over another channel: an older one is no news."""

_UNTOLD = timedelta(days=30)
"""How long a failure that no summary has named waits for one. A ledger that is older than summaries
has failures that none will name."""


class FollowUp:
    """Writes the messages that follow from what has become of others.

    Args:
        ledger: The ledger.
        alerts: Rules and people.
        messages: Writes the texts.
        run: The run at work.
        clock: What time it is.
        ask: Asks for the statuses of messages; called before a step that depends on one is
            taken, and before failures are told.
        anchor_notify: Name of the recipient who is sent the anchors of the trail; None: nobody.
    """

    def __init__(
        self,
        ledger: Ledger,
        alerts: Alerts,
        messages: Messages,
        *,
        run: Run,
        clock: Callable[[], datetime] = utc_now,
        ask: Callable[[], object] = lambda: None,
        anchor_notify: str | None = None,
    ) -> None:
        self._ledger = ledger
        self._alerts = alerts
        self._messages = messages
        self._composer = Composer(messages, alerts)
        self._run = run
        self._clock = clock
        self._ask = ask
        self._anchor_notify = anchor_notify

    def take(self) -> int:
        """Write what is due now; gives the number of messages."""
        steps = [step for rule in self._alerts.rules for step in rule.escalation]
        if any(step.unless == DELIVERED for step in steps):
            with self._ledger.read() as connection:
                is_due = bool(escalations.due(connection, at=self._clock()))
            if is_due:
                self._ask()
        with self._ledger.write() as connection:
            locks.telling(connection)
            now = self._clock()
            quiet = Quiet(silences.active(connection, at=now), opt_outs.load(connection))
            news: list[Event] = []
            written = [*self._escalate(connection, now, quiet, news)]
            written += self._fall_back(connection, now, quiet)
            written += self._summarise(connection, now, quiet)
            contents = {}
            for digest, alert_ids in due_digests(
                connection,
                self._alerts,
                self._messages,
                at=now,
                quiet=quiet,
                dropped=news,
            ):
                contents[digest.id] = alert_ids
                written.append((digest, None))
            for composed, problem in written:
                message = priced(composed, self._alerts.limits)
                outbox.add(connection, message, at=now, run_id=self._run.id)
                if message.id in contents:
                    digests.add_contents(connection, message.id, contents[message.id])
                told_by = contents.get(message.id)
                news.append(created_event(message, problem=problem, alerts=told_by))
            events.append(connection, news, at=now, run_id=self._run.id)
            return len(written) + self._anchor(connection, now, quiet)

    def ask_and_tell_failures(self) -> int:
        """Ask for statuses, then write the summary of what did not get through, if anything.

        Returns:
            The number of messages.
        """
        self._ask()
        with self._ledger.write() as connection:
            locks.telling(connection)
            now = self._clock()
            written = [
                priced(message, self._alerts.limits)
                for message in failure_summary(
                    connection,
                    self._alerts,
                    self._messages,
                    at=now,
                    since=now - _UNTOLD,
                    quiet=Quiet(opt_outs=opt_outs.load(connection)),
                )
            ]
            for message in written:
                outbox.add(connection, message, at=now, run_id=self._run.id)
            news = [created_event(message) for message in written]
            events.append(connection, news, at=now, run_id=self._run.id)
            return len(written)

    def look_for_unheard(self) -> int:
        """Say in the log if the last summary of failures reached nobody; writes no message."""
        with self._ledger.read() as connection:
            warn_of_unheard(connection, self._alerts, since=self._clock() - _UNTOLD)
        return 0

    def _anchor(self, connection: Connection, now: datetime, quiet: Quiet) -> int:
        """Write the anchor's email, last, so that it seals all before it; gives the number."""
        if self._anchor_notify is None:
            return 0
        written = list(
            anchor_messages(
                connection,
                self._alerts,
                self._messages,
                self._anchor_notify,
                at=now,
                quiet=quiet,
            ),
        )
        for message in written:
            outbox.add(connection, message, at=now, run_id=self._run.id)
        told = [created_event(message) for message in written]
        events.append(connection, told, at=now, run_id=self._run.id)
        return len(written)

    def _escalate(
        self, connection: Connection, now: datetime, quiet: Quiet, news: list[Event]
    ) -> Iterator[Composed]:
        """Take the steps whose time has come, unless somebody has acted; its events are news."""
        for due in escalations.due(connection, at=now):
            occasion = load_occasion(connection, self._alerts, due.alert_id)
            steps = () if occasion is None else occasion.rule.escalation
            why = None if due.step <= len(steps) else "the rule has no such step any more"
            if why is None:
                why = self._why_not(connection, due, steps[due.step - 1])
            state = StepState.TAKEN if why is None else StepState.ENDED
            escalations.settle(connection, due, state, at=now, reason=why)
            body = {"step": due.step, "due_at": iso_utc(due.due_at), "reason": why}
            kept = {name: value for name, value in body.items() if value is not None}
            news.append(Event(f"escalation_{state.value}", kept, alert_id=due.alert_id))
            if why is not None or occasion is None:
                logger.info("Alert %s: step %d is not taken: %s", due.alert_id, due.step, why)
                continue
            step = steps[due.step - 1]
            logger.info("Alert %s: escalated, step %d", due.alert_id, due.step)
            yield from self._composer.compose(
                occasion,
                at=now,
                quiet=quiet,
                recipients=step.recipients,
                via=step.via,
                step=due.step,
                because=f"not {step.unless} (step {due.step})",
            )

    @staticmethod
    def _why_not(connection: Connection, due: DueStep, step: EscalationStep) -> str | None:
        known = escalations.acknowledgement(connection, due.alert_id)
        if known is not None:
            return f"acknowledged by {known.by}"
        if escalations.is_silenced(connection, due.alert_id):
            return "silenced"
        if escalations.is_cancelled(connection, due.alert_id):
            return "cancelled"
        if step.unless == DELIVERED and escalations.is_delivered(
            connection, due.alert_id, before_step=due.step
        ):
            return "delivered"
        return None

    def _fall_back(self, connection: Connection, now: datetime, quiet: Quiet) -> Iterator[Composed]:
        """Tell those who opted out over the channels that their rules fall back on."""
        if not any(rule.fallback for rule in self._alerts.rules):
            return
        table = messages.c
        refused = connection.execute(
            sa.select(table.alert_id, table.recipient, table.step)
            .where(
                table.error_code.in_(OPTED_OUT_CODES),
                table.alert_id.is_not(None),
                table.state.in_([state.value for state in _REFUSED]),
                table.updated_at >= now - _FALLS_BACK,
            )
            .distinct(),
        ).all()
        for alert_id, recipient, step in refused:
            occasion = load_occasion(connection, self._alerts, alert_id)
            if (
                occasion is not None
                and recipient in self._alerts.recipients
                and not self._is_told(connection, alert_id, recipient, occasion.rule.fallback, step)
            ):
                yield from self._composer.compose_fallback(
                    occasion, recipient, at=now, quiet=quiet, step=step
                )

    def _summarise(self, connection: Connection, now: datetime, quiet: Quiet) -> Iterator[Composed]:
        """Name what the flood brake has held, at most once an hour."""
        limits = self._alerts.limits
        numbers = told.unsummarised(connection)
        if not numbers or told.has_summary_since(connection, BRAKE_SUMMARY, since=now - HOUR):
            return
        logger.warning(
            "The flood brake holds %d messages (%s): `twilio-alerts release` sends them",
            sum(numbers.values()),
            ", ".join(f"{rule}: {number}" for rule, number in numbers.items()),
        )

        def render(reached: Reached, channel: str, reference: str) -> Rendered:
            locale = reached.recipient.locale
            return self._messages.held(numbers, channel=channel, locale=locale, reference=reference)

        written = list(
            tell_together(
                route(self._alerts, limits.recipients, at=now, is_critical=False),
                limits.via,
                quiet=quiet,
                severity="high",
                render=render,
                told=set(),
            ),
        )
        if written:
            told.mark_summarised(connection, written[0].id)
        yield from ((message, None) for message in written)

    @staticmethod
    def _is_told(
        connection: Connection, alert_id: str, recipient: str, channels: tuple[str, ...], step: int
    ) -> bool:
        table = messages.c
        found = connection.execute(
            sa.select(table.id)
            .where(
                table.alert_id == alert_id,
                table.recipient == recipient,
                table.step == step,
                table.channel.in_(channels),
            )
            .limit(1),
        ).first()
        return found is not None
