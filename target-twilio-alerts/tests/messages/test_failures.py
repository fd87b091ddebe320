"""The summary of failures fits its channel, however many there are, in every language."""

from __future__ import annotations

import pytest

from target_twilio_alerts.messages import Failure, Messages
from target_twilio_alerts.messages.environment import MAX_OUTPUT

LOCALES = ["en", "sv_SE", "nb_NO", "da_DK", "fi_FI"]


def failure(number, code="21614", meaning="not a mobile number"):
    return Failure(
        reference=f"R{number}",
        about="large-supplier-invoice",
        recipient=f"Person {number}",
        channel="sms",
        code=code,
        meaning=meaning,
        mend="correct the number",
    )


def written(failures, channel="email", locale="en"):
    return Messages(None).failures(failures, channel=channel, locale=locale, reference="REF")


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("number", [1, 40, 3000])
def test_an_email_lists_as_many_as_there_is_room_for_and_says_how_many_more(locale, number):
    told = written([failure(one) for one in range(number)], locale=locale)
    assert str(number) in told.subject
    assert told.html is not None
    assert len(told.html) <= MAX_OUTPUT
    listed = sum(f", R{one}" in told.text for one in range(number))
    assert listed == min(number, 100)
    if number > listed:
        assert f" {number - listed} " in told.text
    assert told.text.endswith("REF")


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("number", [1, 3, 400])
def test_an_sms_has_few_segments_its_causes_and_its_reference(locale, number):
    told = written([failure(one) for one in range(number)], channel="sms", locale=locale)
    assert 0 < told.segments <= 4
    assert "not a mobile number" in told.text
    assert "21614" in told.text
    assert told.text.endswith("REF")


def test_of_very_many_causes_the_most_frequent_are_told():
    found = [failure(one, code=str(one), meaning=f"cause {one}") for one in range(50)]
    told = written([*found, failure(99, code="49", meaning="cause 49")])
    assert "cause 49 (error 49): 2" in told.text
    assert told.text.count("What to do") == 20
    assert "and 30 more" in told.text
    short = written(found * 5, channel="sms")
    assert short.text.endswith("REF")
    assert len(short.text) <= 1600


def test_a_cause_in_a_providers_many_words_is_cut_and_cannot_break_the_card():
    told = written([failure(1, code=None, meaning="<b>" + "x" * 5000)])
    assert "<b>" not in told.html
    assert len(told.text) < 600


def test_what_is_not_known_is_told_as_such():
    told = written([failure(1, code=None, meaning=None)])
    assert "not known whether it was sent" in told.text
    assert "What to do: ask the recipient" in told.text
