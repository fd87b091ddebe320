"""Documents are put, changed and deleted, and stamped the way Visma stamps them."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from visma_twilio_sandbox import business
from visma_twilio_sandbox.visma import VismaCompany
from visma_twilio_sandbox.visma.manners import BUSINESS

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=timezone.utc)
KEY = {"documentType": "Invoice", "referenceNumber": "1"}


def invoice(number="1", amount="100.00"):
    return business.supplier_invoice(number, Decimal(amount))


def test_what_is_put_is_stamped_and_can_be_got(visma):
    stored = visma.put("supplierInvoice", invoice())
    assert stored["lastModifiedDateTime"] == stored["createdDateTime"] == "2026-01-15T12:00:00"
    assert visma.get("supplierInvoice", KEY) == stored
    assert visma.all("supplierInvoice") == [stored]


def test_a_change_moves_the_stamp_and_the_row_version_but_not_the_creation(visma):
    before = visma.put("supplierInvoice", invoice())
    visma.advance(0.5)
    after = visma.change("supplierInvoice", KEY, status="Open", amount=Decimal(7))
    assert (after["status"], after["amount"]) == ("Open", Decimal(7))
    assert after["lastModifiedDateTime"] == "2026-01-15T12:00:00.5"
    assert after["createdDateTime"] == before["createdDateTime"]
    assert base64.b64decode(after["timeStamp"]) > base64.b64decode(before["timeStamp"])


def test_putting_the_same_key_again_replaces(visma):
    visma.put("supplierInvoice", invoice())
    visma.put("supplierInvoice", invoice(amount="200.00"))
    assert [item["amount"] for item in visma.all("supplierInvoice")] == [Decimal("200.00")]


def test_a_restamp_moves_nothing_but_the_stamp(visma):
    for number in ("1", "2"):
        visma.put("supplierInvoice", invoice(number))
    before = visma.all("supplierInvoice")
    visma.advance(60)
    visma.restamp("supplierInvoice", KEY)
    visma.advance(60)
    one, two = visma.all("supplierInvoice")
    assert one["lastModifiedDateTime"] == "2026-01-15T12:01:00"
    assert two == before[1]
    visma.restamp("supplierInvoice")
    after = visma.all("supplierInvoice")
    assert {item["lastModifiedDateTime"] for item in after} == {"2026-01-15T12:02:00"}
    moved = {"lastModifiedDateTime": "", "timeStamp": ""}
    assert [{**item, **moved} for item in after] == [{**item, **moved} for item in before]


def test_what_is_deleted_is_gone(visma):
    visma.put("supplierInvoice", invoice())
    visma.delete("supplierInvoice", KEY)
    assert visma.all("supplierInvoice") == []
    for act in (visma.delete, visma.get, visma.change, visma.restamp):
        with pytest.raises(LookupError, match="there is no"):
            act("supplierInvoice", KEY)


def test_what_was_given_or_gotten_is_not_the_store(visma):
    given = invoice()
    visma.put("supplierInvoice", given)["supplier"]["name"] = "changed"
    given["supplier"]["name"] = "changed"
    visma.get("supplierInvoice", KEY)["invoiceLines"].clear()
    stored = visma.get("supplierInvoice", KEY)
    assert stored["supplier"]["name"] == business.SUPPLIERS[0].name
    assert stored["invoiceLines"]


def test_a_float_is_refused(visma):
    with pytest.raises(TypeError, match="use Decimal"):
        visma.put("supplierInvoice", {**invoice(), "invoiceLines": [{"cost": 1.5}]})
    visma.put("supplierInvoice", invoice())
    with pytest.raises(TypeError, match="use Decimal"):
        visma.change("supplierInvoice", KEY, amount=1.5)


def test_a_key_is_needed_and_stays(visma):
    with pytest.raises(ValueError, match="referenceNumber is missing"):
        visma.put("supplierInvoice", {"documentType": "Invoice"})
    visma.put("supplierInvoice", invoice())
    with pytest.raises(ValueError, match="cannot be changed"):
        visma.change("supplierInvoice", KEY, referenceNumber="2")


def test_a_ledger_transaction_is_in_the_ledger_it_is_put_in(visma):
    _, (one, two) = business.gl_journal("GL1", Decimal(100))
    visma.put("GeneralLedgerTransactions", one)
    visma.put("GeneralLedgerTransactions", two, ledger="2")
    visma.put("GeneralLedgerTransactions", one, ledger="2")
    items = visma.all("GeneralLedgerTransactions")
    assert [item["ledger"]["id"] for item in items] == ["1", "2", "2"]
    with pytest.raises(LookupError):
        visma.put("GeneralLedgerTransactions", one, ledger="3")
    key = {"module": "GL", "batchNumber": "GL1", "lineNumber": 1}
    visma.change("GeneralLedgerTransactions", {**key, "ledger": "2"}, description="other")
    changed = visma.get("GeneralLedgerTransactions", {**key, "ledger": "2"})
    assert changed["description"] == "other"
    assert visma.get("GeneralLedgerTransactions", key)["description"] != "other"


def test_stamps_are_in_the_companys_zone_and_do_not_tell_it():
    visma = VismaCompany(zone="Europe/Stockholm")
    summer = datetime(2026, 7, 1, 22, 30, 0, 123_000, tzinfo=timezone.utc)
    stored = visma.put("supplierInvoice", invoice(), at=summer)
    assert stored["lastModifiedDateTime"] == "2026-07-02T00:30:00.123"


def test_the_hour_comes_twice_when_summer_time_ends():
    visma = VismaCompany(zone="Europe/Oslo")
    first = datetime(2026, 10, 25, 0, 30, tzinfo=timezone.utc)
    stamps = [
        visma.put("supplierInvoice", invoice(), at=first + hours)["lastModifiedDateTime"]
        for hours in (timedelta(0), timedelta(hours=1), timedelta(hours=2))
    ]
    assert stamps == ["2026-10-25T02:30:00", "2026-10-25T02:30:00", "2026-10-25T03:30:00"]


@pytest.mark.parametrize(
    ("microsecond", "shown"),
    [
        (0, "12:00:00"),
        (740_000, "12:00:00.74"),
        (500_000, "12:00:00.5"),
        (154_000, "12:00:00.153"),
        (998_500, "12:00:01"),
        (1_000, "12:00:00"),
    ],
)
def test_stamps_have_the_precision_of_the_database_and_no_last_zeros(visma, microsecond, shown):
    at = NOON.replace(microsecond=microsecond)
    stored = visma.put("supplierInvoice", invoice(), at=at)
    assert stored["lastModifiedDateTime"] == f"2026-01-15T{shown}"


def test_a_clock_without_a_zone_is_refused(visma):
    with pytest.raises(ValueError, match="not an aware time"):
        visma.set_clock(NOON.replace(tzinfo=None))
    with pytest.raises(ValueError, match="not an aware time"):
        visma.put("supplierInvoice", invoice(), at=NOON.replace(tzinfo=None))


def test_a_going_clock_goes():
    visma = VismaCompany()
    assert abs(visma.clock() - datetime.now(timezone.utc)) < timedelta(minutes=1)
    visma.advance(-7200)
    behind = datetime.now(timezone.utc) - visma.clock()
    assert timedelta(minutes=119) < behind < timedelta(minutes=121)


def test_a_seed_decides_the_manners_and_seeds_differ():
    assert VismaCompany(3).manners == VismaCompany(3).manners
    drawn = [VismaCompany(seed).manners for seed in range(40)]
    for name in ("zone", "order", "strict_after", "journal_inclusive", "error_shape"):
        assert len({str(getattr(manners, name)) for manners in drawn}) > 1
    assert all(20 <= size <= 1000 for one in drawn for size in one.max_page_size.values())


def test_a_history_is_of_every_kind_and_all_in_the_past(visma):
    business.history(visma, documents=300, seed=5)
    counts = {name: len(visma.all(name)) for name in BUSINESS}
    assert all(counts.values())
    assert sum(counts.values()) - counts["GeneralLedgerTransactions"] == 300
    stamps = [item["lastModifiedDateTime"] for item in visma.all("supplierInvoice")]
    assert "2024-01-16" < min(stamps) < "2024-06"
    assert "2025-12" < max(stamps) < "2026-01-15T11"
    amounts = [item["amount"] for item in visma.all("supplierInvoice")]
    assert min(amounts) < 1_000
    assert max(amounts) > 1_000_000


def test_the_same_history_comes_from_the_same_seed():
    told = []
    for seed in (5, 5, 6):
        visma = VismaCompany(zone="UTC")
        visma.set_clock(NOON)
        business.history(visma, documents=50, seed=seed)
        told.append(visma.all("customerinvoice"))
    assert told[0] == told[1] != told[2]


def test_a_journal_balances():
    for lines in (2, 3, 7):
        journal, transactions = business.gl_journal("GL1", Decimal("100.00"), lines=lines)
        rows = journal["journalTransactionLines"]
        assert len(rows) == len(transactions) == lines
        assert sum(row["debitAmount"] for row in rows) == Decimal("100.00")
        assert sum(row["creditAmount"] for row in rows) == Decimal("100.00")
        assert sum(row["debitAmount"] for row in transactions) == Decimal("100.00")
