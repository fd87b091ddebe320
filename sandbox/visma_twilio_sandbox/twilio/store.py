"""The messages an account has accepted, and how far each has come."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING

import smsutil

from visma_twilio_sandbox import credentials
from visma_twilio_sandbox.twilio.errors import MESSAGES
from visma_twilio_sandbox.twilio.numbers import OUTCOMES, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

FINAL = frozenset({"delivered", "undelivered", "failed", "canceled", "read"})
_PRICE = Decimal("-0.0470")


@dataclass(frozen=True)
class Message:
    """A message as it was when it was asked for.

    Attributes:
        num_segments: A string as in the API; "0" until a Messaging Service has picked a sender.
        date_sent: None until it was handed to the carrier.
        price: What it costs, negative, in `price_unit`; None until it was sent.
        send_at: When a scheduled message is to leave.
        failure: Code with which WhatsApp will refuse it.
    """

    sid: str
    account_sid: str
    to: str
    from_: str | None
    messaging_service_sid: str | None
    body: str
    status: str
    num_segments: str
    date_created: datetime
    date_updated: datetime
    date_sent: datetime | None = None
    error_code: int | None = None
    error_message: str | None = None
    price: Decimal | None = None
    price_unit: str = "USD"
    status_callback: str | None = None
    send_at: datetime | None = None
    failure: int | None = None


def count_segments(text: str) -> int:
    """Count what Twilio bills: 160 characters of GSM-7, else 70 of UCS-2; less in each of several.

    Smart Encoding is not applied.
    """
    return max(len(smsutil.split(text).parts), 1)


def now() -> datetime:
    """Return the time to the second, as Twilio tells it."""
    return datetime.now(timezone.utc).replace(microsecond=0)


def path_to(outcome: Outcome) -> tuple[str, ...]:
    """Return the statuses a message passes, the last one being the outcome's."""
    last = outcome[0]
    if last in ("failed", "canceled"):
        return ("accepted", "queued", last)
    if last == "sent":
        return ("accepted", "queued", "sending", "sent")
    return ("accepted", "queued", "sending", "sent", last)


class Store:
    """Keeps the messages of one account, oldest first. Safe to use from several threads.

    Args:
        seed: Decides the SIDs.
        changed: Is told each message that took on a new status, outside the lock.
    """

    def __init__(self, seed: int, changed: Callable[[Message], None]) -> None:
        self.outcomes: dict[str, Outcome] = dict(OUTCOMES)
        self._changed = changed
        self._lock = threading.Lock()
        self._messages: dict[str, Message] = {}
        self._random = random.Random(seed)  # noqa: S311 - names, not secrets

    def new_sid(self, prefix: str = "SM") -> str:
        """Return a SID nobody has yet."""
        with self._lock:
            return f"{prefix}{self._random.getrandbits(128):032x}"

    def add(self, message: Message) -> None:
        """Keep a new message."""
        with self._lock:
            self._messages[message.sid] = message

    def all(self) -> list[Message]:
        """Return every message, oldest first."""
        with self._lock:
            return list(self._messages.values())

    def get(self, sid: str) -> Message | None:
        """Return a message; None if there is none of this SID."""
        with self._lock:
            return self._messages.get(sid)

    def update(self, sid: str, *, body: str | None = None, status: str | None = None) -> Message:
        """Change the text or the status of a message that exists."""
        with self._lock:
            found = self._messages[sid]
            message = replace(
                found,
                body=found.body if body is None else body,
                status=status or found.status,
                date_updated=now(),
            )
            self._messages[sid] = message
        if status:
            self._changed(message)
        return message

    def remove(self, sid: str) -> bool:
        """Forget a message; says whether it was there."""
        with self._lock:
            return self._messages.pop(sid, None) is not None

    def advance(self, sid: str) -> Message | None:
        """Let a message take its next step; returns it if it moved."""
        with self._lock:
            found = self._messages.get(sid)
            message = self._next(found) if found else None
            if message:
                self._messages[sid] = message
        if message:
            self._changed(message)
        return message

    def is_done(self, message: Message) -> bool:
        """Tell whether nothing more will happen to a message."""
        return message.status in FINAL or self._next(message) is None

    def _next(self, message: Message) -> Message | None:
        number = message.to.removeprefix("whatsapp:")
        outcome = self.outcomes.get(number, ("delivered", None))
        if message.failure is not None:
            outcome = ("failed", message.failure)
        steps = path_to(outcome)
        if message.status not in steps[:-1]:
            return None
        status = steps[steps.index(message.status) + 1]
        time = now()
        changes = replace(message, status=status, date_updated=time)
        if message.from_ is None:
            segments = str(count_segments(message.body))
            sender = credentials.FROM_NUMBER
            if number != message.to:
                sender = f"whatsapp:{credentials.WHATSAPP_NUMBER}"
            changes = replace(changes, from_=sender, num_segments=segments)
        if status == "sent":
            price = _PRICE * int(changes.num_segments)
            changes = replace(changes, date_sent=time, price=price)
        code = outcome[1]
        if status == steps[-1] and code is not None:
            known = MESSAGES.get(code)
            changes = replace(
                changes, error_code=code, error_message=known[1] if known else f"Error {code}"
            )
        return changes
