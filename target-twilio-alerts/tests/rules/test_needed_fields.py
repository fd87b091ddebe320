"""Which fields are surely known where a condition holds: held against what decides conditions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from madeup import DAYS, conditions, maybe, versions, written

from target_twilio_alerts.documents import ENTITIES
from target_twilio_alerts.rules import Surroundings, compile_condition
from target_twilio_alerts.rules.expressions.needed import needed_fields

INVOICE, JOURNAL = ENTITIES["supplier_invoice"], ENTITIES["journal_transaction"]


def needed(text, entity=INVOICE):
    return " ".join(sorted(needed_fields(compile_condition(text, entity).tree)))


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("amount > 5", "amount"),
        ("5 < amount <= balance", "amount balance"),
        ("amount > 5 and currency == 'SEK'", "amount currency"),
        ("amount > 5 or currency == 'SEK'", ""),
        ("amount > 5 or amount < 1 and currency == 'SEK'", "amount"),
        ("not (amount > 5 or currency == 'SEK')", "amount currency"),
        ("not (amount > 5 and currency == 'SEK')", ""),
        ("not not on_hold", "on_hold"),
        ("status not in ['Voided', 'Closed']", "status"),
        ("due_date is null", ""),
        ("due_date is not null", "due_date"),
        ("not (due_date is null)", "due_date"),
        ("not (due_date is not null)", ""),
        ("due_date is null or due_date < today", ""),
        ("due_date < today - days(3)", "due_date"),
        ("abs(amount - balance) > 1", "amount balance"),
        ("contains(lower(description), reference)", "description reference"),
        ("amount_in('SEK') > 5", "amount currency"),
        ("amount > previous.amount", "amount"),
        ("previous.status is not null", ""),
        ("amount > recent_max(amount, days(9))", "amount"),
        ("true or amount > 5", ""),
        ("on_hold == true", "on_hold"),
        ("(not on_hold) == true", "on_hold"),
        ("(amount is not null) == false", ""),
        ("(amount > 5 and on_hold) == false", ""),
        ("(amount > 5 and amount < 9) == false", "amount"),
    ],
)
def test_the_fields_that_a_condition_needs(text, fields):
    assert needed(text) == fields


def test_a_list_that_something_is_in_is_known():
    assert needed('"2440" in accounts', JOURNAL) == "accounts"
    assert needed('not ("2440" not in accounts)', JOURNAL) == "accounts"


@settings(max_examples=300, deadline=None)
@given(conditions, versions, maybe(versions), maybe(DAYS))
def test_no_needed_field_is_null_wherever_a_condition_is_decided(tree, current, previous, today):
    condition = compile_condition(written(tree), INVOICE)
    answer = condition.decide(current, previous, Surroundings(today)).answer
    if answer is not None:
        for name in needed_fields(condition.tree, holds=answer):
            assert current[name] is not None, (name, answer)
