"""What is another's in Twilio's list is not taken for a message of ours, or not for long."""

from __future__ import annotations

import pytest
import requests
from ledgers import ON_BOTH
from office import Office
from singer import invoice
from waiting import until

from target_twilio_alerts.delivery import callbacks
from target_twilio_alerts.delivery.channels import Accepted, StatusReport
from target_twilio_alerts.delivery.steps import Steps
from target_twilio_alerts.ledger import Ledger, events, runs
from visma_twilio_sandbox import credentials

ANNA = "+46701740605"


@pytest.fixture
def never_taken(workplace, zygote):
    """Delivers an alert over a channel; Twilio never gets its message, which is unknown."""

    def run(via="voice"):
        office = Office(workplace)
        office.people(via=via, anna={"sms": ANNA, "voice": ANNA})
        office.baseline()
        office.alert(invoice("1", 75000, stamp="2026-11-20T11:00:00"))
        workplace.sandbox.faults.add("twilio", method="POST", drop="before")
        office.run("deliver")
        assert workplace.messages("state") == [("unknown",)]
        return office

    return run


def ask(workplace, **form):
    """Some other program asks the account for a message or a call to the same number; its SID."""
    kind = "Calls" if "Twiml" in form else "Messages"
    account = credentials.ACCOUNT_SID
    asked = requests.post(
        f"{workplace.sandbox.twilio_url}/2010-04-01/Accounts/{account}/{kind}.json",
        {"To": ANNA, "From": credentials.FROM_NUMBER, **form},
        auth=(account, credentials.AUTH_TOKEN),
        timeout=10,
    )
    asked.raise_for_status()
    return asked.json()["sid"]


CALL = {"Twiml": "<Response><Say>Good morning</Say></Response>"}


@ON_BOTH
@pytest.mark.parametrize("via", ["voice", "sms"])
def test_what_another_process_is_just_handing_over_is_not_taken_for_the_lost_one(
    workplace, zygote, never_taken, via
):
    folder = workplace.root / "templates"
    folder.mkdir()
    (folder / "large-supplier-invoice.sms.j2").write_text("There is a large invoice")
    workplace.config["max_in_flight"] = 1  # else a file may be stopped while it looks for more
    office = never_taken(via)
    office.alert(invoice("2", 85000, stamp="2026-11-20T11:00:00"))
    workplace.sandbox.faults.add("twilio", method="POST", stall=0.5)
    stopped = zygote.command(workplace, "deliver")
    twilio = workplace.sandbox.twilio
    (taken,) = until(lambda: twilio.calls if via == "voice" else twilio.messages)
    stopped.stop()
    if via == "sms":
        assert workplace.messages("text") == [(taken.body,)] * 2
    assert workplace.messages("state", "sid") == [("unknown", None), ("sending", None)]
    office.run("deliver")
    assert workplace.messages("state", "sid") == [("unknown", None), ("sending", None)]
    stopped.go_on()
    assert stopped.wait().code == 0
    assert workplace.messages("sid") == [(None,), (taken.sid,)]
    assert workplace.messages("state")[0] == ("unknown",)
    assert "ok" in workplace.command("audit", "verify")


def test_what_an_erased_message_may_be_is_not_taken_for_another(workplace, never_taken):
    """One that waited so long before it was sent that it may be erased while it is looked for."""
    office = never_taken()
    erase = "UPDATE message_contents SET address = '', text = '', erased_at = ?"
    workplace.query(erase, "2026-11-26T00:00:00.000000Z")
    office.alert(invoice("2", 85000, stamp="2026-11-20T11:00:00"))
    workplace.sandbox.faults.add("twilio", method="POST", drop="before")
    office.run("deliver")
    ask(workplace, **CALL)
    office.run("deliver")
    assert workplace.messages("state") == [("unknown",)] * 2


def test_a_call_from_another_number_is_not_taken_for_the_lost_one(workplace, never_taken):
    office = never_taken()
    workplace.config["voice_from"] = "+46701740609"
    ask(workplace, **CALL)
    office.run("deliver")
    assert workplace.messages("state") == [("unknown",)]


def test_a_text_from_another_sender_is_not_taken_for_the_lost_one(workplace, never_taken):
    office = never_taken("sms")
    sid = ask(workplace, From="NordAB", Body="Good morning")
    workplace.sandbox.twilio.settle()
    workplace.sandbox.twilio.store.update(sid, body="")
    office.run("deliver")
    assert workplace.messages("state") == [("unknown",)]


@pytest.fixture
def mistaken(workplace, never_taken):
    """An unknown message that was taken for what Twilio then says is another one.

    Gives the office, the SID, and the other message, which is being handed over.
    """
    office = never_taken()
    sid = ask(workplace, **CALL)
    office.run("deliver")
    assert workplace.messages("sid") == [(sid,)]
    office.alert(invoice("2", 85000, stamp="2026-11-20T11:00:00"))
    ledger = Ledger(workplace.config["ledger_url"])
    steps = Steps(ledger, runs.start(ledger, command="test", version="0", body={}))
    (message,) = steps.claim({"voice": 1}, limit=1, unless=lambda: False)
    assert steps.begin(message)
    yield office, sid, message, ledger, steps
    ledger.close()


def check_put_back(workplace, office, sid):
    """The first is unknown again, is never settled by that SID, and its trail agrees."""
    columns = ("state", "sid", "status", "accepted_at")
    first, second = workplace.messages(*columns)
    assert first == ("unknown", None, None, None)
    assert second[1] == sid
    ((reason, _),) = [row for row in workplace.messages("messages.reason", "state") if row[0]]
    assert "what it was taken for is message" in reason
    office.run("deliver")
    assert workplace.messages("sid") == [(None,), (sid,)]
    assert "ok" in office.run("audit", "verify")


def test_the_answer_to_another_message_puts_back_what_was_taken_for_it(workplace, mistaken):
    office, sid, message, _, steps = mistaken
    steps.record(message, Accepted(sid, "queued", None, None))
    check_put_back(workplace, office, sid)


def test_a_callback_of_another_message_puts_back_what_was_taken_for_it(workplace, mistaken):
    office, sid, message, ledger, _ = mistaken
    report = StatusReport("queued")
    callback = callbacks.Callback(frozenset({"voice"}), sid, report, message_id=message.id)
    with ledger.write() as connection:
        taken = callbacks.take(connection, callback, message.id, at=runs.utc_now())
        events.append(connection, taken.events, at=runs.utc_now(), run_id=None)
    check_put_back(workplace, office, sid)


def test_what_has_the_providers_own_word_is_not_put_back(workplace, mistaken):
    """A provider that gives two messages one SID is wrong about both."""
    _, _, message, _, steps = mistaken
    steps.record(message, Accepted("CA" + "1" * 32, "queued", None, None))
    Office(workplace).alert(invoice("3", 85000, stamp="2026-11-20T11:00:00"))
    (third,) = steps.claim({"voice": 1}, limit=1, unless=lambda: False)
    assert steps.begin(third)
    steps.record(third, Accepted("CA" + "1" * 32, "queued", None, None))
    assert "unknown" not in {state for (state,) in workplace.messages("state")}
