"""The alerts that come with the project: every rule has tests, and they hold."""

from __future__ import annotations

from pathlib import Path

from target_twilio_alerts.messages import Messages
from target_twilio_alerts.rehearsal.case_file import load_cases
from target_twilio_alerts.rehearsal.player import Player
from target_twilio_alerts.rules import load_alerts

FOLDER = Path(__file__).parents[1] / "alerts"


def test_every_rule_has_a_file_of_tests_that_hold(tmp_path):
    alerts = load_alerts(FOLDER / "alerts.yml")
    player = Player(alerts, Messages(FOLDER / "templates"), tmp_path)
    cases = [case for path in (FOLDER / "tests").glob("*.yml") for case in load_cases(path, alerts)]
    assert [problem for case in cases for problem in player.play(case)] == []
    rules = {rule.name for rule in (*alerts.rules, *alerts.disabled)}
    assert {path.stem for path in (FOLDER / "tests").glob("*.yml")} == rules
    assert {name for case in cases for name in case.rules} == rules


def test_a_rule_that_is_broken_fails_its_tests(tmp_path):
    text = (FOLDER / "alerts.yml").read_text(encoding="utf-8")
    (tmp_path / "alerts.yml").write_text(text.replace("amount > 50000", "amount > 70000"))
    alerts = load_alerts(tmp_path / "alerts.yml")
    player = Player(alerts, Messages(FOLDER / "templates"), tmp_path)
    cases = load_cases(FOLDER / "tests" / "large-supplier-invoice.yml", alerts)
    assert [bool(player.play(case)) for case in cases] == [True, False, False]
