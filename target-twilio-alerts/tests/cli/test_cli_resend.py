"""`twilio-alerts resend`: a new attempt, linked to the old one, which stays as it is."""

from __future__ import annotations

import re
import signal
from dataclasses import replace

import pytest
import sqlalchemy as sa
from ledgers import ON_BOTH, copied, query
from singer import invoice
from waiting import until
from zygote import Step

from target_twilio_alerts.ledger import Ledger, MessageState, tables

WRONG, RIGHT, OTHER = "+46701740696", "+46701740606", "+46701740608"
UNREACHABLE = "+46701740691"


@pytest.fixture
def office(office):
    office.people(anna={"sms": WRONG}, erik={"sms": "+46701740607"})
    return office


@pytest.fixture
def rejected(office):
    """The id of a message to Anna that Twilio refused; Erik was told."""
    office.alert(invoice("1", 60000))
    office.run("deliver")
    (message,) = [one for one in office.trail() if one["recipient"] == "anna"]
    assert message["state"] == "rejected"
    return message["message"]


def of(office, recipient):
    return [one for one in office.trail() if one["recipient"] == recipient]


def events(office, message):
    ledger = Ledger(office.config["ledger_url"])
    with ledger.read() as connection:
        query = sa.select(tables.audit_events).where(tables.audit_events.c.message_id == message)
        found = connection.execute(query).all()
    ledger.close()
    return found


@ON_BOTH
def test_a_corrected_number_is_a_new_linked_attempt_and_history_stays(office, rejected):
    (before,) = of(office, "anna")
    steps = events(office, rejected)
    told = office.run(
        "resend", "--yes", rejected, "--to", RIGHT, "--reason", "wrong number in the file"
    )
    old, new = of(office, "anna")
    assert old == before
    assert events(office, rejected) == steps
    assert new["resend_of"] == rejected
    assert new["state"] == "accepted"
    assert new["document"] == old["document"]
    assert told.splitlines()[-1] == f"{new['message']}: accepted {new['sid']}"
    assert office.sent[-1] == (RIGHT, new["message"])
    shown = office.run("audit", "show", new["message"])
    assert "wrong number in the file" in shown
    assert rejected not in office.workplace.accepted[-1].body


def test_without_to_the_number_that_the_alerts_file_has_now_is_used(office, rejected):
    office.people(anna={"sms": RIGHT}, erik={"sms": "+46701740607"})
    office.run("resend", "--yes", rejected.lower(), "--reason", "corrected in the file")
    assert office.sent[-1][0] == RIGHT


def test_another_recipient_may_be_named(office, rejected):
    office.run("resend", "--yes", rejected, "--to", "erik", "--reason", "Anna is on leave")
    first, second = of(office, "erik")
    assert first["resend_of"] is None
    assert second["resend_of"] == rejected


def test_each_resend_is_an_attempt_of_its_own(office, rejected):
    told = office.run("resend", "--yes", rejected, "--reason", "once more", code=1)
    assert "error 21614" in told.splitlines()[-1]
    office.run("resend", "--yes", rejected, "--to", RIGHT, "--reason", "mended")
    office.run(
        "resend", "--yes", rejected, "--to", OTHER, "--again", "--reason", "her other telephone"
    )
    messages = of(office, "anna")
    assert [one["resend_of"] for one in messages] == [None, rejected, rejected, rejected]
    assert [one["state"] for one in messages][2:] == ["accepted", "accepted"]
    ledger = Ledger(office.config["ledger_url"])
    with ledger.read() as connection:
        query = sa.select(tables.messages.c.attempt).where(tables.messages.c.recipient == "anna")
        attempts = sorted(connection.execute(query).scalars())
    ledger.close()
    assert attempts == [1, 2, 3, 4]


def test_a_resend_of_a_resend_is_linked_to_it(office, rejected):
    office.run("resend", "--yes", rejected, "--reason", "once more", code=1)
    again = of(office, "anna")[-1]["message"]
    office.run("resend", "--yes", again, "--to", RIGHT, "--reason", "mended")
    assert of(office, "anna")[-1]["resend_of"] == again


