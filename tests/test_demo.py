"""The demo shows what it promises, ends by itself, and leaves no process behind."""

from __future__ import annotations

import os
import subprocess
import sys


def test_the_demo_tells_who_was_told_what_and_why(project_folder):
    ended = subprocess.run(
        [sys.executable, project_folder / "scripts" / "demo.py"],
        env={name: value for name, value in os.environ.items() if name != "KEEP"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    told = ended.stdout
    assert ended.returncode == 0, told + ended.stderr
    assert "Nobody was alerted." in told
    assert "Anna Berg got an SMS for Supplier invoice Invoice 900001" in told
    assert "Erik Lund got an SMS for Supplier invoice Invoice 900001" in told
    assert "Anna Berg got an SMS for Purchase order RegularOrder PO-1001" in told
    assert "Maria Holm got an email for Supplier payment Payment 700001" in told
    assert "rule large-supplier-invoice does not hold (type = Invoice, amount = 50000" in told
    assert "No message was sent." in told
    assert "twilio-alerts:audit" in told
    assert str(project_folder) not in _processes()


def _processes() -> str:
    return subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
