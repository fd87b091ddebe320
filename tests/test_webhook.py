"""A change in Visma reaches a telephone through a webhook, without waiting for the schedule."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import shlex
import signal
import subprocess
from datetime import date
from decimal import Decimal

import pytest
import requests
from projects import script

from visma_twilio_sandbox import business

SECRET, HEADER = "visma-secret", "X-Visma-Signature"


@pytest.fixture
def server(project):
    """The URL of a server that runs the main job; it must end well."""
    command = shlex.join([script("meltano"), "run", "tap-visma", "target-twilio-alerts"])
    process = subprocess.Popen(
        [script("twilio-alerts"), "serve", "--port", "0"],
        cwd=project.folder,
        env={
            **os.environ,
            **project.variables,
            "TARGET_TWILIO_ALERTS_VISMA_WEBHOOK_SECRET": SECRET,
            "TARGET_TWILIO_ALERTS_VISMA_WEBHOOK_HEADER": HEADER,
            "TARGET_TWILIO_ALERTS_POLL_COMMAND": command,
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        url = next(
            found[1] for line in process.stderr if (found := re.search(r"Serving on (\S+)", line))
        )
        yield url, process.stderr
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=90)
        assert process.returncode == 0


def test_a_change_in_visma_reaches_a_telephone_by_its_webhook(project, sandbox, server):
    url, log = server
    business.history(sandbox.visma, documents=60, seed=3)
    project.run()
    invoice = business.supplier_invoice(
        number="900001",
        amount=Decimal("75000.00"),
        date=date(2026, 11, 20),
        due_date=date(2026, 12, 20),
    )
    sandbox.visma.put("supplierInvoice", invoice)
    body = b'{"event": "AP Invoice Changed", "whatever": [1, null]}'
    signed = base64.b64encode(hmac.digest(SECRET.encode(), body, hashlib.sha256)).decode()
    webhook = f"{url}/visma/webhook"
    forged = requests.post(webhook, data=body, headers={HEADER: "x"}, timeout=9)
    assert forged.status_code == 403
    answer = requests.post(webhook, data=body, headers={HEADER: signed}, timeout=9)
    assert answer.status_code == 204
    ended = next(line for line in log if "poll_command ended" in line)
    assert "exit code 0" in ended
    told = {message.to for message in sandbox.twilio.messages}
    assert told == {"+46701740605", "+46701740606"}
    assert all("900001" in message.body for message in sandbox.twilio.messages)
