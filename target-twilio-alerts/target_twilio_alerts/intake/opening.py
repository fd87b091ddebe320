"""What a run finds in the ledger when it begins: epochs of rules, rates, reads that were whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_twilio_alerts.intake import rate_records
from target_twilio_alerts.intake.arrivals import Watch
from target_twilio_alerts.intake.reads import CompleteReads
from target_twilio_alerts.ledger import Event, events, locks, versions
from target_twilio_alerts.ledger import alerts as ledger_alerts
from target_twilio_alerts.ledger import rates as ledger_rates

if TYPE_CHECKING:
    from datetime import datetime

    from target_twilio_alerts.ledger import Ledger
    from target_twilio_alerts.ledger.runs import Run
    from target_twilio_alerts.rules import Alerts


def open_ledger(
    ledger: Ledger,
    alerts: Alerts,
    *,
    run: Run,
    at: datetime,
    keep: bool,
) -> tuple[CompleteReads, dict[str, list[Watch]]]:
    """Begin a run: rules whose conditions have changed start new epochs, known rates are added.

    Args:
        ledger: The ledger.
        alerts: The rules; their rates are added to.
        run: The run at work.
        at: When it begins.
        keep: False undoes what it writes.

    Returns:
        The reads that have been whole, and the rules by the name of their entity.
    """
    watches: dict[str, list[Watch]] = {}
    told = []
    with ledger.write(keep=keep) as connection:
        locks.telling(connection)
        for rule in alerts.rules:
            epoch = ledger_alerts.current_epoch(
                connection,
                rule=rule.name,
                fingerprint=rule.fingerprint,
                entity=rule.entity.name,
                condition=rule.when,
                at=at,
                run_id=run.id,
            )
            watches.setdefault(rule.entity.name, []).append(Watch.of(rule, epoch))
            if epoch.is_new:
                body = {
                    "rule": rule.name,
                    "epoch": epoch.epoch,
                    "when": rule.when,
                    "fingerprint": rule.fingerprint,
                    "decided_by": rule.decided_by,
                }
                told.append(Event("rule_epoch_started", body))
        rates = alerts.rates
        if rates.type is not None:
            stored = ledger_rates.load(connection, rates.type)
            rates.add(rate_records.from_ledger(one) for one in stored)
        reads = CompleteReads(versions.load_complete_reads(connection))
        events.append(connection, told, at=at, run_id=run.id)
    return reads, watches
