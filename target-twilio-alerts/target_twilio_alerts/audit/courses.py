"""What a message's events, taken one after another, say that its row must be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import msgspec

from target_twilio_alerts.audit.reading import ToldRow
from target_twilio_alerts.delivery.status import next_state
from target_twilio_alerts.ledger import MessageState
from target_twilio_alerts.ledger.cancelling import reason_of
from target_twilio_alerts.ledger.tables import iso_utc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Body = dict[str, Any]
Event = tuple[Any, ...]
"""What a ToldRow has first; not one, because making it takes longer than what is done with it."""

_CREATED_FIRST = (
    *("recipient", "channel", "attempt", "because", "template", "locale"),
    *("resend_of", "resend_reason", "operator"),
)
"""Columns that such an event of the first version tells."""

_CREATED = (
    *_CREATED_FIRST,
    *("place", "severity_rank", "cost_micros", "encoding"),
)
"""Columns that the first event of a message tells, as they stay."""

_FIXED = ("alert_id", "created_at", "run_id")
_of_event = itemgetter(*map(ToldRow._fields.index, ("alert_id", "at", "run_id")))
_SEQ, _AT, _KIND, _BODY = map(ToldRow._fields.index, ("seq", "at", "kind", "body"))

_CHANGING = (
    *("step", "state", "reason", "not_before", "tries", "sending_at", "accepted_at"),
    *("sid", "request_id", "status", "error_code", "error_message"),
    *("validity_seconds", "valid_until"),
)
_changing = itemgetter(*_CHANGING)

COLUMNS = (*_FIXED, *_CREATED, *_CHANGING)
"""Columns of a message that its events tell."""

_TO_FIXED = len(_FIXED)
_TO_CREATED = _TO_FIXED + len(_CREATED)

LONGEST_POSTPONED = timedelta(minutes=66)
"""An hour at most is what a provider is heard for that asks to wait, give or take a tenth of it."""

_decode = msgspec.json.Decoder(Body).decode

_PENDING, _SENDING, _ACCEPTED = (
    state.value for state in (MessageState.PENDING, MessageState.SENDING, MessageState.ACCEPTED)
)
_REJECTED, _UNKNOWN, _SUPPRESSED = (
    state.value for state in (MessageState.REJECTED, MessageState.UNKNOWN, MessageState.SUPPRESSED)
)


class Course:
    """The course of one message.

    Args:
        events: Its events in their order.

    Attributes:
        created: Its first event; None if there is none that says that it was written.
        body: What that tells.
        erased: Which event tells that its address and text were erased, and when they were.
        now: Values of the columns that change on its way, as far as events tell of them.

    Raises:
        msgspec.MsgspecError: An event is no JSON.
        LookupError: An event does not tell what such an event tells.
        ValueError: It tells of a state that does not exist.
    """

    def __init__(self, events: Sequence[Event]) -> None:
        self.created: Event | None = None
        self.body: Body = {}
        self.erased: tuple[int, str] | None = None
        self.now: Body = {}
        self._events = events
        for event in events:
            kind = event[_KIND]
            move = _MOVES.get(kind)
            if move is not None:
                body = _decode(event[_BODY])
                if not body.get("late"):
                    move(self.now, event[_AT], body)
            elif kind == "message_created":
                self.created, self.body = event, _decode(event[_BODY])
                self.now = _at_first(event[_AT], self.body)
            elif kind == "message_erased":
                self.erased = event[_SEQ], event[_AT]
            elif kind.startswith("message_"):
                self.now = {}  # of a later version: what it did to the message cannot be known

    @property
    def created_seq(self) -> int:
        """The number of its first event."""
        return 0 if self.created is None else int(self.created[_SEQ])

    def differing(self, row: Sequence[Any]) -> Iterator[tuple[str, Any, Any, int]]:
        """What is not as told: a column, its value, what was told, and by which event.

        Args:
            row: The message's values of COLUMNS.
        """
        if self.created is None:
            return
        body, now = self.body, self.now
        names = _CREATED if "place" in body else _CREATED_FIRST
        told = (*_of_event(self.created), *map(body.get, names))
        is_whole = len(now) == len(_CHANGING)
        if row[: len(told)] == told and is_whole and row[_TO_CREATED:] == _changing(now):
            return
        for name, kept, value in zip(COLUMNS, row, told, strict=False):
            if kept != value:
                yield name, kept, value, self.created_seq
        for name, kept in zip(_CHANGING, row[_TO_CREATED:], strict=True):
            if name in now and kept != now[name]:
                yield name, kept, now[name], self._told_by(name)

    def _told_by(self, column: str) -> int:
        """The number of the event that told a column's value last."""
        last, value = self.created_seq, Course(self._events[:1]).now.get(column)
        for number in range(2, len(self._events) + 1):
            found = Course(self._events[:number]).now.get(column)
            if found != value:
                last, value = int(self._events[number - 1][_SEQ]), found
        return last


