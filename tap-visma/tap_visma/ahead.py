"""Fetches the next pages of a listing while earlier ones are checked and written."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Protocol

from tap_visma.client import TRIES, pause_before
from tap_visma.errors import TapError, TransientError

if TYPE_CHECKING:
    from collections.abc import Generator
    from concurrent.futures import Future

    from tap_visma.pagination import Listing, Page
    from tap_visma.workers import Workers

logger = logging.getLogger(__name__)


class Fetch(Protocol):
    """How to get a page."""

    def __call__(self, page: int, page_size: int, *, pause: float) -> Page:
        """Ask for it, after a pause in seconds."""
        ...


class Ahead:
    """The pages of one read that are under way.

    Pages that the listing's total says there are, and no others, are asked for early. A page that
    does not come makes the rest smaller, and is asked for alone.

    Attributes:
        one_at_a_time: Whether to fetch nothing ahead: a listing that moves is then torn less.

    Args:
        fetch: How to get a page.
        workers: Who gets it.
        name: What to call the read in the log.
    """

    def __init__(self, fetch: Fetch, workers: Workers, *, name: str) -> None:
        self._fetch = fetch
        self._workers = workers
        self._name = name
        self.one_at_a_time = False
        self._under_way: dict[tuple[int, int], Future[Page]] = {}

    def drop(self) -> None:
        """Take nothing of what is under way."""
        for future in self._under_way.values():
            future.cancel()
        self._under_way.clear()

    def page(self, listing: Listing) -> Generator[Future[Page], None, Page]:
        """The listing's next page; gives what must be waited for meanwhile.

        Raises:
            TapError: It cannot be had.
            LimitReachedError: Not now.
        """
        pause, failed = 0.0, 0
        is_again = self.one_at_a_time
        while True:
            self._ask(listing, pause=pause, is_alone=is_again)
            future = self._under_way.pop((listing.page, listing.page_size))
            if not future.done():
                yield future
            is_again, pause = True, 0.0
            try:
                page = future.result()
            except TransientError as error:
                self.drop()
                failed += 1
                if failed == TRIES:
                    raise TapError(f"{error}; tried {TRIES} times") from None
                listing.make_pages_smaller()
                pause = pause_before(failed)
                logger.info("%s: trying again in %.1f s: %s", self._name, pause, error)
            else:
                if not listing.is_torn_by(page):
                    return page
                self.drop()

    def _ask(self, listing: Listing, *, pause: float, is_alone: bool) -> None:
        size = listing.page_size
        pages = 1 if is_alone else max(1, min(self._workers.number, listing.pages_known))
        wanted = [(listing.page + further, size) for further in range(pages)]
        if wanted[0] not in self._under_way:
            self.drop()  # the page size has changed
        for page in wanted:
            if page not in self._under_way:
                task = partial(self._fetch, *page, pause=pause)
                self._under_way[page] = self._workers.submit(task)
