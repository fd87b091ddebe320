"""The README: its examples are good files, its conditions compile, its lines are what is said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from target_twilio_alerts.cli import main
from target_twilio_alerts.documents import ENTITIES
from target_twilio_alerts.ledger import MessageState
from target_twilio_alerts.messages import Messages, TemplateUse
from target_twilio_alerts.rehearsal.case_documents import BESIDE_FIELDS
from target_twilio_alerts.rehearsal.case_file import STEP_KEYS, load_cases
from target_twilio_alerts.rehearsal.expectations import KINDS, TOLD_KEYS
from target_twilio_alerts.rehearsal.player import Player
from target_twilio_alerts.rehearsal.stages import Stage
from target_twilio_alerts.rules import load_alerts
from target_twilio_alerts.rules.expressions import compile_condition
from target_twilio_alerts.rules.expressions.calls import FUNCTIONS
from target_twilio_alerts.rules.rule_entries import RULE_KEYS

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def section(heading):
    return README.split(f"{heading}\n")[1].split("\n## ")[0]


CONDITIONS = section("### Conditions").split("\n### ")[0]
EXAMPLES = [
    code
    for row in re.findall(r"^\| (`.*?) \|", CONDITIONS, re.MULTILINE)
    for code in re.findall(r"`([^`]+)`", row)
]


@pytest.mark.parametrize(
    "text",
    [
        re.search(r"<<'END'\n(.*?)END\n", section("## Start"), re.DOTALL)[1],
        re.search(r"```yaml\n(.*?)```", section("## alerts.yml"), re.DOTALL)[1],
    ],
)
def test_its_alerts_files_are_good(tmp_path, text):
    (tmp_path / "alerts.yml").write_text(text, encoding="utf-8")
    assert load_alerts(tmp_path / "alerts.yml").rules


@pytest.mark.parametrize("example", EXAMPLES)
def test_its_conditions_can_be_used(example):
    compile_condition(example, ENTITIES["supplier_invoice"])


def test_its_conditions_for_lists_can_be_used():
    for example in ('"1930" in accounts', 'contains(accounts, "1930")'):
        assert f"`{example}`" in CONDITIONS
        compile_condition(example, ENTITIES["journal_transaction"])


def test_its_test_of_a_rule_holds(tmp_path):
    alerts = load_alerts(Path(__file__).parents[2] / "alerts" / "alerts.yml")
    text = re.search(r"```yaml\n(.*?)```", section("## Tests"), re.DOTALL)[1]
    (tmp_path / "due.yml").write_text(text, encoding="utf-8")
    [case] = load_cases(tmp_path / "due.yml", alerts)
    assert Player(alerts, Messages(None), tmp_path).play(case) == []


def test_it_has_every_key_of_a_test():
    for key in (*STEP_KEYS, *TOLD_KEYS, *KINDS, *BESIDE_FIELDS):
        assert re.search(rf"`{key}\b", section("## Tests"))


def test_it_has_every_function_and_every_operator():
    for name in FUNCTIONS:
        assert f"{name}(" in CONDITIONS
    for word in ("==", "!=", "<=", ">=", " in ", "not in", "is null", "and", "not ", "previous."):
        assert any(word in example for example in EXAMPLES)


def test_its_template_is_good(tmp_path):
    source = re.search(r"```jinja\n(.*?)```", README, re.DOTALL)[1]
    (tmp_path / "any.sms.j2").write_text(source, encoding="utf-8")
    fields = {name: one.kind.value for name, one in ENTITIES["supplier_invoice"].fields.items()}
    use = TemplateUse(
        rule="any",
        entity="supplier_invoice",
        template=None,
        channels=("sms",),
        fields=fields,
        nullable=frozenset(fields),
    )
    assert Messages(tmp_path).check([use]) == []


def test_it_has_every_key_of_a_rule_every_command_every_state_and_every_stage():
    for key in RULE_KEYS:
        assert f"| `{key}` |" in section("## alerts.yml")
    commands = section("## Commands")
    for name, command in main.commands.items():
        assert f"| `{name}" in commands
        for option in command.params:
            if option.opts[0].startswith("--"):
                assert option.opts[0] in commands
    for one in (*MessageState, *Stage):
        assert f"`{one.value}`" in commands


def test_a_file_that_it_links_to_exists():
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", README):
        assert (Path(__file__).parents[1] / target).is_file()


def test_what_it_says_is_said_is_in_the_code():
    package = Path(__file__).parents[1] / "target_twilio_alerts"
    code = " ".join(path.read_text(encoding="utf-8") for path in package.rglob("*.py"))
    code = re.sub(r'"\s*f?"', "", code)
    for words in (
        "has been read before, but the ledger has never seen it: restore the ledger, or run once",
        "check account_sid with auth_token, or api_key_sid with api_key_secret",
        "nothing was lost: correct the credentials, and the next run or ",
        "broke before the answer; it may have been sent",
        "the tap writes something else than Singer messages to its standard output",
        "is not supported; use SQLite or PostgreSQL",
        "from_number (or messaging_service_sid)",
        "set a number of this account that can ",
        "; check host, user, password and database",
        "what was committed is kept, and the next run goes on from there",
        "not a mobile number",
    ):
        assert words in README
        assert words in code
