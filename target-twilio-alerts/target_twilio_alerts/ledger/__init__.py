"""The durable truth: documents seen, alerts raised, messages handed over, and the sealed trail."""

from __future__ import annotations

from target_twilio_alerts.ledger.databases import LedgerError, LedgerLostError
from target_twilio_alerts.ledger.events import Event
from target_twilio_alerts.ledger.store import Ledger
from target_twilio_alerts.ledger.tables import MessageState

__all__ = ["Event", "Ledger", "LedgerError", "LedgerLostError", "MessageState"]
