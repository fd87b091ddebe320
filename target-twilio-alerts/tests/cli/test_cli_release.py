"""``twilio-alerts release``: what the flood brake holds is sent after all."""

from __future__ import annotations

import pytest
from ledgers import ON_BOTH
from singer import invoice

RULES = """
  large:
    entity: supplier_invoice
    when: amount > 50000
    notify: anna
    via: sms
limits: {per_rule: 1}
"""


@pytest.fixture
def desk(office):
    office.people(rules=RULES, anna={"sms": "+46701740605"})
    office.alert(*(invoice(str(number), 75000) for number in range(3)))
    return office


def states(office):
    return [one["state"] for one in office.trail()]


@ON_BOTH
def test_what_is_released_is_sent_by_the_next_delivery(desk):
    assert "2 messages would be released" in desk.run(
        "release", "--all", "--reason", "checked", "--dry-run"
    )
    assert states(desk).count("suppressed") == 2
    assert "2 messages released" in desk.run("release", "--rule", "large", "--reason", "checked")
    desk.run("deliver")
    assert len(desk.workplace.accepted) == 3


def test_one_message_is_released_by_its_id(desk):
    [first, _] = [one["message"] for one in desk.trail() if one["state"] == "suppressed"]
    desk.run("release", first.lower(), "--reason", "checked")
    assert states(desk).count("suppressed") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--reason", "x"], "name messages, or give --rule or --all"),
        (["--all", "--reason", " "], "--reason is empty"),
        (["NOBODY", "--reason", "x"], "not held by the flood brake: NOBODY"),
    ],
)
def test_what_cannot_be_released_is_told_in_one_line(desk, arguments, said):
    told = desk.run("release", *arguments, code=1)
    assert said in told
    assert len(told.splitlines()) == 1
