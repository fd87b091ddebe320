from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_twilio_alerts.documents import ENTITIES
from target_twilio_alerts.rules import (
    NOWHERE,
    Outcome,
    Rate,
    Rates,
    Rule,
    Surroundings,
    compile_condition,
    decide,
    decide_by_clock,
)

INVOICE = ENTITIES["supplier_invoice"]
MONDAY, TUESDAY, FRIDAY = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 6)


def rule(when="amount > 50000", **options):
    options = {"recipients": ("anna",), "via": ("sms",), **options}
    condition = compile_condition(when, options.get("entity", INVOICE))
    return Rule(name="large", condition=condition, **{"entity": INVOICE, **options})


def version(amount=None, **values):
    return {"amount": None if amount is None else Decimal(amount), **values}


def follow(the_rule, versions, *, today=MONDAY):
    """Decide versions one after the other, as the intake does."""
    previous, remembered, outcomes = None, None, []
    for values in versions:
        decision = decide(
            the_rule, values, previous, around=Surroundings(today), remembered=remembered
        )
        remembered, previous = decision.remember, values
        outcomes.append(decision.outcome.value)
    return outcomes


def test_a_rule_alerts_when_its_condition_becomes_true_and_not_again():
    versions = [version(40000), version(60000), version(70000), version(70000)]
    assert follow(rule(), versions) == ["no_match", "alert", "already_true", "already_true"]


def test_a_rule_alerts_on_a_new_document():
    decision = decide(rule(), version(60000), None, around=NOWHERE)
    assert decision.outcome is Outcome.ALERT
    assert decision.answer is True
    assert decision.reason == "amount 60000 > 50000"


def test_a_rule_alerts_again_after_its_condition_was_false():
    versions = [version(60000), version(40000), version(60000)]
    assert follow(rule(), versions) == ["alert", "no_match", "alert"]


def test_unknown_between_two_true_versions_is_no_edge():
    versions = [version(60000), version(), version(), version(60000)]
    assert follow(rule(), versions) == ["alert", "undecided", "undecided", "already_true"]


def test_unknown_between_false_and_true_is_an_edge():
    versions = [version(40000), version(), version(60000)]
    assert follow(rule(), versions) == ["no_match", "undecided", "alert"]


def test_a_document_that_was_unknown_from_the_start_alerts_once_it_is_known():
    assert follow(rule(), [version(), version(60000)]) == ["undecided", "alert"]


def test_a_false_answer_ends_what_was_remembered():
    versions = [version(60000), version(), version(40000), version(), version(60000)]
    outcomes = follow(rule(), versions)
    assert outcomes == ["alert", "undecided", "no_match", "undecided", "alert"]


@given(st.lists(st.sampled_from([None, 40000, 60000])))
def test_alerts_are_the_rises_among_the_decided_answers(amounts):
    decided = [amount > 50000 for amount in amounts if amount is not None]
    rises = sum(now and not before for before, now in zip([False, *decided], decided, strict=False))
    assert follow(rule(), map(version, amounts)).count("alert") == rises


def test_an_undecided_reason_names_what_is_null():
    two = rule("amount > 50000 and currency == 'SEK'")
    decision = decide(two, version(), version(60000, currency="SEK"), around=NOWHERE)
    assert decision.outcome is Outcome.UNDECIDED
    assert decision.answer is None
    assert decision.remember is True
    assert decision.reason == "cannot be decided: amount and currency are null"


def test_the_other_reasons_say_what_is_so():
    no_match = decide(rule(), version(40000), None, around=NOWHERE)
    assert no_match.reason == "amount 40000 is not > 50000"
    true_before = decide(rule(), version(70000), version(60000), around=NOWHERE)
    assert true_before.reason == "it was true before: amount 70000 > 50000"


def test_a_rule_alerts_anew_when_a_named_field_changes_while_it_stays_true():
    again = rule(again_on=("amount", "due_date"))
    before = version(60000, due_date=MONDAY, currency="SEK")
    same = decide(again, {**before, "currency": "EUR"}, before, around=NOWHERE)
    assert same.outcome is Outcome.ALREADY_TRUE
    changed = decide(again, {**before, "amount": Decimal("65000.50")}, before, around=NOWHERE)
    assert changed.outcome is Outcome.ALERT
    assert changed.reason == (
        "amount changed from 60000 to 65000.50 while it stayed true: amount 65000.50 > 50000"
    )
    both = decide(again, version(70000), before, around=NOWHERE)
    assert both.reason.startswith(
        "amount changed from 60000 to 70000 and due_date changed from 2026-03-02 to null",
    )
    no_longer = decide(again, version(40000), before, around=NOWHERE)
    assert no_longer.outcome is Outcome.NO_MATCH


def test_an_equal_number_written_otherwise_is_no_change():
    again = rule(again_on=("amount",))
    decision = decide(again, version("60000.00"), version("60000"), around=NOWHERE)
    assert decision.outcome is Outcome.ALREADY_TRUE


def test_a_rule_that_names_previous_alerts_at_each_change():
    event = rule("cash_account != previous.cash_account")
    accounts = [version(cash_account=account) for account in ("1", "2", "3", "3", None, "4")]
    assert follow(event, accounts) == [
        *("no_match", "alert", "alert", "no_match", "undecided", "undecided"),
    ]
    first = decide(event, accounts[0], None, around=NOWHERE)
    assert first.reason == "there is no previous version to compare with"
    second = decide(event, accounts[1], accounts[0], around=NOWHERE)
    assert second.reason == 'cash_account "2" is not previous.cash_account "1"'
    unknown = decide(event, accounts[5], accounts[4], around=NOWHERE)
    assert unknown.reason == "cannot be decided: previous.cash_account is null"


