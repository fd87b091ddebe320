"""An alert by call, from the record to its end at Twilio."""

from __future__ import annotations

import json

import pytest
from singer import baseline, invoice, record, schema, state

ANNA = "+46701740605"
UNANSWERED, IMPOSSIBLE, BUSY = "+46701740691", "+46701740692", "+46701740693"
FORBIDDEN = "+46701740697"
AGAIN = "#rc=5&rp=ct,rt,5xx"
RULES = """
recipients:
  anna: {{name: Anna Berg, voice: "{number}", locale: {locale}}}
rules:
  large: {{entity: supplier_invoice, when: amount > 50000, notify: anna, via: voice}}
"""


def lines(number="900001", at="11:00:00"):
    return schema() + record(invoice(number, 75000, stamp=f"2026-11-20T{at}")) + state()


@pytest.fixture
def run(workplace, zygote):
    """Alerts by a call, in a run after the baseline; can run again."""

    def target(number=ANNA, *, locale="sv_SE", code=0):
        workplace.write_alerts(RULES.format(number=number, locale=locale))
        zygote.run(workplace, baseline())
        return zygote.run(workplace, lines(), code=code)

    return target


def calls(workplace):
    return workplace.sandbox.twilio.calls


def posts(workplace):
    return [one for one in workplace.sandbox.requests("twilio") if one.method == "POST"]


def test_a_call_says_what_matters_and_is_followed_to_its_end(workplace, zygote, run):
    run()
    (call,) = calls(workplace)
    assert (call.to, call.from_) == (ANNA, "+46701740600")
    ((reference, text),) = workplace.messages("messages.id", "text")
    assert text == (
        "Testbolaget AB: Ny leverantörsfaktura 900001, Kontorsbolaget AB, 75000,00 SEK, "
        f"status Open. Ref {reference}."
    )
    assert call.said == text.replace(reference, " ".join(reference))
    assert 'language="sv-SE"' in call.twiml
    assert "<Gather" not in call.twiml
    columns = ("channel", "state", "status", "sid", "segments", "encoding")
    assert workplace.messages(*columns) == [("voice", "accepted", "queued", call.sid, None, None)]
    told = []
    for _ in range(4):
        zygote.run(workplace, schema() + state())
        told += workplace.messages("state", "status")
    assert told == [
        ("sent", "ringing"),
        ("sent", "in-progress"),
        ("delivered", "completed"),
        ("delivered", "completed"),
    ]
    statuses = [
        json.loads(body)["status"]
        for (body,) in workplace.query(
            "SELECT body FROM audit_events WHERE kind = 'message_status' ORDER BY seq"
        )
    ]
    assert statuses == ["ringing", "in-progress", "completed"]
    assert len(calls(workplace)) == 1


RESEND = "resend later, or tell them by SMS"
LOOK = "check the number, and look in the Twilio Console"
ENDS = {
    UNANSWERED: (("undelivered", "no-answer"), f"nobody answered: {RESEND}"),
    BUSY: (("undelivered", "busy"), f"the line was busy: {RESEND}"),
    IMPOSSIBLE: (
        ("failed", "failed"),
        f"it did not get through, and Twilio gave no code: {LOOK}",
    ),
}


@pytest.mark.parametrize("number", ENDS)
def test_a_call_that_nobody_takes_ends_so_and_is_asked_about_no_more(
    workplace, zygote, run, number
):
    run(number)
    workplace.sandbox.twilio.settle()
    zygote.run(workplace, schema() + state())
    (message,) = workplace.trail()
    assert ((message["state"], message["status"]), message["error"]) == ENDS[number]
    asked = len(workplace.sandbox.requests("twilio"))
    zygote.run(workplace, schema() + state())
    assert len(workplace.sandbox.requests("twilio")) == asked


def test_a_call_that_was_canceled_has_failed(workplace, zygote, run):
    workplace.sandbox.twilio.call_outcomes[ANNA] = "canceled"
    run()
    workplace.sandbox.twilio.settle()
    zygote.run(workplace, schema() + state())
    assert workplace.messages("state", "status") == [("failed", "canceled")]


