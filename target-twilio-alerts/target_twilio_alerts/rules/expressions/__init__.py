"""The language of conditions: exact numbers, three-valued logic, checked before the first record.

Python's `ast` parses; an allow-list of its nodes is checked against the entity's fields and turned
into closures. Nothing is ever evaluated as Python.
"""

from __future__ import annotations

from target_twilio_alerts.rules.expressions.comparisons import RESERVED
from target_twilio_alerts.rules.expressions.condition import (
    UNDECIDED,
    Condition,
    Verdict,
    compile_condition,
)
from target_twilio_alerts.rules.expressions.errors import ConditionError
from target_twilio_alerts.rules.expressions.explain import show_value
from target_twilio_alerts.rules.expressions.names import nearest, suggestion

__all__ = [
    "RESERVED",
    "UNDECIDED",
    "Condition",
    "ConditionError",
    "Verdict",
    "compile_condition",
    "nearest",
    "show_value",
    "suggestion",
]
