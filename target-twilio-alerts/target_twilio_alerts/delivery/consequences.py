"""What the outcome of a hand-over makes of a message."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from target_twilio_alerts.delivery.channels import (
    Accepted,
    CredentialsRefused,
    Rejected,
    Unclear,
)
from target_twilio_alerts.ledger import MessageState
from target_twilio_alerts.ledger.tables import iso_utc

if TYPE_CHECKING:
    from datetime import datetime

    from target_twilio_alerts.delivery.channels import Outcome

_BACKOFF_START, _BACKOFF_MAX = 0.1, 30.0
"""Seconds to wait after a 429, doubled at each try, at most the second: Twilio's own pattern."""

_DOUBLINGS = 16
_LONGEST_ASKED = 3600.0


def consequences(
    outcome: Outcome, *, tries: int, at: datetime
) -> tuple[dict[str, Any], str, dict[str, Any]]:
    """What an outcome makes of a message: its new values, the event that tells it, and its body.

    Args:
        outcome: What the channel said.
        tries: How often it was tried before.
        at: When it said so.
    """
    if isinstance(outcome, Accepted):
        values = {
            "state": MessageState.ACCEPTED,
            "reason": None,
            "sid": outcome.sid,
            "status": outcome.status,
            "request_id": outcome.request_id,
            "accepted_at": at,
        }
        body = {"sid": outcome.sid, "status": outcome.status, "request_id": outcome.request_id}
        return values, "message_accepted", body
    reason = outcome.reason
    if isinstance(outcome, Rejected):
        code = None if outcome.code is None else str(outcome.code)
        values = {
            "state": MessageState.REJECTED,
            "reason": reason,
            "error_code": code,
            "error_message": reason,
        }
        return values, "message_rejected", {"code": code, "reason": reason}
    if isinstance(outcome, Unclear):
        values = {"state": MessageState.UNKNOWN, "reason": reason}
        return values, "message_unknown", {"reason": reason}
    values = {"state": MessageState.PENDING, "reason": reason, "claim_token": None}
    if isinstance(outcome, CredentialsRefused):
        return values, "message_held", {"reason": reason}
    values["not_before"] = until = at + timedelta(seconds=backoff(tries, outcome.retry_after))
    return values, "message_postponed", {"reason": reason, "not_before": iso_utc(until)}


def backoff(times: int, retry_after: float | None) -> float:
    """Seconds to wait after a 429 or a connection that never came about, with jitter.

    Args:
        times: How often it was so before, in a row.
        retry_after: Seconds that the provider asked for.
    """
    wait = min(_BACKOFF_MAX, _BACKOFF_START * 2.0 ** min(times, _DOUBLINGS))
    asked = min(retry_after or 0.0, _LONGEST_ASKED)
    return max(wait, asked) * random.uniform(0.9, 1.1)  # noqa: S311 - jitter
