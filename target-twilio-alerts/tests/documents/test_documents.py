"""Records become documents: what is read, what is the same, what is older, what is a problem."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_twilio_alerts.documents import (
    ENTITIES,
    UnusableRecord,
    dump_values,
    is_older,
    load_values,
)
from target_twilio_alerts.documents.fields import mask_account
from target_twilio_alerts.rules import NOWHERE, compile_condition

KEY = ["tenant_id", "company", "documentType", "referenceNumber"]
INVOICE = ENTITIES["supplier_invoice"]


def record(**changes):
    return {
        "tenant_id": "t1",
        "company": "Bolaget AB",
        "documentType": "Invoice",
        "referenceNumber": "100",
        "status": "Open",
        "amount": Decimal("50000.0100"),
        "currencyId": "SEK",
        "supplier": {"number": "S1", "name": "Pappersbruket"},
        "date": "2026-11-20T00:00:00",
        "dueDate": "2026-12-20T00:00:00",
        "hold": False,
        "lastModifiedDateTime": "2026-11-20T10:11:12.74",
        "timeStamp": "AAAAAAAAB9E=",
        **changes,
    }


def read(**changes):
    return INVOICE.document(record(**changes), KEY)


def test_a_record_is_read_into_the_common_words():
    document = read()
    assert document.entity == "supplier_invoice"
    assert json.loads(document.key) == ["t1", "Bolaget AB", "Invoice", "100"]
    assert document.problems == ()
    assert document.values["amount"] == Decimal("50000.01")
    assert document.values["counterparty"] == "Pappersbruket"
    assert document.values["due_date"] == date(2026, 12, 20)
    assert document.values["on_hold"] is False
    assert document.values["balance"] is None
    assert document.stamp == "2026-11-20T10:11:12.74"


def test_a_wrapped_value_is_read_as_the_value():
    assert read(amount={"value": 12}).values["amount"] == Decimal(12)


@pytest.mark.parametrize(
    "change",
    [
        {"lastModifiedDateTime": "2027-01-01T00:00:00"},
        {"timeStamp": "AAAAAAAAB9I="},
        {"metadata": {"totalCount": 3, "maxPageSize": 10}},
        {"amount": Decimal("50000.01")},
        {"note": None},
        {"supplier": {"name": "Pappersbruket", "number": "S1", "lastModifiedDateTime": "x"}},
    ],
)
def test_stamps_row_versions_and_the_writing_of_numbers_make_no_new_version(change):
    assert read(**change).content == read().content


@pytest.mark.parametrize(
    "change",
    [{"amount": Decimal("50000.02")}, {"note": "n"}, {"supplier": {"number": "S1"}}],
)
def test_everything_else_does(change):
    assert read(**change).content != read().content


@pytest.mark.parametrize(
    ("change", "field", "problem"),
    [
        ({"amount": "75000"}, "amount", "amount is text where a number was expected"),
        ({"amount": 75000.5}, "amount", "amount is a float where a number was expected"),
        ({"amount": True}, "amount", "amount is yes or no where a number was expected"),
        ({"amount": Decimal("NaN")}, "amount", "amount is not a finite number"),
        ({"amount": Decimal("1E+999")}, "amount", "amount is a number with more than 30 digits"),
        ({"date": "0001-01-01T00:00:00"}, "date", "date is a date outside the years 1900 to 2200"),
        ({"date": "2026-02-30T00:00:00"}, "date", "date is a date that no calendar has"),
        ({"date": "soon"}, "date", "date is text that is no date"),
        ({"supplier": "S1"}, "counterparty", "counterparty is not where it should be"),
        ({"hold": "no"}, "on_hold", "on_hold is text where yes or no was expected"),
    ],
)
def test_what_cannot_be_read_is_unknown_and_a_problem_without_its_value(change, field, problem):
    document = read(**change)
    assert document.values[field] is None
    assert problem in document.problems


@pytest.mark.parametrize("value", [None, "", "  ", True, 1.5, ["1"]])
def test_a_record_without_its_key_is_unusable(value):
    with pytest.raises(UnusableRecord, match=r"referenceNumber is (missing|blank)"):
        read(referenceNumber=value)


def test_a_stream_without_a_key_is_unusable():
    with pytest.raises(UnusableRecord, match="no key"):
        INVOICE.document(record(), [])


@pytest.mark.parametrize("amount", [Decimal("10.50"), Decimal("-10.50")])
def test_credits_are_negative_whatever_sign_the_api_gives(amount):
    assert read(documentType="DebitAdj", amount=amount).values["amount"] == Decimal("-10.50")
    assert read(documentType="Invoice", amount=amount).values["amount"] == amount


def test_a_gl_transaction_is_debit_less_credit():
    entity = ENTITIES["general_ledger_transaction"]
    row = {"batchNumber": "1", "debitAmount": Decimal("0.00"), "creditAmount": Decimal("7.10")}
    document = entity.document(row, ["batchNumber"])
    assert document.values["base_amount"] == Decimal("-7.10")
    assert document.values["amount"] is None
    assert document.final


def test_a_journal_knows_its_lines():
    entity = ENTITIES["journal_transaction"]
    lines = [{"accountNumber": "1930"}, {"accountNumber": "2440"}, {"accountNumber": "1930"}]
    row = {"batchNumber": "1", "journalTransactionLines": lines}
    values = entity.document(row, ["batchNumber"]).values
    assert values["line_count"] == Decimal(3)
    assert values["accounts"] == ("1930", "2440")


def test_the_final_statuses_are_told():
    assert read(status="Closed").final
    assert not read(status="Open").final


@dataclass(frozen=True)
class At:
    stamp: str | None
    row_version: str | None = None


ROW_1, ROW_2 = "AAAAAAAAB9E=", "AAAAAAAAB9I="


@pytest.mark.parametrize(
    ("candidate", "stored", "older"),
    [
        (At("2026-01-01T00:00:00.74"), At("2026-01-01T00:00:00.742"), True),
        (At("2026-01-01T00:00:00.8"), At("2026-01-01T00:00:00.742"), False),
        (At("2026-01-01T00:00:00"), At("2026-01-01T00:00:00"), False),
        (At("2026-01-01T00:00:00", ROW_1), At("2026-01-01T00:00:00", ROW_2), True),
        (At("2026-01-01T00:00:00", ROW_2), At("2026-01-02T00:00:00", ROW_1), False),
        (At("2026-01-01T00:00:00", "?"), At("2026-01-02T00:00:00", ROW_1), True),
        (At(None), At("2026-01-01T00:00:00"), False),
        (At("yesterday"), At("2026-01-01T00:00:00"), False),
        # The hour from 02:00 comes twice in Stockholm on 2026-10-25.
        (At("2026-10-25T02:10:00"), At("2026-10-25T02:50:00"), False),
        (At("2026-10-25T02:10:00", ROW_1), At("2026-10-25T02:50:00", ROW_2), True),
        (At("2026-10-25T01:10:00"), At("2026-10-25T02:50:00"), True),
        (At("2026-10-24T02:10:00"), At("2026-10-24T02:50:00"), True),
        # Stamps of other systems have zones.
        (At("2026-11-20T09:00:00.000Z"), At("2026-11-21T09:00:00Z"), True),
        (At("2026-11-21T09:00:00Z"), At("2026-11-20T09:00:00.000Z"), False),
        (At("2026-11-20T10:30:00+02:00"), At("2026-11-20T09:00:00.000Z"), True),
        (At("2026-11-20 10:30:00+0200"), At("2026-11-20T08:30:00.001Z"), True),
        (At("2026-11-20T07:00:00-02:00"), At("2026-11-20T08:59:59Z"), False),
        (At("2026-10-25T02:30:00Z"), At("2026-10-25T02:31:00Z"), True),
        (At("2026-11-20T09:00:00"), At("2026-11-21T09:00:00Z"), False),
        (At("0001-01-01T00:30:00+01:00"), At("2026-11-21T09:00:00Z"), False),
    ],
)
def test_only_what_is_surely_older_is_older(candidate, stored, older):
    assert is_older(candidate, stored) is older


values = st.fixed_dictionaries(
    {
        "amount": st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=4),
        "type": st.none() | st.text(),
        "on_hold": st.none() | st.booleans(),
        "date": st.none() | st.dates(date(1900, 1, 1), date(2200, 12, 31)),
    },
)


@given(values)
def test_values_survive_the_ledger_exactly(kept):
    loaded = load_values(dump_values(kept), INVOICE)
    for name, value in kept.items():
        assert loaded[name] == value
        assert str(loaded[name]) == str(value)


def test_values_of_another_release_are_unknown_instead_of_wrong():
    loaded = load_values('{"amount":"much","date":"x","gone":1,"on_hold":"yes"}', INVOICE)
    assert set(loaded) == set(INVOICE.fields)
    assert not any(loaded.values())


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=4))
def test_no_value_of_any_field_breaks_the_reading(odd):
    for entity in ENTITIES.values():
        sources = {
            path.split(".")[0].removesuffix("[]")
            for f in entity.fields.values()
            for path in f.sources
        }
        entity.document({**dict.fromkeys(sources, odd), "id": 1}, ["id"])


def supplier(*accounts):
    details = [{"paymentMethodDetailValue": account} for account in accounts]
    record = {"internalId": 1, "supplierPaymentMethodDetails": details}
    return ENTITIES["supplier"].document(record, ["internalId"])


def test_bank_accounts_are_masked_and_another_one_is_another():
    document = supplier("SE45 5000 0000 0583 9825 7466", "5050-1055", None, " ")
    assert document.values["payment_details"] == "(acf0), ..7466 (34d9)"
    assert supplier("se4550000000058398257466").values["payment_details"] == "..7466 (34d9)"
    changed = supplier("SE45 5000 0000 0683 9825 7466", "5050-1055")
    assert changed.values["payment_details"] != document.values["payment_details"]
    assert supplier().values["payment_details"] is None
    assert not document.problems


@given(st.text(st.sampled_from("0123456789SE -"), min_size=1, max_size=40))
def test_no_masked_account_tells_more_than_four_characters(account):
    digits = re.sub("[^0-9SE]", "", account)
    masked = mask_account(account)
    assert len(masked) <= len("..1234 (abcd)")
    for start in range(len(digits) - 4):
        assert digits[start : start + 5] not in masked.partition("(")[0]


def test_rules_cannot_name_an_account_as_it_is():
    for entity in ENTITIES.values():
        for name in entity.raw_fields:
            assert not re.search("iban|bban|paymentMethodDetailValue", name, re.IGNORECASE)


def test_a_rule_tells_that_payment_details_changed_and_not_that_their_order_did():
    condition = compile_condition(
        "payment_details != previous.payment_details", ENTITIES["supplier"]
    )
    one, other = (supplier(*given).values for given in (("5050-1055", "1"), ("1", "50501055")))
    changed = supplier("5050-1056", "1").values
    assert condition.answer(other, one, NOWHERE) is False
    assert condition.answer(changed, one, NOWHERE) is True
