"""The views of warehouse/ answer what finance asks, with amounts as the documents have them."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from decimal import Decimal

from warehouses import SCHEMA

from visma_twilio_sandbox import business

STREAMS = (
    "supplier_invoices",
    "customer_invoices",
    "supplier_payments",
    "customer_payments",
    "general_ledger_transactions",
)


def day(text):
    return dt.date.fromisoformat(text[:10])


def write_documents(visma, today):
    """Documents of two years, and some at the edges of what the views ask."""
    business.history(visma, documents=150, seed=6)
    week = today - dt.timedelta(days=today.weekday())
    dates = {"first": week, "last": week + dt.timedelta(days=6)}
    dates |= {"before": week - dt.timedelta(days=1), "after": week + dt.timedelta(days=7)}
    for number, date in enumerate(dates.values(), start=1):
        payment = {"amount": Decimal(f"{number}.0{number}"), "date": date}
        visma.put("supplierPayment", business.supplier_payment(f"out{number}", **payment))
        visma.put("customerPayment", business.customer_payment(f"in{number}", **payment))
    refund = {"amount": Decimal("99.99"), "date": week, "payment_type": "Refund"}
    visma.put("supplierPayment", business.supplier_payment("refund", **refund))
    note = {"amount": Decimal("0.33"), "date": week, "payment_type": "DebitAdj"}
    visma.put("supplierPayment", business.supplier_payment("note", **note))
    for number, due in enumerate((today, today - dt.timedelta(days=1)), start=1):
        invoice = {"amount": Decimal("0.01"), "date": week, "due_date": due, "currency": "EUR"}
        visma.put("customerinvoice", business.customer_invoice(f"due{number}", **invoice))
        visma.put("supplierInvoice", business.supplier_invoice(f"due{number}", **invoice))
    credit = {"amount": Decimal("500.05"), "status": "Open", "date": week}
    visma.put(
        "supplierInvoice",
        business.supplier_invoice("credit", document_type="DebitAdj", **credit),
    )
    undated = business.supplier_invoice("undated", Decimal(7))
    visma.put("supplierInvoice", {**undated, "dueDate": None})


def is_open(document):
    return document["balance"] and document["status"] not in {"Closed", "Voided"}


def sign(document):
    return -1 if document["documentType"] in {"DebitAdj", "CreditNote"} else 1


def open_supplier_invoices(visma):
    return {
        one["referenceNumber"]: (
            day(one["dueDate"]) if one["dueDate"] else None,
            one["supplier"]["name"],
            one["currencyId"],
            sign(one) * one["amount"],
            sign(one) * one["balance"],
            sign(one) * one["balanceInCurrency"],
        )
        for one in visma.all("supplierInvoice")
        if is_open(one)
    }


def overdue_customer_invoices(visma, today):
    return {
        one["referenceNumber"]: (
            (today - day(one["documentDueDate"])).days,
            one["customer"]["name"],
            sign(one) * one["balance"],
        )
        for one in visma.all("customerinvoice")
        if is_open(one) and day(one["documentDueDate"]) < today
    }


def payments_of_the_week(visma, today):
    found = {}
    for direction, endpoint in (("out", "supplierPayment"), ("in", "customerPayment")):
        for one in visma.all(endpoint):
            date = day(one["applicationDate"])
            if date.isocalendar()[:2] == today.isocalendar()[:2] and one["type"] != "DebitAdj":
                currency = one["currency"]
                code = currency if isinstance(currency, str) else currency["id"]
                amount = -one["paymentAmount"] if one["type"] == "Refund" else one["paymentAmount"]
                found[direction, one["refNbr"]] = (date, code, amount)
    return found


def ledger(visma):
    found = defaultdict(lambda: [0, Decimal(0), Decimal(0)])
    for one in visma.all("GeneralLedgerTransactions"):
        sums = found[one["period"], one["account"]["number"]]
        sums[0] += 1
        sums[1] += one["debitAmount"]
        sums[2] += one["creditAmount"]
    return {key: tuple(sums) for key, sums in found.items()}


def spend(visma):
    found = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for one in visma.all("supplierInvoice"):
        if one["status"] in {"Open", "Closed"}:
            sums = found[day(one["date"]).year, one["supplier"]["number"], one["currencyId"]]
            sums[0] += sign(one) * one["amount"]
            sums[1] += sign(one) * (one["amount"] - one["vatTotal"])
    return {key: tuple(sums) for key, sums in found.items()}


def test_the_views_tell_what_the_documents_say(project, sandbox, warehouse):
    (now,) = warehouse.query("SELECT current_date AS today")
    visma, today = sandbox.visma, now["today"]
    write_documents(visma, today)
    project.run(
        "warehouse",
        TARGET_POSTGRES_SQLALCHEMY_URL=warehouse.loader_url,
        TAP_VISMA__SELECT=json.dumps([f"{stream}.*" for stream in STREAMS]),
    )
    warehouse.apply_views()

    rows = warehouse.query("SELECT * FROM finance.open_supplier_invoices")
    columns = ("due_date", "supplier", "currency", "amount", "balance", "base_balance")
    told = {row["number"]: tuple(row[name] for name in columns) for row in rows}
    assert told == open_supplier_invoices(visma)
    assert len(told) == len(rows)
    dates = [row["due_date"] or dt.date.max for row in rows]
    assert dates == sorted(dates)
    assert told["credit"][3] == Decimal("-500.05")
    assert {row["company"] for row in rows} == {sandbox.settings()["TAP_VISMA_COMPANY"]}

    rows = warehouse.query("SELECT * FROM finance.overdue_customer_invoices")
    told = {row["number"]: (row["days_overdue"], row["customer"], row["balance"]) for row in rows}
    assert told == overdue_customer_invoices(visma, today)
    assert "due1" not in told
    assert told["due2"][0] == 1

    rows = warehouse.query("SELECT * FROM finance.payments_this_week")
    columns = ("date", "currency", "amount")
    told = {(row["direction"], row["number"]): tuple(row[name] for name in columns) for row in rows}
    assert told == payments_of_the_week(visma, today)
    assert {("out", "out1"), ("out", "out2"), ("in", "in1"), ("in", "in2")} <= set(told)
    assert not {("out", "out3"), ("in", "in4"), ("out", "note")} & set(told)

    rows = warehouse.query("SELECT * FROM finance.gl_by_account_and_period")
    columns = ("transactions", "debit", "credit")
    told = {(row["period"], row["account"]): tuple(row[name] for name in columns) for row in rows}
    assert told == ledger(visma)
    assert sum(row["net"] for row in rows) == 0

    rows = warehouse.query("SELECT * FROM finance.spend_per_supplier")
    told = {
        (row["year"], row["supplier_number"], row["currency"]): (
            row["amount"],
            row["amount_without_vat"],
        )
        for row in rows
    }
    assert told == spend(visma)

    mark = f'UPDATE {SCHEMA}.%s SET "_sdc_deleted_at" = now()'
    for stream in STREAMS:
        warehouse.execute(mark % stream)
    warehouse.apply_views()  # again, in place of those that are there
    for view in ("open_supplier_invoices", "overdue_customer_invoices", "payments_this_week"):
        assert warehouse.query(f"SELECT * FROM finance.{view}") == []
    assert warehouse.query("SELECT * FROM finance.gl_by_account_and_period") == []
    assert warehouse.query("SELECT * FROM finance.spend_per_supplier") == []
