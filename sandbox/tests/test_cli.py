"""The command runs a sandbox, prints how to reach it, and stops when it is told to."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

COMMAND = Path(sys.executable).with_name("visma-twilio-sandbox")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_its_urls_runs_and_stops_cleanly(number):
    arguments = [str(COMMAND), "--seed", "1", "--history", "5"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        lines = []
        for line in process.stdout:
            lines.append(line.strip())
            if line.startswith("# Ctrl-C"):
                break
        exports = dict(
            shlex.split(line)[1].split("=", 1) for line in lines if line.startswith("export ")
        )
        control = re.search(r"http://\S+", lines[0])[0]
        assert requests.get(f"{control}/state", timeout=10).json() == {"phones": [], "inboxes": []}
        invoices = requests.get(f"{control}/visma/supplierInvoice", timeout=10).json()
        assert isinstance(invoices, list)
        assert exports["TAP_VISMA_AUTH_URL"].endswith("/connect/token")
        assert exports["TARGET_TWILIO_ALERTS_TWILIO_API_URL"].startswith("http://127.0.0.1:")
        process.send_signal(number)
        assert process.wait(10) == 0
