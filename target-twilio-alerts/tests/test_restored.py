"""A ledger restored from an older backup is noticed before it sends anything."""

from __future__ import annotations

import shutil

import pytest
import requests
from office import Office
from singer import invoice

NUMBER = "+46701740605"


@pytest.fixture
def office(workplace):
    workplace.config["restored_ledger"] = "refuse"
    office = Office(workplace)
    office.people(ap={"sms": NUMBER})
    office.alert(invoice("1", 75000))
    office.run("deliver")
    return office


def back_up(office):
    shutil.copy(office.workplace.ledger_path, office.root / "backup.db")


def restore(office):
    shutil.copy(office.root / "backup.db", office.workplace.ledger_path)


def texts(office):
    return [message.body for message in office.sandbox.twilio.messages]


def is_refused(office, said):
    before = len(texts(office))
    told = office.run("deliver", code=1)
    assert said in told
    assert "bring back the newest ledger" in told
    assert len(texts(office)) == before
    assert [row["state"] for row in office.trail("--state", "pending")]


def send(office, to, text):
    """What another program does."""
    account, token = office.config["account_sid"], office.config["auth_token"]
    url = f"{office.config['twilio_api_url']}/2010-04-01/Accounts/{account}/Messages.json"
    form = {"To": to, "From": office.config["from_number"], "Body": text}
    requests.post(url, data=form, auth=(account, token), timeout=30).raise_for_status()


@pytest.fixture(params=["twilio's list", "anchors"])
def restored(request, office):
    """A ledger that has forgotten what it sent, and whose documents come again."""
    if request.param == "anchors":
        office.config |= {
            "anchor_file": str(office.root / "anchors.txt"),
            "restored_ledger": "ignore",
        }
        office.run("deliver")
    back_up(office)
    office.alert(invoice("2", 85000))
    office.run("deliver")
    assert len(texts(office)) == 2
    restore(office)
    office.alert(invoice("2", 85000))
    return office


def test_nothing_is_sent_until_somebody_says_that_it_may(restored):
    said = "last anchor" if "anchor_file" in restored.config else "1 of our messages"
    is_refused(restored, said)
    is_refused(restored, said)  # nor by the next run, which has events of its own
    told = restored.run("accept-restored", "--reason", "the disk was lost")
    assert told.startswith("Accepted in event ")
    restored.run("deliver")
    assert len(texts(restored)) == 3
    restored.alert(invoice("3", 95000))
    restored.run("deliver")
    assert len(texts(restored)) == 4
    assert restored.run("audit", "verify").startswith("ok ")


def test_who_accepted_it_and_why_is_in_the_trail(restored):
    restored.run("accept-restored", "--reason", "the disk was lost")
    ((body,),) = restored.workplace.query(
        "SELECT body FROM audit_events WHERE kind = 'restored_ledger_accepted'"
    )
    assert '"reason":"the disk was lost"' in body


def test_the_target_keeps_its_messages_and_ends_in_one_line(restored, zygote):
    before = len(texts(restored))
    ended = zygote.start(restored.workplace, "").wait()
    assert ended.code == 2
    (told,) = [line for line in ended.stderr.splitlines() if "| ERROR" in line]
    assert "nothing is sent: bring back the newest ledger" in told
    assert len(texts(restored)) == before


def test_a_newer_ledger_that_has_sent_since_is_no_older_one(office):
    office.config["anchor_file"] = str(office.root / "anchors.txt")
    for number in "234":
        office.alert(invoice(number, 85000))
        office.run("deliver")
    assert len(texts(office)) == 4


@pytest.mark.parametrize(
    ("to", "text"),
    [
        (NUMBER, "Your order is ready. Ref 2026"),
        (NUMBER, "Your order is ready"),
        ("+46701740699", "Acme: a new invoice. Ref 7K2QM9XD"),
    ],
)
def test_what_other_programs_send_from_the_account_is_no_evidence(office, to, text):
    send(office, to, text)
    office.alert(invoice("2", 85000))
    office.run("deliver")
    assert texts(office)[-1] != text


