"""Rules: what the alerts file says, and what each rule decides of a document. Pure.

Nothing here reads a clock, a network or a ledger; `load_alerts` reads the one file it is given.
"""

from __future__ import annotations

from target_twilio_alerts.rules.decide import (
    Decision,
    Outcome,
    decide,
    decide_by_clock,
)
from target_twilio_alerts.rules.expressions import (
    Condition,
    ConditionError,
    Verdict,
    compile_condition,
)
from target_twilio_alerts.rules.loading import load_alerts
from target_twilio_alerts.rules.mistakes import AlertsFileError
from target_twilio_alerts.rules.model import Alerts, Rule
from target_twilio_alerts.rules.rates import Rate, Rates
from target_twilio_alerts.rules.surroundings import NOWHERE, Surroundings

__all__ = [
    "NOWHERE",
    "Alerts",
    "AlertsFileError",
    "Condition",
    "ConditionError",
    "Decision",
    "Outcome",
    "Rate",
    "Rates",
    "Rule",
    "Surroundings",
    "Verdict",
    "compile_condition",
    "decide",
    "decide_by_clock",
    "load_alerts",
]
