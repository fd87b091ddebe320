"""A rule that is not enabled is checked, and decides nothing."""

from __future__ import annotations

from singer import invoice


def test_a_rule_that_is_not_enabled_decides_nothing(desk):
    desk.rule("amount > 50000", enabled="false")
    assert desk.read(invoice("1", 75000)) == []
    assert desk.outcomes == {}


def test_a_rule_that_is_enabled_again_takes_what_it_finds_true_as_known(desk):
    desk.rule("amount > 50000", enabled="false")
    desk.read(invoice("1", 75000))
    desk.rule("amount > 50000", enabled="true")
    assert desk.read(invoice("1", 75001), invoice("2", 75000)) == ["2"]
