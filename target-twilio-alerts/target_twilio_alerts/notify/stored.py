"""An alert of the ledger as it was raised, so that it can be told again later."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import sqlalchemy as sa

from target_twilio_alerts.documents import load_values
from target_twilio_alerts.ledger.alerts import Alert
from target_twilio_alerts.ledger.tables import alerts as alerts_table
from target_twilio_alerts.notify.compose import Occasion
from target_twilio_alerts.rules.expressions import UNDECIDED

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from target_twilio_alerts.rules import Alerts


def load_occasion(connection: Connection, alerts: Alerts, alert_id: str) -> Occasion | None:
    """An alert with the values that it was decided by; None if they, or its rule, are gone."""
    row = connection.execute(
        sa.select(alerts_table).where(alerts_table.c.id == alert_id),
    ).one()
    alert = Alert(**row._mapping)  # noqa: SLF001 - its public name
    rule = next((one for one in alerts.rules if one.name == alert.rule), None)
    if rule is None or rule.entity.name != alert.entity or alert.erased_at is not None:
        return None
    decision = json.loads(alert.decision)
    before, today = decision["previous"], decision["today"]
    return Occasion(
        rule=rule,
        alert=alert,
        values=load_values(decision["current"], rule.entity),
        previous=None if before is None else load_values(before, rule.entity),
        today=None if today is None else date.fromisoformat(today),
        is_undecided=alert.version.startswith(f"{UNDECIDED}|"),
    )
