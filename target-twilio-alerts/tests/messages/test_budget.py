"""A rule's budget of segments: built-in texts fill it, own ones are cut to it and say so."""

from __future__ import annotations

import pytest

from target_twilio_alerts.messages import Messages, TemplateUse, count_segments


def sms(messages, context, budget):
    return messages.render(context, channel="sms", locale="en", template=None, max_segments=budget)


def test_a_built_in_text_says_more_if_it_may_and_never_more_than_it_may(make):
    changed = {"amount": 1, "due_date": None, "description": "Old chairs", "status": "Open"}
    context = make(changed, description="Office chairs for everybody " * 2, counterparty="Ö" * 60)
    told = [sms(Messages(None), context, budget) for budget in (1, 2, 3)]
    assert [one.segments for one in told] == [1, 2, 2]
    assert len(told[0].text) < len(told[1].text)
    assert all(one.text.endswith("Ref 7K2QM9") and one.problem is None for one in told)


def test_what_does_not_fit_at_all_is_cut_before_its_reference(make):
    context = make(counterparty="Łukasz " * 20, company="Żółw " * 20, number="9" * 40)
    told = sms(Messages(None), context, 1)
    assert (told.encoding, told.segments) == ("UCS-2", 1)
    assert told.text.endswith("... Ref 7K2QM9")


def test_an_own_text_is_cut_and_the_trail_says_so(make, tmp_path):
    name = "large-supplier-invoice.sms.j2"
    (tmp_path / name).write_text("Long {{ number }} " * 40, encoding="utf-8")
    told = sms(Messages(tmp_path), make(), 2)
    assert told.segments == count_segments(told.text).segments == 2
    assert told.text.endswith("...")
    assert (
        told.problem == f"{name}: the text needs 4 segments, and was cut to the 2 of max_segments"
    )
    assert sms(Messages(tmp_path), make(), 4).problem is None


@pytest.mark.parametrize(("budget", "wrong"), [(1, True), (2, True), (4, False), (None, False)])
def test_check_tells_of_templates_above_their_budget(tmp_path, budget, wrong):
    (tmp_path / "r.sms.j2").write_text("Long {{ number }} " * 40, encoding="utf-8")
    use = TemplateUse("r", "supplier_invoice", None, ("sms",), {"number": "text"}, budget)
    problems = list(map(str, Messages(tmp_path).check([use])))
    told = [
        (
            "r.sms.j2: with sample values it needs 4 segments, and rule r allows "
            f"{budget}; shorten it, or raise max_segments"
        )
    ]
    assert problems == (told if wrong else [])
