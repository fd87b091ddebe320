"""What an answer of the API says: its page, its time, or in few words why it has none."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import msgspec

from tap_visma.errors import AnswerError, TransientError
from tap_visma.pagination import Page

if TYPE_CHECKING:
    import requests

    from tap_visma.pagination import Row

UNAUTHORIZED = 401
TOO_MANY = 429
SERVER_ERROR = 500

_LONGEST_TEXT = 200

_decoder = msgspec.json.Decoder(float_hook=Decimal)

_MEND = {
    400: "the request was refused; if nobody changed the settings, report it to us",
    403: "check that scope has vismanet_erp_service_api:read and that the API user may read this",
    404: "check api_url; the company may not have this part of Visma.net",
}


def page(
    response: requests.Response,
    *,
    asked: int | None = None,
    envelope: str | None = None,
    text_field: str | None = None,
) -> Page:
    """A page of a list, numbers exact.

    Args:
        response: The answer.
        asked: When it was asked for, as `Page` has it.
        envelope: The field that holds the rows, where the answer is an object.
        text_field: What to call the items, where they are texts.

    Raises:
        TransientError: It is no JSON; it may have been cut short.
        AnswerError: It is no list.
    """
    try:
        said = _decoder.decode(response.content)
    except (msgspec.DecodeError, RecursionError):
        raise TransientError(_strange(response)) from None
    total = None
    if envelope is not None and isinstance(said, dict):
        total, said = said.get("totalCount"), said.get(envelope)
    if not isinstance(said, list):
        raise AnswerError(_strange(response))
    if text_field is not None:
        said = [{text_field: one} if isinstance(one, str) else one for one in said]
    if not all(type(row) is dict for row in said):
        raise AnswerError(_strange(response))
    for row in said:
        _unwrap(row)
    found = Page.of(said)
    return replace(
        found,
        total=total if isinstance(total, int) and total >= 0 else found.total,
        dated=date_of(response),
        asked=asked,
        answered=time.monotonic_ns(),
    )


def _strange(response: requests.Response) -> str:
    kind = response.headers.get("Content-Type", "no content type").partition(";")[0]
    return (
        f"the answer is not a JSON list of objects ({kind}, {len(response.content)} bytes): "
        "check that api_url is the address of the Visma.net ERP API"
    )


def _unwrap(row: Row) -> None:
    """Some connectors saw {"value": x} where the contract has x; both mean x."""
    for name, value in row.items():
        if type(value) is dict and len(value) == 1 and "value" in value:
            row[name] = value["value"]


def date_of(response: requests.Response) -> float | None:
    """The answer's `Date` as Unix time in seconds."""
    try:
        return parsedate_to_datetime(response.headers["Date"]).timestamp()
    except (KeyError, ValueError, OverflowError):
        return None


def naive_utc(unix_time: float) -> datetime:
    """A time as a datetime without zone, in UTC."""
    return datetime.fromtimestamp(unix_time, timezone.utc).replace(tzinfo=None)


def told(response: requests.Response) -> str:
    """Status and reason of an error, in one line.

    Bodies come in three shapes and as plain text (reference: visma-api, section 7).
    """
    text = _reason(response.content)
    shown = f" ({text})" if text else ""
    request_id = response.headers.get("Ipp-Request-Id")
    named = f", request {request_id}" if request_id and request_id.isascii() else ""
    return f"Visma.net answered {response.status_code}{shown}{named}"


def mend(status: int) -> str:
    """What to check after an error."""
    return _MEND.get(status, "try again later; if it goes on, ask Visma with the request's id")


def _reason(content: bytes) -> str:
    text = content[:4000].decode("utf-8", "replace")
    try:
        answer = msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError):
        text = re.sub(r"<[^>]*>", " ", text)
    else:
        if isinstance(answer, dict):
            found = (answer.get(name) for name in ("ExceptionMessage", "message", "Message"))
            text = next((one for one in found if isinstance(one, str)), "")
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 3]}..."
