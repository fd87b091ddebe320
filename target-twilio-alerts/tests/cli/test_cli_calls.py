"""Calls on the command line: escalations, fallbacks, tests, resends, and what is shown of them."""

from __future__ import annotations

import json

import pytest
from singer import invoice

ANNA, CFO = "+46701740605", "+46701740606"
UNANSWERED, NO_RECEIPT, OPTED_OUT = "+46701740691", "+46701740694", "+46701740695"
RULE = """
  large:
    entity: supplier_invoice
    when: amount > 50000
    notify: anna
"""


def calls(office):
    return [(one.to, one.said) for one in office.sandbox.twilio.calls]


def told(office):
    return sorted((one["recipient"], one["channel"], one["state"]) for one in office.trail())


def make_due(office):
    office.workplace.query("UPDATE escalations SET due_at = '2026-01-01T00:00:00.000000Z'")


def shown(office, *arguments):
    """What a command prints, which is never a whole number."""
    printed = office.run(*arguments)
    for number in (ANNA, CFO, UNANSWERED, OPTED_OUT):
        assert number[1:] not in printed
    return printed


def test_a_step_of_an_escalation_calls(office):
    step = "    via: sms\n    escalate: {after: 15m, notify: cfo, via: voice}\n"
    office.people(rules=RULE + step, anna={"sms": ANNA}, cfo={"voice": CFO, "locale": "sv_SE"})
    office.alert(invoice("1", 75000))
    office.run("deliver")
    assert calls(office) == []
    make_due(office)
    office.run("deliver")
    ((number, said),) = calls(office)
    assert number == CFO
    assert "Eskalerat: Ny leverantörsfaktura 1" in said
    assert told(office) == [("anna", "sms", "accepted"), ("cfo", "voice", "accepted")]
    (call,) = [one for one in office.trail() if one["channel"] == "voice"]
    assert call["because"] == "not acknowledged (step 1)"
    office.run("deliver")
    assert len(calls(office)) == 1


def test_who_acknowledged_is_not_called(office):
    step = "    via: sms\n    escalate: {after: 15m, notify: cfo, via: voice}\n"
    office.people(rules=RULE + step, anna={"sms": ANNA}, cfo={"voice": CFO})
    office.alert(invoice("1", 75000))
    office.run("deliver")
    office.run("ack", office.trail()[0]["message"], "--reason", "I call them")
    make_due(office)
    office.run("deliver")
    assert calls(office) == []


@pytest.mark.parametrize(("sms", "ends"), [(NO_RECEIPT, "taken"), (ANNA, "ended")])
def test_a_call_that_was_taken_is_no_proof_that_somebody_knows(office, sms, ends):
    step = (
        "    via: [sms, voice]\n"
        "    escalate: {after: 15m, unless: delivered, notify: cfo, via: voice}\n"
    )
    office.people(rules=RULE + step, anna={"sms": sms, "voice": ANNA}, cfo={"voice": CFO})
    office.alert(invoice("1", 75000))
    office.run("deliver")
    office.sandbox.twilio.settle()
    make_due(office)
    office.run("deliver")
    assert ("anna", "voice", "delivered") in told(office)
    assert office.workplace.query("SELECT state FROM escalations") == [(ends,)]
    assert [number for number, _ in calls(office)] == [ANNA, *[CFO] * (ends == "taken")]


def test_who_opted_out_of_sms_is_called_once(office):
    more = "    via: sms\n    fallback: voice\n"
    office.people(rules=RULE + more, anna={"sms": OPTED_OUT, "voice": ANNA, "locale": "nb_NO"})
    office.alert(invoice("1", 75000))
    for _ in range(3):
        office.run("deliver")
    assert [channel for _, channel, _ in told(office)] == ["sms", "voice"]
    ((number, said),) = calls(office)
    assert number == ANNA
    assert "Ny leverandørfaktura 1" in said
    (call,) = [one for one in office.trail() if one["channel"] == "voice"]
    assert call["because"] == "fallback: opted out of sms"
    office.alert(invoice("2", 75000))
    office.run("deliver")
    assert len(calls(office)) == 2


def test_a_fallback_without_a_number_to_call_is_a_mistake_with_its_line(office):
    more = "    via: sms\n    fallback: voice\n"
    office.people(rules=RULE + more, anna={"sms": OPTED_OUT})
    (wrong,) = [line for line in office.run("check", code=1).splitlines() if "WRONG" in line]
    assert wrong.startswith("WRONG  alerts.yml:")
    assert "anna" in wrong
    assert "voice" in wrong


@pytest.fixture
def called(office):
    """Anna, who is called about invoice 100234."""
    office.people(rules=f"{RULE}    via: voice\n", anna={"voice": ANNA, "locale": "sv_SE"})
    office.alert(invoice("100234", 75000))
    return office


