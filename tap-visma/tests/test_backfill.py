"""A long first read under a small limit: over several runs, killed in between, and out of the way.

The sandbox's hour is ten minutes here, and ends when a test says so: nobody waits for it.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from tap_running import TapRunner, selecting

from tap_visma.errors import ShareUsedError
from visma_twilio_sandbox import business

INVOICES = "supplier_invoices"
TRANSACTIONS = "general_ledger_transactions"
DOCUMENTS = 100_000
PAGE = 200
AN_HOUR = 600.0
CALLS_AN_HOUR = 500
IN_FLIGHT = 4
TAP = str(Path(sys.executable).parent / "tap-visma")


def transactions(sandbox, count, *, ledger):
    for place in range(count):
        _, lines = business.gl_journal(number=f"{ledger}{place:04d}", amount=Decimal("10.00"))
        sandbox.visma.put("GeneralLedgerTransactions", lines[0], ledger=ledger)


def test_a_backfill_that_has_used_its_share_does_not_stop_what_alerts_need(sandbox, tap, logged):
    sandbox.visma.put("ledger", {"number": "2", "description": "Budget"})
    transactions(sandbox, 3, ledger="1")
    before = tap(TRANSACTIONS)
    sandbox.visma.put("ledger", {"number": "0", "description": "New"})
    transactions(sandbox, 300, ledger="0")
    _, lines = business.gl_journal(number="LATEST", amount=Decimal("20.00"))
    sandbox.visma.put("GeneralLedgerTransactions", lines[0], ledger="2")
    sandbox.visma.set_limit(40, window_seconds=3600)
    run = tap(TRANSACTIONS, state=before.state, page_size=10, max_wait_seconds=0)
    assert isinstance(run.stopped_by, ShareUsedError)
    assert run.failures == {}
    records = run.records(TRANSACTIONS)
    assert 0 < sum(one["ledger_id"] == "0" for one in records) < 300
    assert any(one["batchNumber"] == "LATEST" for one in records)
    assert logged.text.count("backfill has used its share") == 1


class Message(msgspec.Struct):
    """As much of a Singer message as is looked at here."""

    type: str
    record: dict[str, Any] = {}
    value: dict[str, Any] = {}


class Runs:
    """Runs of the tap as processes, each with the last STATE that the one before wrote."""

    def __init__(self, sandbox: Any, folder: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.state: dict[str, Any] = {}
        self.arrived: set[str] = set()
        self.kills = 0
        self.stops = 0
        config = {
            **TapRunner(sandbox).config,
            "page_size": PAGE,
            "requests_in_flight": IN_FLIGHT,
            "max_wait_seconds": 0,
        }
        self._write("config", config)
        self._write("catalog", selecting([INVOICES]))

    def run(self, *, kill_at: int | None = None) -> None:
        """Run once; kill it when so many pages have been asked for."""
        self._write("state", self.state)
        files = [part for name in ("config", "state", "catalog") for part in (f"--{name}", name)]
        with (
            (self.folder / "out").open("wb") as out,
            (self.folder / "log").open("wb") as log,
            subprocess.Popen([TAP, *files], cwd=self.folder, stdout=out, stderr=log) as process,
        ):
            asked = 0

            def count(_path: str, _page: int) -> None:
                nonlocal asked
                asked += 1
                if asked == kill_at:
                    os.kill(process.pid, signal.SIGKILL)

            self.sandbox.visma.on_page = count
            code = process.wait(timeout=300)
        told = (self.folder / "log").read_text(encoding="utf-8")
        self.kills += code == -signal.SIGKILL
        if "backfill has used its share" in told:
            self.stops += 1
            assert re.search(
                r"supplier_invoices.*: [\d,]+ of 500 pages .* at 375 calls an hour", told
            )
        assert code == (0 if kill_at is None else -signal.SIGKILL), told
        self._take()

    @property
    def is_done(self) -> bool:
        """Whether STATE says that all was read."""
        entries = self.state.get("bookmarks", {}).get(INVOICES, {}).get("partitions", [{}])
        return "replication_key_value" in entries[0] and "progress_markers" not in entries[0]

    def _write(self, name: str, content: dict[str, Any]) -> None:
        (self.folder / name).write_text(json.dumps(content), encoding="utf-8")

    def _take(self) -> None:
        """What a target would have had: all whole lines."""
        decode = msgspec.json.Decoder(Message).decode
        for line in (self.folder / "out").read_bytes().splitlines(keepends=True):
            if not line.endswith(b"\n"):
                break
            message = decode(line)
            if message.type == "STATE":
                self.state = message.value
            elif message.type == "RECORD":
                self.arrived.add(message.record["referenceNumber"])


def test_100_000_documents_arrive_over_several_runs_and_kills(sandbox, tmp_path):
    """Each page is read once, and once more in the sweep after a read that was cut off."""
    for place in range(DOCUMENTS):
        document = {"documentType": "Invoice", "referenceNumber": f"{place:06d}"}
        sandbox.visma.put("supplierInvoice", document)
    sandbox.visma.max_page_size["supplierInvoice"] = PAGE
    runs = Runs(sandbox, tmp_path)
    kills = iter([60, 150])
    while not runs.is_done:
        sandbox.visma.set_limit(CALLS_AN_HOUR, window_seconds=AN_HOUR)
        runs.run(kill_at=next(kills, None))
    assert len(runs.arrived) == DOCUMENTS
    requests = sandbox.requests("visma")
    assert 429 not in {one.status for one in requests}
    asked = Counter(dict(one.query)["pageNumber"] for one in requests)
    assert min(asked.values()) == 2
    assert runs.stops == 2
    again = sum(asked.values()) - 2 * DOCUMENTS // PAGE
    assert again <= runs.kills * 2 * IN_FLIGHT + runs.stops * IN_FLIGHT
