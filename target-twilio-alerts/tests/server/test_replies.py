"""What people answer to an SMS or a WhatsApp message."""

from __future__ import annotations

import itertools
import json

import pytest
from ledgers import ON_BOTH
from office import Office
from serving import served
from singer import invoice

from visma_twilio_sandbox import credentials

ANNA, BO = "+46701740605", "+46701740606"
SID = "SM" + "d" * 32
numbers = itertools.count()
LARGE = "\n  large: {entity: supplier_invoice, when: amount > 50000, notify: anna, via: "
OVER = {"sms": f"{LARGE}sms}}\n", "whatsapp": f"{LARGE}whatsapp, whatsapp_window: open}}\n"}


@pytest.fixture
def office(workplace):
    return Office(workplace)


@pytest.fixture
def told(office):
    """Tells Anna and Bo of invoices; gives the references by number and recipient."""

    def tell(*numbers):
        office.people(anna={"sms": ANNA}, bo={"sms": BO})
        office.alert(*(invoice(n, 75000, stamp="2026-11-20T11:00:00") for n in numbers))
        office.run("deliver")
        rows = office.workplace.messages("alerts.title", "messages.recipient", "messages.id")
        return {(title.split()[-1], who): message for title, who, message in rows}

    return tell


def answer(server, body, *, number=ANNA, **more):
    sid = f"SM{next(numbers):032x}"
    fields = {"MessageSid": sid, "From": number, "To": "+46701740600", "Body": body}
    reply = server.twilio("/twilio/reply", {**fields, **more})
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("text/xml")
    assert reply.text.endswith("<Response/>")


def acknowledged(office):
    """Numbers of the documents whose alerts somebody takes care of, with who."""
    query = "SELECT alert_id, by, how FROM acknowledgements"
    titles = dict(office.workplace.query("SELECT id, title FROM alerts"))
    rows = office.workplace.query(query)
    return sorted((titles[alert].split()[-1], by, how) for alert, by, how in rows)


@ON_BOTH
def test_a_reference_in_an_answer_acknowledges_its_alert_once(office, told):
    references = told("1", "2")
    with served(office.workplace) as server:
        for _ in range(2):
            answer(server, f"Ok, I take ref {references['2', 'anna'].lower()}.")
        assert acknowledged(office) == [("2", "anna", "reply")]
        answer(server, f"{references['1', 'bo']} {references['2', 'bo']}", number=BO)
        assert (
            server.metric("twilio_alerts_requests_total", about="reply", result="acknowledged") == 3
        )
    assert acknowledged(office) == [("1", "bo", "reply"), ("2", "anna", "reply")]
    office.run("audit", "verify")


def test_an_answer_over_whatsapp_is_one_to_what_was_told_there(office):
    office.config["whatsapp_from"] = credentials.WHATSAPP_NUMBER
    office.people(rules=OVER["whatsapp"], anna={"whatsapp": ANNA})
    office.alert(invoice("1", 75000, stamp="2026-11-20T11:00:00"))
    office.run("deliver")
    ((reference,),) = office.workplace.messages("messages.id")
    with served(office.workplace) as server:
        answer(server, reference, number=ANNA)
        assert acknowledged(office) == []
        answer(server, reference, number=f"whatsapp:{ANNA}")
        assert acknowledged(office) == [("1", "anna", "reply")]
        answer(server, "STOP", number=f"whatsapp:{ANNA}")
    assert office.workplace.query("SELECT channel FROM opt_outs") == [("whatsapp",)]


def test_a_reference_that_another_number_was_sent_acknowledges_nothing(office, told):
    references = told("1")
    with served(office.workplace) as server:
        answer(server, references["1", "anna"], number=BO)
        answer(server, references["1", "anna"], number="+46701740699")
        answer(server, references["1", "anna"], number=f"whatsapp:{ANNA}")
        answer(server, f"X{references['1', 'anna']}")
    assert acknowledged(office) == []


@pytest.mark.parametrize("word", ["ok", " Ja! ", "KUITTAAN"])
def test_a_yes_acknowledges_the_only_alert_that_somebody_was_told_of(office, told, word):
    told("1")
    with served(office.workplace) as server:
        answer(server, word)
    assert acknowledged(office) == [("1", "anna", "reply")]


def test_a_yes_to_one_of_two_alerts_acknowledges_nothing_until_only_one_is_left(office, told):
    references = told("1", "2")
    with served(office.workplace) as server:
        answer(server, "ok")
        assert acknowledged(office) == []
        answer(server, references["1", "anna"])
        answer(server, "ok")
    assert acknowledged(office) == [("1", "anna", "reply"), ("2", "anna", "reply")]


def test_other_words_acknowledge_nothing_and_opt_nobody_out(office, told):
    told("1")
    others = ["who is this?", "not ok", "ok but later", "no", "", "stop it"]
    with served(office.workplace) as server:
        for words in others:
            answer(server, words)
        counted = server.metric(
            "twilio_alerts_requests_total", about="reply", result="not understood"
        )
        assert counted == len(others)
    assert acknowledged(office) == []
    assert office.workplace.query("SELECT count(*) FROM opt_outs") == [(0,)]


def test_a_yes_a_day_later_acknowledges_nothing(office, told):
    told("1")
    office.workplace.query("UPDATE messages SET sending_at = '2026-01-01T00:00:00.000000Z'")
    with served(office.workplace) as server:
        answer(server, "ok")
    assert acknowledged(office) == []


