"""Every file in `broken/` is told what its first comment says: all of it, and nothing else."""

from __future__ import annotations

import json
import re

import pytest
from alerts_files import FILES, FOLDER, expected, text_of
from click.testing import CliRunner
from singer import schema

from target_twilio_alerts.cli import main
from target_twilio_alerts.rules.availability_entries import AWAY_KEYS, QUIET_KEYS, ROTATION_KEYS
from target_twilio_alerts.rules.digest_entry import DIGEST_KEYS
from target_twilio_alerts.rules.entity_entries import ENTITY_KEYS, FIELD_KEYS
from target_twilio_alerts.rules.escalation_entry import ESCALATION_KEYS
from target_twilio_alerts.rules.limits_entry import LIMITS_KEYS
from target_twilio_alerts.rules.loading import FILE_KEYS
from target_twilio_alerts.rules.owner_entry import OWNER_KEYS
from target_twilio_alerts.rules.rates_entry import RATES_KEYS
from target_twilio_alerts.rules.recipients import RECIPIENT_KEYS
from target_twilio_alerts.rules.rule_entries import RULE_KEYS

SETTINGS = {
    "account_sid": "AC" + "0" * 32,
    "auth_token": "secret",
    "from_number": "+46701740600",
    "sendgrid_api_key": "SG.secret",
    "email_from": "alerts@example.com",
}
BY_COMMAND = (
    "away-deputies-in-a-circle",
    "condition-wrong-on-the-third-folded-line",
    "digest-workdays-without-country",
    "entity-stream-twice",
    "file-recipients-missing",
    "limits-prices-with-decimal-comma",
    "sms-of-no-country",
    "template-missing",
    "yaml-nested-too-deep",
    "yaml-not-utf-8",
    "yaml-tab-in-indentation",
)
BY_TARGET = ("condition-unknown-field", "yaml-key-twice")
SECTIONS = {
    "alerts.yml": FILE_KEYS,
    "recipient": RECIPIENT_KEYS,
    "quiet_hours": QUIET_KEYS,
    "away": AWAY_KEYS,
    "rotation": ROTATION_KEYS,
    "rule": RULE_KEYS,
    "undecided": OWNER_KEYS,
    "operators": OWNER_KEYS,
    "escalate": ESCALATION_KEYS,
    "digest": DIGEST_KEYS,
    "limits": LIMITS_KEYS,
    "rates": RATES_KEYS,
    "entity": ENTITY_KEYS,
    "field": FIELD_KEYS,
}


def wrong(printed, name):
    """What a command says is wrong, as the files write it."""
    lines = [line for line in printed.splitlines() if not line.startswith("ok  ")]
    text = "\n".join(line.removeprefix("WRONG  ") for line in lines)
    return text.replace(f"{name}.yml:", "alerts.yml:").replace(f"{FOLDER}/", "")


@pytest.mark.parametrize("name", FILES)
def test_it_is_told_what_is_wrong_and_how_to_mend_it(tmp_path, name):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({**SETTINGS, "alerts_file": str(FILES[name])}))
    ended = CliRunner().invoke(main, ["--config", str(config), "check"])
    assert wrong(ended.output, name) == expected(name)
    assert ended.exit_code == 1


@pytest.mark.parametrize("name", BY_COMMAND)
def test_the_command_prints_it_and_ends_with_1(workplace, name):
    workplace.config["alerts_file"] = str(FILES[name])
    printed = workplace.command("check", code=1)
    assert printed.startswith(f"WRONG  {name}.yml:")
    assert wrong(printed, name) == expected(name)


@pytest.mark.parametrize("name", BY_TARGET)
def test_the_target_says_it_and_ends_with_2(workplace, name):
    workplace.config["alerts_file"] = str(FILES[name])
    ended = workplace.run(schema(), code=2)
    for line in expected(name).splitlines():
        assert line.replace("alerts.yml:", f"{name}.yml:") in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""
    assert workplace.accepted == []


def test_no_address_is_told_in_full():
    for name in FILES:
        written = re.sub("^# .*", "", text_of(name), flags=re.MULTILINE)
        found = re.findall(r"\b\d[\d -]{6,14}\d\b|[\w.]+@[\w.]+", written)
        addresses = [one for one in found if not re.fullmatch(r"\d{4}-\d\d-\d\d", one)]
        assert [one for one in addresses if one in expected(name)] == []


@pytest.mark.parametrize(
    ("section", "key"), [(section, key) for section, keys in SECTIONS.items() for key in keys]
)
def test_every_key_is_wrong_in_one_of_them(section, key):
    told = [line for name in FILES for line in expected(name).splitlines()]
    about = [line.split(": it may have")[0].split("; ")[0] for line in told if section in line]
    assert any(re.search(rf"\b{key}\b", line) for line in about)
