"""A tap against the sandbox of Visma.net, run in this process or as one of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from tap_visma.tap import TapVisma
from tap_visma.writing import PageWriter
from visma_twilio_sandbox import business, credentials

ENDPOINTS = {
    "supplier_invoices": "supplierInvoice",
    "supplier_payments": "supplierPayment",
    "customer_invoices": "customerinvoice",
    "customer_payments": "customerPayment",
    "purchase_orders": "purchaseorder",
    "journal_transactions": "journaltransaction",
    "ledgers": "ledger",
    "general_ledger_transactions": "GeneralLedgerTransactions",
}
KEYS = {
    "supplierInvoice": ("documentType", "referenceNumber"),
    "supplierPayment": ("type", "refNbr"),
    "customerinvoice": ("documentType", "referenceNumber"),
    "customerPayment": ("type", "refNbr"),
    "purchaseorder": ("orderType", "orderNbr"),
    "journaltransaction": ("module", "batchNumber"),
    "ledger": ("number",),
    "GeneralLedgerTransactions": ("module", "batchNumber", "lineNumber"),
}


def keys(rows, stream):
    return {tuple(row[name] for name in KEYS[ENDPOINTS[stream]]) for row in rows}


def invoice(number="900001", amount="75000.00", **fields):
    return business.supplier_invoice(
        number=number,
        amount=Decimal(amount),
        date=date(2026, 11, 20),
        due_date=date(2026, 12, 20),
        **fields,
    )


@cache
def discovered():
    """The catalog of all streams, and of all lines."""
    names_only = {
        "client_id": "isv_example",
        "client_secret": "-",
        "tenant_id": credentials.TENANT_ID,
        "lines": True,
    }
    return TapVisma(config=names_only).catalog_dict


def selecting(streams):
    """A catalog with these streams selected, as Meltano gives it."""
    chosen = [one for one in discovered()["streams"] if one["tap_stream_id"] in streams]
    for one in (chosen := deepcopy(chosen)):
        for entry in one["metadata"]:
            entry["metadata"]["selected"] = True
    return {"streams": chosen}


_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(float_hook=Decimal)


class Collector(PageWriter):
    """Keeps the lines instead of printing them."""

    def __init__(self):
        super().__init__()
        self.lines: list[bytes] = []

    def write_lines(self, lines):
        self.lines += bytes(lines).splitlines(keepends=True)


@dataclass
class Run:
    """What a run of the tap gave."""

    lines: list[bytes]
    failures: dict[str, Any] = field(default_factory=dict)
    stopped_by: Any = None

    def __post_init__(self):
        self.messages = [_decoder.decode(line) for line in self.lines]

    def records(self, stream):
        return [
            one["record"]
            for one in self.messages
            if one["type"] == "RECORD" and one["stream"] == stream
        ]

    @property
    def states(self):
        return [one["value"] for one in self.messages if one["type"] == "STATE"]

    @property
    def state(self):
        return self.states[-1]

    def entry(self, stream, place=0):
        return self.state["bookmarks"][stream]["partitions"][place]


class TapRunner:
    """Runs the tap with settings that fit the sandbox."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.config = {
            "client_id": credentials.CLIENT_ID,
            "client_secret": credentials.CLIENT_SECRET,
            "tenant_id": credentials.TENANT_ID,
            "company": "Nordisk Demo AB",
            "api_url": sandbox.visma_url,
            "auth_url": sandbox.connect_url,
        }

    def __call__(self, *streams, state=None, catalog=None, **config):
        """Run in this process, with these streams, or with those that alerts need."""
        collector = Collector()
        tap = TapVisma(
            config={**self.config, **config},
            state=json.loads(json.dumps(state or {})),
            catalog=catalog or selecting(streams or ENDPOINTS),
            message_writer=collector,
        )
        tap.sync()
        reasons = [one.stopped_by or one.backfill_stopped_by for one in tap.companies]
        stopped_by = next((one for one in reasons if one), None)
        return Run(collector.lines, dict(tap.failures), stopped_by)

    @staticmethod
    def as_json(rows):
        """Rows as an answer's body, numbers exact."""
        return _encoder.encode(rows)

    def process(self, tmp_path: Path, *arguments, state=None, **config):
        """Run as a process of its own, the way Meltano does."""
        settings = tmp_path / "config.json"
        settings.write_text(json.dumps({**self.config, **config}), encoding="utf-8")
        command = [str(Path(sys.executable).parent / "tap-visma"), "--config", str(settings)]
        if state is not None:
            kept = tmp_path / "state.json"
            kept.write_text(json.dumps(state), encoding="utf-8")
            command += ["--state", str(kept)]
        return subprocess.run(
            [*command, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            cwd=tmp_path,
        )