def test_a_yes_in_the_morning_is_one_to_what_quiet_hours_held_till_then(office, told):
    told("1")
    office.workplace.query("UPDATE messages SET created_at = '2026-01-01T00:00:00.000000Z'")
    with served(office.workplace) as server:
        answer(server, "ok")
    assert acknowledged(office) == [("1", "anna", "reply")]


def test_an_answer_that_comes_again_is_none_to_what_was_told_since(office, told):
    told("1")
    with served(office.workplace) as server:
        answer(server, "ok", MessageSid=SID)
        office.alert(invoice("2", 75000, stamp="2026-11-20T12:00:00"))
        office.run("deliver")
        answer(server, "ok", MessageSid=SID)
    with served(office.workplace) as server:
        answer(server, "ok", MessageSid=SID)
        counted = server.metric(
            "twilio_alerts_requests_total", about="reply", result="heard before"
        )
        assert counted == 1
    assert acknowledged(office) == [("1", "anna", "reply")]


def test_a_stop_that_comes_again_does_not_undo_what_an_operator_cleared(office, told):
    told("1")
    with served(office.workplace) as server:
        answer(server, "STOP", MessageSid=SID)
    office.run("opt-outs", "clear", "anna", "--reason", "she opted in again")
    with served(office.workplace) as server:
        answer(server, "STOP", MessageSid=SID)
    assert office.workplace.query("SELECT count(*) FROM opt_outs") == [(0,)]


OTHER_SID = f"SM{'0' * 31}9"


@pytest.mark.parametrize(("words", "more"), [("Start", {}), ("yes", {"OptOutType": "START"})])
def test_a_start_lets_somebody_be_told_again_once(office, told, words, more):
    told("1")
    with served(office.workplace) as server:
        answer(server, "STOP", MessageSid=SID)
        answer(server, words, number=BO, MessageSid=f"SM{'0' * 31}8", **more)
        assert office.workplace.query("SELECT count(*) FROM opt_outs") == [(1,)]
        answer(server, words, MessageSid=OTHER_SID, **more)
        assert office.workplace.query("SELECT count(*) FROM opt_outs") == [(0,)]
    with served(office.workplace) as server:
        answer(server, "STOP", MessageSid=f"SM{'0' * 31}7")
        answer(server, words, MessageSid=OTHER_SID, **more)  # the same once more
    assert office.workplace.query("SELECT count(*) FROM opt_outs") == [(1,)]
    kept = "SELECT body FROM audit_events WHERE kind = 'opt_out_cleared'"
    bodies = [json.loads(body) for (body,) in office.workplace.query(kept)]
    assert bodies == [{"channel": "sms", "source": f"START, answer {OTHER_SID}"}]
    assert "ok     " in office.run("audit", "verify")


@pytest.mark.parametrize(
    ("words", "more"), [("Stop", {}), ("STOP.", {}), ("stopp", {"OptOutType": "STOP"})]
)
def test_a_stop_is_an_opt_out_and_no_later_message_is_sent(office, told, words, more):
    told("1")
    with served(office.workplace) as server:
        for _ in range(2):
            answer(server, words, MessageSid=SID, **more)
    source = f"STOP, answer {SID}"
    assert office.workplace.query("SELECT channel, source FROM opt_outs") == [("sms", source)]
    kept = "SELECT body FROM audit_events WHERE kind = 'opted_out'"
    bodies = [json.loads(body) for (body,) in office.workplace.query(kept)]
    assert bodies == [{"channel": "sms", "source": source}]
    office.alert(invoice("3", 75000, stamp="2026-11-20T12:00:00"))
    states = {
        row["recipient"]: row["state"] for row in office.trail() if row["document"].endswith("3")
    }
    assert states == {"anna": "suppressed", "bo": "pending"}
    assert acknowledged(office) == []


@ON_BOTH
@pytest.mark.parametrize("channel", ["sms", "whatsapp"])
def test_a_stop_is_an_opt_out_however_long_ago_the_last_message_was(office, channel):
    office.config["whatsapp_from"] = credentials.WHATSAPP_NUMBER
    office.people(rules=OVER[channel], anna={channel: ANNA})
    office.alert(invoice("1", 75000, stamp="2026-11-20T11:00:00"))
    office.run("deliver")
    office.workplace.query(
        "UPDATE messages SET created_at = '2025-01-01T00:00:00.000000Z', "
        "sending_at = '2025-01-01T00:00:00.000000Z'"
    )
    prefix = "whatsapp:" if channel == "whatsapp" else ""
    with served(office.workplace) as server:
        ((reference,),) = office.workplace.messages("messages.id")
        answer(server, reference, number=f"{prefix}{ANNA}")
        answer(server, "STOP", number=f"{prefix}{ANNA}")
    assert acknowledged(office) == []
    assert office.workplace.query("SELECT channel FROM opt_outs") == [(channel,)]


def test_a_stop_of_a_number_that_was_never_told_is_not_kept(office, told):
    told("1")
    with served(office.workplace) as server:
        answer(server, "STOP", number="+46701740699")
    assert office.workplace.query("SELECT count(*) FROM opt_outs") == [(0,)]


def test_a_forged_answer_does_nothing(office, told):
    references = told("1")
    with served(office.workplace) as server:
        fields = {"From": ANNA, "Body": references["1", "anna"]}
        reply = server.twilio("/twilio/reply", fields, signature="x" * 28)
        assert reply.status_code == 403
        reply = server.twilio("/twilio/reply", {**fields, "Body": "STOP"}, signature="x" * 28)
        assert reply.status_code == 403
    assert acknowledged(office) == []
    assert office.workplace.query("SELECT count(*) FROM opt_outs") == [(0,)]
