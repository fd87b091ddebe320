"""Settings about the trail: where its anchors go, and how long what is personal is kept."""

from __future__ import annotations

import re
from datetime import timedelta

from singer_sdk import typing as th

LEAST_RETENTION = timedelta(days=7)
"""Statuses are asked for, and quiet hours hold messages, for days."""

TRAIL_SETTINGS = (
    th.Property(
        "anchor_file",
        th.StringType,
        title="Anchor file",
        description="File to which each run adds the number and hash of the ledger's last event, "
        "best where whoever can change the ledger cannot change it. `audit verify --anchors` reads "
        "it.",
        examples=["/mnt/worm/anchors.txt"],
    ),
    th.Property(
        "anchor_notify",
        th.StringType,
        title="Anchor notify",
        description="Recipient of the alerts file who is sent the same by email, in each run that "
        "has told the ledger something.",
        examples=["controller"],
    ),
    th.Property(
        "restored_ledger",
        th.StringType,
        default="refuse",
        allowed_values=["refuse", "ignore"],
        title="Restored ledger",
        description="What to do when Twilio has messages with references that the ledger does not "
        "know: `refuse` to send, since it was restored from an older backup, or `ignore` them, "
        "since another ledger tells the same people from the same account.",
    ),
    th.Property(
        "retention",
        th.StringType,
        title="Retention",
        description="How long addresses and texts of messages, and what alerts say of documents, "
        "are kept, in days or weeks; then the end of a run erases them. If not given: for ever.",
        examples=["400d"],
    ),
)

_SPAN = re.compile(r"([1-9]\d{0,4})([dw])")


def parse_age(text: str) -> timedelta | None:
    """A span of days or weeks, such as ``400d``; None for any other text."""
    match = _SPAN.fullmatch(text)
    if match is None:
        return None
    return timedelta(days=int(match[1]) * (7 if match[2] == "w" else 1))


def checked_retention(text: str | None) -> timedelta | None:
    """The setting `retention`.

    Raises:
        ValueError: It is no span, or too short.
    """
    if text is None:
        return None
    age = parse_age(text)
    if age is None or age < LEAST_RETENTION:
        raise ValueError(
            f"retention: {text} is no span of {LEAST_RETENTION.days} days or more; write it as in "
            "400d or 57w",
        )
    return age
