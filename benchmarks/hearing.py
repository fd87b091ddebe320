"""The server under Twilio's callbacks, while a run sends: how long each takes, and none is lost."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import re
import signal
import statistics
import subprocess
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import sqlalchemy as sa
from report import Budget, Section
from twilio.request_validator import RequestValidator

from target_twilio_alerts.ledger import Ledger, MessageState, outbox, runs, tables
from target_twilio_alerts.ledger.ids import short_id
from target_twilio_alerts.ledger.outbox import NewMessage
from visma_twilio_sandbox import Sandbox, credentials

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

PUBLIC_URL = "https://alerts.example.com"
RATE = 200
"""Callbacks a second."""

_ALERTS_A_SECOND = 10
_STATUSES = ("sent", "delivered")
_CONNECTIONS = 16
_MOST_MS = 100
_ALERTS = """
recipients:
  anna: {name: Anna Berg, sms: "+46701740605"}
rules:
  large: {entity: supplier_invoice, when: amount > 50000, notify: anna, via: sms}
limits: {per_run: 100000, per_hour: 100000, per_rule: 100000, per_recipient: 100000}
"""
_CONTEXT = {"tenant_id": "11111111-1111-4111-8111-111111111111", "company": "Testbolaget AB"}
_KEY = ["tenant_id", "company", "documentType", "referenceNumber"]
_STREAM = "supplier_invoices"

Call = tuple[str, bytes, str]
"""Path, body and signature of a callback."""


def hear(programs: Path, place: Path, seconds: int) -> Section:
    """Callbacks at a fixed rate, for some time, while a run sends.

    Args:
        programs: Where the target is installed.
        place: An empty folder.
        seconds: For how long.
    """
    folder = place / "hearing"
    folder.mkdir()
    with Sandbox(seed=1) as sandbox:
        config = _config(folder, sandbox)
        url = f"sqlite:///{folder / 'ledger.db'}"
        _run(programs, folder, "".join(_lines([])))
        calls = list(_calls(url, RATE * seconds))
        server, address = _serve(programs, folder)
        target = _start(programs, folder)
        feeder = threading.Thread(target=_feed, args=(target, seconds))
        feeder.start()
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            answers = pool.submit(call, address, calls, RATE).result()
        feeder.join()
        target.communicate()
        server.send_signal(signal.SIGTERM)
        server.communicate()
        sent = len(sandbox.twilio.messages)
    if target.returncode or server.returncode:
        raise SystemExit(f"target: {target.returncode}, server: {server.returncode}")
    times = sorted(seconds for status, seconds in answers if status == http.client.NO_CONTENT)
    lost = len(calls) - _heard(config["ledger_url"])
    if len(times) < len(calls):
        raise SystemExit(f"{len(calls) - len(times)} callbacks were not taken")
    twentieths = statistics.quantiles(times, n=20)
    middle, p95 = twentieths[9] * 1000, twentieths[18] * 1000
    return Section(
        f"Callbacks, {RATE} a second for {seconds} s",
        f"Signed status callbacks over {_CONNECTIONS} connections, to a server with a SQLite "
        f"ledger, while a run raises {_ALERTS_A_SECOND} alerts a second and sends them. A time is "
        "from when a callback was due to its answer, which follows its commit.",
        ("callbacks", "median, ms", "p95, ms", "longest, ms", "SMS sent meanwhile"),
        [
            (
                f"{len(calls):,}",
                f"{middle:.0f}",
                f"{p95:.0f}",
                f"{times[-1] * 1000:.0f}",
                f"{sent:,}",
            )
        ],
        [
            Budget("callbacks lost", str(lost), "0", met=lost == 0),
            Budget(
                "p95 of a callback", f"{p95:.0f} ms", f"under {_MOST_MS} ms", met=p95 < _MOST_MS
            ),
        ],
    )


def call(address: str, calls: Sequence[Call], rate: int) -> list[tuple[int, float]]:
    """Make these calls, so many a second; gives status and seconds of each since it was due."""
    began = time.perf_counter() + 0.5
    local = threading.local()

    def one(number: int) -> tuple[int, float]:
        due = began + number / rate
        time.sleep(max(0.0, due - time.perf_counter()))
        path, body, signature = calls[number]
        if not hasattr(local, "connection"):
            local.connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": signature,
        }
        local.connection.request("POST", path, body, headers)
        answer = local.connection.getresponse()
        answer.read()
        return answer.status, time.perf_counter() - due

    with ThreadPoolExecutor(_CONNECTIONS) as threads:
        return list(threads.map(one, range(len(calls))))


def _config(folder: Path, sandbox: Sandbox) -> dict[str, Any]:
    (folder / "alerts.yml").write_text(_ALERTS, encoding="utf-8")
    config = {
        "alerts_file": str(folder / "alerts.yml"),
        "ledger_url": f"sqlite:///{folder / 'ledger.db'}",
        "account_sid": credentials.ACCOUNT_SID,
        "auth_token": credentials.AUTH_TOKEN,
        "from_number": credentials.FROM_NUMBER,
        "twilio_api_url": sandbox.twilio_url,
        "twilio_messaging_url": sandbox.messaging_url,
        "public_url": PUBLIC_URL,
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return config


def _calls(url: str, number: int) -> Iterator[Call]:
    """Messages that Twilio has accepted, in the ledger, and callbacks about them."""
    validator = RequestValidator(credentials.AUTH_TOKEN)
    ledger = Ledger(url)
    run = runs.start(ledger, command="bench", version="0", body={})
    ids = [short_id() for _ in range(number // len(_STATUSES))]
    now = runs.utc_now()
    with ledger.write() as connection:
        for message_id in ids:
            outbox.add(connection, _message(message_id), at=now, run_id=run.id)
        accepted = {
            "state": MessageState.ACCEPTED.value,
            "sid": sa.bindparam("given"),
            "status": "queued",
            "accepted_at": now,
        }
        connection.execute(
            sa.update(tables.messages)
            .where(tables.messages.c.id == sa.bindparam("message"))
            .values(**accepted),
            [{"message": one, "given": _sid(one)} for one in ids],
        )
    ledger.close()
    for status in _STATUSES:
        for message_id in ids:
            path = f"/twilio/status?{urlencode({'message': message_id})}"
            fields = {
                "AccountSid": credentials.ACCOUNT_SID,
                "MessageSid": _sid(message_id),
                "MessageStatus": status,
                "To": "+46701740605",
                "From": credentials.FROM_NUMBER,
            }
            signature = validator.compute_signature(PUBLIC_URL + path, fields)
            yield path, urlencode(fields).encode(), signature


def _sid(message_id: str) -> str:
    return "SM" + message_id.encode().hex() * 2


def _message(message_id: str) -> NewMessage:
    return NewMessage(
        id=message_id,
        alert_id=None,
        recipient="anna",
        channel="sms",
        address="+46701740605",
        subject=None,
        text="x",
        html=None,
        salt="0" * 32,
        template="bench",
        locale="en",
        encoding="GSM-7",
        segments=1,
        severity_rank=1,
    )


def _heard(url: str) -> int:
    """How many statuses the ledger has written down."""
    ledger = Ledger(url)
    event = tables.audit_events.c
    of_ours = sa.select(tables.messages.c.id).where(tables.messages.c.template == "bench")
    query = sa.select(sa.func.count()).where(
        event.kind == "message_status", event.message_id.in_(of_ours)
    )
    with ledger.read() as connection:
        number = int(connection.execute(query).scalar_one())
    ledger.close()
    return number


def _serve(programs: Path, folder: Path) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [
            *(programs / "twilio-alerts", "--config", folder / "config.json"),
            *("serve", "--port", "0"),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stderr or ():
        if found := re.search(r"Serving on (\S+)", line):
            return process, found[1]
    raise SystemExit("the server did not start")


def _start(programs: Path, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [programs / "target-twilio-alerts", "--config", folder / "config.json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _run(programs: Path, folder: Path, lines: str) -> None:
    process = _start(programs, folder)
    process.communicate(lines)
    if process.returncode:
        raise SystemExit("the target's first run failed")


def _feed(target: subprocess.Popen[str], seconds: int) -> None:
    """Give a target records that alert, at a steady pace, and then an end."""
    schema, state = _lines([])
    pipe = target.stdin
    if pipe is None:
        return
    pipe.write(schema)
    for number in range(seconds * _ALERTS_A_SECOND):
        pipe.write(_record(number))
        pipe.flush()
        time.sleep(1 / _ALERTS_A_SECOND)
    pipe.write(state)


def _lines(rows: Sequence[int]) -> list[str]:
    fields = (*_KEY, "status", "currencyId", "date", "lastModifiedDateTime")
    properties: dict[str, Any] = {name: {"type": ["string", "null"]} for name in fields}
    properties["amount"] = {"type": ["number", "null"]}
    schema = {
        "type": "SCHEMA",
        "stream": _STREAM,
        "schema": {"type": "object", "properties": properties},
        "key_properties": _KEY,
    }
    partition = {"context": _CONTEXT, "replication_key_value": "2026-11-20T10:00:00"}
    state = {"type": "STATE", "value": {"bookmarks": {_STREAM: {"partitions": [partition]}}}}
    return [json.dumps(schema) + "\n", *map(_record, rows), json.dumps(state) + "\n"]


def _record(number: int) -> str:
    record = {
        **_CONTEXT,
        "documentType": "Invoice",
        "referenceNumber": str(number),
        "status": "Open",
        "amount": 75000,
        "currencyId": "SEK",
        "date": "2026-11-20T00:00:00",
        "lastModifiedDateTime": "2026-11-20T11:00:00",
    }
    return json.dumps({"type": "RECORD", "stream": _STREAM, "record": record}) + "\n"
