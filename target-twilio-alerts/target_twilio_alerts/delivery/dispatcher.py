"""The dispatcher: claims messages, hands each over at most once, and records what came of it.

It runs in its own threads beside the reading of the tap, so that an alert leaves while a slow tap
is still reading. For one message the order is: claim (committed), ``sending`` (committed, on disk),
the call, the outcome (committed). A process that dies in between leaves the message where the next
run can tell what may have happened: before ``sending`` it is safe to try again, after it never.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from target_twilio_alerts.delivery.channels import (
    Accepted,
    CredentialsRefused,
    Outgoing,
    Postponed,
    Rejected,
)
from target_twilio_alerts.delivery.pace import Pace, Rates
from target_twilio_alerts.delivery.steps import Steps
from target_twilio_alerts.ledger import LedgerError, LedgerLostError, outbox
from target_twilio_alerts.ledger.runs import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from target_twilio_alerts.delivery.callback_urls import CallbackUrls
    from target_twilio_alerts.delivery.channels import Channel, Outcome
    from target_twilio_alerts.ledger import Ledger
    from target_twilio_alerts.ledger.outbox import ClaimedMessage
    from target_twilio_alerts.ledger.runs import Run

logger = logging.getLogger(__name__)

_IDLE_SECONDS = 5.0
"""How often to look for messages that another process left or postponed."""


_ASK_AGAIN_SECONDS = 2.0
"""How long until somebody who could not be asked is asked again."""


@dataclass(frozen=True)
class Doubt:
    """Why nothing may be sent.

    Attributes:
        why: A line.
        can_pass: Whether to ask again; if not, nothing is sent in this run.
    """

    why: str
    can_pass: bool = False


@dataclass
class Tally:
    """What one process did with messages, for its summary."""

    accepted: int = 0
    rejected: int = 0
    unknown: int = 0
    postponed: int = 0
    failures: list[str] = field(default_factory=list)


class Dispatcher:
    """Delivers what is pending in the ledger, a bounded number of messages at a time.

    Args:
        ledger: Where messages wait and outcomes are written.
        channels: By channel name, e.g. ``sms``; a message of another channel stays pending.
        run: The run that claims.
        max_in_flight: Hand-overs at the same time.
        callbacks: Where Twilio tells what becomes of a message.
        rates: How often a sender may be used.
        doubt: Asked before the first hand-over; None: all may be sent.
    """

    def __init__(
        self,
        ledger: Ledger,
        channels: Mapping[str, Channel],
        *,
        run: Run,
        max_in_flight: int,
        callbacks: CallbackUrls,
        rates: Rates,
        doubt: Callable[[], Doubt | None] = lambda: None,
    ) -> None:
        self._ledger = ledger
        self._channels = channels
        self._steps = Steps(ledger, run)
        self._slots = max_in_flight
        self._callbacks = callbacks
        self._pace = Pace(rates)
        self._ask = doubt
        self._is_cleared = False
        self._doubt: Doubt | None = None
        self._ask_at = 0.0
        self._changed = threading.Condition()
        self._in_flight = 0
        self._claiming = False
        self._woken = True
        self._stopping = False
        self._pool = ThreadPoolExecutor(max_in_flight, thread_name_prefix="deliver")
        self._thread = threading.Thread(target=self._loop, name="dispatcher", daemon=True)
        self.tally = Tally()
        self.refused: str | None = None
        self.error: BaseException | None = None

    def start(self) -> None:
        """Settle what ended processes left, then begin to deliver."""
        lost = self._steps.recover()
        if lost:
            logger.warning(
                "%d message(s) were being handed over when an earlier run ended; they are "
                "`unknown` now: see `twilio-alerts audit --state unknown`",
                len(lost),
            )
        self._thread.start()

    def wake(self) -> None:
        """Tell that new messages wait."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def finish(self, *, deadline_seconds: float, more: Sequence[Callable[[], int]]) -> None:
        """Deliver until nothing will be due before the deadline, or it has passed; then stop.

        Args:
            deadline_seconds: How long, at most.
            more: Each called when all before it is delivered; gives the number of messages that it
                has added.

        Raises:
            LedgerError: The ledger failed while delivering.
        """
        deadline = utc_now() + timedelta(seconds=deadline_seconds)
        self._deliver_until(deadline)
        for add in more:
            if self.error is None and not self._stopping and add():
                self._deliver_until(deadline)
        self.stop()
        if self.error is None and self._doubt is not None:
            self.error = LedgerError(self._doubt.why)
        if self.error is not None:
            raise self.error

    def _deliver_until(self, deadline: datetime) -> None:
        with self._changed:
            self._woken = True
            self._changed.notify_all()
            left = max(0.0, (deadline - utc_now()).total_seconds())
            self._changed.wait_for(lambda: self._is_done(deadline), timeout=left)

    def wake_to_stop(self) -> None:
        """Claim nothing more. Safe in a signal handler: its lock is re-entrant."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Claim nothing more, let hand-overs under way end, and release the threads."""
        self.wake_to_stop()
        if self._thread.ident is not None:
            self._thread.join()
        self._pool.shutdown(wait=True)

    def _is_done(self, deadline: datetime) -> bool:
        if self._stopping or not self._thread.is_alive():
            return True
        if self._woken or self._claiming or self._in_flight or self._pace:
            return False
        try:
            due = self._next_due()
        except LedgerLostError:
            return False  # the thread that claims waits for it, or ends
        return due is None or due > deadline

    def _next_due(self) -> datetime | None:
        """When a message may be handed over next; None if none waits, but for what is tried now."""
        holds = {name: self._pace.holds.seconds(name) for name in self._channels}
        free = [name for name, seconds in holds.items() if not seconds]
        now = utc_now()
        with self._ledger.read() as connection:
            dues = [outbox.next_due(connection, channels=free)]
            for name, seconds in holds.items():
                if 0 < seconds < math.inf:
                    due = outbox.next_due(connection, channels=[name])
                    dues.append(due and max(due, now + timedelta(seconds=seconds)))
        return min((due for due in dues if due is not None), default=None)

    def _loop(self) -> None:
        try:
            while self._wait_for_work():
                self._claim()
                if not self._stopping:
                    self._release_held()
                    self._submit()
            for message in self._pace.clear():
                self._steps.release(message)
        except Exception as error:  # noqa: BLE001 - told by whoever asks for `error`
            self.error = error
        finally:
            with self._changed:
                self._stopping = True
                self._changed.notify_all()

    def _wait_for_work(self) -> bool:
        def is_time() -> bool:
            return self._stopping or (self._woken and self._in_flight < self._slots)

        with self._changed:
            # Not asked when the next one is due while there is something to do: it is a query.
            if not is_time():
                self._changed.wait_for(is_time, timeout=self._seconds_to_next())
            return not self._stopping

    def _seconds_to_next(self) -> float:
        if self._in_flight >= self._slots:
            return _IDLE_SECONDS
        if self._doubt is not None:
            return max(0.0, self._ask_at - time.monotonic())
        turn = self._pace.seconds_to_next()
        if turn is not None:
            return min(turn, _IDLE_SECONDS)
        try:
            due = self._next_due()
        except LedgerLostError:
            return 0.0
        if due is None:
            return _IDLE_SECONDS
        return min(_IDLE_SECONDS, max(0.0, (due - utc_now()).total_seconds()))

    def _claim(self) -> None:
        """Take messages whose senders have room for them, if a hand-over could begin."""
        with self._changed:
            free = self._slots - self._in_flight
            if self._doubt is not None and time.monotonic() < self._ask_at:
                free = 0
            self._woken = False
            # Claimed in the ledger and not in flight yet: `finish` must not take that for the end.
            self._claiming = free > 0
        if not free:
            return
        room = self._pace.room(self._channels, most=free)
        claimed = self._steps.claim(room, limit=free, unless=lambda: self._stopping)
        for message in claimed:
            self._pace.add(message, self._channels[message.channel].sender_of(message.address))
        if claimed and not self._is_cleared:
            self._clear()
        with self._changed:
            self._claiming = False
            self._woken = self._woken or bool(claimed)
            self._changed.notify_all()

    def _clear(self) -> None:
        """Let messages leave only if nothing speaks against it."""
        doubt = self._doubt = self._ask()
        self._is_cleared = doubt is None
        if doubt is None:
            return
        if not doubt.can_pass:
            self.wake_to_stop()
            return
        for message in self._pace.clear():
            self._steps.release(message)
        self._ask_at = time.monotonic() + _ASK_AGAIN_SECONDS

    def _release_held(self) -> None:
        """Let go of what waits for a channel that is held: it may be held for long."""
        with self._changed:
            held = self._pace.clear_held()
            self._claiming = bool(held)
        for message in held:
            self._steps.release(message)
        if held:
            with self._changed:
                self._claiming = False
                self._changed.notify_all()

    def _submit(self) -> None:
        """Begin the hand-overs whose turn has come."""
        with self._changed:
            ready = self._pace.take(self._slots - self._in_flight)
            self._in_flight += len(ready)
        for message in ready:
            landed = partial(self._landed, message.channel)
            self._pool.submit(self._deliver, message).add_done_callback(landed)

    def _landed(self, channel: str, future: Future[None]) -> None:
        with self._changed:
            self._in_flight -= 1
            self._pace.holds.end(channel)
            self._woken = True
            if (error := future.exception()) is not None:
                self.error = error
                self._stopping = True
            self._changed.notify_all()

    def _begin(self, message: ClaimedMessage) -> bool:
        """Write down that a message leaves now; False if it does not."""
        if self._stopping:
            self._steps.release(message)
            return False
        if message.valid_until is not None and message.valid_until <= utc_now():
            self._steps.expire(message)
            return False
        return self._steps.begin(message)

    def _deliver(self, message: ClaimedMessage) -> None:
        leaves = False
        try:
            leaves = self._begin(message)
        finally:
            if self._pace.left(message, is_out=leaves):
                self.wake()
        if not leaves:
            return
        left = None if message.valid_until is None else message.valid_until - utc_now()
        outcome = self._channels[message.channel].send(
            Outgoing(
                message_id=message.id,
                channel=message.channel,
                to=message.address,
                subject=message.subject,
                text=message.text,
                html=message.html,
                status_callback=self._callbacks.status(message.id),
                content_sid=message.content_sid,
                content_variables=message.content_variables,
                locale=message.locale,
                keypress_url=self._callbacks.keypress(message.id),
                validity_seconds=None if left is None else max(1, int(left.total_seconds())),
            ),
        )
        self._pace.holds.hear(message.channel, outcome)
        self._note(message, outcome)
        self._steps.record(message, outcome)

    def _note(self, message: ClaimedMessage, outcome: Outcome) -> None:
        """Count an outcome; credentials that are wrong for every message end the delivering."""
        with self._changed:
            if isinstance(outcome, CredentialsRefused):
                self.refused = self.refused or outcome.reason
                self._stopping = True
                self._changed.notify_all()
            elif isinstance(outcome, Accepted):
                self.tally.accepted += 1
            elif isinstance(outcome, Postponed):
                self.tally.postponed += 1
            else:
                self.tally.failures.append(f"{message.id}: {outcome.reason}")
                if isinstance(outcome, Rejected):
                    self.tally.rejected += 1
                else:
                    self.tally.unknown += 1
