"""Lists are filtered, ordered and paged as strictly and as loosely as Visma does it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from visma_twilio_sandbox import business

INVOICES = "/v1/supplierInvoice"
JOURNALS = "/v2/journaltransaction"
TRANSACTIONS = "/v1/GeneralLedgerTransactions"


def numbers(items, name="referenceNumber"):
    return [item[name] for item in items]


def flat(pages):
    return [item for page in pages for item in page]


def journals(visma, *sizes):
    for number, lines in enumerate(sizes, start=1):
        journal, transactions = business.gl_journal(f"GL{number}", Decimal("90.00"), lines=lines)
        visma.put("journaltransaction", journal)
        for transaction in transactions:
            visma.put("GeneralLedgerTransactions", transaction)
        visma.advance(60)


def test_the_path_may_be_written_in_any_case_and_the_old_way(client, invoices):
    invoices(1)
    for path in (INVOICES, "/V1/SUPPLIERINVOICE", "/API/controller/api/v1/supplierInvoice"):
        assert numbers(client.list(path)) == ["1"]


def test_pages_together_are_the_list_and_after_the_last_comes_nothing(client, visma, invoices):
    visma.max_page_size["supplierInvoice"] = 50
    invoices(7)
    pages = client.pages(INVOICES, 3)
    assert [len(page) for page in pages] == [3, 3, 1]
    assert sorted(numbers(flat(pages)), key=int) == [str(number) for number in range(1, 8)]
    assert {str(item["metadata"]) for page in pages for item in page} == {
        str({"totalCount": 7, "maxPageSize": 50}),
    }


def test_a_large_page_size_is_cut_without_a_word(client, visma, invoices):
    visma.max_page_size["supplierInvoice"] = 4
    invoices(9)
    assert [len(page) for page in client.pages(INVOICES, 1000)] == [4, 4, 1]


def test_a_request_without_paging_does_not_get_everything(client, visma, invoices):
    visma.manners.default_page_size = 5
    invoices(9)
    assert len(client.list(INVOICES)) == 5


def test_ledgers_know_no_pages(client):
    once = client.list("/v1/ledger")
    assert numbers(once, "number") == ["1", "2"] or numbers(once, "number") == ["2", "1"]
    assert client.list("/v1/ledger", pageNumber=2, pageSize=1) == once
    assert "metadata" not in once[0]


@pytest.mark.parametrize("order", ["shuffled", "key", "oldest first", "newest first"])
def test_any_order_stays_while_nothing_is_written(client, visma, invoices, order):
    visma.manners.order = order
    invoices(12)
    one = numbers(flat(client.pages(INVOICES, 5)))
    assert one == numbers(flat(client.pages(INVOICES, 5)))
    assert sorted(one, key=int) == [str(number) for number in range(1, 13)]
    in_time = [str(number) for number in range(1, 13)]
    assert (one == in_time) == (order == "oldest first")
    assert (one == in_time[::-1]) == (order == "newest first")


@pytest.mark.parametrize(
    ("sign", "expected"),
    [(">=", {"2", "3"}), ("<=", {"1", "2"}), ("<", {"1"})],
)
def test_a_timestamp_with_a_condition_filters(client, invoices, sign, expected):
    invoices(3)
    found = client.list(
        INVOICES,
        lastModifiedDateTime="2026-01-15T12:01:00",
        lastModifiedDateTimeCondition=sign,
    )
    assert set(numbers(found)) == expected
    assert found[0]["metadata"]["totalCount"] == len(expected)


@pytest.mark.parametrize(("strict", "expected"), [(True, {"3"}), (False, {"2", "3"})])
def test_after_may_or_may_not_mean_after_and_on(client, visma, invoices, strict, expected):
    visma.manners.strict_after = strict
    invoices(3)
    found = client.list(
        INVOICES,
        lastModifiedDateTime="2026-01-15T12:01:00",
        lastModifiedDateTimeCondition=">",
    )
    assert set(numbers(found)) == expected


def test_a_timestamp_without_a_condition_is_nothing_and_so_is_the_reverse(client, invoices):
    invoices(3)
    assert len(client.list(INVOICES, lastModifiedDateTime="2030-01-01")) == 3
    assert len(client.list(INVOICES, lastModifiedDateTimeCondition=">=")) == 3


def test_names_of_parameters_may_be_in_any_case(client, invoices):
    invoices(3)
    found = client.list(
        INVOICES,
        LASTMODIFIEDDATETIME="2026-01-15T12:02:00",
        lastmodifieddatetimecondition=">=",
    )
    assert numbers(found) == ["3"]


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-15",
        "2026-01-15 11:59:59",
        "2026-01-15 12:00:00.0",
        "2026-01-15T12:00:00",
        "2026-01-15T11:59:59.999",
    ],
)
def test_documented_forms_of_time_are_understood(client, invoices, text):
    invoices(1)
    condition = {"lastModifiedDateTimeCondition": ">="}
    assert len(client.list(INVOICES, lastModifiedDateTime=text, **condition)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-15T12:00:00Z",
        "2026-01-15T12:00:00+01:00",
        "2026-01-15T12:00:00.1234",
        "2026-01-15T12:00",
        "15.01.2026",
        "2026-13-01",
        "yesterday",
    ],
)
def test_other_forms_of_time_are_refused(client, text):
    condition = {"lastModifiedDateTimeCondition": ">="}
    assert client.get(INVOICES, lastModifiedDateTime=text, **condition).status_code == 400
    assert client.get(JOURNALS, lastModifiedDateTime=text).status_code == 400


def test_other_conditions_and_odd_page_numbers_are_refused(client):
    time = {"lastModifiedDateTime": "2026-01-15"}
    for sign in ("=>", "=", "after", "%3E%3D"):
        answer = client.get(INVOICES, **time, lastModifiedDateTimeCondition=sign)
        assert answer.status_code == 400
    for text in ("0", "-1", "x", "1.5"):
        assert client.get(INVOICES, pageNumber=text).status_code == 400
        assert client.get(INVOICES, pageSize=text).status_code == 400


def test_unknown_parameters_are_ignored(client, invoices):
    invoices(3)
    assert len(client.list(INVOICES, supplierNumber="nobody", skip=2, modifiedSince="x")) == 3


def test_known_filters_filter(client, visma, invoices):
    invoices(2)
    voided = business.supplier_invoice(
        "9",
        Decimal(1),
        status="Voided",
        supplier=business.SUPPLIERS[1],
        document_type="DebitAdj",
    )
    visma.put("supplierInvoice", voided)
    for filters in (
        {"status": "Voided"},
        {"supplier": business.SUPPLIERS[1].number},
        {"documentType": "DebitAdj"},
        {"createdDateTime": "2026-01-15T12:02:00", "createdDateTimeCondition": ">="},
    ):
        assert numbers(client.list(INVOICES, **filters)) == ["9"]
    assert client.list(INVOICES, supplier="nobody") == []


def test_money_is_exact_and_in_a_mixture_of_forms(client, visma):
    invoice = business.supplier_invoice("1", Decimal("1234567890.12"), currency="EUR")
    visma.put("supplierInvoice", {**invoice, "balance": Decimal("0.3000")})
    text = client.get(INVOICES).content.decode()
    assert '"amount":1234567890.1200,' in text
    assert '"roundingDiff":0.0,' in text
    assert "E+" not in text
    (item,) = client.list(INVOICES)
    assert Decimal(str(item["balance"])) == Decimal("0.3")


def test_journals_need_a_period_or_a_time(client, visma):
    journals(visma, 2)
    assert client.get(JOURNALS).status_code == 400
    period = visma.all("journaltransaction")[0]["financialPeriod"]
    assert numbers(client.list(JOURNALS, periodId=period), "batchNumber") == ["GL1"]
    assert client.list(JOURNALS, periodId="199901") == []


@pytest.mark.parametrize(
    ("inclusive", "expected"),
    [(True, {"GL2", "GL3"}), (False, {"GL3"})],
)
def test_journals_modified_since_may_be_with_or_without_the_moment(
    client,
    visma,
    inclusive,
    expected,
):
    visma.manners.journal_inclusive = inclusive
    journals(visma, 2, 2, 2)
    found = client.list(
        JOURNALS,
        lastModifiedDateTime="2026-01-15T12:01:00",
        lastModifiedDateTimeCondition="<",
    )
    assert set(numbers(found, "batchNumber")) == expected


def test_pages_of_journals_count_lines_and_cut_batches_in_two(client, visma):
    visma.manners.order = "key"
    journals(visma, 3, 5, 2)
    pages = client.pages(JOURNALS, 4, lastModifiedDateTime="2026-01-01")
    seen = [
        [
            (batch["batchNumber"], numbers(batch["journalTransactionLines"], "lineNumber"))
            for batch in page
        ]
        for page in pages
    ]
    assert seen == [
        [("GL1", [1, 2, 3]), ("GL2", [1])],
        [("GL2", [2, 3, 4, 5])],
        [("GL3", [1, 2])],
    ]
    assert {batch["metadata"]["totalCount"] for page in pages for batch in page} == {10}
    assert {batch["debitTotal"] for page in pages for batch in page} == {90}


def test_transactions_need_a_ledger(client, visma):
    journals(visma, 2)
    assert client.get(TRANSACTIONS).status_code == 400
    assert len(client.list(TRANSACTIONS, ledger="1")) == 2
    assert client.list(TRANSACTIONS, ledger="2") == []
    period = visma.all("GeneralLedgerTransactions")[0]["period"]
    assert len(client.list(TRANSACTIONS, ledger="1", fromPeriod=period, toPeriod=period)) == 2
    assert client.list(TRANSACTIONS, ledger="1", toPeriod="199901") == []
    assert client.list(TRANSACTIONS, ledger="1", fromPeriod="299901") == []


def test_transactions_are_filtered_by_time(client, visma):
    journals(visma, 2, 3)
    found = client.list(
        TRANSACTIONS,
        ledger="1",
        lastModifiedDateTime="2026-01-15T12:01:00",
        lastModifiedDateTimeCondition=">=",
    )
    assert set(numbers(found, "batchNumber")) == {"GL2"}
    assert len(found) == 3


def test_a_change_while_paging_shows(client, visma, invoices):
    visma.manners.order = "oldest first"
    invoices(4)
    key = {"documentType": "Invoice", "referenceNumber": "1"}

    def change(endpoint, page):
        if (endpoint, page) == ("supplierInvoice", 2):
            visma.advance(3600)
            visma.change("supplierInvoice", key, status="Open")

    visma.on_page = change
    pages = client.pages(INVOICES, 2)
    assert [numbers(page) for page in pages] == [["1", "2"], ["4", "1"]]


def test_a_listing_of_many_comes_whole(client, visma):
    visma.max_page_size["supplierInvoice"] = 1000
    template = business.supplier_invoice("x", Decimal("10.00"))
    at = visma.clock()
    for number in range(3000):
        at += timedelta(seconds=1)
        visma.put("supplierInvoice", {**template, "referenceNumber": str(number)}, at=at)
    pages = client.pages(INVOICES, 1000)
    assert len({item["referenceNumber"] for page in pages for item in page}) == 3000
