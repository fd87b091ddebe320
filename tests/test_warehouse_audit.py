"""The audit trail in a warehouse: alerts, messages, events and runs beside the invoices."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from decimal import Decimal

from visma_twilio_sandbox import business

TABLES = {"alerts": "id", "messages": "id", "audit_events": "seq", "runs": "id"}
JOINED = """
SELECT a.number, i.amount AS invoiced, a.amount, m.state
FROM audit.alerts a
JOIN audit.messages m ON m.alert_id = a.id
JOIN visma.supplier_invoices i
  ON i."referenceNumber" = a.key ->> 'referenceNumber' AND i.company = a.company
"""


def of_ledger(project, statement):
    with closing(sqlite3.connect(project.place / "ledger.db")) as connection:
        return connection.execute(statement).fetchall()


def load(project, warehouse):
    """Load the trail; gives each table's rows by their key."""
    project.run(
        "warehouse-audit",
        TARGET_POSTGRES_SQLALCHEMY_URL=warehouse.loader_url,
        TAP_TWILIO_ALERTS_AUDIT_LEDGER_URL=f"sqlite:///{project.place / 'ledger.db'}",
    )
    return {
        table: {row[key]: row for row in warehouse.query(f"SELECT * FROM audit.{table}")}
        for table, key in TABLES.items()
    }


def assert_whole(project, loaded):
    for table, key in TABLES.items():
        stored = {value for (value,) in of_ledger(project, f"SELECT {key} FROM {table}")}
        assert set(loaded[table]) == stored, table
    events = of_ledger(project, "SELECT seq, body, previous_hash, hash FROM audit_events")
    for seq, body, previous_hash, kept in events:
        row = loaded["audit_events"][seq]
        assert (row["body"], row["previous_hash"], row["hash"]) == (body, previous_hash, kept)
    for name, state in of_ledger(project, "SELECT id, state FROM messages"):
        assert loaded["messages"][name]["state"] == state


def test_the_trail_lands_beside_the_invoices_and_is_read_on(project, sandbox, warehouse):
    business.history(sandbox.visma, documents=20, seed=2)
    project.run()
    amount = Decimal("1234567.8912")
    sandbox.visma.put("supplierInvoice", business.supplier_invoice("700001", amount))
    project.run()
    first = load(project, warehouse)
    assert_whole(project, first)
    (alert,) = (row for row in first["alerts"].values() if row["number"] == "700001")
    assert alert["amount"] == amount
    assert alert["document_values"]["currency"] == alert["currency"]
    assert json.loads(first["audit_events"][1]["body"])["command"] == "target"

    # Statuses come, and another alert: what has changed is told anew, and nothing is twice.
    sandbox.visma.put("supplierInvoice", business.supplier_invoice("700002", Decimal(99000)))
    project.run()
    second = load(project, warehouse)
    assert_whole(project, second)
    assert len(second["alerts"]) > len(first["alerts"])

    project.run("warehouse", TARGET_POSTGRES_SQLALCHEMY_URL=warehouse.loader_url)
    joined = warehouse.query(JOINED)
    assert {row["number"] for row in joined} >= {"700001", "700002"}
    assert all(row["invoiced"] == row["amount"] for row in joined)


def test_a_ledger_that_is_not_there_is_told_in_one_line(project, warehouse):
    ended = project.run(
        "warehouse-audit",
        code=None,
        TARGET_POSTGRES_SQLALCHEMY_URL=warehouse.loader_url,
        TAP_TWILIO_ALERTS_AUDIT_LEDGER_URL=f"sqlite:///{project.place / 'no.db'}",
    )
    assert ended.returncode != 0
    told = ended.stdout + ended.stderr
    assert "no.db: run target-twilio-alerts first, or give the ledger_url that it has" in told
    assert "Traceback" not in told
