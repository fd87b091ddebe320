"""An alert by WhatsApp, from the record to its end at Twilio."""

from __future__ import annotations

import json

import pytest
from singer import baseline, invoice, record, schema, state

from visma_twilio_sandbox import credentials

RULES = """
recipients:
  anna: {{name: Anna Berg, whatsapp: "+46701740605", locale: sv_SE}}
rules:
  large:
    {{entity: supplier_invoice, when: amount > 50000, notify: anna, via: whatsapp, {more}}}
"""
TEMPLATE = f"content_sid: {credentials.CONTENT_SID}, content_variables: {{1: number, 2: amount}}"
ALERT = schema() + record(invoice("900001", 75000, stamp="2026-11-20T11:00:00")) + state()


@pytest.fixture
def run(workplace, zygote):
    def target(more):
        workplace.config["whatsapp_from"] = credentials.WHATSAPP_NUMBER
        workplace.write_alerts(RULES.format(more=more))
        zygote.run(workplace, baseline())
        zygote.run(workplace, ALERT)
        return zygote

    return target


def kept(workplace):
    return workplace.query("SELECT content_sid, content_variables, text FROM message_contents")


def test_a_template_arrives_with_the_documents_values_and_is_followed_to_its_end(workplace, run):
    zygote = run(TEMPLATE)
    (sent,) = workplace.accepted
    assert sent.to == "whatsapp:+46701740605"
    assert sent.from_ == f"whatsapp:{credentials.WHATSAPP_NUMBER}"
    assert sent.body == "Document 900001 over 75 000,00 SEK needs your attention."
    ((sid, variables, text),) = kept(workplace)
    assert sid == credentials.CONTENT_SID
    assert json.loads(variables) == {"1": "900001", "2": "75 000,00 SEK"}
    assert text == f"{sid} 1: 900001; 2: 75 000,00 SEK"
    workplace.sandbox.twilio.settle()
    zygote.run(workplace, schema() + state())
    assert workplace.messages("channel", "state") == [("whatsapp", "delivered")]


def test_free_text_outside_the_24_hours_is_recorded_as_failed_with_the_reason(workplace, run):
    zygote = run("whatsapp_window: open")
    assert workplace.messages("state", "encoding", "segments") == [("accepted", None, None)]
    workplace.sandbox.twilio.settle()
    zygote.run(workplace, schema() + state())
    assert workplace.messages("state", "error_code") == [("failed", "63016")]


def test_a_resend_goes_by_the_same_template(workplace, run):
    workplace.sandbox.twilio.outcomes["+46701740605"] = ("undelivered", 63033)
    zygote = run(TEMPLATE)
    workplace.sandbox.twilio.settle()
    zygote.run(workplace, schema() + state())
    ((first,),) = workplace.messages("messages.id")
    workplace.command("resend", "--yes", first, "--reason", "she has unblocked us")
    bodies = [message.body for message in workplace.accepted]
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]
