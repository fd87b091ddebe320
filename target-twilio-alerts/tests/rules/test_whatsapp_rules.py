"""Rules that tell by WhatsApp: what the alerts file must say, and what it is told."""

from __future__ import annotations

import pytest

from target_twilio_alerts.rules import AlertsFileError, load_alerts
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


@pytest.fixture
def mistake(load):
    def only(*given, **more):
        with pytest.raises(AlertsFileError) as caught:
            load(*given, **more)
        (found,) = caught.value.mistakes
        return str(found)

    return only


def test_a_rule_names_a_template_and_what_fills_it(load):
    alerts = load(f"content_sid: {SID}\ncontent_variables: {{1: number, 2: amount, r: reference}}")
    expected = (("1", "number"), ("2", "amount"), ("r", "reference"))
    assert alerts.rules[0].content == Content(SID, expected)
    assert alerts.recipients["anna"].addresses("whatsapp") == ("+46701740605",)


def test_a_template_without_placeholders_needs_no_variables(load):
    assert load(f"content_sid: {SID}").rules[0].content == Content(SID)


def test_free_text_must_be_asked_for_because_it_fails_outside_24_hours(load, mistake):
    told = mistake()
    assert told.startswith("alerts.yml:8: rule 'large': WhatsApp takes free text only within 24")
    assert load("whatsapp_window: open").rules[0].content is None


@pytest.mark.parametrize(
    ("more", "line", "told"),
    [
        ("content_sid: HX12", 9, "content_sid is HX and 32 hexadecimal digits; copy it from"),
        ("whatsapp_window: shut", 9, "whatsapp_window can only be open; correct or remove it"),
        (
            f"content_sid: {SID}\nwhatsapp_window: open",
            10,
            "whatsapp_window is for free text, and there is a content_sid; remove one",
        ),
        ("content_variables: {1: number}", 9, "content_variables fill a content template; add its"),
        (
            f"content_sid: {SID}\ncontent_variables:\n  1: nubmer",
            11,
            "content_variables: supplier_invoice has no field nubmer; did you mean number?",
        ),
        (
            f"content_sid: {SID}\ncontent_variables:\n  '{{{{1}}}}': number",
            11,
            "content_variables: {{1}} is no placeholder; write it as in the template",
        ),
        (
            f"content_sid: {SID}\ncontent_variables: [number]",
            10,
            "content_variables: expected `key: value` lines below it",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(mistake, more, line, told):
    assert mistake(more).startswith(f"alerts.yml:{line}: rule 'large': {told}")


def test_a_template_for_another_channel_is_a_mistake(mistake):
    text = FILE.replace("whatsapp:", "sms:")
    told = mistake(f"content_sid: {SID}", via="sms", text=text)
    assert told == "alerts.yml:9: rule 'large': content_sid is for via: whatsapp; remove it"


def test_a_number_for_whatsapp_is_checked_as_one_for_sms(mistake):
    text = FILE.replace("+46701740605", "0701740605")
    told = mistake("whatsapp_window: open", text=text)
    assert told.startswith("alerts.yml:2: recipient 'anna': whatsapp *****605 lacks its country")
