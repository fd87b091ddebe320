from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_twilio_alerts.documents import ENTITIES
from target_twilio_alerts.rules import NOWHERE
from target_twilio_alerts.rules.expressions import compile_condition
from target_twilio_alerts.rules.expressions.never import contradiction

INVOICE = ENTITIES["supplier_invoice"]


def found(text):
    return contradiction(compile_condition(text, INVOICE).tree)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("amount > 100 and amount < 50", "amount > 100 and amount < 50"),
        ("amount > 100 and on_hold and amount <= 100", "amount > 100 and amount <= 100"),
        ("100 < amount < 50", "100 < amount and amount < 50"),
        ('status == "Open" and status == "Closed"', 'status == "Open" and status == "Closed"'),
        ('status == "Open" and status not in ["Open"]', None),
        ('status in ["Open", "Hold"] and status in ["Closed"]', None),
        ("due_date is null and due_date < today", None),
        ('amount == 5 and amount > 5 or status == "Open" and status != "Open"', None),
        ("on_hold and (amount > 2 and amount < 1)", None),
        ('date < "2026-01-01" and date > "2026-01-01"', None),
    ],
)
def test_parts_that_contradict_each_other_are_found(text, parts):
    told = found(text)
    assert told is not None
    if parts is not None:
        assert told == parts


@pytest.mark.parametrize(
    "text",
    [
        "amount > 50 and amount < 100",
        "amount >= 50 and amount <= 50",
        "amount > 100 or amount < 50",
        'status == "Open" and status != "Closed"',
        'status in ["Open", "Hold"] and status in ["Hold", "Closed"]',
        'status == "Open" and previous.status == "Hold"',
        "due_date is null or due_date < today",
        "amount > balance and amount < balance",
        "not (amount > 100 and amount < 50)",
    ],
)
def test_what_may_hold_is_left_alone(text):
    assert found(text) is None


OPERATORS = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])


@given(
    parts=st.lists(st.tuples(OPERATORS, st.integers(0, 4)), min_size=1, max_size=4),
    joined=st.sampled_from([" and ", " or "]),
)
def test_what_is_called_hopeless_holds_for_no_value(parts, joined):
    condition = compile_condition(joined.join(f"amount {o} {n}" for o, n in parts), INVOICE)
    if contradiction(condition.tree) is not None:
        for half in range(-2, 12):
            values = {"amount": Decimal(half) / 2, "date": date(2026, 1, 1)}
            assert condition.answer(values, None, NOWHERE) is not True
