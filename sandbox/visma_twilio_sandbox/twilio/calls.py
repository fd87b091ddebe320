"""The calls an account has made, and how far each has come."""

from __future__ import annotations

import threading
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from visma_twilio_sandbox.twilio.resources import ACCOUNTS, API_VERSION, NUMBER_SID, rfc2822
from visma_twilio_sandbox.twilio.store import now

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

CALL_OUTCOMES: dict[str, str] = {
    "+46701740691": "no-answer",
    "+46701740692": "failed",
    "+46701740693": "busy",
}
"""Last statuses of calls that nobody takes, by number."""

_PATHS = {
    "completed": ("queued", "ringing", "in-progress", "completed"),
    "busy": ("queued", "ringing", "busy"),
    "no-answer": ("queued", "ringing", "no-answer"),
    "failed": ("queued", "failed"),
    "canceled": ("queued", "canceled"),
}
_EVENTS = {"queued": "initiated", "ringing": "ringing", "in-progress": "answered"}
_PRICE = Decimal("-0.0450")


@dataclass(frozen=True)
class Call:
    """A call as it was when it was asked for.

    Attributes:
        twiml: What is read to who takes it, or the URL that tells it.
        start_time: When it was taken; None if it was not.
        events: Which of its events are told to `status_callback`.
    """

    sid: str
    account_sid: str
    to: str
    from_: str
    twiml: str
    status: str
    date_created: datetime
    date_updated: datetime
    start_time: datetime | None = None
    end_time: datetime | None = None
    price: Decimal | None = None
    status_callback: str | None = None
    events: frozenset[str] = field(default_factory=lambda: frozenset({"completed"}))

    @property
    def event(self) -> str:
        """The event that its status is."""
        return _EVENTS.get(self.status, "completed")

    @property
    def said(self) -> str:
        """What is read out, each text once."""
        if not self.twiml.lstrip().startswith("<"):
            return self.twiml
        said = ((one.text or "").strip() for one in ET.fromstring(self.twiml).iter("Say"))  # noqa: S314 - our own test data, checked when it came
        return " ".join(dict.fromkeys(said))


class Calls:
    """Keeps the calls of one account, oldest first. Safe to use from several threads.

    Args:
        changed: Is told each call that took on a new status, outside the lock.

    Attributes:
        outcomes: Last status of calls to a number; may be changed. Others are taken.
    """

    def __init__(self, changed: Callable[[Call], None]) -> None:
        self.outcomes: dict[str, str] = dict(CALL_OUTCOMES)
        self._changed = changed
        self._lock = threading.Lock()
        self._calls: dict[str, Call] = {}

    def add(self, call: Call) -> None:
        """Keep a new call."""
        with self._lock:
            self._calls[call.sid] = call

    def all(self) -> list[Call]:
        """Return every call, oldest first."""
        with self._lock:
            return list(self._calls.values())

    def get(self, sid: str) -> Call | None:
        """Return a call; None if there is none of this SID."""
        with self._lock:
            return self._calls.get(sid)

    def advance(self, sid: str) -> Call | None:
        """Let a call take its next step; returns it if it moved."""
        with self._lock:
            found = self._calls.get(sid)
            call = self._next(found) if found else None
            if call:
                self._calls[sid] = call
        if call:
            self._changed(call)
        return call

    def _next(self, call: Call) -> Call | None:
        steps = _PATHS[self.outcomes.get(call.to, "completed")]
        if call.status not in steps[:-1]:
            return None
        status, time = steps[steps.index(call.status) + 1], now()
        changes = replace(call, status=status, date_updated=time)
        if status == "in-progress":
            return replace(changes, start_time=time)
        if status == steps[-1]:
            price = _PRICE if status == "completed" else None
            return replace(changes, end_time=time, price=price)
        return changes


def call_json(call: Call) -> dict[str, Any]:
    """Write api.v2010.account.call. It tells neither the TwiML nor the StatusCallback."""
    uri = f"{ACCOUNTS}/{call.account_sid}/Calls/{call.sid}"
    parts = (
        "events",
        "notifications",
        "payments",
        "recordings",
        "siprec",
        "streams",
        "transcriptions",
        "user_defined_message_subscriptions",
        "user_defined_messages",
    )
    names = {part: part.replace("_", " ").title().replace(" ", "") for part in parts}
    seconds = None
    if call.start_time and call.end_time:
        seconds = str(int((call.end_time - call.start_time).total_seconds()))
    return {
        "account_sid": call.account_sid,
        "answered_by": None,
        "api_version": API_VERSION,
        "caller_name": None,
        "date_created": rfc2822(call.date_created),
        "date_updated": rfc2822(call.date_updated),
        "direction": "outbound-api",
        "duration": seconds,
        "end_time": rfc2822(call.end_time),
        "forwarded_from": None,
        "from": call.from_,
        "from_formatted": call.from_,
        "group_sid": None,
        "parent_call_sid": None,
        "phone_number_sid": NUMBER_SID,
        "price": None if call.price is None else f"{call.price:.5f}",
        "price_unit": "USD",
        "queue_time": "0",
        "sid": call.sid,
        "start_time": rfc2822(call.start_time),
        "status": call.status,
        "subresource_uris": {part: f"{uri}/{name}.json" for part, name in names.items()},
        "to": call.to,
        "to_formatted": call.to,
        "trunk_sid": None,
        "uri": f"{uri}.json",
    }
