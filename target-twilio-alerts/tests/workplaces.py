"""A workplace of the target: an alerts file, a ledger, the sandbox as providers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import discretion
import sqlalchemy as sa
from ledgers import query

ALERTS = """
recipients:
  ap-manager:
    name: Anna Berg
    sms: "+46701740605"
    email: anna@example.com
    locale: en
groups:
  ap-team: [ap-manager]
rules:
  large-supplier-invoice:
    entity: supplier_invoice
    when: type == "Invoice" and amount > 50000 and currency == "SEK" and status != "Voided"
    notify: ap-team
    via: sms
    severity: high
"""


@dataclass
class Workplace:
    """One target with its files, run as a process."""

    root: Path
    sandbox: Any
    config: dict[str, Any] = field(default_factory=dict)

    @property
    def ledger_path(self) -> Path:
        return Path(str(sa.make_url(self.config["ledger_url"]).database))

    def write_alerts(self, text: str) -> None:
        (self.root / "alerts.yml").write_text(text, encoding="utf-8")

    def config_file(self) -> Path:
        path = self.root / "config.json"
        path.write_text(json.dumps(self.config), encoding="utf-8")
        return path

    def start(self, **options: Any) -> subprocess.Popen[bytes]:
        """Start the target; its standard input stays open."""
        return subprocess.Popen(
            [_script("target-twilio-alerts"), "--config", self.config_file()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.root,
            env={**os.environ, "LOGLEVEL": "INFO"},
            **options,
        )

    def run(self, lines: str, *, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run the target over these lines."""
        process = self.start()
        out, err = process.communicate(lines.encode(), timeout=120)
        ended = subprocess.CompletedProcess(
            process.args,
            process.returncode,
            out.decode(),
            err.decode(),
        )
        discretion.check(ended.stdout, ended.stderr)
        assert ended.returncode == code, ended.stderr
        return ended

    def command(self, *arguments: str, code: int = 0) -> str:
        """Run ``twilio-alerts``; gives what it printed."""
        ended = subprocess.run(
            [_script("twilio-alerts"), "--config", self.config_file(), *arguments],
            capture_output=True,
            text=True,
            cwd=self.root,
            check=False,
            timeout=120,
        )
        discretion.check(ended.stdout, ended.stderr)
        assert ended.returncode == code, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr

    def trail(self, *arguments: str) -> list[dict[str, Any]]:
        """What ``twilio-alerts audit`` tells."""
        told = self.command("audit", "--format", "jsonl", *arguments)
        return [json.loads(line) for line in told.splitlines() if line.startswith("{")]

    def messages(self, *columns: str) -> list[Any]:
        """These columns of every message in the ledger, by document, recipient and channel."""
        query = f"""
            SELECT {", ".join(columns)}
            FROM messages JOIN alerts ON alerts.id = messages.alert_id
            JOIN message_contents ON message_contents.message_id = messages.id
            ORDER BY alerts.title, messages.recipient, messages.channel
        """
        return self.query(query)

    def query(self, statement: str, *values: Any) -> list[Any]:
        """Look into the ledger, or change it behind the target's back."""
        return query(self.config["ledger_url"], statement, *values)

    @property
    def accepted(self) -> list[Any]:
        return list(self.sandbox.twilio.messages)


def _script(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def made_workplace(root: Path, sandbox: Any, database: str | None = None) -> Workplace:
    """A workplace in this folder; its ledger is a SQLite file, unless a URL is given."""
    from visma_twilio_sandbox import credentials  # noqa: PLC0415

    place = Workplace(root, sandbox)
    place.config = {
        "alerts_file": str(root / "alerts.yml"),
        "ledger_url": database or f"sqlite:///{root / 'ledger.db'}",
        "account_sid": credentials.ACCOUNT_SID,
        "auth_token": credentials.AUTH_TOKEN,
        "from_number": credentials.FROM_NUMBER,
        "sendgrid_api_key": credentials.SENDGRID_API_KEY,
        "email_from": "alerts@example.com",
        "twilio_api_url": sandbox.twilio_url,
        "twilio_messaging_url": sandbox.messaging_url,
        "twilio_email_api_url": sandbox.comms_url,
        "sendgrid_api_url": sandbox.sendgrid_url,
        # Tests try many ledgers with one account.
        "restored_ledger": "ignore",
    }
    place.write_alerts(ALERTS)
    return place
