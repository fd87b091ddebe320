"""One read of one partition, page by page: what is asked, what is checked, what comes of it.

A read knows neither Singer nor the SDK. It gives its steps one by one: pages to wait for, rows to
write, places to go on at; so that one thread can drive many reads while their requests are under
way, and STATE is changed by the thread that writes.
"""

from __future__ import annotations

import logging
import time
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from tap_visma import answers, background, bookmarks
from tap_visma.ahead import Ahead
from tap_visma.errors import AnswerError, LimitReachedError, ListingMovedError
from tap_visma.forecast import Forecast
from tap_visma.kinds import Filter, Paging
from tap_visma.pagination import Listing, Totals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from concurrent.futures import Future

    from tap_visma.bookmarks import Progress
    from tap_visma.company import Company
    from tap_visma.pagination import Page, Row
    from tap_visma.stream import VismaStream

logger = logging.getLogger(__name__)

PASSES = 4
"""How often a listing that moves while it is paged is read before we say that it cannot be."""

FILTER = "lastModifiedDateTime"
"""The filter's name, also where the items' own modified field has another one."""


@dataclass(frozen=True)
class Rows:
    """Rows that can be written."""

    rows: list[Row]


@dataclass(frozen=True)
class Reached:
    """Where a later run would go on, once the rows before are written."""

    markers: dict[str, Any]


