"""The days on which a condition may begin to hold: none that it begins to hold on is missing."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_twilio_alerts.documents import ENTITIES
from target_twilio_alerts.rules import Surroundings
from target_twilio_alerts.rules.expressions import compile_condition
from target_twilio_alerts.rules.expressions.turning import Turning

TODAY = date(2026, 11, 25)
DAYS = 80
near = st.integers(-60, 60).map(lambda days: TODAY + timedelta(days=days))
spans = st.integers(-30, 30).map(lambda days: f"days({days})")
terms = st.one_of(
    st.builds("due_date {} today + {}".format, st.sampled_from(["<", "<=", ">", ">="]), spans),
    st.builds("today - due_date {} {}".format, st.sampled_from(["<", "<=", ">", ">="]), spans),
    st.builds("{} {} -(date - today)".format, spans, st.sampled_from(["<", ">="])),
    st.builds("due_date - today < today - date + {}".format, spans),
    st.builds("today - {} < due_date < today + {}".format, spans, spans),
    st.sampled_from(["on_hold", "amount > 10", 'date < "2026-12-01"']),
)
conditions = st.recursive(
    terms,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=5,
)
documents = st.fixed_dictionaries(
    {
        "due_date": st.none() | near,
        "date": st.none() | near,
        "on_hold": st.sampled_from([True, False, None]),
        "amount": st.none(),
    }
)


@given(conditions, documents)
def test_a_condition_begins_to_hold_on_no_other_day(text, values):
    condition = compile_condition(text, ENTITIES["supplier_invoice"])
    days = Turning(condition).days(values, Surroundings(TODAY))
    answers = [
        condition.answer(values, None, Surroundings(TODAY + timedelta(days=number)))
        for number in range(DAYS)
    ]
    for number in range(1, DAYS):
        if answers[number] and not answers[number - 1]:
            assert TODAY + timedelta(days=number) in days


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("due_date <= today + days(3)", {date(2026, 11, 28), date(2026, 11, 27)}),
        ("due_date < today", {date(2026, 12, 1)}),
        ("due_date < today and amount > 5", set()),
        ("amount > 5 and due_date > today", set()),
        ("amount > 5", set()),
        ("due_date < date + days(3)", set()),
    ],
)
def test_days_on_which_it_does_not_hold_are_none(text, days):
    condition = compile_condition(text, ENTITIES["supplier_invoice"])
    values = {"due_date": date(2026, 11, 30), "amount": Decimal(1)}
    found = Turning(condition).days(values, Surroundings(TODAY))
    assert found == days


def test_what_else_may_have_changed_by_then_leaves_no_day_out():
    condition = compile_condition(
        "due_date < today and recent_count(days(9)) > 1", ENTITIES["supplier_invoice"]
    )
    values = {"due_date": date(2026, 11, 30), "date": TODAY}
    assert date(2026, 12, 1) in Turning(condition).days(values, Surroundings(TODAY))


def test_a_day_that_no_calendar_has_is_left_out():
    condition = compile_condition("today - days(30) > due_date", ENTITIES["supplier_invoice"])
    assert Turning(condition).days({"due_date": date.max}, Surroundings(TODAY)) == set()
