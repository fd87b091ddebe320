"""One pass through a paged listing, which trusts no answer: pages must move on and add up.

Facts (reference: visma-api, section 5): a page size over `metadata.maxPageSize` is reduced without
notice, unknown parameters are ignored (so page 2 may be page 1 again), order is not guaranteed, and
an empty array is the end. `metadata` is in each item.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_visma.errors import ListingMovedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Row = dict[str, Any]

SMALLEST_PAGE = 10
_BUCKET = 100_000


@dataclass(frozen=True)
class Page:
    """One answer: its rows, and what their `metadata` says."""

    rows: list[Row]
    total: int | None = None
    max_page_size: int | None = None

    @classmethod
    def of(cls, rows: list[Row]) -> Page:
        """Read a page's metadata from its first row."""
        metadata = rows[0].get("metadata") if rows else None
        if not isinstance(metadata, dict):
            return cls(rows)
        total, largest = metadata.get("totalCount"), metadata.get("maxPageSize")
        return cls(
            rows,
            total if isinstance(total, int) and total >= 0 else None,
            largest if isinstance(largest, int) and largest > 0 else None,
        )


class Listing:
    """One pass from a page to the end.

    Args:
        units: The keys of what the API counts in a row: the row itself, or its lines. None stands
            for one without a key.
        page_size: Rows asked for.
        page: The page to begin with.
        is_paged: False for an endpoint that knows no pages and answers at once with everything.
        before: What earlier passes of the same read have seen.
    """

    def __init__(
        self,
        units: Callable[[Row], Iterable[tuple[Any, ...] | None]],
        *,
        page_size: int,
        page: int = 1,
        is_paged: bool = True,
        before: array[int] | None = None,
    ) -> None:
        self._before = before or array("q")
        self._units = units
        self.page = page
        self.page_size = page_size
        self.finished = False
        self._is_paged = is_paged
        self._began_at_first = page == 1
        self._last_page: list[int] | None = None
        self._seen = array("q")
        self._without_key = 0
        self._first_total: int | None = None
        self._last_total: int | None = None
        self._shrank = False

    @property
    def offset(self) -> int:
        """How many units come before the page to read next."""
        return (self.page - 1) * self.page_size

    def take(self, page: Page) -> list[Row]:
        """Check a page, and move to the next one.

        Raises:
            ListingMovedError: The page is the one before it once more: the endpoint ignores
                `pageNumber`, or as many rows as a page has were added.
        """
        keys = [key for row in page.rows for key in self._units(row)]
        hashes = [hash(key) for key in keys if key is not None]
        self._without_key += len(keys) - len(hashes)
        if hashes and hashes == self._last_page:
            raise ListingMovedError(
                f"page {self.page} repeats page {self.page - 1}, as if pageNumber were ignored",
            )
        self._last_page = hashes
        self._seen.extend(hashes)
        self._note_total(page)
        if not self._is_paged or not page.rows:
            self.finished = True
            return page.rows
        self._learn_page_size(page, len(keys))
        if page.total is not None and self.page * self.page_size >= page.total:
            self.finished = True
        else:
            self.page += 1
        return page.rows

    def make_pages_smaller(self) -> None:
        """Halve the page size; the next page begins at or before where it would have."""
        size = max(self.page_size // 2, SMALLEST_PAGE)
        if size >= self.page_size:
            return
        self.page = self.offset // size + 1
        self.page_size = size
        self._last_page = None

    def check(self) -> None:
        """Check that what arrived adds up with `totalCount`.

        Only rows that were there, unchanged, from the first page to the last must not be missing:
        what was added or changed meanwhile has a new stamp, so that the next read has it. Rows
        that go away or change places pull others over a page border that was read already; the
        total tells, or a row that comes twice. Then another pass is made, and what one pass
        missed may have been in the one before.

        Raises:
            ListingMovedError: Something may be missing.
        """
        if not self._began_at_first or self._first_total is None or self._last_total is None:
            return
        rows = len(self._seen) + self._without_key
        distinct = _distinct(self._seen) + self._without_key
        counted = f"totalCount was {self._first_total}, then {self._last_total}"
        if self._shrank:
            raise ListingMovedError(f"rows were removed while paging ({counted})")
        if distinct > self._last_total:
            raise ListingMovedError(f"{distinct} rows arrived, but {counted}")
        only_appended = rows == distinct and self._first_total < self._last_total
        if distinct >= (self._first_total if only_appended else self._last_total):
            return
        if self._before:
            together = _distinct(self._before + self._seen) + self._without_key
            if together >= self._first_total:
                return
        raise ListingMovedError(
            f"{rows} rows arrived, of which {rows - distinct} twice, but {counted}",
        )

    @property
    def seen(self) -> array[int]:
        """What tells the rows of this pass and the ones before; for `before` of the next pass."""
        return array("q") if self._shrank else self._before + self._seen

    @property
    def has_all_rows(self) -> bool:
        """Whether as many rows arrived as were counted, though some have the same key."""
        rows = len(self._seen) + self._without_key
        return not self._shrank and rows == self._first_total == self._last_total

    def _note_total(self, page: Page) -> None:
        if page.total is None:
            return
        if self._first_total is None:
            self._first_total = page.total
        elif self._last_total is not None and page.total < self._last_total:
            self._shrank = True
        self._last_total = page.total

    def _learn_page_size(self, page: Page, units: int) -> None:
        if page.max_page_size is not None and page.max_page_size < self.page_size:
            self.page_size = page.max_page_size
        is_first = self._began_at_first and self.page == 1
        if is_first and page.total is not None and 0 < units < min(page.total, self.page_size):
            self.page_size = units  # capped without telling


def _distinct(hashes: Sequence[int]) -> int:
    """How many different hashes; in several rounds, so that it needs little memory."""
    rounds = len(hashes) // _BUCKET + 1
    return sum(len({one for one in hashes if one % rounds == bucket}) for bucket in range(rounds))