class Reading:
    """A read of one partition from its first page, or where it was cut off, to its end.

    Args:
        stream: What is read.
        company: Whose.
        context: What names the partition, such as a ledger; it becomes part of each row.
        progress: Where to begin.

    Attributes:
        is_comparison: Whether it is made only to find what was deleted.
        is_one_answer: Whether its last pass was one answer, in which nothing can change places.
        passes_on: Whether rows are only written, so that values which nobody looks at may stay as
            they came, as `msgspec.Raw`.
    """

    def __init__(
        self,
        stream: VismaStream,
        company: Company,
        context: Mapping[str, Any],
        progress: Progress,
    ) -> None:
        self.stream = stream
        self.company = company
        self.context = dict(context)
        self.progress = progress
        self._listing: Listing | None = None
        self._repeated: frozenset[tuple[int, int]] | None = None
        self._has_stamps = False
        self._has_warned = False
        self._own_key = [name for name in stream.primary_keys if name not in self.context]
        self.is_comparison = False
        self.is_one_answer = stream.paging is Paging.WHOLE
        self.passes_on = False
        self._ahead = Ahead(self._fetch, company.workers, name=self.name)

    @property
    def name(self) -> str:
        """What to call this read when it has trouble."""
        return self.stream.described(self.company, self.context)

    def drop(self) -> None:
        """Take nothing of what is under way."""
        self._ahead.drop()

    @cached_property
    def looked_at(self) -> frozenset[str]:
        """The fields of a row that this read looks at."""
        stream = self.stream
        stamps = () if stream.stamp is None else (stream.stamp,)
        nested = (path[0] for path in stream.keys_from.values())
        return frozenset({"metadata", *stream.primary_keys, *stamps, *nested})

    @property
    def is_backfill(self) -> bool:
        """Whether this is a whole read, a first one or to compare, for which no alert waits."""
        is_first = self.progress.start in {None, bookmarks.BEFORE_EVERYTHING}
        is_whole = is_first or self.progress.compare is not None
        return is_whole and self.stream.filter is not Filter.NONE

    def steps(self) -> Iterator[Future[Page] | Rows | Reached]:
        """Read to the end.

        Raises:
            TapError: It cannot be read.
            LimitReachedError: Not now.
        """
        kept = self.company.read_whole.get(self.stream.name)
        if kept is not None and self.stream.filter is Filter.NONE:
            yield Rows([dict(row) for row in kept])
            return
        progress = self.progress
        for attempt in range(1, PASSES + 1):
            try:
                yield from self._read(progress)
            except ListingMovedError as moved:
                progress.begin_again(sweeping=True)
                self._ahead.one_at_a_time = True
                if attempt == PASSES:
                    yield Reached({})
                    raise AnswerError(
                        f"the listing did not add up in {PASSES} passes: {moved}; nothing is "
                        "lost, the next run reads it again; if this goes on, report it to Visma",
                    ) from None
                logger.warning("%s: reading it again: %s", self.name, moved)
            else:
                return

    def _read(self, progress: Progress) -> Iterator[Future[Page] | Rows | Reached]:
        """One pass; after one that was cut off earlier, another over the whole listing."""
        while True:
            self.begin_pass(progress)
            listing = self._listing = Listing(
                self.units,
                page_size=progress.page_size,
                page=progress.page,
                totals=Totals(**progress.totals),
                paging=self.stream.paging,
                before=self._listing.seen if self._listing is not None else None,
                stamp=self.stream.stamp,
                needs_proof=self._needs_proof(progress),
            )
            yield from self._pass(progress, listing)
            is_sweep_due = progress.resumed and not progress.sweeping
            if not (is_sweep_due or listing.is_unproven):
                break
            progress.begin_again(sweeping=True)
        try:
            listing.check()
        except ListingMovedError as moved:
            before, self._repeated = self._repeated, listing.repeated
            if not self._repeated or self._repeated != before:
                raise
            logger.warning("%s: rows share a key: %s", self.name, moved)

    def _needs_proof(self, progress: Progress) -> bool:
        """Whether a row that is missed would be missed for good, or taken for one that is gone."""
        return self.stream.filter is not Filter.NONE or progress.compare is not None

    def _pass(
        self,
        progress: Progress,
        listing: Listing,
    ) -> Iterator[Future[Page] | Rows | Reached]:
        self._ahead.drop()
        begins_at = listing.page
        forecast = self._forecast(listing, is_again=progress.sweeping)
        while not listing.finished:
            try:
                page = yield from self._ahead.page(listing)
            except LimitReachedError:
                forecast.stopped()
                raise
            offset = listing.offset
            for row in page.rows:
                self._complete(row)
            rows = listing.take(page)
            self._look_at_stamps(rows, page, progress)
            if not rows and listing.page == 1 and self.stream.is_never_empty:
                self._warn_of_nothing()
            self.is_one_answer = begins_at == listing.page == 1 and listing.finished
            yield Rows(list(self.ready(rows, offset=offset, finished=listing.finished)))
            forecast.pages(*listing.progress)
            if not listing.finished:
                self.reached(progress, listing)
                yield Reached(progress.dump())

    def _forecast(self, listing: Listing, *, is_again: bool) -> Forecast:
        """What tells how far this pass is."""
        name = f"{self.name}, once more" if is_again else self.name
        allowed = partial(self.company.limits.calls_an_hour, backfill=self.is_backfill)
        forecast = Forecast(name, allowed=allowed)
        forecast.pages(*listing.progress)
        return forecast

    def _warn_of_nothing(self) -> None:
        if self.progress.start is None:
            logger.warning(
                "%s: the company has none, which no company has: check tenant_id%s",
                self.name,
                " and company_id" if "ipp-company-id" in self.company.headers else "",
            )

    def _complete(self, row: Row) -> None:
        """Leave out what is paging and add what leads the key."""
        row.pop("metadata", None)
        row.update(self.context)
        for name, path in self.stream.keys_from.items():
            value: Any = row
            for part in path:
                value = value.get(part) if isinstance(value, dict) else None
            row[name] = "" if value is None else str(value)

    # What is asked

    def params(self, page: int, page_size: int) -> dict[str, str | int]:
        """The query for a page."""
        stream = self.stream
        params = {**stream.flags, **stream.own_params(self.company, self.context)}
        if self.progress.start is not None:
            params[FILTER] = self.progress.start
            if stream.filter is Filter.STAMP_AND_CONDITION:
                params[f"{FILTER}Condition"] = ">="
        if stream.paging is not Paging.WHOLE:
            params["pageNumber"] = page
            params["pageSize"] = page_size
        return params

    def _fetch(self, page: int, page_size: int, *, pause: float) -> Page:
        """Ask for one page; in one of the company's threads."""
        asked = time.monotonic_ns()
        client = self.company.client
        get = partial(background.get, client) if self.stream.is_in_background else client.get
        answer = get(
            self.stream.path,
            self.params(page, page_size),
            pause=pause,
            is_backfill=self.is_backfill,
        )
        return answers.page(
            answer,
            asked=asked,
            envelope=self.stream.envelope,
            text_field=self.stream.text_field,
            looked_at=self.looked_at if self.passes_on else None,
        )

    # What kinds of streams do in their own way

    def units(self, row: Row) -> Iterable[tuple[Any, ...] | None]:
        """The keys of what `totalCount` counts in this row."""
        key = tuple(row.get(name) for name in self._own_key)
        return (key if all(isinstance(part, (str, int)) for part in key) else None,)

    def begin_pass(self, progress: Progress) -> None:
        """Prepare for a pass through the listing."""

    def ready(self, rows: list[Row], *, offset: int, finished: bool) -> Iterable[Row]:  # noqa: ARG002
        """The records that can be written once this page, which began at `offset`, is read."""
        return rows

    def reached(self, progress: Progress, listing: Listing) -> None:
        """Note where a later run would go on."""
        progress.page = listing.page
        progress.page_size = listing.page_size
        progress.totals = asdict(listing.totals)

    # Stamps

    def _look_at_stamps(self, rows: list[Row], page: Page, progress: Progress) -> None:
        """Note the highest stamp, and see that the filter filtered.

        Raises:
            AnswerError: A row is older than what was asked for.
        """
        name = self.stream.stamp
        if name is None:
            self._note_clock(page, progress)
            return
        limit = None
        if progress.start is not None:
            limit = bookmarks.as_datetime(progress.start) - bookmarks.REPEATED_HOUR
        highest = None
        for row in rows:
            stamp = bookmarks.canonical(row.get(name))
            if stamp is None:
                continue
            self._has_stamps = True
            if limit is not None and bookmarks.as_datetime(stamp) < limit:
                raise AnswerError(
                    f"the filter did not filter: asked for {FILTER} >= "
                    f"{progress.start}, got {row[name]}; the endpoint ignored it",
                )
            if (highest is None or stamp > highest) and not self._is_far_ahead(stamp, page):
                highest = stamp
        if highest is not None:
            progress.saw(_short(highest))
        if rows and not self._has_stamps and self.stream.filter is not Filter.NONE:
            self._has_stamps = True  # said once is enough
            logger.warning(
                "%s: no record has a %s that can be read: each run reads everything",
                self.name,
                name,
            )

    def _note_clock(self, page: Page, progress: Progress) -> None:
        """Without stamps in the rows, the bookmark is the time of the first answer.

        It is the earliest that the server's own clock, whose zone is unknown, can show.
        """
        if progress.highest is None and page.dated is not None:
            at = answers.naive_utc(page.dated) - bookmarks.FARTHEST_WEST
            progress.saw(at.isoformat())

    def _is_far_ahead(self, stamp: str, page: Page) -> bool:
        if page.dated is None:
            return False
        at = bookmarks.as_datetime(stamp)
        if at - answers.naive_utc(page.dated) <= bookmarks.FAR_AHEAD:
            return False
        if self._has_warned:
            return True
        self._has_warned = True
        logger.warning(
            "%s: a record's %s (%s) is more than a day ahead of the server's Date: it does not "
            "move the bookmark",
            self.name,
            self.stream.stamp,
            stamp[:19],
        )
        return True


def _short(stamp: str) -> str:
    """A canonical stamp as Visma writes it: without the zeros at its end."""
    return stamp.rstrip("0").rstrip(".") if "." in stamp else stamp
