"""The general ledger: batches of journal transactions, ledgers, and transactions by ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from typing_extensions import override

from tap_visma.batches import Batches, lines_of
from tap_visma.errors import AnswerError
from tap_visma.kinds import Filter, Lines, Paging
from tap_visma.pagination import Listing, Page
from tap_visma.stream import VismaStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context, Record

    from tap_visma.bookmarks import Progress
    from tap_visma.pagination import Row


class JournalTransactions(VismaStream):
    """Journal batches with their lines.

    The endpoint demands a filter and takes no condition; pages and `totalCount` count lines, so
    that a batch may be split over pages (reference: visma-api, section 3).
    """

    name = "journal_transactions"
    path = "/v2/journaltransaction"
    primary_keys = ("tenant_id", "company", "module", "batchNumber")
    filter = Filter.STAMP_ONLY
    expands = ("expandAttachments",)
    is_finance = True
    lines = Lines("journalTransactionLines", ("lineNumber",))
    takes_condition = False
    needs_filter = True

    _batches: Batches

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
        before: Batches | None = getattr(self, "_batches", None)
        together = before is not None and before.came_apart
        self._batches = Batches(self._own_key, together=together, first_is_cut=progress.page > 1)

    @override
    def ready(self, rows: list[Row], *, offset: int, finished: bool) -> Iterable[Row]:
        return self._batches.take(rows, offset=offset, finished=finished)

    @override
    def reached(self, progress: Progress, listing: Listing) -> None:
        # A batch that is not whole yet is read again from where it began, one page early, because
        # the first batch of a page may have begun on the page before.
        super().reached(progress, listing)
        began = self._batches.open_offset
        offset = listing.offset if began is None else min(listing.offset, began)
        progress.page = max(offset // listing.page_size, 1)


class Ledgers(VismaStream):
    """Ledgers: a short list without pages, read whole, once a run."""

    name = "ledgers"
    path = "/v1/ledger"
    primary_keys = ("tenant_id", "company", "number")
    filter = Filter.NONE  # there is one, but other streams need every ledger
    paging = Paging.WHOLE
    is_finance = True
    is_paged = False
    is_filtered = False

    _page: Page | None = None

    @override
    def _fetch(self, context: Context, listing: Listing) -> Page:
        if self._page is None:
            self._page = super()._fetch(context, listing)
            if not self._page.rows:
                self.logger.warning(
                    "The company has no ledger, which no company has: check tenant_id%s",
                    " and company_id" if "ipp-company-id" in self.company.headers else "",
                )
        return Page([dict(row) for row in self._page.rows])

    def numbers(self) -> list[str]:
        """The numbers of the company's ledgers, asked for at most once a run."""
        page = self._fetch({}, Listing(self.units, page_size=1, is_paged=False))
        found = [row.get("number") for row in page.rows]
        if not all(isinstance(number, (str, int)) for number in found):
            raise AnswerError("a ledger has no number, so its transactions cannot be asked for")
        return sorted(str(number) for number in found)


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

    @property
    @override
    def partitions(self) -> list[dict[str, Any]]:
        ledgers = cast("Ledgers", self._tap.streams[Ledgers.name])
        return [{**self.company.context, "ledger_id": number} for number in ledgers.numbers()]

    @override
    def own_params(self, context: Context) -> dict[str, Any]:
        return {"ledger": context["ledger_id"]}

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        # Without any ledger the SDK asks for one partition that has no name.
        return super().get_records(context) if context else ()

    @override
    def described(self, context: Context) -> str:
        return f"{self.name} of ledger {context['ledger_id']}"
