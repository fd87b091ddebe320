"""What an answer of the API says: its page, its time, or in few words why it has none."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import msgspec

from tap_visma.errors import TransientError
from tap_visma.pagination import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_visma.pagination import Row

OK = 200
ACCEPTED = 202
UNAUTHORIZED = 401
NOT_FOUND = 404
REQUEST_TIMEOUT = 408
GONE = 410
TOO_MANY = 429
SERVER_ERROR = 500

_LONGEST_TEXT = 200

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_shallow_decoder = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])

_MEND = {
    **dict.fromkeys((301, 302, 303, 307, 308), "check api_url: the API does not send elsewhere"),
    400: "the request was refused; if nobody changed the settings, report it to us",
    403: "check that scope has vismanet_erp_service_api:read and that the API user may read this",
    404: "check api_url; the company may not have this part of Visma.net",
}


@dataclass(frozen=True)
class Answer:
    """What came.

    Attributes:
        status: The HTTP status.
        headers: By name, in any case.
        content: The body, unpacked; empty if that of an error broke off.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes


def may_pass(status: int) -> bool:
    """Whether the same request may be answered well a little later."""
    return status >= SERVER_ERROR or status == REQUEST_TIMEOUT


def page(
    answer: Answer,
    *,
    asked: int | None = None,
    envelope: str | None = None,
    text_field: str | None = None,
    looked_at: frozenset[str] | None = None,
) -> Page:
    """A page of a list, numbers exact.

    Args:
        answer: The answer.
        asked: When it was asked for, as `Page` has it.
        envelope: The field that holds the rows, where the answer is an object.
        text_field: What to call the items, where they are texts.
        looked_at: The fields whose values matter here; without it, all. The others may stay
            `msgspec.Raw`, to be written as they came: to read and write them again is most of the
            work.

    Raises:
        TransientError: It is no list: cut short, or of something before the API.
    """
    try:
        said: Any = None if looked_at is None else _shallow(answer.content, looked_at)
        is_shallow = said is not None
        if said is None:
            said = _decoder.decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise TransientError(_strange(answer)) from None
    total = None
    if envelope is not None and isinstance(said, dict):
        total, said = said.get("totalCount"), said.get(envelope)
    if not isinstance(said, list):
        raise TransientError(_strange(answer))
    if text_field is not None:
        said = [{text_field: one} if isinstance(one, str) else one for one in said]
    if not all(type(row) is dict for row in said):
        raise TransientError(_strange(answer))
    if not is_shallow:
        for row in said:
            _unwrap(row)
    found = Page.of(said)
    return replace(
        found,
        total=total if isinstance(total, int) and total >= 0 else found.total,
        dated=date_of(answer),
        asked=asked,
        answered=time.monotonic_ns(),
    )


def _shallow(content: bytes, looked_at: frozenset[str]) -> list[Row] | None:
    """Rows of which only some fields are decoded; None if that cannot be done safely.

    What is not decoded is checked for its form only: so not where the text is no UTF-8, where
    values may be wrapped, or where a line end between two values would end a Singer message.
    """
    if b'"value"' in content or b"\n" in content or b"\r" in content:
        return None
    content.decode()
    try:
        rows: list[Row] = _shallow_decoder.decode(content)
    except msgspec.ValidationError:
        return None
    for row in rows:
        for name in looked_at & row.keys():
            row[name] = _decoder.decode(row[name])
    return rows


def _strange(answer: Answer) -> str:
    kind = answer.headers.get("Content-Type", "no content type").partition(";")[0]
    text = reason(answer.content) if answer.content[:1] == b"{" else ""
    return (
        f"the answer is not a JSON list of objects ({plain(kind)}, {len(answer.content)} bytes"
        f"{': ' if text else ''}{text}){named(answer.headers)}: check that api_url is the address "
        "of the Visma.net ERP API"
    )


def _unwrap(row: Row) -> None:
    """Some connectors saw {"value": x} where the contract has x; both mean x."""
    for name, value in row.items():
        if type(value) is dict and len(value) == 1 and "value" in value:
            row[name] = value["value"]


def date_of(answer: Answer) -> float | None:
    """The answer's `Date` as Unix time in seconds."""
    try:
        return parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (KeyError, ValueError, OverflowError):
        return None


def naive_utc(unix_time: float) -> datetime:
    """A time as a datetime without zone, in UTC."""
    return datetime.fromtimestamp(unix_time, timezone.utc).replace(tzinfo=None)


def told(answer: Answer) -> str:
    """Status and reason of an error, in one line.

    Bodies come in three shapes and as plain text (reference: visma-api, section 7).
    """
    text = reason(answer.content)
    shown = f" ({text})" if text else ""
    return f"Visma.net answered {answer.status}{shown}{named(answer.headers)}"


def named(headers: Mapping[str, str]) -> str:
    """What Visma needs to find a request, if an answer's headers tell it: `, request ID`."""
    request_id = headers.get("Ipp-Request-Id")
    return f", request {plain(request_id)}" if request_id else ""


def mend(status: int) -> str:
    """What to check after an error."""
    return _MEND.get(status, "try again later; if it goes on, ask Visma with the request's id")


def reason(content: bytes) -> str:
    """What an error's body says, in one line; empty if nothing."""
    text = content[:4000].decode("utf-8", "replace")
    try:
        answer = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = re.sub(r"<[^>]*>", " ", text)
    else:
        if isinstance(answer, dict):
            found = (answer.get(name) for name in ("ExceptionMessage", "message", "Message"))
            text = next((one for one in found if isinstance(one, str)), "")
    return plain(text)


def plain(text: str) -> str:
    """One line, not too long, that does nothing to a terminal."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 3]}..."