@dataclass(frozen=True, eq=False)
class _Soon:
    """Until when a message waits that was postponed, and that its event does not tell.

    It is equal to each moment that it may be.
    """

    at: str

    def __eq__(self, other: object) -> bool:
        if isinstance(other, _Soon):
            return self.at == other.at
        if not isinstance(other, str):
            return False
        try:
            until = _moment(other)
        except ValueError:
            return False
        waits = until - _moment(self.at)
        return iso_utc(until) == other and timedelta(0) <= waits <= LONGEST_POSTPONED

    def __hash__(self) -> int:
        return hash(self.at)


@lru_cache(1 << 10)
def _moment(text: str) -> datetime:
    return datetime.fromisoformat(f"{text[:-1]}+00:00")


@lru_cache(1 << 10)
def _after(moment: str, seconds: int) -> str:
    return iso_utc(_moment(moment) + timedelta(seconds=seconds))


def _at_first(at: str, body: Body) -> Body:
    seconds = body.get("validity_seconds")
    return {
        "step": body.get("step", 0),
        "state": body["state"],
        "reason": body.get("reason"),
        "not_before": body.get("not_before"),
        "tries": 0,
        "sending_at": None,
        "accepted_at": None,
        "sid": None,
        "request_id": None,
        "status": None,
        "error_code": None,
        "error_message": None,
        "validity_seconds": seconds,
        "valid_until": None if seconds is None else _after(body.get("not_before") or at, seconds),
    }


@lru_cache(1 << 10)
def _state_after(current: str, status: str) -> str:
    moved = next_state(MessageState(current), status)
    return current if moved is None else moved.value


def _sending(now: Body, at: str, body: Body) -> None:
    now["state"] = _SENDING
    now["sending_at"] = at
    now["tries"] = body["try"]
    now["not_before"] = now["reason"] = None


def _accepted(now: Body, at: str, body: Body) -> None:
    now["state"] = _ACCEPTED
    now["reason"] = None
    now["accepted_at"] = at
    now["sid"] = body["sid"]
    now["status"] = body["status"]
    if "request_id" in body:
        now["request_id"] = body["request_id"]
    else:
        now.pop("request_id", None)


def _rejected(now: Body, _at: str, body: Body) -> None:
    now["state"] = _REJECTED
    now["reason"] = now["error_message"] = body["reason"]
    now["error_code"] = body["code"]


def _unknown(now: Body, _at: str, body: Body) -> None:
    now["state"] = _UNKNOWN
    now["reason"] = body["reason"]


def _held(now: Body, _at: str, body: Body) -> None:
    now["state"] = _PENDING
    now["reason"] = body["reason"]


def _postponed(now: Body, at: str, body: Body) -> None:
    now["not_before"] = body.get("not_before") or _Soon(at)
    _held(now, at, body)


def _status(now: Body, _at: str, body: Body) -> None:
    status = now["status"] = body["status"]
    if "state" in now:
        now["state"] = _state_after(now["state"], status)
    if body["error_code"] is not None:
        now["error_code"] = body["error_code"]
        if "error_message" in body:
            now["error_message"] = body["error_message"]
        else:
            now.pop("error_message", None)


def _settled(now: Body, _at: str, body: Body) -> None:
    now["state"] = _ACCEPTED
    now["reason"] = None
    for name in ("sid", "status", "accepted_at"):
        now[name] = body[name]


def _suppressed(now: Body, _at: str, body: Body) -> None:
    now["state"] = _SUPPRESSED
    now["reason"] = body["reason"]


def _released(now: Body, at: str, _body: Body) -> None:
    now["state"] = _PENDING
    now["reason"] = None
    seconds = now.get("validity_seconds")
    if seconds is not None:
        now["valid_until"] = _after(max(at, now.get("not_before") or at), seconds)


def _cancelled(now: Body, _at: str, body: Body) -> None:
    now["state"] = _SUPPRESSED
    now["reason"] = reason_of(body["by"], body["reason"])


_MOVES: dict[str, Callable[[Body, str, Body], None]] = {
    "message_sending": _sending,
    "message_accepted": _accepted,
    "message_rejected": _rejected,
    "message_unknown": _unknown,
    "message_held": _held,
    "message_postponed": _postponed,
    "message_settled": _settled,
    "message_status": _status,
    "message_suppressed": _suppressed,
    "message_released": _released,
    "message_cancelled": _cancelled,
}
