from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from alerts_files import EVERY_KEY, FILES, ONLY_CHECK, SCHEMA, right_files
from jsonschema import Draft7Validator

from target_twilio_alerts.documents import ENTITIES, Kind
from target_twilio_alerts.rules import load_alerts
from target_twilio_alerts.rules.availability_entries import AWAY_KEYS, QUIET_KEYS, ROTATION_KEYS
from target_twilio_alerts.rules.digest_entry import DIGEST_KEYS
from target_twilio_alerts.rules.entity_entries import ENTITY_KEYS, FIELD_KEYS, PATH, READ_WHOLE
from target_twilio_alerts.rules.escalation_entry import ESCALATION_KEYS, UNLESS
from target_twilio_alerts.rules.expressions.scan import MAX_CHARACTERS
from target_twilio_alerts.rules.limits_entry import LIMITS_KEYS
from target_twilio_alerts.rules.loading import FILE_KEYS
from target_twilio_alerts.rules.model import CHANNELS, DEFAULT_SEVERITY, SEVERITIES
from target_twilio_alerts.rules.people import DEFAULT_LOCALE
from target_twilio_alerts.rules.recipients import NAME, RECIPIENT_KEYS
from target_twilio_alerts.rules.rule_entries import REQUIRED_KEYS, RULE_KEYS

BREAK_THE_VALIDATOR = {"yaml-alias-of-itself", "yaml-aliases-that-multiply", "yaml-nested-too-deep"}
"""Files over which it falls itself, or sits for days; an editor does not."""


@pytest.fixture(scope="module")
def validate():
    """Run check-jsonschema, which knows nothing of us; gives what it told of each file."""

    def told(*paths):
        ended = subprocess.run(
            [
                *(Path(sys.executable).parent / "check-jsonschema", "--schemafile", SCHEMA),
                *("--output-format", "json", *paths),
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        answer = json.loads(ended.stdout)
        problems = [*answer.get("errors", []), *answer.get("parse_errors", [])]
        assert ended.returncode == bool(problems), ended.stderr
        return {Path(one["filename"]).stem: one for one in problems}

    return told


@pytest.fixture(scope="module")
def schema():
    return json.loads(SCHEMA.read_text(encoding="utf-8"))


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
    assert properties["template"]["pattern"] == f"^{NAME.pattern}$"
    fields = schema["properties"]["entities"]["additionalProperties"]["properties"]["fields"]
    source = fields["additionalProperties"]["properties"]["from"]
    assert source["pattern"] == f"^{PATH.pattern}$"


def _parts(schema):
    """The schema, and every schema within it."""
    yield schema
    inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]
    inner += [schema[word] for word in ("items", "propertyNames") if word in schema]
    if schema.get("additionalProperties"):
        inner.append(schema["additionalProperties"])
    for one in inner:
        yield from _parts(one)


def test_the_schema_uses_words_of_its_draft_only(schema):
    draft = Draft7Validator.META_SCHEMA
    assert schema["$schema"] == draft["$id"]
    assert {word for part in _parts(schema) for word in part} <= set(draft["properties"])
    Draft7Validator.check_schema(schema)


def test_right_files_pass(validate, tmp_path):
    right = right_files()
    for name, text in right.items():
        (tmp_path / f"{name}.yml").write_text(text, encoding="utf-8")
    assert validate(*(tmp_path / f"{name}.yml" for name in right)) == {}


def test_the_right_file_has_every_key(schema):
    assert load_alerts(EVERY_KEY).rules
    text = EVERY_KEY.read_text(encoding="utf-8")
    names = {name for part in _parts(schema) for name in part.get("properties", ())}
    assert [name for name in names if not re.search(rf"\b{name}:", text)] == []


def test_every_broken_file_is_refused_but_those_that_only_check_can_tell(validate):
    asked = FILES.keys() - BREAK_THE_VALIDATOR
    told = validate(*(FILES[name] for name in sorted(asked)))
    assert asked - told.keys() == ONLY_CHECK
