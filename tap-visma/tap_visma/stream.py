"""The base of every stream: one partition is read page by page, checked, and kept in STATE."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.exceptions import AbortedSyncFailedException, AbortedSyncPausedException
from singer_sdk.helpers._util import utc_now
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.singerlib import RecordMessage
from typing_extensions import override

from tap_visma import answers, bookmarks
from tap_visma.bookmarks import Progress
from tap_visma.client import STAMP, VismaClient
from tap_visma.errors import (
    AccessError,
    AnswerError,
    LimitReachedError,
    ListingMovedError,
    TapError,
)
from tap_visma.pagination import Listing, Totals

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from singer_sdk.helpers.types import Context, Record

    from tap_visma.pagination import Row
    from tap_visma.tap import TapVisma

PASSES = 3
"""How often a listing that moves while it is paged is read before we say that it cannot be."""


class VismaStream(VismaClient):
    """A list endpoint of one company, as a stream.

    Attributes:
        needs_filter: Whether the endpoint refuses a request without filter.
        is_filtered: Whether the stream reads by its bookmark at all.
    """

    replication_key = STAMP
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE  # what the API sends is passed on

    needs_filter: ClassVar[bool] = False
    is_filtered: ClassVar[bool] = True

    _repeated: frozenset[tuple[int, int]] | None = None
    _has_stamps = False
    _has_warned = False

    def __init__(self, tap: TapVisma) -> None:
        schema = files("tap_visma") / "schemas" / f"{self.name}.json"
        super().__init__(tap, schema=json.loads(schema.read_text(encoding="utf-8")))

    # Who is read

    @property
    @override
    def partitions(self) -> list[dict[str, Any]] | None:
        return [self.company.context]

    # How it is read

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        context = context or {}
        try:
            yield from self._records(context)
        except AccessError:
            raise
        except TapError as error:
            if self.ABORT_AT_RECORD_COUNT is not None:
                raise  # a test of the connection
            self._tap.note(self.described(context), error)
            self._state_changed()

    def described(self, context: Context) -> str:  # noqa: ARG002
        """What to call a partition when it cannot be read."""
        return self.name

    def _records(self, context: Context) -> Iterator[Row]:
        entry = self.get_context_state(context)
        self._progress = progress = self._begin(entry)
        self._listing = self._repeated = None
        self._has_stamps = self._has_warned = False
        for attempt in range(1, PASSES + 1):
            try:
                yield from self._read(context, progress, entry)
            except ListingMovedError as moved:
                progress.begin_again(sweeping=True)
                if attempt == PASSES:
                    entry.pop("progress_markers", None)
                    raise AnswerError(
                        f"the listing did not add up in {PASSES} passes: {moved}; nothing is "
                        "lost, the next run reads it again; if this goes on, report it to Visma",
                    ) from None
                self.logger.warning("%s: reading it again: %s", self.described(context), moved)
            else:
                break
        bookmarks.finish(entry, progress, replication_key=STAMP, ended_at=time.time())
        self._state_changed()

    def _begin(self, entry: dict[str, Any]) -> Progress:
        kept = Progress.load(entry.get("progress_markers"))
        if kept is not None:
            self.logger.info("%s: going on at page %d of an unfinished read", self.name, kept.page)
            return kept
        entry.pop("progress_markers", None)
        start = None
        if self.is_filtered:
            lookback = self.company.lookback_seconds
            start = bookmarks.start_after(entry, lookback_seconds=lookback)
            start = bookmarks.later(start, self.company.start_date)
        if start is None and self.needs_filter:
            start = bookmarks.BEFORE_EVERYTHING
        page_size = self.company.page_size
        return Progress(start=start, page_size=page_size, began_at=int(time.time()))

    def _read(
        self,
        context: Context,
        progress: Progress,
        entry: dict[str, Any],
    ) -> Iterator[Row]:
        """One pass; after one that was cut off earlier, another over the whole listing."""
        while True:
            self.begin_pass(progress)
            listing = self._listing = Listing(
                self.units,
                page_size=progress.page_size,
                page=progress.page,
                totals=Totals(**progress.totals),
                is_paged=self.is_paged,
                before=self._listing.seen if self._listing is not None else None,
            )
            yield from self._pass(context, progress, entry, listing)
            if not progress.resumed or progress.sweeping:
                break
            progress.begin_again(sweeping=True)
        try:
            listing.check()
        except ListingMovedError as moved:
            before, self._repeated = self._repeated, listing.repeated
            if not self._repeated or self._repeated != before:
                raise
            self.logger.warning("%s: rows share a key: %s", self.described(context), moved)

    def _pass(
        self,
        context: Context,
        progress: Progress,
        entry: dict[str, Any],
        listing: Listing,
    ) -> Iterator[Row]:
        while not listing.finished:
            page = self._fetch(context, listing)
            offset = listing.offset
            rows = listing.take(page)
            self._look_at_stamps(rows, progress)
            yield from self.ready(rows, offset=offset, finished=listing.finished)
            if not listing.finished:
                self.reached(progress, listing)
                entry["progress_markers"] = progress.dump()
                self._state_changed()
                self._write_state_message()

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

    @cached_property
    def _own_key(self) -> tuple[str, ...]:
        given = {"tenant_id", "company", "ledger_id"}
        return tuple(name for name in self.primary_keys if name not in given)

    def _look_at_stamps(self, rows: list[Row], progress: Progress) -> None:
        """Note the highest stamp, and see that the filter filtered.

        Raises:
            AnswerError: A row is older than what was asked for.
        """
        limit = None
        if progress.start is not None and self.is_filtered:
            limit = bookmarks.as_datetime(progress.start) - bookmarks.REPEATED_HOUR
        highest = None
        for row in rows:
            row.pop("metadata", None)
            stamp = bookmarks.canonical(row.get(STAMP))
            if stamp is None:
                continue
            self._has_stamps = True
            if limit is not None and bookmarks.as_datetime(stamp) < limit:
                raise AnswerError(
                    f"the filter did not filter: asked for {STAMP} >= "
                    f"{progress.start}, got {row[STAMP]}; the endpoint ignored it",
                )
            if (highest is None or stamp > highest) and not self._is_far_ahead(stamp):
                highest = stamp
        if highest is not None:
            progress.saw(_short(highest))
        if rows and not self._has_stamps:
            self._has_stamps = True  # said once is enough
            self.logger.warning(
                "%s: no record has a %s that can be read: each run reads everything",
                self.name,
                STAMP,
            )

    def _is_far_ahead(self, stamp: str) -> bool:
        if self._answered_at is None:
            return False
        at = bookmarks.as_datetime(stamp)
        if at - answers.naive_utc(self._answered_at) <= bookmarks.FAR_AHEAD:
            return False
        if self._has_warned:
            return True
        self._has_warned = True
        self.logger.warning(
            "%s: a record's %s (%s) is more than a day ahead of the server's Date: it does not "
            "move the bookmark",
            self.name,
            STAMP,
            stamp[:19],
        )
        return True

    # What is written

    @cached_property
    def _is_whole(self) -> bool:
        return all(self.mask.values())

    @override
    def _generate_record_messages(self, record: Record) -> Generator[RecordMessage, None, None]:
        # To look for deselected fields in each record takes longer than all else that is done to
        # it; mostly there are none.
        if not self._is_whole:
            yield from super()._generate_record_messages(record)
            return
        for stream_map in self.stream_maps:
            mapped = stream_map.transform(record)
            if mapped is not None:
                yield RecordMessage(
                    stream=stream_map.stream_alias,
                    record=mapped,
                    version=self._stream_version,
                    time_extracted=utc_now(),
                )

    # The state is ours: the SDK's signpost and progress markers know neither opaque stamps nor
    # pages to go on at.

    def _state_changed(self) -> None:
        self.state_manager.is_flushed = False

    @override
    def _sync_records(
        self,
        context: Context | None = None,
        *,
        write_messages: bool = True,
    ) -> Generator[dict[str, Any], Any, Any]:
        if self._tap.is_stopped:
            self._tap.note_skipped(self.name)
            return
        try:
            yield from super()._sync_records(context, write_messages=write_messages)
        except (AbortedSyncFailedException, AbortedSyncPausedException):
            raise
        except Exception as error:
            if self.ABORT_AT_RECORD_COUNT is not None:
                raise  # a test of the connection
            if not isinstance(error, (TapError, LimitReachedError)):
                self.logger.exception("%s: please report this", self.name)
                error = TapError(f"an error that this tap does not know ({type(error).__name__})")
            self._tap.note(self.name, error)
            self._state_changed()
            self._write_state_message()

    @override
    def _write_starting_replication_value(self, context: Context | None) -> None:
        """Leave the state as it is."""

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """Give none: our clock says nothing about the server's stamps."""

    @override
    def _increment_stream_state(
        self,
        latest_record: Record,
        *,
        context: Context | None = None,
    ) -> None:
        """Leave the bookmark: it moves when the read is whole."""

    @override
    def _finalize_state(self, state: dict[str, Any] | None = None) -> None:
        """Promote nothing: `get_records` did, where a read is whole."""

    @override
    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        """Promote nothing: `get_records` did, where a read is whole."""


def _short(stamp: str) -> str:
    """A canonical stamp as Visma writes it: without the zeros at its end."""
    return stamp.rstrip("0").rstrip(".") if "." in stamp else stamp
