"""The target beside a default SDK sink that validates, on records that match nothing."""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import TYPE_CHECKING

from measuring import ROOT, measure
from report import Budget, Section

from visma_twilio_sandbox import credentials

if TYPE_CHECKING:
    from pathlib import Path

_TRIVIAL = ROOT / "benchmarks" / "trivial" / "target"
_START = "from target_trivial import TargetTrivial; TargetTrivial.cli()"
_LEAST_SPEED = 8
_MOST_BYTES = 1000


def alert(programs: Path, place: Path, lines: Path, records: int) -> Section:
    """The target and the default sink read the same Singer messages.

    Args:
        programs: Where the target is installed.
        place: An empty folder.
        lines: The messages.
        records: How many records are in them.
    """
    config = place / "target.json"
    ledger = place / "ledger.db"
    settings = {
        "alerts_file": str(ROOT / "alerts" / "alerts.yml"),
        "ledger_url": f"sqlite:///{ledger}",
        "account_sid": credentials.ACCOUNT_SID,
        "auth_token": credentials.AUTH_TOKEN,
        "from_number": credentials.FROM_NUMBER,
        "sendgrid_api_key": credentials.SENDGRID_API_KEY,
        "email_from": "alerts@example.com",
    }
    config.write_text(json.dumps(settings), encoding="utf-8")
    ours = partial(measure, [programs / "target-twilio-alerts", "--config", config], stdin=lines)
    default = measure([sys.executable, "-c", _START], stdin=lines, cwd=_TRIVIAL)
    first = ours()
    size = ledger.stat().st_size / records
    again = ours()
    named = {"default SDK sink": default, "first contact": first, "the same once more": again}
    speed = default.wall / first.wall
    return Section(
        f"The target, {records:,} supplier invoices that match nothing",
        "The default sink of the SDK validates and drops; the target decides the example's rules "
        "for each version of a document and remembers it.",
        ("target", "times the default's speed", "wall, s", "CPU, s", "records/s"),
        [
            (
                name,
                f"{default.wall / cost.wall:.1f}",
                f"{cost.wall:.2f}",
                f"{cost.cpu:.2f}",
                f"{records / cost.wall:,.0f}",
            )
            for name, cost in named.items()
        ],
        [
            Budget(
                "the target's speed, in that of a default SDK sink",
                f"{speed:.1f}",
                f"at least {_LEAST_SPEED}",
                met=speed >= _LEAST_SPEED,
            ),
            Budget(
                "ledger, bytes a document",
                f"{size:,.0f}",
                f"at most {_MOST_BYTES:,}",
                met=size <= _MOST_BYTES,
            ),
        ],
    )
