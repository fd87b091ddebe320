"""Settings from the environment, as Meltano gives them: objects in JSON; mistakes are one line."""

from __future__ import annotations

import json

import pytest
from office import Office
from singer import baseline, invoice, record, schema, state

from visma_twilio_sandbox import credentials

SENDERS = "TARGET_TWILIO_ALERTS_SENDERS"
EXAMPLE = '{"SE": "NordAB", "US": "+15005550006"}'
LARGE = schema() + record(invoice("1", 75000, stamp="2026-11-20T11:00:00")) + state()


@pytest.fixture
def office(workplace):
    return Office(workplace)


def test_senders_come_as_json_and_win_over_those_of_a_file(office, monkeypatch):
    office.people(joe={"sms": "+12125550123"})
    office.config |= {"from_number": "NordAB", "senders": {"US": "+46701740600"}}
    assert "WRONG" not in office.run("check")
    monkeypatch.setenv(SENDERS, '{"SE": "NordAB"}')
    assert "US takes no name as sender" in office.run("check", code=1)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("SE=NordAB", f"senders: must be JSON, as in {EXAMPLE}; correct {SENDERS}"),
        ('{"SE": "NordAB"', f"senders: must be JSON, as in {EXAMPLE}; correct {SENDERS}"),
        ('["NordAB"]', "senders: must be object"),
        ('{"SE": 72345}', "senders: that of SE must be text, in quotes"),
        ('{"Sweden": "NordAB"}', "senders: SWEDEN is no country; write two letters, as in SE"),
    ],
)
def test_senders_that_cannot_be_read_are_one_line_of_a_command(office, monkeypatch, given, told):
    monkeypatch.setenv(SENDERS, given)
    assert office.run("check", code=1).splitlines() == [f"Error: {told}"]


def test_another_setting_that_cannot_be_read_is_named_too(office, monkeypatch):
    monkeypatch.setenv("TARGET_TWILIO_ALERTS_MAX_IN_FLIGHT", "many")
    assert office.run("check", code=1).splitlines() == [
        "Error: max_in_flight: must be integer; correct TARGET_TWILIO_ALERTS_MAX_IN_FLIGHT"
    ]


@pytest.fixture
def target(workplace, monkeypatch):
    """Runs the target with its settings in the environment."""
    for name, value in workplace.config.items():
        monkeypatch.setenv(f"TARGET_TWILIO_ALERTS_{name.upper()}", value)
    workplace.config_file = lambda: "ENV"
    return workplace


def test_the_target_takes_senders_as_json_from_the_environment(target, monkeypatch):
    monkeypatch.setenv(SENDERS, json.dumps({"SE": "NordAB", "NO": credentials.FROM_NUMBER}))
    target.run(baseline())
    target.run(LARGE)
    assert [one.from_ for one in target.accepted] == ["NordAB"]


def test_the_target_tells_in_one_line_what_it_cannot_read(target, monkeypatch):
    monkeypatch.setenv(SENDERS, "SE=NordAB")
    ended = target.run(LARGE, code=2)
    (error,) = [line for line in ended.stderr.splitlines() if "ERROR" in line]
    assert error.endswith(f"senders: must be JSON, as in {EXAMPLE}; correct {SENDERS}")
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""
