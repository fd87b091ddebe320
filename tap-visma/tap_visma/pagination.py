"""One pass through a paged listing, which trusts no answer: pages must move on and add up.

Facts (reference: visma-api, section 5): a page size over `metadata.maxPageSize` is reduced without
notice, unknown parameters are ignored (so page 2 may be page 1 again), order is not guaranteed, and
an empty array is the end. `metadata` is in each item.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_visma.errors import ListingMovedError
from tap_visma.kinds import Paging

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Row = dict[str, Any]

SMALLEST_PAGE = 10
_SECOND = 2
_BUCKET = 100_000


@dataclass(frozen=True)
class Page:
    """One answer.

    Attributes:
        rows: Its rows.
        total: How many the whole listing has, if the answer says so.
        max_page_size: The most that a page may have, if the answer says so.
        dated: Its `Date`, as a Unix time.
        asked: When it was asked for, on a clock that only compares pages; None stands for after
            all before it were answered.
        answered: When it was answered, on the same clock.
    """

    rows: list[Row]
    total: int | None = None
    max_page_size: int | None = None
    dated: float | None = None
    asked: int | None = None
    answered: int | None = None

    @classmethod
    def of(cls, rows: list[Row]) -> Page:
        """A page whose metadata is in its rows."""
        metadata = rows[0].get("metadata") if rows else None
        if not isinstance(metadata, dict):
            return cls(rows)
        total, largest = metadata.get("totalCount"), metadata.get("maxPageSize")
        return cls(
            rows,
            total if isinstance(total, int) and total >= 0 else None,
            largest if isinstance(largest, int) and largest > 0 else None,
        )


@dataclass
class Totals:
    """What `totalCount` has said in one pass: at first, at last, and whether it ever fell."""

    first: int | None = None
    last: int | None = None
    shrank: bool = False

    def note(self, total: int, *, at_least: int = 0) -> None:
        """Note what a page says.

        Args:
            total: How many rows there are.
            at_least: What pages say of which nobody knows whether they were answered before.
        """
        if self.first is None:
            self.first = total
        self.last = max(total, at_least)


@dataclass(frozen=True)
class Earlier:
    """What earlier passes of the same read have seen.

    Attributes:
        keys: Hashes of the keys.
        total: What `totalCount` said last.
        is_steady: Whether the pass before began at the first page, and no row changed its place.
    """

    keys: array[int]
    total: int | None = None
    is_steady: bool = False


class Listing:
    """One pass from a page to the end.

    Args:
        units: The keys of what the API counts in a row: the row itself, or its lines. None stands
            for one without a key.
        page_size: Rows asked for.
        page: The page to begin with.
        totals: What earlier pages of a pass that was cut off have said.
        paging: Whether the endpoint knows pages, or answers at once with everything.
        before: What earlier passes of the same read have seen.
        stamp: The field that changes when a row does, if it is known.
        needs_proof: Whether a listing without a total is only whole if a second pass shows it.
    """

    def __init__(
        self,
        units: Callable[[Row], Iterable[tuple[Any, ...] | None]],
        *,
        page_size: int,
        page: int = 1,
        totals: Totals | None = None,
        paging: Paging = Paging.PAGES,
        before: Earlier | None = None,
        stamp: str | None = None,
        needs_proof: bool = False,
    ) -> None:
        self._before = before
        self._units = units
        self._stamp = stamp
        self._needs_proof = needs_proof
        self.page = page
        self.page_size = page_size
        self.finished = False
        self.totals = totals or Totals()
        self._paging = paging
        last = self.totals.last
        self._answered: list[tuple[int | None, int]] = [] if last is None else [(None, last)]
        self._rows_before = self.offset
        self._last_page: list[int] | None = None
        self._seen = array("q")
        self._versions = array("q")
        self._is_stamped = stamp is not None
        self._is_in_order = True
        self._is_one_answer = paging is Paging.WHOLE
        self._without_key = 0
        self._without_units = 0

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
        units = [list(self._units(row)) for row in page.rows]
        keys = [key for each in units for key in each]
        hashes = [hash(key) for key in keys if key is not None]
        if hashes and hashes == self._last_page:
            if self._paging is Paging.MAYBE and self.page == _SECOND:
                self.finished = self._is_one_answer = True
                return []
            raise ListingMovedError(
                f"page {self.page} repeats page {self.page - 1}, as if pageNumber were ignored",
            )
        self._last_page = hashes
        self._seen.extend(hashes)
        self._note_versions(page.rows, units)
        self._without_key += len(keys) - len(hashes)
        self._without_units += units.count([])
        if page.total is not None:
            self._note_total(page, page.total)
        if self._paging is Paging.WHOLE or not page.rows:
            is_short = page.total is None and self.offset < (self.totals.last or 0)
            self.totals.shrank = self.totals.shrank or (is_short and not page.rows)
            self.finished = True
            return page.rows
        self._learn_page_size(page, len(keys))
        if page.total is not None and self.page * self.page_size >= page.total:
            self.finished = True
        else:
            self.page += 1
        return page.rows

    @property
    def progress(self) -> tuple[int, int | None]:
        """How many pages were taken, and how many there are; None while that is not known."""
        taken = self.page - (not self.finished)
        if self.totals.last is None:
            return taken, None
        return taken, max(-(-self.totals.last // self.page_size), taken)

    @property
    def pages_known(self) -> int:
        """How many pages from the next one on there are, by what the listing said last."""
        if self.totals.last is None or self._paging is not Paging.PAGES or not self._seen:
            return 1
        return -(-(self.totals.last - self.offset) // self.page_size)

    def is_torn_by(self, page: Page) -> bool:
        """Whether a page shows another listing than those before it, with which it was under way.

        Then nobody knows in which order they were answered, and a row may be in none of them: the
        page must be asked for again.
        """
        if page.total is None or page.asked is None or not self._answered:
            return False
        under_way = [said for at, said in self._answered if at is not None and at >= page.asked]
        if all(said == page.total for said in under_way):
            return False
        is_in_order = self._is_in_order
        self._note_total(page, page.total)
        self._is_in_order = is_in_order  # for it is asked for again
        return True

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
        that are added push others on, which then come twice. Rows that go away, and rows that
        change their place because their stamp did, pull others over a page border that was read
        already: the total tells, or a row that comes twice with two stamps. Then another pass is
        made, until all rows there are have been seen. What no paging by numbers can show is a row
        that goes away and another one that comes between the same two pages.

        Raises:
            ListingMovedError: Something may be missing.
        """
        first, last = self.totals.first, self.totals.last
        if first is None or last is None:
            self._check_without_total()
            return
        counted = f"totalCount was {first}, then {last}"
        if self.totals.shrank:
            raise ListingMovedError(f"rows were removed while paging ({counted})")
        # Whether the API counts a row that has no units, such as a batch without lines, is unknown.
        rows = self._rows + self._without_units
        if self._rows_before:
            if self._rows_before + rows < last:
                raise ListingMovedError(f"{self._rows_before + rows} rows arrived, but {counted}")
            return
        distinct = _distinct(self._seen) + self._without_key
        if distinct > last:
            raise ListingMovedError(f"{distinct} rows arrived, but {counted}")
        if distinct + self._without_units >= last or self._has_what_was_there(distinct):
            return
        raise ListingMovedError(
            f"{rows} rows arrived, of which {self._rows - distinct} twice, but {counted}",
        )

    def _has_what_was_there(self, distinct: int) -> bool:
        """Whether all that is missing was added while we read, or came in an earlier pass."""
        first, last = self.totals.first or 0, self.totals.last or 0
        is_all = self._rows + self._without_units >= last
        if is_all and first < last and self._were_only_pushed_on(distinct):
            return True
        if self._before is None or (self._before.total or 0) > first:
            return False
        together = _distinct(self._before.keys + self._seen) + self._without_key
        return together + self._without_units >= last

    def _were_only_pushed_on(self, distinct: int) -> bool:
        """Whether rows came twice for no other reason than that others were added before them."""
        if self._rows == distinct:
            return True
        is_stamped = self._is_stamped and self._is_in_order
        return is_stamped and _distinct(self._versions) + self._without_key == distinct

    def _check_without_total(self) -> None:
        before = self._before
        if self._is_one_answer or self._rows_before or not self._needs_proof or not self._rows:
            return
        if before is None or not before.is_steady:
            raise ListingMovedError("there is no total, and rows changed their places")
        # A row that went away while the pass before was made is missing in this one.
        if _distinct(before.keys + self._seen) > _distinct(self._seen):
            raise ListingMovedError("rows were removed while paging (there is no total)")

    @property
    def is_unproven(self) -> bool:
        """Whether only another pass can show that nothing is missing: there is no total."""
        is_first = self._before is None and not self._rows_before
        can_miss = bool(self._rows) and not self._is_one_answer
        return self._needs_proof and is_first and can_miss and self.totals.first is None

    @property
    def seen(self) -> Earlier:
        """What this pass and the ones before have seen; for `before` of the next pass."""
        is_whole = self.finished and not self._rows_before
        is_steady = is_whole and self._were_only_pushed_on(
            _distinct(self._seen) + self._without_key
        )
        if self.totals.first is None:
            return Earlier(self._seen, is_steady=is_steady)
        if self.totals.shrank:
            return Earlier(array("q"), self.totals.last)
        before = self._before
        is_grown = before is not None and (before.total or 0) <= self.totals.first
        keys = before.keys + self._seen if before is not None and is_grown else self._seen
        return Earlier(keys, self.totals.last, is_steady=is_steady)

    @property
    def repeated(self) -> frozenset[tuple[int, int]] | None:
        """Which rows came more than once, if as many arrived as were counted; else None.

        If they are the same in two passes, then not because the listing moved: they share a key.
        """
        if self.totals.shrank or not self._rows == self.totals.first == self.totals.last:
            return None
        counts = Counter(self._seen)
        return frozenset((key, number) for key, number in counts.items() if number > 1)

    @property
    def _rows(self) -> int:
        return len(self._seen) + self._without_key

    def _note_versions(self, rows: list[Row], units: list[list[tuple[Any, ...] | None]]) -> None:
        """Note each key together with its stamp."""
        if not self._is_stamped or self._stamp is None:
            return
        for row, keys in zip(rows, units, strict=True):
            stamp = row.get(self._stamp)
            if not isinstance(stamp, str):
                self._is_stamped = False
                return
            self._versions.extend(hash((key, stamp)) for key in keys if key is not None)

    def _note_total(self, page: Page, total: int) -> None:
        """Note a total; pages that were under way together may have been answered in any order."""
        under_way = []
        for answered, said in self._answered:
            if page.asked is None or answered is None or answered < page.asked:
                self.totals.shrank = self.totals.shrank or total < said
            else:
                under_way.append((answered, said))
        self._is_in_order = self._is_in_order and not under_way
        highest = max((said for _, said in under_way), default=0)
        self.totals.note(total, at_least=highest)
        self._answered = [*under_way, (page.answered, total)]

    def _learn_page_size(self, page: Page, units: int) -> None:
        if page.max_page_size is not None and page.max_page_size < self.page_size:
            self.page_size = page.max_page_size
        is_first = not self._rows_before and self.page == 1
        if is_first and page.total is not None and 0 < units < min(page.total, self.page_size):
            self.page_size = units  # capped without telling


def _distinct(hashes: Sequence[int]) -> int:
    """How many different hashes; in several rounds, so that it needs little memory."""
    rounds = len(hashes) // _BUCKET + 1
    return sum(len({one for one in hashes if one % rounds == bucket}) for bucket in range(rounds))
