"""Rules that tell by WhatsApp: what the alerts file must say, and what it is told."""

from __future__ import annotations

import pytest

from target_twilio_alerts.rules import load_alerts
from target_twilio_alerts.rules.model import Content

SID = "HX" + "0d" * 16
FILE = """\
recipients:
  anna: {{name: Anna Berg, whatsapp: "+46701740605"}}
rules:
  large:
    entity: supplier_invoice
    when: amount > 50000
    notify: anna
    via: {via}
{more}
"""


@pytest.fixture
def load(tmp_path):
    def write(more="", via="whatsapp", text=FILE):
        path = tmp_path / "alerts.yml"
        lines = "\n".join(f"    {line}" for line in more.splitlines())
        path.write_text(text.format(via=via, more=lines), encoding="utf-8")
        return load_alerts(path)

    return write


def test_a_rule_names_a_template_and_what_fills_it(load):
    alerts = load(f"content_sid: {SID}\ncontent_variables: {{1: number, 2: amount, r: reference}}")
    expected = (("1", "number"), ("2", "amount"), ("r", "reference"))
    assert alerts.rules[0].content == Content(SID, expected)
    assert alerts.recipients["anna"].addresses("whatsapp") == ("+46701740605",)


def test_a_template_without_placeholders_needs_no_variables(load):
    assert load(f"content_sid: {SID}").rules[0].content == Content(SID)


def test_a_rule_may_ask_for_free_text(load):
    assert load("whatsapp_window: open").rules[0].content is None
