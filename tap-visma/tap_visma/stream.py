"""The base of every stream: data about a list endpoint, and its face to Singer."""

from __future__ import annotations

import json
import time
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_visma import bookmarks
from tap_visma.bookmarks import Progress
from tap_visma.deletes import COMPARING, DELETED_AT, SCHEMA, Deletes
from tap_visma.driving import Ended, drive
from tap_visma.errors import LimitReachedError, TapError
from tap_visma.kinds import Filter, Lines, Paging
from tap_visma.lines import LinesStream
from tap_visma.reading import FILTER, Reached, Reading
from tap_visma.settings import setting
from tap_visma.writing import QuickStream

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping

    from singer_sdk.helpers.types import Context, Record

    from tap_visma.company import Company
    from tap_visma.pagination import Row
    from tap_visma.tap import TapVisma


class VismaStream(QuickStream):
    """A list endpoint, read for one company after the other.

    Attributes:
        path: The endpoint, from the API's root.
        filter: What it offers to ask for what changed.
        stamp: The item's modified field; None if it has none although there is a filter.
        paging: How its answers are cut.
        envelope: The field that holds the rows, where the answer is an object.
        text_field: What to call the items, where they are mere texts.
        keys_from: Parts of the key that the item nests or may lack, each with the way to it; in
            records they are text, and empty where the item has none.
        expands: Query flags that add to the items; each is off unless a setting asks for it.
        is_finance: Whether the stream is selected if nobody chooses.
        is_never_empty: Whether every company has some, so that none is a sign of the wrong one.
        lines: The items' own numbered lines, for the setting `lines`.
        reading: How it is read.
    """

    path: ClassVar[str]
    filter: ClassVar[Filter] = Filter.STAMP_AND_CONDITION
    stamp: ClassVar[str | None] = "lastModifiedDateTime"
    paging: ClassVar[Paging] = Paging.PAGES
    envelope: ClassVar[str | None] = None
    text_field: ClassVar[str | None] = None
    keys_from: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    expands: ClassVar[tuple[str, ...]] = ()
    is_finance: ClassVar[bool] = False
    is_never_empty: ClassVar[bool] = False
    lines: ClassVar[Lines | None] = None
    reading: ClassVar[type[Reading]] = Reading

    _tap: TapVisma

    def __init__(self, tap: TapVisma) -> None:
        file = files("tap_visma") / "schemas" / f"{self.name}.json"
        schema = json.loads(file.read_text(encoding="utf-8"))
        self._compare_hours = int(setting(tap.config, "detect_deletes_hours"))
        if self._compare_hours:
            schema["properties"][DELETED_AT] = SCHEMA
        self.selected_by_default = self.is_finance
        super().__init__(tap, schema=schema)
        if self.filter is not Filter.NONE:
            self.replication_key = self.stamp

    # Who is read, and what is asked

    @property
    @override
    def partitions(self) -> list[dict[str, Any]]:
        return list(self._partitions())

    def _partitions(self) -> Iterator[dict[str, Any]]:
        for company in self._tap.companies:
            try:
                further = [{}] if company.stopped_by else self.partitions_of(company)
            except (TapError, LimitReachedError) as error:
                if self.ABORT_AT_RECORD_COUNT is not None:
                    raise
                self._tap.note(company, self.described(company, {}), error)
            else:
                yield from ({**company.context, **one} for one in further)

    def partitions_of(self, company: Company) -> list[dict[str, Any]]:  # noqa: ARG002
        """What the endpoint must be asked for one by one, such as ledgers; part of each key.

        Raises:
            TapError: It cannot be known.
            LimitReachedError: Not now.
        """
        return [{}]

    def own_params(
        self,
        company: Company,  # noqa: ARG002
        context: Mapping[str, Any],  # noqa: ARG002
    ) -> dict[str, str | int]:
        """Query parameters that only this stream has."""
        return {}

    def rows_of(self, name: str, company: Company) -> list[Row]:
        """All rows of another stream's listing, asked for at most once a run.

        Raises:
            TapError: They cannot be read.
            LimitReachedError: Not now.
        """
        if name not in company.read_whole:
            other: VismaStream = self._tap.stream_of(name)
            reading = other.begin(
                company,
                dict(company.context),
                Progress.of_all(page_size=other.page_size),
            )
            company.read_whole[name] = list(_rows_of(reading))
        return [dict(row) for row in company.read_whole[name]]

    @property
    def page_size(self) -> int:
        """Rows to ask for at a time."""
        return int(self._tap.options_of(self.name).get("page_size") or self._tap.page_size)

    @cached_property
    def flags(self) -> dict[str, str | int]:
        """The expand flags that are on."""
        return dict.fromkeys(self._tap.options_of(self.name).get("expand") or (), "true")

    @cached_property
    def is_in_background(self) -> bool:
        """Whether its list is asked for in the background."""
        return self.name in (self._tap.config.get("background_streams") or ())

    def described(self, company: Company, context: Mapping[str, Any]) -> str:
        """What to call a partition when it has trouble."""
        told = " of ".join(
            [self.name]
            + [
                f"{name.removesuffix('_id')} {value}"
                for name, value in context.items()
                if name not in company.context
            ],
        )
        return f"{told} ({company.name})" if len(self._tap.companies) > 1 else told

    # How it is read

    def begin(self, company: Company, context: dict[str, Any], progress: Progress) -> Reading:
        """A read of one partition."""
        return self.reading(self, company, context, progress)

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        company = self._tap.company_of(context or {})
        partition = {**company.context, **(context or {})}
        progress = self._progress(company, self.get_context_state(partition))
        return _rows_of(self.begin(company, partition, progress))

    def _readings(
        self,
        contexts: Iterable[Mapping[str, Any]],
        *,
        passes_on: bool,
    ) -> Iterator[Reading]:
        for context in contexts:
            company = self._tap.company_of(context)
            partition = dict(context)
            if company.stopped_by is not None:
                self._tap.note(company, self.described(company, partition), company.stopped_by)
                continue
            entry = self.get_context_state(partition)
            reading = self.begin(company, partition, self._progress(company, entry))
            reading.passes_on = passes_on
            if reading.is_backfill and company.backfill_stopped_by is not None:
                continue
            if self.deletes is not None:
                self.deletes.prepare(reading, entry)
            progress = reading.progress
            if progress.page > 1 or progress.sweeping:
                self.logger.info(
                    "%s: going on at page %d of an unfinished read",
                    reading.name,
                    progress.page,
                )
            yield reading

    def _comparisons(
        self,
        deletes: Deletes,
        partitions: Iterable[dict[str, Any]],
    ) -> Iterator[Reading]:
        """Reads of everything, that tell what was deleted, where it is time for one."""
        for partition in partitions:
            company = self._tap.company_of(partition)
            entry = self.get_context_state(partition)
            if company.stopped_by or company.backfill_stopped_by or not deletes.is_due(entry):
                continue
            kept = Progress.load(entry.get(COMPARING))
            reading = self.begin(company, partition, kept or self._progress(company, {}))
            reading.is_comparison = True
            deletes.prepare(reading, entry)
            if reading.progress.compare is not None:
                yield reading

    def _progress(self, company: Company, entry: dict[str, Any]) -> Progress:
        kept = Progress.load(entry.get("progress_markers"))
        if kept is not None:
            return kept
        start = None
        if self.filter is not Filter.NONE:
            start = bookmarks.start_after(entry, lookback_seconds=company.lookback_seconds)
            start = bookmarks.later(start, company.start_date)
        if start is None and self.filter is Filter.STAMP_ONLY:
            start = bookmarks.BEFORE_EVERYTHING
        return Progress(start=start, page_size=self.page_size, began_at=int(time.time()))

    @cached_property
    def deletes(self) -> Deletes | None:
        """What looks for deletes, if anybody wants to know."""
        is_test = self.ABORT_AT_RECORD_COUNT is not None
        if not self._compare_hours or is_test or not self.selected:
            return None
        return Deletes(self, self._tap.keys_file, hours=self._compare_hours)

    # What is written. The state is ours: the SDK's signpost and progress markers know neither
    # opaque stamps nor pages to go on at.

    @override
    def _sync_records(
        self,
        context: Context | None = None,
        *,
        write_messages: bool = True,
    ) -> Generator[dict[str, Any], Any, Any]:
        counter = self.get_record_counter()
        written = 0
        lines = self._selected_lines if write_messages else []
        for stream in lines:
            stream.write_schema()
        with counter, self.get_sync_timer():
            contexts = self._partitions() if context is None else [context]
            readings = self._readings(contexts, passes_on=write_messages and self._passes_on)
            for reading, rows in self._driven(readings, write_messages=write_messages):
                if reading.passes_on:
                    self._pass_on(reading, rows)
                    counter.increment(len(rows))
                    continue
                for row in rows:
                    self._check_max_record_limit(current_record_index=written)
                    if write_messages:
                        self._write(reading, row, lines)
                    counter.increment()
                    written += 1
                    yield row
        if write_messages:
            self._write_state_message()

    def look_for_deletes(self) -> None:
        """Make and write the reads of everything for which it is time; if keys miss, twice."""
        deletes = self.deletes
        if deletes is None or self.filter is Filter.NONE:
            return
        deletes.missed.clear()
        for partitions in (self._partitions(), deletes.missed):
            readings = self._comparisons(deletes, list(partitions))
            for reading, rows in self._driven(readings, write_messages=True):
                for row in rows:
                    self._write(reading, row, self._selected_lines)

    def _driven(
        self,
        readings: Iterable[Reading],
        *,
        write_messages: bool,
    ) -> Iterator[tuple[Reading, list[Row]]]:
        """Drive reads, and keep STATE; gives the rows, which must be written at once."""
        for reading, step in drive(readings, at_once=self._tap.readings_at_once):
            if isinstance(step, Ended):
                self._ended(reading, step, write_messages=write_messages)
            elif isinstance(step, Reached):
                self._reached(reading, step.markers, write_messages=write_messages)
            else:
                yield reading, step.rows

    @property
    def _selected_lines(self) -> list[LinesStream]:
        return [
            child
            for child in self.child_streams
            if isinstance(child, LinesStream) and child.selected
        ]

    @property
    def _passes_on(self) -> bool:
        """Whether pages are written as they come: nothing else wants their records."""
        return (
            self.is_written_whole
            and self.ABORT_AT_RECORD_COUNT is None
            and not any(child.selected for child in self.child_streams)
        )

    def _write(self, reading: Reading, row: Row, lines: list[LinesStream]) -> None:
        if self.deletes is not None:
            self.deletes.saw(reading, row)
        if self.selected:
            self._write_record_message(row)
        for stream in lines:
            stream.write(row)

    def _pass_on(self, reading: Reading, rows: list[Row]) -> None:
        """Write a page of records at once."""
        if self.deletes is not None:
            for row in rows:
                self.deletes.saw(reading, row)
        self.write_page(rows)

    def _reached(self, reading: Reading, markers: dict[str, Any], *, write_messages: bool) -> None:
        entry = self.get_context_state(reading.context)
        if self.deletes is not None:
            self.deletes.keep(reading)
        place = COMPARING if reading.is_comparison else "progress_markers"
        entry[place] = {**markers, "compare": reading.progress.compare}
        if not markers:
            del entry[place]
        self._state_changed()
        if write_messages:
            self._write_state_message()

    def _ended(self, reading: Reading, ended: Ended, *, write_messages: bool) -> None:
        entry = self.get_context_state(reading.context)
        if self.deletes is not None:
            self.deletes.keep(reading)
            if ended.error is None:
                for row in self.deletes.found(reading, entry):
                    self._write_record_message(row)
        if reading.is_comparison:
            if ended.error is None:
                entry.pop(COMPARING, None)
            else:
                self.note(reading, ended.error)
        elif ended.error is None:
            bookmarks.finish(
                entry,
                reading.progress,
                replication_key=self.stamp or FILTER,
                ended_at=time.time(),
            )
        elif self.ABORT_AT_RECORD_COUNT is not None:
            raise ended.error  # a test of the connection
        else:
            self.note(reading, ended.error)
        self._state_changed()
        if write_messages:
            self._write_state_message()

    def note(self, reading: Reading, error: TapError | LimitReachedError) -> None:
        """Note what is wrong with a read."""
        self._tap.note(reading.company, reading.name, error)


def _rows_of(reading: Reading) -> Iterator[Row]:
    for _, step in drive([reading], at_once=1):
        if isinstance(step, Ended):
            if step.error is not None:
                raise step.error
        elif not isinstance(step, Reached):
            yield from step.rows