def test_another_ledger_of_the_same_account_is_ignored_where_the_setting_says_so(office):
    send(office, NUMBER, "Acme: a new invoice. Ref 7K2QM9XD")
    office.alert(invoice("2", 85000))
    is_refused(office, "then set restored_ledger to ignore")
    office.config["restored_ledger"] = "ignore"
    office.run("deliver")
    assert len(texts(office)) == 3


def test_a_run_that_has_nothing_to_send_asks_nobody(office):
    before = len(office.sandbox.requests("twilio"))
    office.sandbox.twilio.settle()
    office.run("deliver")
    asked = [one.path for one in office.sandbox.requests("twilio")[before:]]
    assert all("/Messages/SM" in path for path in asked)


def test_a_test_that_could_not_be_sent_is_not_sent_later(restored):
    restored.run("send-test", "ap", code=1)
    restored.run("accept-restored", "--reason", "the disk was lost")
    before = len(texts(restored))
    restored.run("deliver")
    assert len(texts(restored)) == before + 1  # the alert alone


def test_a_file_of_anchors_that_cannot_be_written_is_told_and_nothing_is_accepted(restored):
    restored.config["anchor_file"] = str(restored.root / "gone" / "anchors.txt")
    told = restored.run("accept-restored", "--reason", "the disk was lost", code=1)
    assert "anchors.txt cannot be written" in told
    query = "SELECT count(*) FROM audit_events WHERE kind = 'restored_ledger_accepted'"
    assert restored.workplace.query(query) == [(0,)]


def test_a_ledger_that_had_sent_nothing_yet_is_noticed_too(workplace):
    workplace.config["restored_ledger"] = "refuse"
    office = Office(workplace)
    office.people(ap={"sms": NUMBER})
    office.baseline()
    back_up(office)
    office.alert(invoice("1", 75000))
    office.run("deliver")
    restore(office)
    office.alert(invoice("1", 75000))
    is_refused(office, "does not know 1 of our messages")


def cannot_be_listed(office, times, status=503):
    office.sandbox.faults.add(
        "twilio", method="GET", match="/Messages.json", status=status, times=times
    )


def is_held_up(office, zygote):
    """A run with a short deadline ends in one line, which is given."""
    office.config["delivery_deadline_seconds"] = 1
    ended = zygote.start(office.workplace, "").wait()
    assert ended.code == 2
    (told,) = [line for line in ended.stderr.splitlines() if "| ERROR" in line]
    assert "whether it was restored from an older backup cannot be known" in told
    return told


def test_a_list_that_cannot_be_read_is_asked_for_again_and_then_messages_leave(office):
    cannot_be_listed(office, times=2)
    office.alert(invoice("2", 85000))
    office.run("deliver")
    assert len(texts(office)) == 2


@pytest.mark.parametrize("restored", ["twilio's list"], indirect=True)
@pytest.mark.parametrize("status", [503, 403])
def test_nothing_is_sent_while_the_list_cannot_be_read(restored, zygote, status):
    cannot_be_listed(restored, times=None, status=status)
    before = len(texts(restored))
    told = is_held_up(restored, zygote)
    assert f"HTTP {status}" in told
    assert len(texts(restored)) == before
    assert len(restored.trail("--state", "pending")) == 1
    restored.sandbox.faults.clear()
    is_refused(restored, "1 of our messages")


def test_a_list_that_cannot_be_read_holds_nothing_up_where_anchors_agree(office):
    office.config["anchor_file"] = str(office.root / "anchors.txt")
    office.run("deliver")
    cannot_be_listed(office, times=None)
    office.alert(invoice("2", 85000))
    office.run("deliver")
    assert len(texts(office)) == 2


def test_an_empty_file_of_anchors_has_not_agreed(office, zygote):
    (office.root / "anchors.txt").touch()
    office.config["anchor_file"] = str(office.root / "anchors.txt")
    cannot_be_listed(office, times=None)
    office.alert(invoice("2", 85000))
    is_held_up(office, zygote)
    assert len(texts(office)) == 1