@pytest.mark.parametrize("arguments", [[], ["--reason", "  "]])
def test_it_refuses_without_a_reason(office, rejected, arguments):
    told = office.run("resend", "--yes", rejected, *arguments, code=1 if arguments else 2)
    assert "--reason" in told
    assert len(of(office, "anna")) == 1


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (MessageState.DELIVERED, "is delivered: it did not fail; to tell somebody else"),
        (MessageState.ACCEPTED, "is accepted: it did not fail; to tell somebody else"),
        (MessageState.PENDING, "is still pending; `twilio-alerts deliver` sends it"),
        (MessageState.SENDING, "is still sending"),
    ],
)
def test_it_refuses_what_arrived_or_is_under_way(office, rejected, state, words):
    office.put(rejected, state)
    told = office.run("resend", "--yes", rejected, "--reason", "impatient", code=1)
    assert words in told
    assert len(told.splitlines()) == 1
    assert len(of(office, "anna")) == 1


def test_a_delivered_message_may_go_to_somebody_else_but_not_to_the_same_address(office, rejected):
    office.put(rejected, MessageState.DELIVERED)
    office.run("resend", "--yes", rejected, "--to", "anna", "--reason", "again", code=1)
    office.run("resend", "--yes", rejected, "--to", WRONG, "--reason", "again", code=1)
    assert len(of(office, "anna")) == 1
    office.run("resend", "--yes", rejected, "--to", RIGHT, "--reason", "her deputy")
    assert office.sent[-1][0] == RIGHT


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["NOSUCH00"], "no message NOSUCH00 in the ledger; `twilio-alerts audit` lists them"),
        (["--to", "erk"], "erk is neither a recipient of the alerts file nor an address for sms; "),
        (["--to", "ann@example.com"], "a***@example.com is neither a recipient"),
        (["--to", "0701740606"], "*****606 is neither a recipient"),
        (["--to", "maria"], "recipient maria has no address for sms; add one"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(office, rejected, arguments, words):
    office.people(
        anna={"sms": WRONG},
        erik={"sms": "+46701740607"},
        rules="""
  any: {entity: supplier_invoice, when: amount > 1, notify: anna, via: sms}
""",
        maria={"email": "maria@example.com"},
    )
    given = arguments if arguments[0] != "--to" else [rejected, *arguments]
    told = office.run("resend", "--yes", *given, "--reason", "mended", code=1)
    assert told.startswith("Error: ")
    assert words in told
    assert len(told.splitlines()) == 1
    assert len(of(office, "anna")) == 1


def test_with_wrong_credentials_the_attempt_waits_and_is_told(office, rejected):
    right = office.config["auth_token"]
    office.config["auth_token"] = "not-the-right-one"
    told = office.run("resend", "--yes", rejected, "--to", RIGHT, "--reason", "mended", code=1)
    assert told.splitlines()[-1].endswith("what is pending is kept")
    assert of(office, "anna")[-1]["state"] == "pending"
    office.config["auth_token"] = right
    office.run("deliver")
    assert office.sent[-1][0] == RIGHT


def test_without_yes_it_is_listed_and_nothing_is_sent(office, rejected):
    for arguments in ([], ["--yes", "--dry-run"]):
        told = office.run("resend", rejected, "--to", RIGHT, "--reason", "mended", *arguments)
        assert "+46*****606" in told
        assert RIGHT not in told
        assert "not a mobile number" in told
        assert "1 message would be sent again: add --yes" in told
    assert len(of(office, "anna")) == 1


def test_what_was_sent_again_is_not_sent_a_third_time_unless_asked(office, rejected):
    arguments = ("resend", "--yes", rejected, "--to", RIGHT, "--reason", "mended")
    office.run(*arguments)
    new = of(office, "anna")[-1]["message"]
    told = office.run(*arguments, code=1)
    assert len(told.splitlines()) == 1
    assert f"sent it again as {new}, which is accepted; --again sends it all the same" in told
    office.run(*arguments, "--again")
    assert len(of(office, "anna")) == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name messages, or select them by --rule, --recipient, --code, --state"),
        (["X", "--rule", "large"], "--since or --until, not both"),
        (["--rule", "large", "--again"], "--again is for messages that are named"),
        (["--since", "yesterday"], "--since yesterday: write a day or a time"),
        (["X", "--reason", "x" * 201], "--reason is a text of at most 200 characters"),
    ],
)
def test_what_it_cannot_do_is_told_in_one_line(office, arguments, words):
    given = arguments if "--reason" in arguments else [*arguments, "--reason", "x"]
    told = office.run("resend", *given, code=1)
    assert words in told
    assert len(told.splitlines()) == 1