def test_a_rule_with_the_clock_becomes_true_untouched():
    overdue = rule("due_date < today and balance > 0")
    values = version(due_date=TUESDAY, balance=Decimal(5))
    early = decide_by_clock(overdue, values, around=Surroundings(TUESDAY), last=MONDAY)
    assert early.outcome is Outcome.NO_MATCH
    now = decide_by_clock(overdue, values, around=Surroundings(FRIDAY), last=TUESDAY)
    assert now.outcome is Outcome.ALERT
    assert now.reason == (
        "due_date 2026-03-03 < today 2026-03-06 and balance 5 > 0 "
        "(became true with time, after 2026-03-03)"
    )
    later = decide_by_clock(overdue, values, around=Surroundings(date(2026, 3, 9)), last=FRIDAY)
    assert later.outcome is Outcome.ALREADY_TRUE
    unknown = decide_by_clock(overdue, version(), around=Surroundings(FRIDAY), last=MONDAY)
    assert unknown.outcome is Outcome.UNDECIDED


def test_an_unchanged_document_that_arrives_later_is_decided_against_its_own_day():
    overdue = rule("due_date < today")
    values = version(due_date=TUESDAY)
    same_day = decide(overdue, values, values, around=Surroundings(FRIDAY))
    assert same_day.outcome is Outcome.ALREADY_TRUE
    missed = decide(overdue, values, values, around=Surroundings(FRIDAY), before_on=TUESDAY)
    assert missed.outcome is Outcome.ALERT


def test_a_rule_that_names_previous_is_not_decided_by_the_clock():
    event = rule("due_date > previous.due_date and due_date < today")
    decision = decide_by_clock(
        event, version(due_date=MONDAY), around=Surroundings(FRIDAY), last=MONDAY
    )
    assert decision.outcome is Outcome.NO_MATCH
    assert decision.reason == "the document has not changed"


def test_the_fingerprint_is_of_what_makes_a_decision():
    fingerprint = rule().fingerprint
    assert len(fingerprint) == 64
    same = [
        rule("(amount>50_000.0)"),
        rule(recipients=("bo",), via=("email",), severity="high", template="x", line=9),
        rule(zone="Europe/Oslo"),
    ]
    assert {one.fingerprint for one in same} == {fingerprint}
    other = [
        rule("amount >= 50000"),
        rule(again_on=("amount",)),
        rule(entity=ENTITIES["purchase_order"]),
    ]
    assert len({fingerprint, *(one.fingerprint for one in other)}) == 4
    oslo, riga = (rule("due_date < today", zone=f"Europe/{city}") for city in ("Oslo", "Riga"))
    assert oslo.fingerprint != riga.fingerprint


def test_the_order_of_again_on_makes_no_other_fingerprint():
    first, second = (rule(again_on=names) for names in (("amount", "date"), ("date", "amount")))
    assert first.fingerprint == second.fingerprint


def test_a_condition_of_several_lines_is_told_on_one():
    assert rule("amount > 5\n\n  and on_hold\n").when == "amount > 5 and on_hold"


@pytest.mark.parametrize(
    ("less", "more"),
    [("low", "normal"), ("normal", "high"), ("high", "critical")],
)
def test_the_more_urgent_has_the_higher_rank(less, more):
    assert rule(severity=less).severity_rank < rule(severity=more).severity_rank


RATES = Rates()
RATES.add([Rate("EUR", "SEK", MONDAY, Decimal("11.50"), "rates.csv:2")])
IN_KRONOR = 'amount_in("SEK") >= 50000'


def euros(amount, **values):
    return version(amount, **{"currency": "EUR", "date": TUESDAY, **values})


def test_an_amount_in_another_currency_is_decided_by_the_rate_of_its_date():
    around = Surroundings(rates=RATES)
    assert decide(rule(IN_KRONOR), euros("4347.82"), None, around=around).answer is False
    decision = decide(rule(IN_KRONOR), euros("4347.83"), None, around=around)
    assert decision.outcome is Outcome.ALERT
    assert decision.reason == (
        'amount_in("SEK") 50000.0450 (4347.83 EUR, 1 EUR = 11.50 SEK of 2026-03-02) >= 50000'
    )


def test_a_rate_that_moves_between_two_versions_makes_no_edge_of_its_own():
    around = Surroundings(rates=RATES)
    first, later = euros(5000, date=MONDAY), euros(5000, date=FRIDAY)
    decision = decide(rule(IN_KRONOR), later, first, around=around)
    assert decision.outcome is Outcome.ALREADY_TRUE


@pytest.mark.parametrize(
    ("values", "missing"),
    [
        (euros(5000, currency="USD"), "there is no rate of USD to SEK of 2026-03-03"),
        (euros(5000, date=date(2026, 3, 1)), "there is no rate of EUR to SEK of 2026-03-01"),
        (euros(5000, date=None), "date is null"),
        (euros(5000, currency=None), "currency is null"),
        (euros(None), "amount is null"),
    ],
)
def test_without_a_rate_an_amount_is_undecided_and_says_why(values, missing):
    decision = decide(rule(IN_KRONOR), values, None, around=Surroundings(rates=RATES))
    assert decision.outcome is Outcome.UNDECIDED
    assert decision.reason.startswith(f"cannot be decided: {missing}")


def test_a_document_older_than_the_max_age_alerts_nobody():
    young = rule(max_age=timedelta(days=3))
    outcomes = [
        decide(young, version(60000, date=day), None, around=Surroundings(FRIDAY)).outcome.value
        for day in (MONDAY, TUESDAY, None)
    ]
    assert outcomes == ["too_old", "alert", "alert"]
    decision = decide(young, version(60000, date=MONDAY), None, around=Surroundings(FRIDAY))
    assert decision.reason == ("its date 2026-03-02 is more than 3 days ago: amount 60000 > 50000")
