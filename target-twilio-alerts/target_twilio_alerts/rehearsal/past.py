"""What a backtest plays: documents in the order in which they came, and the runs there were."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_twilio_alerts.intake.arrivals import Arrival

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
POLL = timedelta(minutes=5)


class RateRecord(NamedTuple):
    """A record of the tap's currency rates.

    Attributes:
        record: As it came.
        key_properties: What SCHEMA says its key is.
    """

    record: dict[str, Any]
    key_properties: list[str]


class Happening(NamedTuple):
    """Something that came in.

    Attributes:
        at: When it is decided.
        what: A document, or a currency rate.
    """

    at: datetime
    what: Arrival | RateRecord


class Runs(ABC):
    """When runs came: what is due is told by the next one."""

    looks_each_day = True
    """Whether each day with a run is played; else only those on which something may turn."""

    @abstractmethod
    def first_from(self, moment: datetime, *, reads: bool = False) -> datetime | None:
        """The first run at that moment or later; None if none came.

        Args:
            moment: From when on.
            reads: Whether it must be one that reads documents.
        """


class EveryFiveMinutes(Runs):
    """Runs as the schedule of `meltano.yml` has them, day and night."""

    looks_each_day = False

    def first_from(self, moment: datetime, *, reads: bool = False) -> datetime:  # noqa: ARG002 - all do
        """The next full five minutes."""
        return _EPOCH + -((_EPOCH - moment) // POLL) * POLL


class KnownRuns(Runs):
    """Runs that a ledger knows.

    Args:
        reading: When runs of the target ended, in order.
        others: When runs ended that only delivered, in order.
    """

    def __init__(self, reading: Sequence[datetime], others: Sequence[datetime]) -> None:
        self._reading = list(reading)
        self._all = sorted([*reading, *others])

    def first_from(self, moment: datetime, *, reads: bool = False) -> datetime | None:
        """The next one that the ledger knows."""
        known = self._reading if reads else self._all
        at = bisect_left(known, moment)
        return known[at] if at < len(known) else None


class Past(ABC):
    """Something to play.

    Attributes:
        runs: When runs came.
        begin: From when on alerts are told; earlier documents are known before.
        end: When the last one came in, or the last run was.
        is_over: Whether nothing is played after the end, though it waits.
        malformed: How many records could not be read, or not in whole.
        unread: How many records each stream has that is no entity.
        streams: Streams that there is something of.
    """

    runs: Runs
    begin: datetime
    end: datetime
    is_over: bool
    malformed: int = 0
    unread: dict[str, int]
    streams: set[str]

    @abstractmethod
    def happenings(self) -> Iterator[Happening]:
        """What came in, in the order of time."""

    @abstractmethod
    def assumed(self) -> list[str]:
        """What is taken for granted of it, a sentence each."""


def counted(number: int, what: str) -> str:
    """So many of something, such as "1 record" or "1,000 records"."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
