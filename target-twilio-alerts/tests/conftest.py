"""A workplace for tests of the target: an alerts file, a ledger, the sandbox as providers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from busy_office import fill
from desk import Desk
from ledgers import Databases, query
from zygote import Zygote

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


@pytest.fixture(scope="session")
def databases(request):
    """Makes databases; the server is started for the first one."""
    return Databases(lambda: request.getfixturevalue("postgres"))


@pytest.fixture
def database(request, tmp_path, databases):
    """The URL of a new ledger: a SQLite file, if a test does not say otherwise."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield f"sqlite:///{tmp_path / 'ledger.db'}"
        return
    url = databases.new()
    yield url
    databases.drop(url)


@pytest.fixture
def desk(tmp_path, database):
    """A target without its process."""
    desk = Desk(tmp_path, database)
    yield desk
    desk.ledger.close()


@pytest.fixture
def sandbox():
    from visma_twilio_sandbox import Sandbox  # noqa: PLC0415

    with Sandbox(seed=1) as running:
        yield running


@pytest.fixture(scope="session")
def zygote():
    with Zygote() as zygote:
        yield zygote


@pytest.fixture
def workplace(tmp_path, sandbox, database):
    return made_workplace(tmp_path, sandbox, database)


@pytest.fixture(scope="module")
def new_workplace(tmp_path_factory):
    """A workplace that tests of a file share."""
    from visma_twilio_sandbox import Sandbox  # noqa: PLC0415

    with Sandbox(seed=1) as running:
        yield made_workplace(tmp_path_factory.mktemp("workplace"), running)


@pytest.fixture(scope="session")
def rich(tmp_path_factory):
    """An office in whose ledger there is something of everything; look, and do not touch."""
    with filled_office(tmp_path_factory.mktemp("rich")) as office:
        yield office


@pytest.fixture(scope="session")
def rich_in_postgresql(tmp_path_factory, databases):
    """The same with its ledger in PostgreSQL."""
    url = databases.new()
    with filled_office(tmp_path_factory.mktemp("rich"), url) as office:
        yield office
    databases.drop(url)


@contextmanager
def filled_office(root, database=None):
    from office import Office  # noqa: PLC0415 - imports the package

    from visma_twilio_sandbox import Sandbox  # noqa: PLC0415

    with Sandbox(seed=1) as running:
        office = Office(made_workplace(root, running, database))
        fill(office)
        yield office


def made_workplace(root, sandbox, database=None):
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
    }
    place.write_alerts(ALERTS)
    return place
