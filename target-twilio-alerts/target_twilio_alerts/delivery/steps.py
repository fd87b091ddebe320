"""The steps of a message that is handed over, each one transaction of the ledger.

A step whose transaction was lost with the connection to the database is taken again. Whether the
lost commit took hold is not known then, so each step looks first whether it has been taken.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, TypeVar

from target_twilio_alerts.delivery.channels import Accepted
from target_twilio_alerts.delivery.consequences import consequences
from target_twilio_alerts.delivery.opting_out import remember_opt_out
from target_twilio_alerts.ledger import (
    Event,
    LedgerError,
    LedgerLostError,
    MessageState,
    events,
    outbox,
    unsettled,
)
from target_twilio_alerts.ledger.runs import utc_now
from target_twilio_alerts.ledger.tables import iso_utc

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.delivery.channels import Outcome
    from target_twilio_alerts.ledger import Ledger
    from target_twilio_alerts.ledger.outbox import ClaimedMessage
    from target_twilio_alerts.ledger.runs import Run

logger = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE_SECONDS = 30.0
"""How long to wait for a database that is away: an outcome that is not written is not known."""

_PAUSE_SECONDS = 0.5


class Steps:
    """Takes messages from step to step.

    Args:
        ledger: Where they are.
        run: The run at work.
    """

    def __init__(self, ledger: Ledger, run: Run) -> None:
        self._ledger = ledger
        self._run = run

    def recover(self) -> list[str]:
        """Settle what ended processes left; gives the messages whose answer is lost."""
        now = utc_now()
        with self._ledger.write() as connection:
            lost = outbox.recover(connection, at=now)
            told = [
                Event("message_unknown", {"reason": outbox.INTERRUPTED}, message_id=message_id)
                for message_id in lost
            ]
            events.append(connection, told, at=now, run_id=self._run.id)
        return lost

    def claim(
        self, room: Mapping[str, int], *, limit: int, unless: Callable[[], bool]
    ) -> list[ClaimedMessage]:
        """Take messages that are due, unless it is too late for that.

        Args:
            room: How many of each channel, at most.
            limit: How many of all, at most.
            unless: Whether to give up while the ledger is away.
        """
        portions = [([name], most) for name, most in room.items() if 0 < most < limit]
        portions.append(([name for name, most in room.items() if most >= limit], limit))

        def step(connection: Connection, _is_again: bool) -> list[ClaimedMessage]:
            claimed: list[ClaimedMessage] = []
            for channels, most in portions:
                wanted = min(most, limit - len(claimed))
                if channels and wanted:
                    claimed += outbox.claim(
                        connection,
                        at=utc_now(),
                        run_id=self._run.id,
                        limit=wanted,
                        channels=channels,
                    )
            return claimed

        return self._persist(step, unless=unless)

    def release(self, message: ClaimedMessage) -> None:
        """Let others have a message that was claimed only."""

        def step(connection: Connection, _is_again: bool) -> None:
            outbox.move(
                connection,
                message,
                before=[MessageState.CLAIMED],
                at=utc_now(),
                state=MessageState.PENDING,
                claim_token=None,
            )

        self._persist(step)

    def expire(self, message: ClaimedMessage) -> None:
        """Let go of a message that has waited until it is of no use any more."""
        now, reason = utc_now(), outbox.EXPIRED

        def step(connection: Connection, _is_again: bool) -> None:
            if outbox.move(
                connection,
                message,
                before=[MessageState.CLAIMED],
                at=now,
                state=MessageState.SUPPRESSED,
                reason=reason,
                claim_token=None,
            ):
                event = Event(
                    "message_suppressed",
                    {"reason": reason, "valid_until": iso_utc(message.valid_until or now)},
                    alert_id=message.alert_id,
                    message_id=message.id,
                )
                events.append(connection, [event], at=now, run_id=self._run.id)
                logger.info("Message %s is not sent: %s", message.id, reason)

        self._persist(step)

    def begin(self, message: ClaimedMessage) -> bool:
        """Commit ``sending`` to disk before the call; False if the claim is no longer ours."""

        def step(connection: Connection, is_again: bool) -> bool:
            if is_again and outbox.is_being_sent(connection, message):
                return True
            now = utc_now()
            ours = outbox.move(
                connection,
                message,
                before=[MessageState.CLAIMED],
                at=now,
                state=MessageState.SENDING,
                sending_at=now,
                tries=message.tries + 1,
                not_before=None,
                reason=None,
            )
            if ours:
                event = Event(
                    "message_sending",
                    {"try": message.tries + 1},
                    alert_id=message.alert_id,
                    message_id=message.id,
                )
                events.append(connection, [event], at=now, run_id=self._run.id)
            return ours

        return self._persist(step)

    def record(self, message: ClaimedMessage, outcome: Outcome) -> None:
        """Write what came of a hand-over."""
        now = utc_now()
        values, kind, body = consequences(outcome, tries=message.tries, at=now)

        def step(connection: Connection, is_again: bool) -> None:
            moved = outbox.move(
                connection,
                message,
                # `unknown`: another process may have given us up; our answer is the evidence.
                before=[MessageState.SENDING, MessageState.UNKNOWN],
                at=now,
                summary_id=outbox.NAMED_FOR_WHAT_IT_IS,
                **values,
            )
            if is_again and not moved:
                return
            told = [
                Event(
                    kind,
                    {**body, "late": not moved},
                    alert_id=message.alert_id,
                    message_id=message.id,
                ),
                *remember_opt_out(
                    connection,
                    message.id,
                    message.channel,
                    message.address,
                    body.get("code"),
                    at=now,
                ),
            ]
            if moved and isinstance(outcome, Accepted):
                told += unsettled.put_back(connection, outcome.sid, holder=message.id, at=now)
            events.append(connection, told, at=now, run_id=self._run.id)

        try:
            self._persist(step)
        except LedgerError:
            what = outcome.sid if isinstance(outcome, Accepted) else outcome.reason
            logger.error("Message %s: %s (%s) could not be written down", message.id, kind, what)  # noqa: TRY400 - the log is for people
            raise

    def _persist(
        self,
        step: Callable[[Connection, bool], T],
        *,
        unless: Callable[[], bool] = lambda: False,
    ) -> T:
        """Take a step, again and again while the database is away; it is told which."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        is_again = False
        while True:
            try:
                with self._ledger.write() as connection:
                    return step(connection, is_again)
            except LedgerLostError as error:
                if unless() or time.monotonic() > deadline:
                    raise
                if not is_again:
                    logger.warning("Waiting for the ledger: %s", error)
                is_again = True
                time.sleep(_PAUSE_SECONDS)
