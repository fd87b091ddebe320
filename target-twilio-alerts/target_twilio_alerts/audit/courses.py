"""What a message's events, taken one after another, say that its row must be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_twilio_alerts.delivery.status import next_state
from target_twilio_alerts.ledger import MessageState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from target_twilio_alerts.audit.reading import ToldRow

Body = dict[str, Any]

_CREATED_FIRST = (
    *("recipient", "channel", "attempt", "because", "template", "locale"),
    *("resend_of", "resend_reason", "operator"),
)
"""Columns that such an event of the first version tells."""

CREATED = (
    *_CREATED_FIRST,
    *("place", "severity_rank", "validity_seconds", "cost_micros", "encoding"),
)
"""Columns that the first event of a message tells, as they stay."""

_AT_FIRST: Body = {
    "tries": 0,
    "sending_at": None,
    "accepted_at": None,
    "sid": None,
    "request_id": None,
    "status": None,
    "error_code": None,
    "error_message": None,
}


class Course:
    """The course of one message.

    Attributes:
        created: Its first event.
        body: What that tells.
        erased: The event that tells that its address and text were erased.
        now: Values of the columns that change on its way, as far as events tell of them.
    """

    def __init__(self) -> None:
        self.created: ToldRow | None = None
        self.body: Body = {}
        self.erased: ToldRow | None = None
        self.now: Body = {}
        self._moves: list[tuple[int, Body]] = []

    @property
    def created_seq(self) -> int:
        """The number of its first event."""
        return 0 if self.created is None else self.created.seq

    def take(self, event: ToldRow, body: Body) -> None:
        """Take the message's next event."""
        kind = event.kind
        move = _MOVES.get(kind)
        if move is not None:
            values = {} if body.get("late") else move(self, event, body)
            self.now.update(values)
            self._moves.append((event.seq, values))
        elif kind == "message_created":
            self.created, self.body = event, body
            self.now = {
                **_AT_FIRST,
                "state": body["state"],
                "reason": body.get("reason"),
                "not_before": body.get("not_before"),
            }
        elif kind == "message_erased":
            self.erased = event
        elif kind.startswith("message_"):
            self.now = {}  # of a later version: what it did to the message cannot be known

    def differing(self, row: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
        """Columns of the message's row that are not as told, each with the event that told it."""
        event, body, seq = self.created, self.body, self.created_seq
        if event is None:
            return
        names = CREATED if "place" in body else _CREATED_FIRST
        fixed: Body = {name: body.get(name) for name in names}
        fixed["alert_id"], fixed["created_at"], fixed["run_id"] = (
            event.alert_id,
            event.at,
            event.run_id,
        )
        fixed["step"] = body.get("step", 0)
        if fixed.items() <= row.items() and self.now.items() <= row.items():
            return
        for name, value in fixed.items():
            if row[name] != value:
                yield name, seq
        for name, value in self.now.items():
            if row[name] != value:
                yield name, next((at for at, told in reversed(self._moves) if name in told), seq)


def _sending(_course: Course, event: ToldRow, body: Body) -> Body:
    return {
        "state": MessageState.SENDING.value,
        "sending_at": event.at,
        "tries": body["try"],
        "not_before": None,
        "reason": None,
    }


def _accepted(course: Course, event: ToldRow, body: Body) -> Body:
    if "request_id" not in body:
        course.now.pop("request_id", None)
    values = {"state": MessageState.ACCEPTED.value, "reason": None, "accepted_at": event.at}
    values.update((name, body[name]) for name in ("sid", "status", "request_id") if name in body)
    return values


def _rejected(_course: Course, _event: ToldRow, body: Body) -> Body:
    return {
        "state": MessageState.REJECTED.value,
        "reason": body["reason"],
        "error_code": body["code"],
        "error_message": body["reason"],
    }


def _unknown(_course: Course, _event: ToldRow, body: Body) -> Body:
    return {"state": MessageState.UNKNOWN.value, "reason": body["reason"]}


def _held(_course: Course, _event: ToldRow, body: Body) -> Body:
    return {"state": MessageState.PENDING.value, "reason": body["reason"]}


def _postponed(course: Course, event: ToldRow, body: Body) -> Body:
    course.now.pop("not_before", None)  # until when is not told
    return _held(course, event, body)


def _status(course: Course, _event: ToldRow, body: Body) -> Body:
    values = {"status": body["status"]}
    current = course.now.get("state")
    if current is not None:
        moved = next_state(MessageState(current), body["status"])
        values["state"] = current if moved is None else moved.value
    if body["error_code"] is not None:
        values["error_code"] = body["error_code"]
        if "error_message" in body:
            values["error_message"] = body["error_message"]
        else:
            course.now.pop("error_message", None)
    return values


def _suppressed(_course: Course, _event: ToldRow, body: Body) -> Body:
    return {"state": MessageState.SUPPRESSED.value, "reason": body["reason"]}


def _released(_course: Course, _event: ToldRow, _body: Body) -> Body:
    return {"state": MessageState.PENDING.value, "reason": None}


_MOVES: dict[str, Callable[[Course, ToldRow, Body], Body]] = {
    "message_sending": _sending,
    "message_accepted": _accepted,
    "message_rejected": _rejected,
    "message_unknown": _unknown,
    "message_held": _held,
    "message_postponed": _postponed,
    "message_status": _status,
    "message_suppressed": _suppressed,
    "message_released": _released,
}
