from __future__ import annotations

import json
from importlib.resources import files

import jsonschema_rs
import pytest
from ruamel.yaml import YAML

from target_twilio_alerts.documents import ENTITIES, Kind
from target_twilio_alerts.rules.availability_entries import AWAY_KEYS, QUIET_KEYS, ROTATION_KEYS
from target_twilio_alerts.rules.digest_entry import DIGEST_KEYS
from target_twilio_alerts.rules.entity_entries import ENTITY_KEYS, FIELD_KEYS, READ_WHOLE
from target_twilio_alerts.rules.escalation_entry import ESCALATION_KEYS, UNLESS
from target_twilio_alerts.rules.expressions.scan import MAX_CHARACTERS
from target_twilio_alerts.rules.limits_entry import LIMITS_KEYS
from target_twilio_alerts.rules.loading import FILE_KEYS
from target_twilio_alerts.rules.model import CHANNELS, DEFAULT_SEVERITY, SEVERITIES
from target_twilio_alerts.rules.people import DEFAULT_LOCALE
from target_twilio_alerts.rules.recipients import NAME, RECIPIENT_KEYS
from target_twilio_alerts.rules.rule_entries import REQUIRED_KEYS, RULE_KEYS

EXAMPLE = """
timezone: Europe/Stockholm
recipients:
  anna: {name: Anna Berg, sms: "+46701740605", voice: ["+46701740605", "+46701740608"]}
  bo:
    name: Bo Ek
    sms: ["+46701740606", "+46701740607"]
    email: bo@example.com
    locale: sv_SE
    timezone: Europe/Oslo
    quiet_hours: {from: "20:00", to: "07:00", days: [sat, sun], do: hold}
    away: {from: "2026-12-21", to: "2027-01-06", deputy: anna}
groups:
  all: [anna, bo]
rotations:
  duty: {start: "2026-11-23", members: [anna, bo], handover: "08:00"}
rules:
  large:
    entity: supplier_invoice
    when: amount > 50000
    notify: all
    via: [sms, email]
    severity: high
    again_on: amount
    escalate:
      - {after: 15m, unless: acknowledged, notify: duty, via: sms}
      - {after: 2h, notify: [anna, bo], via: [sms, email]}
      - {after: 4h, notify: anna, via: voice}
  paid:
    entity: supplier_payment
    when: amount > 50000
    notify: anna
    via: voice
    fallback: sms
    validity_period: 4h
"""


@pytest.fixture(scope="module")
def schema():
    folder = files("target_twilio_alerts.rules")
    return json.loads((folder / "alerts.schema.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def rule(schema):
    return schema["properties"]["rules"]["additionalProperties"]


@pytest.fixture(scope="module")
def recipient(schema):
    return schema["properties"]["recipients"]["additionalProperties"]


def test_the_schema_has_the_keys_of_the_loader(schema, rule, recipient):
    assert set(schema["properties"]) == set(FILE_KEYS)
    assert set(rule["properties"]) == set(RULE_KEYS)
    assert set(rule["required"]) == set(REQUIRED_KEYS)
    assert set(rule["properties"]["digest"]["properties"]) == set(DIGEST_KEYS)
    assert set(schema["properties"]["limits"]["properties"]) == set(LIMITS_KEYS)
    step = rule["properties"]["escalate"]["anyOf"][0]["properties"]
    assert set(step) == set(ESCALATION_KEYS)
    assert tuple(step["unless"]["enum"]) == UNLESS
    assert set(recipient["properties"]) == set(RECIPIENT_KEYS)
    entity = schema["properties"]["entities"]["additionalProperties"]["properties"]
    assert set(entity) == set(ENTITY_KEYS)
    assert tuple(entity["read_whole"]["enum"]) == READ_WHOLE
    rotation = schema["properties"]["rotations"]["additionalProperties"]
    assert set(rotation["properties"]) == set(ROTATION_KEYS)
    assert set(recipient["properties"]["quiet_hours"]["properties"]) == set(QUIET_KEYS)
    assert set(recipient["properties"]["away"]["anyOf"][0]["properties"]) == set(AWAY_KEYS)
    field = entity["fields"]["additionalProperties"]["properties"]
    assert set(field) == set(FIELD_KEYS)
    assert field["type"]["enum"] == [kind.value for kind in Kind]


def test_the_schema_has_the_values_of_the_loader(schema, rule, recipient):
    properties = rule["properties"]
    assert properties["entity"]["anyOf"][0]["enum"] == list(ENTITIES)
    assert properties["severity"]["enum"] == list(SEVERITIES)
    assert properties["severity"]["default"] == DEFAULT_SEVERITY
    assert properties["via"]["anyOf"][0]["enum"] == list(CHANNELS)
    assert properties["when"]["maxLength"] == MAX_CHARACTERS
    assert recipient["properties"]["locale"]["default"] == DEFAULT_LOCALE
    for part in ("recipients", "groups", "rotations", "rules"):
        assert schema["properties"][part]["propertyNames"]["pattern"] == f"^{NAME.pattern}$"


def test_the_schema_accepts_a_right_file_and_refuses_a_wrong_key(schema):
    validator = jsonschema_rs.validator_for(schema)
    document = YAML(typ="safe", pure=True).load(EXAMPLE)
    validator.validate(document)
    document["rules"]["large"]["whn"] = "x"
    assert not validator.is_valid(document)
