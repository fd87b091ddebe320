"""The base of every stream: one partition is read page by page, checked, and kept in STATE."""

from __future__ import annotations

import itertools
import json
import random
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any, ClassVar, cast

import requests
from singer_sdk.exceptions import FatalAPIError, RetriableAPIError
from singer_sdk.helpers._util import utc_now
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.singerlib import RecordMessage
from singer_sdk.streams.rest import HTTPRequest, PageContext, RESTStream
from typing_extensions import override

from tap_visma import answers, bookmarks
from tap_visma.bookmarks import Progress
from tap_visma.errors import (
    AccessError,
    AnswerError,
    LimitReachedError,
    ListingMovedError,
    TapError,
)
from tap_visma.pagination import Listing, Page

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from backoff.types import Details
    from singer_sdk.helpers.types import Context, Record, RequestFunc

    from tap_visma.company import Company
    from tap_visma.pagination import Row
    from tap_visma.tap import TapVisma

STAMP = "lastModifiedDateTime"

PASSES = 3
"""How often a listing that moves while it is paged is read before we say that it cannot be."""

_LONGEST_PAUSE_SECONDS = 16


class VismaStream(RESTStream[Listing]):
    """A list endpoint of one company.

    Attributes:
        takes_condition: Whether the filter needs `lastModifiedDateTimeCondition` beside it; with
            the stamp alone such an endpoint returns everything, silently.
        needs_filter: Whether the endpoint refuses a request without filter.
        is_filtered: Whether the stream reads by its bookmark at all.
        is_paged: Whether the endpoint knows pages.
    """

    replication_key = STAMP
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE  # what the API sends is passed on

    takes_condition: ClassVar[bool] = True
    needs_filter: ClassVar[bool] = False
    is_filtered: ClassVar[bool] = True
    is_paged: ClassVar[bool] = True

    _tap: TapVisma

    def __init__(self, tap: TapVisma) -> None:
        schema = files("tap_visma") / "schemas" / f"{self.name}.json"
        super().__init__(tap, schema=json.loads(schema.read_text(encoding="utf-8")))

    @property
    def company(self) -> Company:
        """The company that is read: its token, its limits, its connection."""
        return self._tap.company

    # What is asked

    @property
    @override
    def url_base(self) -> str:
        return self.company.api_url

    @cached_property
    @override
    def authenticator(self) -> requests.auth.AuthBase:
        return self.company.auth

    @property
    @override
    def requests_session(self) -> requests.Session:
        return self.company.session

    @property
    @override
    def timeout(self) -> int:
        return int(self.config["request_timeout_seconds"])

    @override
    def get_http_request(self, *, page: PageContext[Listing]) -> HTTPRequest:
        context = page.stream_context or {}
        params = self.own_params(context)
        progress = self._progress
        if progress is not None and progress.start is not None:
            params["lastModifiedDateTime"] = progress.start
            if self.takes_condition:
                params["lastModifiedDateTimeCondition"] = ">="
        if self.is_paged and page.next_page_token is not None:
            params["pageNumber"] = page.next_page_token.page
            params["pageSize"] = page.next_page_token.page_size
        return HTTPRequest(
            url=self.get_url(None),
            params=params,
            headers=self.company.headers,
        )

    def own_params(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """Query parameters that only this stream has."""
        return {}

    # Who is read

    @property
    @override
    def partitions(self) -> list[dict[str, Any]] | None:
        return [self.company.context]

    # How it is read

    _progress: Progress | None = None
    _listing: Listing | None = None
    _answered_at: float | None = None

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        entry = self.get_context_state(context)
        self._progress = progress = self._begin(entry)
        self._listing = None
        self._answered_at = None
        for attempt in range(1, PASSES + 1):
            try:
                yield from self._read(context or {}, progress, entry, is_last=attempt == PASSES)
            except ListingMovedError as moved:
                if attempt == PASSES:
                    raise AnswerError(
                        f"the listing did not add up in {PASSES} passes: {moved}; nothing is "
                        "lost, the next run reads it again; if this goes on, report it to Visma",
                    ) from None
                self.logger.warning("%s: reading it again: %s", self.name, moved)
                progress.begin_again(sweeping=True)
            else:
                break
        bookmarks.finish(
            entry,
            progress,
            replication_key=STAMP,
            ended_at=self._answered_at,
        )
        self._state_changed()

    def _begin(self, entry: dict[str, Any]) -> Progress:
        kept = Progress.load(entry.get("progress_markers"))
        if kept is not None:
            self.logger.info("%s: going on at page %d of an unfinished read", self.name, kept.page)
            return kept
        entry.pop("progress_markers", None)
        start = None
        if self.is_filtered:
            lookback = float(self.config["lookback_seconds"])
            start = bookmarks.start_after(entry, lookback_seconds=lookback)
            start = bookmarks.later(start, self.company.start_date)
        if start is None and self.needs_filter:
            start = bookmarks.BEFORE_EVERYTHING
        return Progress(start=start, page_size=int(self.config["page_size"]))

    def _read(
        self,
        context: Context,
        progress: Progress,
        entry: dict[str, Any],
        *,
        is_last: bool,
    ) -> Iterator[Row]:
        """One pass; after one that was cut off earlier, another over the whole listing."""
        while True:
            self.begin_pass(progress)
            listing = self._listing = Listing(
                self.units,
                page_size=progress.page_size,
                page=progress.page,
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
            if not (is_last and listing.has_all_rows):
                raise
            self.logger.warning("%s: rows share a key: %s", self.name, moved)

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
        return (None if None in key else key,)

    def begin_pass(self, progress: Progress) -> None:
        """Prepare for a pass through the listing."""

    def ready(self, rows: list[Row], *, offset: int, finished: bool) -> Iterable[Row]:  # noqa: ARG002
        """The records that can be written once this page, which began at `offset`, is read."""
        return rows

    def reached(self, progress: Progress, listing: Listing) -> None:
        """Note where a later run would go on."""
        progress.page = listing.page
        progress.page_size = listing.page_size

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
            if limit is not None and bookmarks.as_datetime(stamp) < limit:
                raise AnswerError(
                    f"the filter did not filter: asked for {STAMP} >= "
                    f"{progress.start}, got {row[STAMP]}; the endpoint ignored it",
                )
            if (highest is None or stamp > highest) and not self._is_far_ahead(stamp):
                highest = stamp
        if highest is not None:
            progress.saw(_short(highest))

    def _is_far_ahead(self, stamp: str) -> bool:
        if self._answered_at is None:
            return False
        at = bookmarks.as_datetime(stamp)
        if at - answers.naive_utc(self._answered_at) <= bookmarks.FAR_AHEAD:
            return False
        self.logger.warning(
            "%s: a record's %s (%s) is more than a day ahead of the server's Date: it does not "
            "move the bookmark",
            self.name,
            STAMP,
            stamp[:19],
        )
        return True

    # One request

    def _fetch(self, context: Context, listing: Listing) -> Page:
        try:
            response = self._with_retries(context, listing)
        except RetriableAPIError as error:
            if error.response is not None and error.response.status_code == answers.TOO_MANY:
                raise LimitReachedError(
                    "Visma.net goes on refusing with 429: the next run goes on",
                ) from None
            raise TapError(f"{error}; tried {self.backoff_max_tries()} times") from None
        except requests.RequestException as error:
            raise TapError(
                f"{self.company.api_url} did not answer ({type(error).__name__}; tried "
                f"{self.backoff_max_tries()} times): check api_url and the network",
            ) from None
        except FatalAPIError as error:
            raise TapError(str(error)) from None
        return Page.of(answers.rows(response))

    def _with_retries(self, context: Context, listing: Listing) -> requests.Response:
        ask = cast("RequestFunc", self._ask)  # which takes a page to build each request for
        return self.request_decorator(ask)(cast("Any", context), cast("Any", listing))

    def _ask(self, context: Context, listing: Listing) -> requests.Response:
        """Send one request; a retry comes here again and may ask for a smaller page."""
        asked = self.get_http_request(page=PageContext(context, listing))
        prepared = self.build_prepared_request(
            method="GET",
            url=asked.url,
            params=asked.encode_params(),
            headers=asked.headers,
        )
        self.company.limits.before_request()
        return self._request(prepared, context)

    @override
    def _request(
        self,
        prepared_request: requests.PreparedRequest,
        context: Context | None,
    ) -> requests.Response:
        # The SDK sends without the environment's proxies and certificates; a company needs them.
        session = self.requests_session
        surroundings = session.merge_environment_settings(
            prepared_request.url,
            {},
            None,
            None,
            None,
        )
        response = session.send(prepared_request, timeout=self.timeout, **surroundings)
        self._write_request_duration_log(
            endpoint=self.path,
            response=response,
            context=context,
            extra_tags=None,
        )
        self.validate_response(response)
        return response

    @override
    def validate_response(self, response: requests.Response) -> None:
        status = response.status_code
        if self._progress is not None:
            self._note_time(answers.date_of(response), self._progress)
        if status == answers.UNAUTHORIZED:
            if self.company.auth.refused():
                raise RetriableAPIError(answers.told(response), response)
            raise AccessError(
                "Visma.net refuses the token (401, twice): check that tenant_id is the company's "
                "tenant id and not the customer's, that the company's integration administrator "
                "has approved the application, and that it has the API role and a licence",
            )
        if status == answers.TOO_MANY:
            self._pause = self.company.limits.wait_after_refusal(response.headers)
            raise RetriableAPIError(answers.told(response), response)
        self.company.auth.accepted()
        self.company.limits.after_answer(response.headers)
        if status >= answers.SERVER_ERROR:
            raise RetriableAPIError(answers.told(response), response)
        if status != requests.codes.ok:
            raise FatalAPIError(f"{answers.told(response)}: {answers.mend(status)}")

    def _note_time(self, answered_at: float | None, progress: Progress) -> None:
        if answered_at is None:
            return
        self._answered_at = answered_at
        if progress.began_at is None:
            progress.began_at = int(answered_at)

    # What happens between two tries of one request

    _pause = 0.0

    @override
    def backoff_wait_generator(self) -> Generator[float, Any, None]:
        error = yield 0.0
        for attempt in itertools.count():
            status = _status(error)
            if status == answers.TOO_MANY:
                seconds = self._pause
            elif status == answers.UNAUTHORIZED:
                seconds = 0.0
            else:
                seconds = random.uniform(0, min(2.0**attempt, _LONGEST_PAUSE_SECONDS))  # noqa: S311
            error = yield seconds

    @override
    def backoff_jitter(self, value: float) -> float:
        return value  # what a 429 asks for is waited exactly; the rest has its jitter already

    @override
    def backoff_handler(self, details: Details) -> None:
        error = details.get("exception")
        status = _status(error)
        is_slow = isinstance(error, requests.Timeout)
        if self._listing is not None and (is_slow or (status or 0) >= answers.SERVER_ERROR):
            self._listing.make_pages_smaller()
        self.logger.info(
            "%s: trying again in %.1f s: %s",
            self.name,
            details.get("wait", 0.0),
            error if isinstance(error, RetriableAPIError) else type(error).__name__,
        )

    # What a record is

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        # Some connectors saw {"value": x} where the contract has x; both mean x.
        for name, value in row.items():
            if type(value) is dict and len(value) == 1 and "value" in value:
                row[name] = value["value"]
        return row

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
            return
        try:
            yield from super()._sync_records(context, write_messages=write_messages)
        except (TapError, LimitReachedError) as error:
            if self.ABORT_AT_RECORD_COUNT is not None:
                raise  # a test of the connection
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


def _status(error: BaseException | None) -> int | None:
    response = getattr(error, "response", None)
    return None if response is None else int(response.status_code)


def _short(stamp: str) -> str:
    """A canonical stamp as Visma writes it: without the zeros at its end."""
    return stamp.rstrip("0").rstrip(".") if "." in stamp else stamp