def test_a_public_url_asks_for_a_key_and_for_the_status(workplace, run):
    workplace.config["public_url"] = "https://alerts.example.com/"
    run(locale="fi_FI")
    ((reference,),) = workplace.messages("messages.id")
    (call,) = calls(workplace)
    assert (
        call.status_callback
        == f"https://alerts.example.com/twilio/status?message={reference}{AGAIN}"
    )
    keypress = f"https://alerts.example.com/twilio/keypress?message={reference}{AGAIN}"
    assert (
        f'<Gather action="{keypress.replace("&", "&amp;")}" method="POST" numDigits="1">'
        in call.twiml
    )
    assert call.said.endswith("Kuittaa painamalla mitä tahansa numeroa.")


def test_nothing_in_a_document_is_an_instruction_to_twilio(workplace, zygote):
    workplace.write_alerts(RULES.format(number=ANNA, locale="en"))
    zygote.run(workplace, baseline())
    attack = {"name": 'x</Say><Dial>+1</Dial><Say a="'}
    row = invoice("</Say>&amp;\x00\ufffe", 75000, stamp="2026-11-20T11:00:00", supplier=attack)
    zygote.run(workplace, schema() + record(row) + state())
    (call,) = calls(workplace)
    assert "<Dial>" not in call.twiml
    assert "x</Say><Dial>+1</Dial>" in call.said
    assert "</Say>&amp;" in call.said


def test_a_number_that_is_not_called_is_rejected_with_what_to_do(workplace, run):
    ended = run(FORBIDDEN)
    ((told, code, reason),) = workplace.messages("state", "error_code", "error_message")
    assert (told, code) == ("rejected", "21215")
    assert "allow the country under Voice, Geo permissions" in reason
    assert reason in ended.stderr
    assert FORBIDDEN[1:] not in ended.stderr


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ({"status": 500}, "internal error"),
        ({"status": 502, "body": "<html>Bad gateway</html>"}, "HTTP 502"),
        ({"status": 201, "body": "{}"}, "without a call SID"),
    ],
    ids=["500", "502", "no SID"],
)
def test_without_a_clear_answer_a_call_is_unknown_and_nobody_is_called_again(
    workplace, zygote, run, what, told
):
    workplace.sandbox.faults.add("twilio", method="POST", **what)
    run()
    zygote.run(workplace, lines())
    ((found, reason),) = workplace.messages("state", "messages.reason")
    assert found == "unknown"
    assert told in reason
    assert len(posts(workplace)) == 1


@pytest.mark.parametrize("drop", ["after", "during"])
def test_a_call_whose_answer_was_lost_is_found_and_nobody_is_called_again(
    workplace, zygote, run, drop
):
    workplace.sandbox.faults.add("twilio", method="POST", drop=drop)
    run()
    zygote.run(workplace, lines())
    (call,) = calls(workplace)
    assert workplace.messages("sid", "messages.reason") == [(call.sid, None)]
    assert len(posts(workplace)) == 1


def test_too_many_calls_at_once_are_asked_for_again_in_the_same_run(workplace, run):
    workplace.sandbox.faults.add("twilio", method="POST", status=429, times=2)
    run()
    assert workplace.messages("state", "tries") == [("accepted", 3)]
    assert len(calls(workplace)) == 1


def test_wrong_credentials_keep_a_call_pending_and_the_right_ones_make_it(workplace, zygote, run):
    right = workplace.config["auth_token"]
    workplace.config["auth_token"] = "wrong-token"
    ended = run(code=2)
    assert "wrong-token" not in ended.stderr
    assert workplace.messages("state") == [("pending",)]
    workplace.config["auth_token"] = right
    zygote.run(workplace, schema() + state())
    assert workplace.messages("state") == [("accepted",)]


def test_a_rule_that_calls_needs_a_caller(workplace, zygote):
    workplace.config["from_number"] = "Acme"
    workplace.write_alerts(RULES.format(number=ANNA, locale="sv"))
    ended = zygote.run(workplace, baseline(), code=2)
    (error,) = [line for line in ended.stderr.splitlines() if "ERROR" in line]
    assert error.endswith("voice_from: not set, but rules send by voice; set it")
