"""Puts journal batches together that the API split over pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_visma.errors import AnswerError, ListingMovedError

if TYPE_CHECKING:
    from tap_visma.pagination import Row

LINES = "journalTransactionLines"

Key = tuple[Any, ...]


class Batches:
    """The batches of one pass. A batch is whole when the next one begins.

    Args:
        key: The fields that tell one batch from another.
        together: Give nothing before the end, for a listing whose batches come apart.
        first_is_cut: Leave out the first batch: it may have begun on a page before.
    """

    def __init__(self, key: tuple[str, ...], *, together: bool, first_is_cut: bool) -> None:
        self._key = key
        self._together = together
        self._first_is_cut = first_is_cut
        self._left_out: Key | None = None
        self._open: dict[Key, Row] = {}
        self._given: set[Key] = set()
        self._open_offset: int | None = None
        self.came_apart = together

    @property
    def open_offset(self) -> int | None:
        """Where the batch that is not whole yet began, in lines; None if all are whole."""
        return self._open_offset

    def take(self, rows: list[Row], *, offset: int, finished: bool) -> list[Row]:
        """Take a page, of which the first line is the line `offset`; gives the whole batches.

        Raises:
            ListingMovedError: A batch goes on that was given as whole.
        """
        whole: list[Row] = []
        for row in rows:
            key = tuple(row.get(name) for name in self._key)
            lines = lines_of(row)
            if not all(isinstance(part, (str, int)) for part in key):
                whole.append(row)  # without a key nothing can be said to belong to it
            elif self._first_is_cut and self._left_out in {None, key}:
                self._left_out = key
            elif key in self._open:
                _add_lines(self._open[key], row)
            else:
                if not self._together:
                    whole += self._close()
                self._begin(key, row, offset)
            offset += len(lines)
        return whole + self._close() if finished else whole

    def _begin(self, key: Key, row: Row, offset: int) -> None:
        if key in self._given:
            self.came_apart = True
            raise ListingMovedError("a journal batch came in parts that do not follow each other")
        self._open[key] = row
        if self._open_offset is None:
            self._open_offset = offset

    def _close(self) -> list[Row]:
        whole = list(self._open.values())
        self._given.update(self._open)
        self._open.clear()
        self._open_offset = None
        return whole


def lines_of(batch: Row) -> list[Row]:
    """A batch's lines.

    Raises:
        AnswerError: They are no list of objects.
    """
    lines = batch.get(LINES)
    if lines is None:
        return []
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        raise AnswerError(f"{LINES} of a batch is no list of lines")
    return lines


def _add_lines(batch: Row, part: Row) -> None:
    """Add a part's lines; one that shifted over a page border is there already."""
    lines = lines_of(batch)
    known = {line.get("lineNumber") for line in lines} - {None}
    added = [one for one in lines_of(part) if one.get("lineNumber") not in known]
    batch[LINES] = [*lines, *added]
