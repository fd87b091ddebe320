"""Measures the tap, the target and an idle run, each beside a baseline in the same run.

Usage: bench.py [tap] [target] [idle] [--records N]; all three by default. What is printed are
seconds of this machine and the ratio to the baseline; only the ratio means anything elsewhere.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import IO

from visma_twilio_sandbox import Sandbox, business, credentials

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PAGE = 1000
ROUNDS = 5
PARTS = ("tap", "target", "idle")
COPIED = (
    "alerts",
    "meltano.yml",
    "plugins",
    "requirements-dev.txt",
    "tap-visma",
    "target-twilio-alerts",
)

BARE_LOOP = """
import sys
from decimal import Decimal
import msgspec, requests
connect, visma, form = sys.argv[1], sys.argv[2], msgspec.json.decode(sys.argv[3])
session = requests.Session()
token = session.post(connect, data=form).json()["access_token"]
decode = msgspec.json.Decoder(float_hook=Decimal).decode
encode = msgspec.json.Encoder(decimal_format="number").encode
page, total = 1, 1
while (page - 1) * 1000 < total:
    answer = session.get(
        f"{visma}/v1/supplierInvoice",
        params={"pageNumber": page, "pageSize": 1000},
        headers={"Authorization": f"Bearer {token}"},
    )
    for row in decode(answer.content):
        total = row.pop("metadata")["totalCount"]
        sys.stdout.buffer.write(encode({"type": "RECORD", "stream": "s", "record": row}) + b"\\n")
    page += 1
"""


@dataclass(frozen=True)
class Cost:
    """Seconds on the wall and of the processor."""

    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.wall:6.2f} s wall, {self.cpu:6.2f} s CPU"


def measure(
    command: list[str],
    *,
    stdin: IO[bytes] | None = None,
    stdout: IO[bytes] | int = subprocess.DEVNULL,
    cwd: Path = ROOT,
    env: dict[str, str] | None = None,
) -> Cost:
    """Run a command to its end; a failure ends the benchmark."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    ended = subprocess.run(
        command,
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env=env,
        check=False,
    )
    wall = time.perf_counter() - started
    if ended.returncode:
        sys.exit(ended.stderr.decode()[-2000:])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, used)


def tap_config(sandbox: Sandbox) -> dict[str, object]:
    """Settings of the tap for a sandbox."""
    return {
        "client_id": credentials.CLIENT_ID,
        "client_secret": credentials.CLIENT_SECRET,
        "tenant_id": credentials.TENANT_ID,
        "company": "Nordisk Demo AB",
        "api_url": sandbox.visma_url,
        "auth_url": sandbox.connect_url,
        "page_size": PAGE,
    }


def fill(sandbox: Sandbox, records: int) -> None:
    """Put supplier invoices that no rule of the example matches."""
    sandbox.visma.max_page_size["supplierInvoice"] = PAGE
    day = date(2026, 11, 20)
    for number in range(records):
        item = business.supplier_invoice(
            number=f"{number:07d}",
            amount=Decimal(number % 40_000) + Decimal("0.25"),
            date=day,
            due_date=day,
        )
        sandbox.visma.put("supplierInvoice", item)


def bench_tap(place: Path, records: int) -> Path:
    """The tap beside a bare loop of requests and msgspec; gives the file with its output."""
    output = place / "records.singer"
    with Sandbox(seed=1) as sandbox:
        fill(sandbox, records)
        config = place / "tap.json"
        config.write_text(json.dumps(tap_config(sandbox)))
        catalog = place / "catalog.json"
        catalog.write_text(json.dumps(_only_invoices(config)))
        form = {
            "grant_type": "client_credentials",
            "client_id": credentials.CLIENT_ID,
            "client_secret": credentials.CLIENT_SECRET,
            "tenant_id": credentials.TENANT_ID,
            "scope": "vismanet_erp_service_api:read",
        }
        urls = [sandbox.connect_url, sandbox.visma_url, json.dumps(form)]
        for _ in range(2):  # the sandbox makes each row's JSON once
            bare = measure([sys.executable, "-c", BARE_LOOP, *urls])
        with output.open("wb") as stdout:
            command = [str(BIN / "tap-visma"), "--config", str(config), "--catalog", str(catalog)]
            ours = measure(command, stdout=stdout)
    print(f"tap, {records:,} supplier invoices over local HTTP")
    print(f"  bare loop   {bare}   {records / bare.wall:8,.0f} records/s")
    print(f"  tap-visma   {ours}   {records / ours.wall:8,.0f} records/s")
    print(f"  ratio       {ours.wall / bare.wall:.2f} of the bare loop's time")
    return output


