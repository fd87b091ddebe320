"""The general ledger: batches of journal transactions, ledgers, and transactions by ledger."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_visma.batches import LINES, Batches, lines_of
from tap_visma.errors import AnswerError
from tap_visma.kinds import Filter, Lines, Paging
from tap_visma.reading import Reading
from tap_visma.stream import VismaStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_visma.bookmarks import Progress
    from tap_visma.company import Company
    from tap_visma.pagination import Listing, Row


class JournalReading(Reading):
    """A read of journal batches: pages and `totalCount` count lines, and cut batches in two.

    Source: reference visma-api, section 3.
    """

    _batches: Batches | None = None

    @override
    @cached_property
    def looked_at(self) -> frozenset[str]:
        return super().looked_at | {LINES}

    @override
    def units(self, row: Row) -> Iterable[tuple[Any, ...] | None]:
        lines = lines_of(row)
        (key,) = super().units(row)
        if key is None:
            return [None for _ in lines]
        return [(*key, str(line.get("lineNumber"))) for line in lines]

    @override
    def begin_pass(self, progress: Progress) -> None:
        # A batch in two parts that do not follow each other starts another pass: that one puts
        # everything together before it gives anything.
        together = self._batches is not None and self._batches.came_apart
        is_cut = progress.page > 1
        self._batches = Batches(tuple(self._own_key), together=together, first_is_cut=is_cut)

    @override
    def ready(self, rows: list[Row], *, offset: int, finished: bool) -> Iterable[Row]:
        assert self._batches is not None  # noqa: S101 - a pass has begun
        return self._batches.take(rows, offset=offset, finished=finished)

    @override
    def reached(self, progress: Progress, listing: Listing) -> None:
        # A batch that is not whole yet is read again from where it began, one page early, because
        # the first batch of a page may have begun on the page before.
        super().reached(progress, listing)
        began = self._batches.open_offset if self._batches is not None else None
        offset = listing.offset if began is None else min(listing.offset, began)
        progress.page = max(offset // listing.page_size, 1)


class JournalTransactions(VismaStream):
    """Journal batches with their lines."""

    name = "journal_transactions"
    path = "/v2/journaltransaction"
    primary_keys = ("tenant_id", "company", "module", "batchNumber")
    filter = Filter.STAMP_ONLY
    expands = ("expandAttachments",)
    is_finance = True
    lines = Lines("journalTransactionLines", ("lineNumber",))
    reading = JournalReading


class Ledgers(VismaStream):
    """Ledgers: a short list, read whole, once a run, because their transactions need it too."""

    name = "ledgers"
    path = "/v1/ledger"
    primary_keys = ("tenant_id", "company", "number")
    filter = Filter.NONE
    paging = Paging.WHOLE
    is_finance = True
    is_never_empty = True


class GeneralLedgerTransactions(VismaStream):
    """General ledger transactions, which the API gives for one ledger at a time."""

    name = "general_ledger_transactions"
    path = "/v1/GeneralLedgerTransactions"
    primary_keys = (
        "tenant_id",
        "company",
        "ledger_id",
        "module",
        "batchNumber",
        "lineNumber",
    )
    expands = ("expandAccountInfo", "expandBranchInfo")
    is_finance = True

    _options: ClassVar[dict[str, str]] = {
        "include_unposted": "includeUnposted",
        "include_unreleased": "includeUnreleased",
    }

    @override
    def partitions_of(self, company: Company) -> list[dict[str, Any]]:
        found = [row.get("number") for row in self.rows_of(Ledgers.name, company)]
        if not all(isinstance(number, (str, int)) for number in found):
            raise AnswerError("a ledger has no number, so its transactions cannot be asked for")
        return [{"ledger_id": number} for number in sorted(str(number) for number in found)]

    @override
    def own_params(self, company: Company, context: Mapping[str, Any]) -> dict[str, str | int]:
        on = {flag: "true" for name, flag in self._options.items() if self.config.get(name)}
        return {"ledger": context["ledger_id"], **on}
