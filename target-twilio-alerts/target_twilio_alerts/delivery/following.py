"""Asks providers what became of earlier messages: of lost answers first, then of statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_twilio_alerts.delivery.reconcile import reconcile
from target_twilio_alerts.delivery.status import poll

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_twilio_alerts.delivery.channels import Channel
    from target_twilio_alerts.ledger import Ledger
    from target_twilio_alerts.ledger.runs import Run


def follow(ledger: Ledger, channels: Mapping[str, Channel], *, run: Run) -> int:
    """Settle what can be, then ask for statuses; gives of how many messages."""
    reconcile(ledger, channels, run=run)
    return poll(ledger, channels, run=run)
