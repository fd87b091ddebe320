"""Stamps as the server keeps and prints them: its own local time, no offset, SQL precision."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

ACCEPTED = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,3})?)?",
)
"""``yyyy-MM-dd``, with a blank or ``T``, time, and at most three fraction digits (Visma's
OpenAPI). No zone, no offset: Visma "does not accept certain characters such as W-Z"."""


def local(moment: datetime, zone: ZoneInfo) -> datetime:
    """A moment on the server's clock, to a 300th of a second like SQL Server's ``datetime``.

    Args:
        moment: Aware time.
        zone: The server's zone; in autumn an hour of its time comes twice.
    """
    if moment.tzinfo is None:
        raise ValueError(f"not an aware time: {moment}")
    utc = moment.astimezone(timezone.utc)
    whole = utc.replace(microsecond=0)
    ticks = (utc.microsecond * 300 + 500_000) // 1_000_000
    rounded = whole + timedelta(milliseconds=(ticks * 10 + 1) // 3)
    return rounded.astimezone(zone).replace(tzinfo=None, fold=0)


def show(stamp: datetime) -> str:
    """As Visma prints it: ``2024-12-02T14:14:59.74``, without the fraction's last zeros."""
    text = stamp.strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{stamp.microsecond:06}".rstrip("0")
    return f"{text}.{fraction}" if fraction else text


def read(text: str) -> datetime:
    """Read a timestamp from a query.

    Raises:
        ValueError: It is in no form that Visma takes.
    """
    if ACCEPTED.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not a valid date and time")
    form = text.replace(" ", "T")
    head, _, fraction = form.partition(".")
    stamp = datetime.fromisoformat(head)
    return stamp + timedelta(milliseconds=int(fraction.ljust(3, "0"))) if fraction else stamp
