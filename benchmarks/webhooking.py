"""From a change in Visma to the request to Twilio, by a webhook that runs the main job."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import shlex
import signal
import statistics
import subprocess
import time
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import requests
from idling import project_in
from measuring import measure
from report import Budget, Section

from visma_twilio_sandbox import Sandbox, business

if TYPE_CHECKING:
    from pathlib import Path

_SECRET, _HEADER = "bench", "X-Visma-Signature"
_OURS = ("tap-visma", "target-twilio-alerts")
_MOST_SECONDS = 10
_PATIENCE = 120


def webhook(programs: Path, place: Path, rounds: int) -> Section:
    """A large invoice is made, and its webhook sent; the first SMS is waited for.

    Args:
        programs: Where Meltano is installed.
        place: An empty folder.
        rounds: How often.
    """
    project = project_in(place / "webhook")
    meltano = [str(programs / "meltano"), "--environment=demo"]
    with Sandbox(seed=1) as sandbox:
        business.history(sandbox.visma, documents=400, seed=1)
        environment = {
            **os.environ,
            **sandbox.settings(),
            "TARGET_TWILIO_ALERTS_LEDGER_URL": f"sqlite:///{place / 'webhook.db'}",
            "TARGET_TWILIO_ALERTS_VISMA_WEBHOOK_SECRET": _SECRET,
            "TARGET_TWILIO_ALERTS_VISMA_WEBHOOK_HEADER": _HEADER,
            "TARGET_TWILIO_ALERTS_POLL_COMMAND": shlex.join([*meltano, "run", *_OURS]),
        }
        measure([*meltano, "install", *_OURS], cwd=project, env=environment)
        measure([*meltano, "run", *_OURS], cwd=project, env=environment)
        serve = [programs / "twilio-alerts", "serve", "--port", "0"]
        with subprocess.Popen(
            serve, cwd=project, env=environment, stderr=subprocess.PIPE, text=True
        ) as server:
            lines = iter(server.stderr or ())
            address = next(
                found[1] for line in lines if (found := re.search(r"on (http\S+)", line))
            )
            seconds = []
            for number in range(rounds):
                seconds.append(_one(sandbox, address, number))
                next(line for line in lines if "poll_command ended" in line)
            server.send_signal(signal.SIGTERM)
    slowest = max(seconds)
    return Section(
        "A change in Visma, told by webhook",
        "An invoice is made, and its webhook sent to the server, which runs the main job; until "
        f"Twilio has taken the first SMS. {rounds} times.",
        ("from the change to the SMS", "median, s", "slowest, s"),
        [("by webhook", f"{statistics.median(seconds):.1f}", f"{slowest:.1f}")],
        [
            Budget(
                "from a change to the SMS request, by webhook",
                f"{slowest:.1f} s",
                f"under {_MOST_SECONDS} s",
                met=slowest < _MOST_SECONDS,
            )
        ],
    )


def _one(sandbox: Sandbox, address: str, number: int) -> float:
    before = len(sandbox.twilio.messages)
    invoice = business.supplier_invoice(
        number=str(900_001 + number),
        amount=Decimal("75000.00"),
        date=date(2026, 11, 20),
        due_date=date(2026, 12, 20),
    )
    began = time.perf_counter()
    sandbox.visma.put("supplierInvoice", invoice)
    body = b'{"event":"changed"}'
    signed = base64.b64encode(hmac.digest(_SECRET.encode(), body, hashlib.sha256)).decode()
    answer = requests.post(
        f"{address}/visma/webhook", data=body, headers={_HEADER: signed}, timeout=30
    )
    answer.raise_for_status()
    while len(sandbox.twilio.messages) == before:
        if time.perf_counter() - began > _PATIENCE:
            raise SystemExit("no SMS came")
        time.sleep(0.01)
    return time.perf_counter() - began