@ON_BOTH
@pytest.mark.parametrize("kind", ["of an alert", "of none"])
def test_of_two_operators_at_the_same_time_exactly_one_sends_it(office, rejected, zygote, kind):
    if kind == "of none":
        office.workplace.query("UPDATE messages SET alert_id = NULL")
    places = []
    for name in ("first", "second"):
        (office.root / name).mkdir()
        config = {**office.config, "alerts_file": str(office.root / "alerts.yml")}
        places.append(replace(office.workplace, root=office.root / name, config=config))
    arguments = ("resend", "--yes", rejected, "--to", RIGHT, "--reason", "mended")
    ended = [one.wait() for one in [zygote.command(place, *arguments) for place in places]]
    assert sorted(one.code for one in ended) == [0, 1]
    assert len(of(office, "anna")) == 2
    assert len([to for to, _ in office.sent if to == RIGHT]) == 1
    [told] = [one.stderr for one in ended if one.code == 1]
    assert "sent it again as" in told
    assert len(told.splitlines()) == 1


@ON_BOTH
def test_wherever_one_operator_is_when_another_comes_one_of_them_sends_it(
    office, rejected, zygote, databases
):
    arguments = ("resend", "--yes", rejected, "--to", RIGHT, "--reason", "mended")
    codes = set()
    for number in range(1, 40):
        root = office.root / str(number)
        root.mkdir()
        url = copied(office.config["ledger_url"], root, databases)
        alerts_file = str(office.root / "alerts.yml")
        config = {**office.config, "alerts_file": alerts_file, "ledger_url": url}
        place = replace(office.workplace, root=root, config=config)
        step = Step("checkin", number, signal=signal.SIGSTOP)
        first = zygote.command(place, *arguments, die=step)
        until(lambda one=first: one.has_ended() or one.is_stopped())
        if first.has_ended():
            break
        (root / "second").mkdir()
        second = zygote.command(replace(place, root=root / "second"), *arguments).wait()
        first.go_on()
        ended = (first.wait(), second)
        codes.add(tuple(one.code for one in ended))
        assert sorted(one.code for one in ended) == [0, 1]
        [told] = [one.stderr for one in ended if one.code == 1]
        assert "sent it again as" in told
        assert len(told.splitlines()) == 1
        sent = "SELECT count(*) FROM messages WHERE resend_of IS NOT NULL"
        assert query(url, sent) == [(1,)]
    assert codes == {(0, 1), (1, 0)}


def test_two_messages_of_one_alert_that_go_to_one_person_are_told_once(office):
    office.people(anna={"sms": WRONG}, erik={"sms": UNREACHABLE}, maria={"sms": OTHER})
    office.alert(invoice("1", 60000))
    office.run("deliver")
    office.sandbox.twilio.settle()
    office.run("deliver")
    assert [one["state"] for one in of(office, "erik")] == ["undelivered"]
    selected = ("resend", "--rule", "large-supplier-invoice", "--to", "maria")
    told = office.run(*selected, "--reason", "she stands in", "--yes")
    assert "another message of the same alert goes to that address already" in told
    query = "SELECT attempt, address FROM messages JOIN message_contents ON message_id = id"
    rows = office.workplace.query(f"{query} WHERE recipient = 'maria' ORDER BY attempt")
    assert rows == [(1, OTHER), (2, OTHER)]


def test_a_link_that_is_sent_again_is_another_one(office):
    office.config["public_url"] = "https://alerts.example.com"
    office.people(via="email", anna={"email": "anna@example.com"})
    office.alert(invoice("1", 60000))
    office.run("deliver")
    (message,) = of(office, "anna")
    office.run(
        "resend", message["message"], "--to", "bo@example.com", "--reason", "for Bo", "--yes"
    )
    texts = [email.text for email in office.sandbox.sendgrid.emails]
    first, second = (re.search(r"/ack/([a-z]+)-([0-9A-Z]+)", text) for text in texts)
    assert first[1] != second[1]
    assert first[2] != second[2]
    assert second[0] in office.sandbox.sendgrid.emails[1].html
