"""The schema in an editor: what the YAML language server marks, completes and tells."""

from __future__ import annotations

import os
import subprocess

import pytest
from alerts_files import FILES, ONLY_CHECK, PACKAGE, SCHEMA, expected_lines, right_files, text_of
from language_server import LanguageServer, installed

from target_twilio_alerts.documents import ENTITIES
from target_twilio_alerts.rules.model import CHANNELS, SEVERITIES
from target_twilio_alerts.rules.rule_entries import RULE_KEYS

TOO_DEEP = "yaml-nested-too-deep"
"""The server falls over it, at a depth that depends on the machine."""

NO_MATTER_IN_AN_EDITOR = {"yaml-control-character", "yaml-not-utf-8", "yaml-nothing-but-comments"}
MARKED_ELSEWHERE = {
    *("entities-a-list", "file-recipients-a-list", "file-rules-a-list", "groups-a-list"),
    *("rotations-a-list", "file-recipients-missing", "file-rules-missing"),
    "whatsapp-variables-without-content-sid",
    *("yaml-brace-never-closed", "yaml-bracket-never-closed"),
    *("yaml-indentation-too-deep", "yaml-two-documents"),
}
"""The server marks what stands below a key, or the whole of which something is missing."""

ALERTS = PACKAGE.parent / "alerts" / "alerts.yml"
SEVERITY = "    severity: high\n"


@pytest.fixture(scope="module")
def server():
    """The server; where it cannot be installed a test skips, and in CI it fails."""
    try:
        command = installed()
    except subprocess.CalledProcessError as error:
        reason = f"the YAML language server cannot be installed: {error.stderr.decode()[-500:]}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with LanguageServer(command, SCHEMA) as running:
        yield running


def marked(server, texts):
    """Lines with errors, by name."""
    found = server.errors({f"file:///checked/{name}.yml": text for name, text in texts.items()})
    return {name: found[f"file:///checked/{name}.yml"] for name in texts}


def test_every_broken_file_is_marked_but_those_that_only_check_can_tell(server):
    found = marked(server, {name: text_of(name) for name in FILES if name != TOO_DEEP})
    assert {name for name, lines in found.items() if not lines} == (
        ONLY_CHECK | NO_MATTER_IN_AN_EDITOR
    )
    assert {
        name for name, lines in found.items() if lines and expected_lines(name).isdisjoint(lines)
    } == MARKED_ELSEWHERE


def test_right_files_are_not_marked(server):
    texts = right_files()
    ours = texts.pop("ours")
    assert not any(marked(server, texts).values())
    assert server.errors({ALERTS.as_uri(): ours}) == {ALERTS.as_uri(): []}


def test_the_first_line_of_our_file_leads_to_the_schema(server):
    uri = ALERTS.with_name("wrong.yml").as_uri()
    text = right_files()["ours"].replace(SEVERITY, SEVERITY.replace("high", "urgent"), 1)
    assert server.errors({uri: text}) == {uri: [text[: text.index("urgent")].count("\n") + 1]}


@pytest.mark.parametrize(
    ("written", "offered"),
    [
        ("    ", set(RULE_KEYS) - {"entity", "when", "notify", "via"}),
        ("    severity: ", set(SEVERITIES)),
        ("    fallback: ", {"sms", "email", "voice"}),
        ("    via: ", set(CHANNELS)),
        ("    entity: ", set(ENTITIES)),
    ],
)
def test_keys_and_values_are_completed(server, written, offered):
    key = written.strip(" :")
    lines = right_files()["start"].splitlines()
    lines = [line for line in lines if line.split(":")[0] not in ("    severity", f"    {key}")]
    uri = f"file:///checked/completed-{key}.yml"
    server.errors({uri: "\n".join([*lines, written, ""])})
    assert set(server.completions(uri, len(lines), len(written))) == offered


def test_a_key_is_explained(server):
    uri = "file:///checked/explained.yml"
    text = right_files()["start"]
    server.errors({uri: text})
    line = next(n for n, line in enumerate(text.splitlines()) if "severity" in line)
    assert "How urgent it is; the most urgent leaves first." in server.hover(uri, line, 6)
