"""Stamps and bookmarks: where a read starts, how far it came, and when it is whole.

Visma's `lastModifiedDateTime` is text in the server's own clock, without zone, with 0 to 3 fraction
digits (reference: visma-api, section 4). Stamps are compared with each other and never with a clock
of ours; only the distance of two answers' `Date` headers is ever measured.
"""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

BEFORE_EVERYTHING = "1900-01-01T00:00:00"
"""The bookmark of a stream that was read whole and had nothing with a stamp."""

MARGIN_SECONDS = 60
"""Added to a read's duration: the `Date` header has whole seconds, and clocks are set."""

FAR_AHEAD = timedelta(hours=26)
"""No zone's clock is farther ahead of the answer's `Date` (UTC+14) than this, with some slack."""

FARTHEST_WEST = timedelta(hours=12)
"""No zone's clock shows an earlier time than UTC less this."""

REPEATED_HOUR = timedelta(hours=1)
"""What summer time may put between a stamp as filtered and the same stamp as shown."""

_STAMP = re.compile(
    r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(?:Z|[+-]\d{2}:?\d{2})?",
)


def canonical(stamp: Any) -> str | None:
    """A stamp with nine fraction digits, so that text order is time order; None if it is none.

    A zone, which one client has seen, is left out: it is the server's own clock all the same.
    """
    match = _STAMP.fullmatch(stamp) if isinstance(stamp, str) else None
    if match is None:
        return None
    try:
        datetime.fromisoformat(match[1])
    except ValueError:
        return None
    return f"{match[1]}.{match[2] or '':0<9}"


def as_datetime(stamp: str) -> datetime:
    """A stamp as a datetime in the server's clock, that is, naive.

    Raises:
        ValueError: It is no stamp.
    """
    text = canonical(stamp)
    if text is None:
        raise ValueError(f"{stamp!r} is no stamp")
    return datetime.fromisoformat(text[:26])


def later(one: str | None, other: str | None) -> str | None:
    """The later of two stamps, as it was written; what is no stamp loses."""
    a, b = canonical(one), canonical(other)
    if a is None or b is None:
        return other if a is None else one
    return one if a >= b else other


def moved_back(stamp: str, seconds: float) -> str:
    """A stamp so many seconds earlier, to the millisecond and as the API's filter takes it."""
    try:
        moved = as_datetime(stamp) - timedelta(seconds=seconds)
    except OverflowError:
        return BEFORE_EVERYTHING
    return moved.isoformat(timespec="milliseconds")


def start_of_day_or_time(start_date: str) -> str:
    """The setting `start_date` as the API's filter takes it: in the server's clock.

    Raises:
        ValueError: It is neither a date nor a date with a time, or it has a zone.
    """
    text = start_date.strip().replace(" ", "T")
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        text += "T00:00:00"
    if canonical(f"{text}Z") is None:
        raise ValueError(f"{start_date!r} is no date, or it has a zone")
    return moved_back(text, 0)


@dataclass
class Progress:
    """How far a read of one partition has come, as STATE keeps it until the read is whole.

    Attributes:
        start: The filter of the read; None for a whole listing.
        page: The page to read next.
        page_size: Rows a page.
        highest: The latest stamp seen.
        began_at: When the read's first request was sent, as a Unix time in seconds: only its
            distance to the end counts.
        resumed: Whether this pass did not begin at its first page.
        sweeping: Whether this is the second pass, which closes the holes that shifted pages left.
        totals: What `totalCount` has said in this pass.
        compare: The id of a whole read that tells what was deleted; None for any other read.
    """

    start: str | None
    page: int = 1
    page_size: int = 0
    highest: str | None = None
    began_at: int | None = None
    resumed: bool = False
    sweeping: bool = False
    totals: dict[str, Any] = field(default_factory=dict)
    compare: int | None = None

    @classmethod
    def of_all(cls, *, page_size: int) -> Progress:
        """The beginning of a read of everything."""
        return cls(start=None, page_size=page_size)

    @classmethod
    def load(cls, kept: dict[str, Any] | None) -> Progress | None:
        """What an earlier run kept, now resumed; None if it kept nothing that can be used."""
        known = {one.name for one in fields(cls)}
        if not kept or not known >= set(kept) or not kept.get("page_size"):
            return None
        progress = cls(**kept)
        progress.resumed = progress.page > 1
        return progress

    def dump(self) -> dict[str, Any]:
        """What STATE keeps."""
        return asdict(self)

    def saw(self, stamp: str) -> None:
        """Note a record's stamp."""
        self.highest = later(self.highest, stamp)

    def begin_again(self, *, sweeping: bool = False) -> None:
        """Start over at the first page, with what has been seen kept."""
        self.page = 1
        self.resumed = False
        self.sweeping = sweeping
        self.totals = {}


def start_after(entry: dict[str, Any], *, lookback_seconds: float) -> str | None:
    """Where the next read starts, by what STATE knows of the last whole one; None: everywhere.

    A read that took D seconds may have missed a change made meanwhile, so the next one starts at
    the bookmark less the larger of the lookback and D with a margin.
    """
    bookmark = canonical(entry.get("replication_key_value"))
    if bookmark is None:
        return None
    took = entry.get("read_seconds")
    seconds = float(took) + MARGIN_SECONDS if isinstance(took, (int, float)) else 0.0
    return moved_back(bookmark, max(lookback_seconds, seconds))


def finish(
    entry: dict[str, Any],
    progress: Progress,
    *,
    replication_key: str,
    ended_at: float,
) -> None:
    """Write into a partition's state that its read is whole: the bookmark moves, never back."""
    bookmark = later(entry.get("replication_key_value"), progress.highest)
    took = 0.0 if progress.began_at is None else max(0.0, ended_at - progress.began_at)
    entry.pop("progress_markers", None)
    entry["replication_key"] = replication_key
    entry["replication_key_value"] = bookmark or BEFORE_EVERYTHING
    entry["read_seconds"] = math.ceil(took)