def test_a_test_call_proves_the_channel(called):
    told = called.run("send-test", "anna", "--channel", "voice")
    (reference,) = [one["message"] for one in called.trail() if one["rule"] is None]
    said = f"Test message of twilio-alerts to anna. Ref {' '.join(reference)}"
    assert (ANNA, said) in calls(called)
    assert f"{reference}: accepted CA" in told


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"from_number": "Acme"}, "voice_from is not set, but voice needs it; set it"),
        ({"voice_from": "Acme"}, "voice_from: not of the form +46701740600; copy it from the "),
    ],
)
def test_a_test_call_without_a_caller_is_one_line_and_calls_nobody(called, config, words):
    called.config.update(config)
    printed = called.run("send-test", "anna", "--channel", "voice", code=1)
    assert printed.startswith(f"Error: {words}")
    assert len(printed.splitlines()) == 1
    assert calls(called) == []


def test_who_has_no_number_to_call_is_told(office):
    office.people(anna={"sms": ANNA})
    printed = office.run("send-test", "anna", "--channel", "voice", code=1)
    assert printed == "Error: recipient anna has no address for voice; add one\n"


def test_a_call_that_nobody_took_is_made_again_to_another_number(office):
    office.people(rules=f"{RULE}    via: voice\n", anna={"voice": UNANSWERED, "locale": "sv_SE"})
    office.alert(invoice("100234", 75000))
    office.run("deliver")
    office.sandbox.twilio.settle()
    office.run("deliver")
    (first,) = office.trail()
    told = "nobody answered: resend later, or tell them by SMS"
    assert (first["state"], first["error"]) == ("undelivered", told)
    assert "undelivered: nobody answered" in shown(office, "audit")
    listed = office.run("resend", "--code", "no-answer", "--reason", "nobody answered")
    assert "1 message would be sent again" in listed
    office.run(
        "resend", "--yes", first["message"], "--to", CFO, "--reason", "she has another telephone"
    )
    again = office.trail()[-1]
    (_, before), (number, said) = calls(office)
    assert number == CFO
    assert said == before.replace(" ".join(first["message"]), " ".join(again["message"]))
    assert 'language="sv-SE"' in office.sandbox.twilio.calls[-1].twiml


def test_the_story_of_a_call_is_told_whole_and_without_its_number(called):
    called.run("deliver")
    called.sandbox.twilio.settle()
    called.run("deliver")
    (message,) = called.trail()
    lines = [
        line.strip() for line in shown(called, "audit", "show", message["message"]).splitlines()
    ]
    for line in ("channel: voice", "address: +46*****605", "state: delivered", "status: completed"):
        assert line in lines
    assert f"sid: {called.sandbox.twilio.calls[0].sid}" in lines
    (text,) = [line for line in lines if line.startswith("text: ")]
    assert text.endswith(f"Ref {message['message']}.")


def test_a_call_is_previewed_and_explained(called):
    printed = shown(called, "preview", "large")
    assert printed.startswith(
        "anna by voice (+46*****605), about Supplier invoice 100234: the rule"
    )
    assert "  sv_SE, built-in/supplier_invoice.voice\n" in printed
    assert "Ny leverantörsfaktura 100234" in printed
    (row,) = map(json.loads, shown(called, "preview", "large", "--json").splitlines())
    assert (row["channel"], row["segments"], row["subject"]) == ("voice", None, None)
    assert "anna by voice: pending" in shown(called, "explain", "supplier_invoices", "100234")
    assert calls(called) == []


TESTS = """
rule: large
tests:
  a large invoice is told by a call:
    steps:
      - at: 2026-11-26 08:00+01:00
        documents:
          - supplier_invoice: {number: "7", type: Invoice, amount: AMOUNT, currency: SEK}
        told:
          - {recipient: anna, via: voice, contains: "Ny leverantörsfaktura 7"}
"""


@pytest.mark.parametrize(("amount", "code"), [("75000", 0), ("1", 1)])
def test_a_rule_that_calls_can_be_tested(called, amount, code):
    path = called.root / "calls.yml"
    path.write_text(TESTS.replace("AMOUNT", amount), encoding="utf-8")
    printed = called.run("test", str(path), code=code)
    assert f"1 test, {code} failed" in printed
    assert calls(called) == []


def test_a_backtest_counts_calls_by_their_price(called):
    (called.root / "prices.csv").write_text("channel,country,price\nvoice,SE,0.25\n", "utf-8")
    rules = f"{RULE}    via: voice\nlimits: {{prices: prices.csv}}\n"
    called.people(rules=rules, anna={"voice": ANNA})
    told = json.loads(called.run("backtest", "--since", "2020-01-01", "--json"))
    (row,) = told["played"][0]["told"]
    assert (row["channel"], row["messages"], row["cost"]) == ("voice", 1, "0.25")
