"""Every endpoint lists in its own way, and its rows can be made, changed and deleted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from visma_twilio_sandbox import Sandbox
from visma_twilio_sandbox.visma import ENDPOINTS, VismaCompany
from visma_twilio_sandbox.visma.endpoints import find

MODIFIED = {"lastModifiedDateTimeCondition": ">=", "lastModifiedDateTime": "2026-01-01"}


@pytest.fixture(params=[False, True], ids=["2025", "2026"])
def is_2026(request, visma):
    visma.manners.is_2026 = request.param
    visma.manners.wrapped.clear()
    return request.param


def test_a_list_without_pages_comes_whole_whatever_page_is_asked(client, visma):
    visma.make("currency", 30)
    for asked in ({}, {"pageNumber": 2, "pageSize": 5}):
        assert len(client.list("/v1/currency", **asked)) == len(visma.all("currency"))


def test_numbers_of_records_are_known_where_pages_are_not(client, visma):
    visma.clear("department")
    visma.make("department", 9)
    asked = {"skipRecords": 4, "numberToRead": 3, "pageNumber": 7}
    whole = client.list("/v1/department", numberToRead=0)
    assert len(whole) == 9
    assert client.list("/v1/department", **asked) == whole[4:7]


def test_a_list_got_pages_in_2026(client, visma, is_2026):
    visma.max_page_size["warehouse"] = 2
    count = len(visma.all("warehouse"))
    assert len(client.list("/v1/warehouse")) == (2 if is_2026 else count)


def test_items_got_a_row_version_in_2026(client, visma, is_2026):
    assert ("timeStamp" in client.list("/v1/account")[0]) == is_2026


def test_an_envelope_tells_the_total(client, visma):
    visma.clear("creditTerm")
    visma.make("creditTerm", 5)
    visma.max_page_size["creditTerm"] = 2
    told = client.list("/v1/creditTerm", pageNumber=3, pageSize=9)
    assert (told["pageNumber"], told["pageSize"], told["totalCount"]) == (3, 2, 5)
    assert len(told["records"]) == 1
    assert client.list("/v1/creditTerm", pageNumber=4)["records"] == []


def test_dimensions_are_texts(client, visma):
    visma.clear("dimension")
    visma.put("dimension", "PROJECT")
    visma.put("/v1/dimension", "DEPARTMENT")
    assert sorted(client.list("/v1/dimension")) == ["DEPARTMENT", "PROJECT"]
    visma.delete("dimension", {"id": "PROJECT"})
    assert client.list("/v1/dimension") == ["DEPARTMENT"]


def test_two_paths_list_the_same_documents(client, visma):
    visma.manners.wrapped.clear()
    for older, newer in (
        ("/v1/salesorder", "/v2/salesorder"),
        ("/v1/project/tasks", "/v1/projecttask"),
        ("/v1/PurchaseReceipt", "/v2/PurchaseReceipt"),
    ):
        visma.max_page_size[find(older).name] = visma.max_page_size[find(newer).name] = 50
        visma.make(older, 2)
        old, new = client.list(older, pageSize=50), client.list(newer, pageSize=50)
        for item in (*old, *new):
            item.pop("metadata", None)
        assert old == new


def test_one_object_is_answered_as_one(client, visma):
    assert isinstance(client.list("/v1/firstTimeStartup/status"), dict)
    (key,) = visma.keys("supplierInvoice/approval")
    assert "systemId" not in client.list("/v1/supplierInvoice/approval", **key)
    assert client.get("/v1/supplierInvoice/approval", systemId="other").status_code == 404
    assert client.get("/v1/supplierInvoice/approval").status_code == 400


@pytest.mark.parametrize("missing", ["branch", "ledger", "financialYear"])
def test_budgets_need_branch_ledger_and_year(client, visma, missing):
    first = visma.all("budget")[0]
    asked = {
        "branch": first["branchNumber"]["number"],
        "ledger": first["ledger"],
        "financialYear": first["financialYear"],
    }
    assert client.list("/v1/budget", **asked)
    assert client.list("/v1/budget", **{**asked, missing: "7"}) == []
    del asked[missing]
    assert client.get("/v1/budget", **asked).status_code == 400


def test_budgets_are_found_by_the_branches_ledgers_and_years_there_are(visma):
    branches = {one["number"] for one in visma.all("branch")}
    ledgers = {one["number"] for one in visma.all("ledger")}
    years = {str(one["year"]) for one in visma.all("financialPeriod")}
    for budget in visma.all("budget"):
        assert budget["branchNumber"]["number"] in branches
        assert budget["ledger"] in ledgers
        assert budget["financialYear"] in years


@pytest.mark.parametrize("name", ["projectbudget", "paymentmethod", "landedCostCode"])
def test_a_filter_by_a_stamp_that_is_not_shown(client, visma, name):
    path = ENDPOINTS[name].path
    assert client.list(path, **MODIFIED) == []
    (key,) = visma.make(name, 1)
    (item,) = client.list(path, **MODIFIED)
    assert "lastModifiedDateTime" not in item
    visma.advance(86400)
    later = {**MODIFIED, "lastModifiedDateTime": "2026-01-16"}
    assert client.list(path, **later) == []
    visma.restamp(name, key)
    assert len(client.list(path, **later)) == 1


def test_balances_of_customers_name_their_stamp_otherwise(client, visma):
    (key,) = visma.make("customer/balance", 1)
    (item,) = client.list("/v1/customer/balance", **MODIFIED)
    assert item["lastModified"] == "2026-01-15T12:00:00"
    visma.change("customer/balance", key, balance=7)
    assert client.list("/v1/customer/balance", **MODIFIED)[0]["balance"] == 7


def test_a_list_without_a_filter_ignores_it(client, visma):
    later = {**MODIFIED, "lastModifiedDateTime": "2030-01-01"}
    assert len(client.list("/v1/unitofmeasure", **later)) == len(visma.all("unitofmeasure"))


def test_balances_of_the_ledger_need_a_period_or_a_time(client, visma):
    path = "/v2/generalLedgerBalance"
    assert client.get(path).status_code == 400
    period = visma.all("generalLedgerBalance")[0]["financialPeriod"]
    assert client.list(path, periodId=period)
    assert client.list(path, lastModifiedDateTime="2020-01-01")
    assert client.list(path, lastModifiedDateTime="2030-01-01") == []


def test_a_field_may_be_served_wrapped(client, visma):
    visma.manners.wrapped = {"department": {"description"}}
    visma.clear("department")
    stored = visma.put("department", {"departmentId": "ADM", "description": "Administration"})
    (item,) = client.list("/v1/department")
    assert item["description"] == {"value": "Administration"}
    assert item["departmentId"] == "ADM"
    assert visma.all("department") == [stored]


def test_some_seeds_wrap_and_some_do_not():
    drawn = [VismaCompany(seed).manners.wrapped for seed in range(20)]
    assert 0 < sum(bool(one) for one in drawn) < 20
    for wrapped in drawn:
        for name, fields in wrapped.items():
            assert not fields & {*ENDPOINTS[name].key, "lastModifiedDateTime"}


@pytest.mark.parametrize("name", [name for name, one in ENDPOINTS.items() if one.item != "s"])
def test_rows_of_every_endpoint_are_made_changed_and_deleted(name):
    visma = VismaCompany(seed=2)
    keys = visma.make(name, 40)
    assert len({str(key) for key in keys}) == 40
    before, count = visma.get(name, keys[3]), len(visma.all(name))
    visma.advance(60)
    visma.restamp(name, keys[3])
    stamp = ENDPOINTS[name].stamp
    if stamp:
        assert visma.get(name, keys[3])[stamp] > before[stamp]
    visma.put(name, before)
    visma.delete(name, keys[3])
    assert len(visma.all(name)) == count - 1
    assert keys[3] not in visma.keys(name)


def test_the_same_rows_come_from_the_same_seed_and_company():
    one, same, other = VismaCompany(5), VismaCompany(5), VismaCompany(6)

    def shown(company):
        stamps = {"createdDateTime", "lastModifiedDateTime", "timeStamp"}  # the clock's, not ours
        return [
            {name: value for name, value in item.items() if name not in stamps}
            for item in company.all("customer")
        ]

    assert shown(one) == shown(same) != shown(other)


def test_a_hundred_thousand_invoices_are_made_at_once():
    visma = VismaCompany(seed=3)
    keys = visma.make("supplierInvoice", 100_000, every=timedelta(seconds=1))
    assert len({key["referenceNumber"] for key in keys}) == 100_000
    last = visma.get("supplierInvoice", keys[-1])
    first = visma.get("supplierInvoice", keys[0])
    assert last["lastModifiedDateTime"] > first["lastModifiedDateTime"]
    assert len({str(visma.get("supplierInvoice", key)["amount"]) for key in keys[:16]}) > 8


def test_a_fresh_company_has_rows_for_every_endpoint_and_no_documents():
    visma = Sandbox(seed=9).visma
    empty = {name for name in ENDPOINTS if not visma.all(name)}
    assert empty == {
        "supplierInvoice",
        "supplierPayment",
        "customerinvoice",
        "customerPayment",
        "payment",
        "purchaseorder",
        "journaltransaction",
        "GeneralLedgerTransactions",
    }


def test_an_endpoint_that_is_none_is_refused(visma):
    with pytest.raises(LookupError, match="there is no endpoint"):
        visma.put("supplierInvoices", {})
