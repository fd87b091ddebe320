"""What the end of a run does for the trail: erases what is too old, and notes the last event."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from target_twilio_alerts.audit import anchors, erasure
from target_twilio_alerts.audit.restored import ensure_current
from target_twilio_alerts.ledger import LedgerError, runs
from target_twilio_alerts.ledger.tables import audit_events

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.ledger import Ledger
    from target_twilio_alerts.ledger.runs import Run
    from target_twilio_alerts.settings import Settings

logger = logging.getLogger(__name__)

COMPLETED = "completed"
RETENTION = "retention"
"""In a run's summary: by how many days it erased. Also who erased, in the trail."""


def end_run(
    ledger: Ledger,
    settings: Settings,
    run: Run,
    *,
    outcome: str,
    summary: Mapping[str, Any],
) -> str:
    """Close a run, and note its anchor; gives it as a line for the log.

    A run that was completed erases what is older than the retention. A file that cannot be written
    to costs only the anchor: all else of the run has been done.
    """
    retention = settings.retention if outcome == COMPLETED else None
    if retention is not None:
        _retain(ledger, retention, run)
        summary = {**summary, RETENTION: retention.days}
    seq, head = runs.end(ledger, run, outcome=outcome, summary=summary)
    if settings.anchor_file is not None:
        try:
            ensure_current(ledger, settings.anchor_file)  # else an anchor would hide that it is not
            anchors.append(
                settings.anchor_file, run_id=run.id, at=runs.utc_now(), seq=seq, head=head
            )
        except (anchors.AnchorError, LedgerError) as error:
            logger.warning("%s: the anchor is in the log only", error)
    return anchors.told_in_a_log(seq, head)


def _retain(ledger: Ledger, retention: timedelta, run: Run) -> None:
    """Erase by whole days, so that the first run of a day does it for all of them."""
    now = runs.utc_now()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    scope = erasure.Scope(before=today - retention)
    with ledger.read() as connection:
        if _is_done(connection, retention, today) or erasure.look(connection, scope).is_nothing:
            return
    reason = f"older than {retention.days} days (retention)"
    done = erasure.erase(ledger, scope, at=now, operator=RETENTION, reason=reason, run_id=run.id)
    logger.info(
        "Erased by retention, older than %d days: %d messages, what %d alerts say, %d versions",
        retention.days,
        done.messages,
        done.alerts,
        done.versions,
    )


def _is_done(connection: Connection, retention: timedelta, today: datetime) -> bool:
    """Whether a run of today has erased by the same retention: looking takes a while."""
    event = audit_events.c
    last = connection.execute(
        sa.select(event.at, event.body)
        .where(event.kind == "run_ended")
        .order_by(event.seq.desc())
        .limit(1)
    ).first()
    if last is None or last.at < today:
        return False
    return bool(json.loads(last.body)["summary"].get(RETENTION) == retention.days)
