"""List Messages: the filters and the pages."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from visma_twilio_sandbox.twilio.errors import TwilioError
from visma_twilio_sandbox.twilio.resources import message_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from visma_twilio_sandbox.twilio.store import Message

_PARAMETERS = frozenset(
    {"DateSent", "DateSent<", "DateSent>", "From", "Page", "PageSize", "PageToken", "To"}
)
_TIMES = ("DateSent", "DateSent<", "DateSent>")
_DEFAULT_SIZE = 50
_MAX_SIZE = 1000


def list_messages(
    messages: Sequence[Message], path: str, query: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Write ListMessageResponse: newest first, a page of them.

    A page token names the last message of the page before, so messages that come in between do
    not shift the pages.

    Args:
        messages: The account's, oldest first.
        path: Of the request, for the links.
        query: Of the request.

    Raises:
        TwilioError: 20001 for a parameter that is unknown or of a wrong shape.
    """
    asked = dict(query)
    unknown = sorted(set(asked) - _PARAMETERS)
    if unknown:
        raise TwilioError(20001, f"Unknown parameter '{unknown[0]}'")
    size = page_size(asked)
    page = _number(asked, "Page", 0, 0, None)
    times = {name: _time(name, asked[name]) for name in _TIMES if asked.get(name)}
    found = [one for one in reversed(messages) if _matches(one, asked, times)]
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
        "messages": [message_json(one) for one in part],
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


def _matches(
    message: Message, asked: dict[str, str], times: dict[str, tuple[datetime, bool]]
) -> bool:
    if asked.get("To") and asked["To"] != message.to:
        return False
    if asked.get("From") and asked["From"] != message.from_:
        return False
    return all(_sent_matches(message.date_sent, name, *time) for name, time in times.items())


def _sent_matches(sent: datetime | None, name: str, moment: datetime, whole_day: bool) -> bool:
    """Compare the time of sending: a date means midnight GMT, and its whole day if alone.

    What was not sent yet has no time and never matches.
    """
    if sent is None:
        return False
    if name == "DateSent<":
        return sent <= moment
    if name == "DateSent>":
        return sent >= moment
    return moment <= sent < moment + timedelta(days=1) if whole_day else sent == moment


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
