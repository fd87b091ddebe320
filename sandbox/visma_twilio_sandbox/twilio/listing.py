"""List Messages and List Calls: the filters and the pages."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from visma_twilio_sandbox.twilio.calls import call_json
from visma_twilio_sandbox.twilio.errors import TwilioError
from visma_twilio_sandbox.twilio.resources import message_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from visma_twilio_sandbox.twilio.calls import Call
    from visma_twilio_sandbox.twilio.store import Message

_PAGING = frozenset({"Page", "PageSize", "PageToken"})
_TIMES = ("DateSent", "DateSent<", "DateSent>")
_CALL_TIMES = ("StartTime", "StartTime<", "StartTime>", "EndTime", "EndTime<", "EndTime>")
_DEFAULT_SIZE = 50
_MAX_SIZE = 1000


def list_messages(
    messages: Sequence[Message], path: str, query: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Write ListMessageResponse: newest first, a page of them.

    Args:
        messages: The account's, oldest first.
        path: Of the request, for the links.
        query: Of the request.

    Raises:
        TwilioError: 20001 for a parameter that is unknown or of a wrong shape.
    """
    asked = _asked(query, {"From", "To", *_TIMES})
    times = {name: _time(name, asked[name]) for name in _TIMES if asked.get(name)}
    found = [
        one
        for one in reversed(messages)
        if _is_between(one, asked)
        and all(_time_matches(one.date_sent, name, *time) for name, time in times.items())
    ]
    return _page(found, path, query, key="messages", write=message_json)


def list_calls(
    calls: Sequence[Call], path: str, query: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Write ListCallResponse: newest first, a page of them.

    Args:
        calls: The account's, oldest first.
        path: Of the request, for the links.
        query: Of the request.

    Raises:
        TwilioError: 20001 for a parameter that is unknown or of a wrong shape.
    """
    asked = _asked(query, {"From", "ParentCallSid", "Status", "To", *_CALL_TIMES})
    times = {name: _time(name, asked[name]) for name in _CALL_TIMES if asked.get(name)}
    found = [
        one
        for one in reversed(calls)
        if _is_between(one, asked)
        and asked.get("Status", one.status) == one.status
        and not asked.get("ParentCallSid")
        and all(_time_matches(_moment(one, name), name, *time) for name, time in times.items())
    ]
    return _page(found, path, query, key="calls", write=call_json)


def _moment(call: Call, name: str) -> datetime | None:
    return call.start_time if name.startswith("Start") else call.end_time


def _asked(query: Sequence[tuple[str, str]], filters: set[str]) -> dict[str, str]:
    asked = dict(query)
    unknown = sorted(set(asked) - filters - _PAGING)
    if unknown:
        raise TwilioError(20001, f"Unknown parameter '{unknown[0]}'")
    return asked


def _page(
    found: Sequence[Any],
    path: str,
    query: Sequence[tuple[str, str]],
    *,
    key: str,
    write: Callable[[Any], dict[str, Any]],
) -> dict[str, Any]:
    """Write a page of what was found.

    A page token names the last item of the page before, so what comes in between does not shift
    the pages.
    """
    asked = dict(query)
    size = page_size(asked)
    page = _number(asked, "Page", 0, 0, None)
    start = page * size
    token = asked.get("PageToken", "")
    if token:
        sids = [one.sid for one in found]
        sid = token.removeprefix("PA")
        if sid not in sids:
            raise TwilioError(20001, "Invalid PageToken")
        start = sids.index(sid) + 1
    part = found[start : start + size]
    more = len(found) > start + size

    def uri(number: int, *page_token: tuple[str, str]) -> str:
        filters = [pair for pair in query if pair[0] not in ("Page", "PageSize", "PageToken")]
        pairs = [*filters, ("PageSize", str(size)), ("Page", str(number)), *page_token]
        return f"{path}?{urlencode(pairs)}"

    return {
        "end": page * size + max(len(part) - 1, 0),
        "first_page_uri": uri(0),
        "next_page_uri": uri(page + 1, ("PageToken", f"PA{part[-1].sid}")) if more else None,
        "page": page,
        "page_size": size,
        "previous_page_uri": uri(page - 1) if page else None,
        key: [write(one) for one in part],
        "start": page * size,
        "uri": uri(page, *([("PageToken", token)] if token else [])),
    }


def page_size(asked: Mapping[str, str]) -> int:
    """Read PageSize, 1 to 1000, 50 if it is left out.

    Raises:
        TwilioError: 20001 for anything else.
    """
    return _number(asked, "PageSize", _DEFAULT_SIZE, 1, _MAX_SIZE)


def _number(asked: Mapping[str, str], name: str, default: int, low: int, high: int | None) -> int:
    text = asked.get(name, str(default))
    if not text.isdecimal() or int(text) < low or (high is not None and int(text) > high):
        raise TwilioError(20001, f"{name} has a value it cannot have")
    return int(text)


def _is_between(one: Message | Call, asked: dict[str, str]) -> bool:
    """Tell whether it is to and from whom the filters name."""
    return asked.get("To", one.to) == one.to and asked.get("From", one.from_) == one.from_


def _time_matches(time: datetime | None, name: str, moment: datetime, whole_day: bool) -> bool:
    """Compare a time: a date means midnight GMT, and its whole day if alone.

    What has not happened yet has no time and never matches.
    """
    if time is None:
        return False
    if name.endswith("<"):
        return time <= moment
    if name.endswith(">"):
        return time >= moment
    return moment <= time < moment + timedelta(days=1) if whole_day else time == moment


def _time(name: str, text: str) -> tuple[datetime, bool]:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        pass
    else:
        return datetime(day.year, day.month, day.day, tzinfo=timezone.utc), True
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise TwilioError(20001, f"{name} is no date: {text}") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)), False
