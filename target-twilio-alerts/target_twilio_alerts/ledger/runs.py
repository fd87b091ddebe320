"""Runs of the target and of the operator's commands: who worked on the ledger, and how it ended."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from target_twilio_alerts.ledger import events
from target_twilio_alerts.ledger.events import Event, canonical_json
from target_twilio_alerts.ledger.ids import long_id
from target_twilio_alerts.ledger.tables import runs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_twilio_alerts.ledger.store import Ledger

RUNNING = "running"


@dataclass(frozen=True)
class Run:
    """One process at work on the ledger."""

    id: str
    command: str
    started_at: datetime


def utc_now() -> datetime:
    """The wall clock, aware."""
    return datetime.now(timezone.utc)


def start(ledger: Ledger, *, command: str, version: str, body: Mapping[str, Any]) -> Run:
    """Enter a run into the ledger; ``body`` tells what it works with (file hashes, settings)."""
    run = Run(id=long_id(), command=command, started_at=utc_now())
    at_work = {
        "command": command,
        "version": version,
        "host": socket.gethostname(),
        "pid": os.getpid(),
    }
    with ledger.write() as connection:
        connection.execute(
            sa.insert(runs).values(
                id=run.id,
                **at_work,
                started_at=run.started_at,
                outcome=RUNNING,
            ),
        )
        event = Event("run_started", {**at_work, **body})
        events.append(connection, [event], at=run.started_at, run_id=run.id)
    return run


def end(ledger: Ledger, run: Run, *, outcome: str, summary: Mapping[str, Any]) -> tuple[int, str]:
    """Close a run with its outcome and counts; gives the trail's head, the run's anchor."""
    now = utc_now()
    with ledger.write() as connection:
        connection.execute(
            sa.update(runs)
            .where(runs.c.id == run.id)
            .values(ended_at=now, outcome=outcome, summary=canonical_json(summary)),
        )
        event = Event("run_ended", {"outcome": outcome, "summary": dict(summary)})
        events.append(connection, [event], at=now, run_id=run.id)
        return events.head(connection)


def is_dead(*, host: str, pid: int) -> bool:
    """Whether a run's process is surely gone: only knowable on its own host."""
    if host != socket.gethostname():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
