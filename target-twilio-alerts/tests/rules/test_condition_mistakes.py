from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_twilio_alerts.documents import ENTITIES
from target_twilio_alerts.rules import Condition, ConditionError, compile_condition

INVOICE = ENTITIES["supplier_invoice"]


def mistake(text):
    with pytest.raises(ConditionError) as caught:
        compile_condition(text, INVOICE)
    return caught.value


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("Amount > 5", "Amount", "did you mean amount?"),
        ("on_hold == 'true'", "'true'", "write it without quotes: true"),
        ("due_date < 2026", "2026", 'write a date as in "2026-01-31"'),
        ("due_date < '20260230'", "'2026", "is no date"),
        ("due_date - today < 3", "3", "days(3)"),
        ("due_date + 3 < today", "due_date", "days(3)"),
        ("amount + currency > 3", "amount", "+ does not go with them"),
        ("'Opn' == status", "'Opn", "did you mean Open?"),
        ("status in ['Open', 'Closd']", "'Closd'", "did you mean Closed?"),
        ("previous.status == 'Closd'", "'Closd'", "did you mean Closed?"),
        ("currency in [SEK]", "SEK", 'put it in quotes: "SEK"'),
        ("amount != None", "None", "write amount is not null"),
        ("amount + 1 is null", "amount", "only a field"),
        ("reference in ['a', null]", "null", "a list holds no null"),
        ("null", "null", "`x is null`"),
        ("today != due_date", "today", "equality with the clock"),
        ("due_date - today == days(3)", "due_date", "write <= or >="),
        ("due_date in [today]", "today", "fixed values only"),
        ("today in ['2026-01-01']", "today", "equality with the clock"),
        ("amount > 5 and currency", "currency", "where a condition is needed"),
        ("not amount", "amount", "where a condition is needed"),
        ("on_hold > false", "on_hold", "has no order"),
        ("currency in 'SEK'", "'SEK'", "square brackets"),
        ("currency in status", "status", "where a list is needed"),
        ("currency in ['SEK', 5]", "5", "do not compare"),
        ("currency in ['SEK', reference]", "reference", "fixed values only"),
        ("currency == ['SEK']", "['SEK']", "a list goes with in"),
        ("['SEK']", "['SEK']", "a list belongs behind `in`"),
        ("amount => 5", "=> 5", "write >="),
        ("amount <> 5", "<>", "write !="),
        ("!on_hold", "!", "write not"),
        ("Not on_hold", "Not", "write not, in small letters"),
        ("reference is NULL", "NULL", "write null, in small letters"),
        ("amount > 75,500", ",500", "a comma belongs in a list only"),
        ("amount > 1e5", "e5", "write it in full"),
        ("amount > 1.e5", "1.e5", "in full"),
        ("amount > 0x10", "x10", "write it in full"),
        ("amount > " + "9" * 40, "9", "at most 30 digits"),
        ("amount > 5 # large", "#", "no comments"),
        ("amount > 5\u00a0000", "\u00a0", "non-breaking space"),
        ("description == 'a\\n'", "\\n", "a backslash"),
        ("description == 'open", "'open", "never closed"),
        ("amount > 5)", ")", "closes nothing"),
        ("currency in ['SEK')", ")", "closes nothing"),
        ("f'{amount}' == 'x'", "'{am", "something is missing before"),
        ("'a' 'b' == currency", "'b'", "something is missing before"),
        ("and amount > 5", "and", "is something missing before it?"),
        ("amount > > 5", "> 5", "is something missing before it?"),
        ("amount if on_hold else 5", "if", "cannot be used"),
        ("not lambda", "lambda", "cannot be used"),
        ("().__class__", "()", "only previous and record have parts"),
        ("previous", "previous", "needs a field"),
        ("lowr(currency) == 'sek'", "lowr", "did you mean lower?"),
        ("abs(amount, 1) > 1", "abs", "abs is written abs(amount)"),
        ("due_date < today + days(0.5)", "0.5", "a whole number"),
        ("due_date < today + days(99999)", "99999", "at most 36500"),
        ("-currency == 'x'", "-currency", "only a number can have a minus"),
        ("+amount > 5", "+amount", "without its sign"),
        ("amount[0] > 5", "amount", "a list belongs behind"),
        ("amount > 5 in [true]", "amount", "put the comparisons in brackets"),
        ("amount := 5", ":= 5", "is not understood"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_mend(text, place, told):
    error = mistake(text)
    assert told in str(error)
    assert text[error.column - 1 :].startswith(place)
    line, caret = error.caret.splitlines()
    assert line.strip() == text
    assert caret.index("^") == line.index(text) + error.column - 1


@pytest.mark.parametrize("text", ["not", "amount >", "amount > 5 or\n"])
def test_a_condition_that_breaks_off_is_told_at_its_end(text):
    error = mistake(text)
    assert "breaks off" in str(error)
    assert error.column > len(text.rstrip()) - 1


@pytest.mark.parametrize("text", ["", "  ", "\n\n"])
def test_an_empty_condition_is_told(text):
    assert "empty" in str(mistake(text))


def test_the_place_is_on_the_right_line_of_several():
    error = mistake('type == "Invoice"\n  and currency == "SEK"\n  and amout > 5\n')
    assert (error.line, error.column) == (3, 7)
    assert error.caret == "      and amout > 5\n          ^"


def test_the_place_is_right_behind_letters_that_take_two_bytes():
    assert mistake('counterparty == "Åäö" and amout > 5').column == 27


def test_a_long_line_is_cut_around_its_place():
    error = mistake(" and ".join(["amount > 5"] * 50) + " and amout > 5" + " and on_hold" * 50)
    line, caret = error.caret.splitlines()
    assert len(line) < 90
    assert line[caret.index("^") :].startswith("amout > 5")


@pytest.mark.parametrize(
    "text",
    [
        "not " * 450 + "true",
        "-" * 1800 + "1 > 0",
        "(" * 60 + "amount" + ")" * 60 + " > 0",
        "amount" + " + 1" * 400 + " > 0",
        "[" * 60,
        "abs(" * 45 + "amount" + ")" * 45 + " > 0",
    ],
)
def test_what_is_nested_too_deep_is_refused(text):
    assert "deep" in str(mistake(text))


def test_a_long_condition_is_refused():
    assert "longer than 2000" in str(mistake("amount > 5 or " * 200 + "on_hold"))
    assert isinstance(compile_condition("amount > 5 or " * 142 + "on_hold", INVOICE), Condition)


words = st.sampled_from(
    [
        *"()[],.+-<>=!\"'\\#:;*&|@{}",
        *(" ", "\n", "amount", "currency", "and", "or", "not", "in", "is", "null", "today"),
        *("days", "previous", "5", "0.5", "'SEK'", "==", "å", "\0", "lambda"),
    ],
)


@given(st.lists(words, max_size=12).map(" ".join) | st.text(string.printable, max_size=30))
def test_any_text_is_a_condition_or_a_mistake(text):
    try:
        compile_condition(text, INVOICE)
    except ConditionError as error:
        assert error.line >= 1  # noqa: PT017 - either is fine
        assert error.caret.count("\n") == 1  # noqa: PT017
