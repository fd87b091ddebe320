"""Intake: from records to decisions, alerts and messages, a group of records in one transaction."""

from __future__ import annotations

from target_twilio_alerts.intake.group import Intake
from target_twilio_alerts.intake.reads import UnknownHistoryError

__all__ = ["Intake", "UnknownHistoryError"]
