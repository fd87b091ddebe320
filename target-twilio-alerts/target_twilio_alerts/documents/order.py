"""Which of two versions of a document is the older one."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Protocol

_STAMP = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?"
    r"(?:(Z)|([+-])(\d{2}):?(\d{2}))?",
)
_UTC = "Z"
_OCTOBER = 10
_LAST_WEEK = 25
_SUNDAY = 6
_NIGHT_ENDS = 5
"""European zones repeat an hour on the last Sunday of October, between 01:00 and 04:00 local."""


class Version(Protocol):
    """What a version is told by.

    `stamp` is Visma's own `lastModifiedDateTime`: opaque text in the server's clock, with 0 to 3
    fraction digits; other systems write a zone behind it. `row_version` is its `timeStamp`, base64
    of a counter.
    """

    @property
    def stamp(self) -> str | None: ...  # noqa: D102

    @property
    def row_version(self) -> str | None: ...  # noqa: D102


def is_older(candidate: Version, stored: Version) -> bool:
    """Whether the candidate is surely older than the stored version.

    A missed change is worse than one decided twice, so what cannot be told is not older. The
    stamps decide; where they are equal, missing, or in an hour that summer time repeats, the row
    versions do; a row version that says the opposite of the stamps wins nothing.
    """
    mine, theirs = canonical_stamp(candidate.stamp), canonical_stamp(stored.stamp)
    if mine is None or theirs is None or mine == theirs or not _can_be_told(mine, theirs):
        return _row_order(candidate.row_version, stored.row_version) == -1
    return mine < theirs and _row_order(candidate.row_version, stored.row_version) != 1


@lru_cache(1 << 12)
def canonical_stamp(stamp: str | None) -> str | None:
    """A stamp with nine fraction digits, so that text order is time order; None if it is none.

    One with a zone is in UTC, and ends in Z.
    """
    match = None if stamp is None else _STAMP.fullmatch(stamp)
    if match is None:
        return None
    day, time, fraction, utc, sign, hours, minutes = match.groups()
    told = f"{day}T{time}"
    if sign is not None:
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        try:
            local = datetime.fromisoformat(told)
            told = (local - offset if sign == "+" else local + offset).isoformat()
        except (ValueError, OverflowError):
            return None
    return f"{told}.{fraction or '':0<9}{_UTC if utc or sign else ''}"


def _can_be_told(mine: str, theirs: str) -> bool:
    """Whether the order of two stamps is the order of what they stamp."""
    in_utc = mine.endswith(_UTC)
    if in_utc != theirs.endswith(_UTC):
        return False
    return in_utc or not _may_be_repeated_hour(mine, theirs)


def _row_order(mine: str | None, theirs: str | None) -> int | None:
    a, b = _row_version(mine), _row_version(theirs)
    if a is None or b is None or len(a) != len(b):
        return None
    return (a > b) - (a < b)


def _row_version(text: str | None) -> bytes | None:
    if not text:
        return None
    try:
        return base64.b64decode(text, validate=True) or None
    except (binascii.Error, ValueError):
        return None


def _may_be_repeated_hour(mine: str, theirs: str) -> bool:
    """Whether both stamps are in a night whose clock goes back, at most that hour apart."""
    if mine[:10] != theirs[:10]:
        return False
    try:
        a, b = (datetime.fromisoformat(stamp[:19]) for stamp in (mine, theirs))
    except ValueError:
        return True  # no calendar has it, so nothing can be told
    if a.month != _OCTOBER or a.day < _LAST_WEEK or a.weekday() != _SUNDAY:
        return False
    return max(a, b).hour < _NIGHT_ENDS and abs(a - b) <= timedelta(hours=1)