def _only_invoices(config: Path) -> dict[str, object]:
    told = subprocess.run(
        [BIN / "tap-visma", "--config", config, "--discover"],
        capture_output=True,
        check=True,
    )
    catalog: dict[str, list[dict[str, object]]] = json.loads(told.stdout)
    streams = [one for one in catalog["streams"] if one["stream"] == "supplier_invoices"]
    return {"streams": streams}


def bench_target(place: Path, records: int, lines: Path) -> None:
    """The target beside a default SDK sink that validates, on records that match nothing."""
    start = "from target_trivial import TargetTrivial; TargetTrivial.cli()"
    trivial = ROOT / "benchmarks" / "trivial" / "target"
    config = place / "target.json"
    settings = {
        "alerts_file": str(ROOT / "alerts" / "alerts.yml"),
        "ledger_url": f"sqlite:///{place / 'ledger.db'}",
        "account_sid": credentials.ACCOUNT_SID,
        "auth_token": credentials.AUTH_TOKEN,
        "from_number": credentials.FROM_NUMBER,
        "sendgrid_api_key": credentials.SENDGRID_API_KEY,
        "email_from": "alerts@example.com",
    }
    config.write_text(json.dumps(settings))
    command = [str(BIN / "target-twilio-alerts"), "--config", str(config)]
    with lines.open("rb") as stdin:
        default = measure([sys.executable, "-c", start], stdin=stdin, cwd=trivial)
    with lines.open("rb") as stdin:
        first = measure(command, stdin=stdin)
    size = (place / "ledger.db").stat().st_size
    with lines.open("rb") as stdin:
        again = measure(command, stdin=stdin)
    print(f"target, {records:,} supplier invoices that match nothing")
    print(f"  default SDK sink       {default}   {records / default.wall:8,.0f} records/s")
    print(f"  first contact          {first}   {records / first.wall:8,.0f} records/s")
    print(f"  the same once more     {again}   {records / again.wall:8,.0f} records/s")
    print(f"  ratio, first contact   {default.wall / first.wall:.1f} times the default's speed")
    print(f"  ledger                 {size / records:,.0f} bytes a document")


def bench_idle(place: Path) -> None:
    """An idle `meltano run` beside one with two plugins that do nothing."""
    project = place / "project"
    project.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, project / name, ignore=shutil.ignore_patterns(".*", "tests"))
        else:
            shutil.copy2(source, project / name)
    shutil.copytree(ROOT / "benchmarks" / "trivial", project / "trivial")
    with Sandbox(seed=1) as sandbox:
        business.history(sandbox.visma, documents=400, seed=1)
        environment = {
            **os.environ,
            **sandbox.settings(),
            "TARGET_TWILIO_ALERTS_LEDGER_URL": f"sqlite:///{place / 'idle.db'}",
        }
        ours: list[Cost] = []
        baseline: list[Cost] = []
        for folder, plugins in _idle_jobs(project):
            meltano = [str(BIN / "meltano"), "--environment=demo"]
            measure([*meltano, "install", *plugins], cwd=folder, env=environment)
            measure([*meltano, "run", *plugins], cwd=folder, env=environment)
        for _ in range(ROUNDS):
            for (folder, plugins), costs in zip(_idle_jobs(project), (ours, baseline), strict=True):
                command = [str(BIN / "meltano"), "--environment=demo", "run", *plugins]
                costs.append(measure(command, cwd=folder, env=environment))
    mine, theirs = _median(ours), _median(baseline)
    print(f"an idle meltano run, median of {ROUNDS}")
    print(f"  two trivial plugins                 {theirs}")
    print(f"  tap-visma target-twilio-alerts      {mine}")
    print(f"  ratio                               {mine.wall / theirs.wall:.2f}")


def _idle_jobs(project: Path) -> tuple[tuple[Path, tuple[str, str]], ...]:
    return (
        (project, ("tap-visma", "target-twilio-alerts")),
        (project / "trivial", ("tap-trivial", "target-trivial")),
    )


def _median(costs: list[Cost]) -> Cost:
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.cpu for cost in costs),
    )


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", choices=[*PARTS, "all"], default="all")
    parser.add_argument("--records", type=int, default=50_000)
    arguments = parser.parse_args()
    wanted = PARTS if "all" in arguments.what else arguments.what
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if {"tap", "target"} & set(wanted):
            lines = bench_tap(place, arguments.records)
            if "target" in wanted:
                bench_target(place, arguments.records, lines)
        if "idle" in wanted:
            bench_idle(place)


if __name__ == "__main__":
    main()
