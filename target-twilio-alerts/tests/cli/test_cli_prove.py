"""`audit prove`: a controller can check an alert by hand, and a run's counts against each other."""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta

import pytest
import requests
import sqlalchemy as sa
from office import Office
from singer import baseline, invoice, record, schema, state
from waiting import until
from zygote import Step

from target_twilio_alerts.audit import story
from target_twilio_alerts.ledger.tables import alerts, documents, iso_utc
from visma_twilio_sandbox import credentials


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def proof(office, reference, code=0):
    return json.loads(office.run("audit", "prove", reference, "--json", code=code))


@pytest.fixture
def told(rich):
    """The story of the alert that was sent, refused, acknowledged and sent again."""
    first, *_ = rich.trail("--recipient", "anna")
    return proof(rich, first["message"])


def test_each_event_can_be_sealed_again_by_hand(told):
    assert len(told["events"]) > 10
    by_number = {event["event"]: event for event in told["events"]}
    for number, event in by_number.items():
        assert sha256(event["sealed"]) == event["hash"]
        sealed = json.loads(event["sealed"])
        assert json.loads(sealed["body"]) == event["body"]
        assert (sealed["seq"], sealed["kind"], sealed["at"]) == (
            number,
            event["kind"],
            event["at"],
        )
        if number + 1 in by_number:
            assert by_number[number + 1]["previous_hash"] == event["hash"]
    assert told["head"]["event"] > max(by_number)


def test_decision_and_rule_are_what_the_events_have_hashes_of(told):
    raised = told["events"][0]["body"]
    decision = told["decision"]
    for name, text in (("reason", decision["reason"]), ("decision", decision["text"])):
        assert sha256(f"{decision['salt']}\x1f{text}") == raised[f"{name}_hash"]
    assert decision["values"]["amount"] == "75000"
    assert decision["reason"] == "amount 75000 > 50000"
    rule = told["rule"]
    assert (rule["name"], rule["when"]) == ("large", "amount > 50000")
    assert sha256(rule["decided_by"]) == rule["fingerprint"] == decision["fingerprint"]
    record = told["record"]
    assert (record["stream"], record["key"]["referenceNumber"]) == ("supplier_invoices", "2")
    assert raised["version"] == f"{record['version']}|{record['content']}"
    assert record["stamp"] == json.loads(decision["text"])["stamp"]
    assert record["not_sealed"] == ["seen_at", "seen_in_run"]


def test_each_message_is_there_with_claim_request_sid_and_every_status(told):
    sent, refused, again = sorted(
        told["messages"], key=lambda one: (one["attempt"], one["recipient"])
    )
    created = {
        event["message"]: event["body"]
        for event in told["events"]
        if event["kind"] == "message_created"
    }
    for message in (sent, refused, again):
        hashed = created[message["id"]]
        assert sha256(f"{message['salt']}\x1f{message['text']}") == hashed["text_hash"]
    # The controller knows the number from the alerts file.
    assert sha256(f"{sent['salt']}\x1f+46701740605") == created[sent["id"]]["address_hash"]
    assert sent["address"] == "+46*****605"
    assert re.fullmatch(r"SM\w{32}", sent["sid"])
    assert re.fullmatch(r"RQ\w{32}", sent["request_id"])
    sending = [
        event
        for event in told["events"]
        if (event["message"], event["kind"]) == (sent["id"], "message_sending")
    ]
    runs = {run["run"]: run for run in told["runs"]}
    assert sent["claims"] == [
        {
            "run": event["run"],
            "command": "deliver",
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "try": number,
            "event": event["event"],
        }
        for number, event in enumerate(sending, 1)
    ]
    assert [one["run"] for one in again["claims"]] != [sent["claims"][-1]["run"]]
    assert {one["run"] for one in sent["claims"]} <= runs.keys()
    steps = [event["kind"] for event in told["events"] if event["message"] == sent["id"]]
    assert steps[:2] == ["message_created", "message_sending"]
    assert "message_accepted" in steps
    statuses = [
        event["body"]["status"]
        for event in told["events"]
        if event["message"] == sent["id"] and event["kind"] == "message_status"
    ]
    assert statuses[-1] == "delivered"
    assert (refused["state"], refused["error_code"]) == ("rejected", "21614")
    assert (again["resend_of"], again["resend_reason"]) == (refused["id"], "his deputy")


def test_its_runs_have_the_anchors_that_the_file_has(told, rich):
    anchors = (rich.root / "anchors.txt").read_text()
    named = [run for run in told["runs"] if run["command"] != "target"]
    assert len(named) == 6
    for run in named:
        line = f" {run['anchor']['event']} {run['anchor']['hash']}\n"
        assert re.search(rf"^{run['run']} \S+{line}", anchors, re.MULTILINE)


def test_as_text_it_is_for_people(rich):
    first, *_ = rich.trail("--recipient", "anna")
    lines = rich.run("audit", "prove", first["alert"].lower()).splitlines()
    assert lines[0].startswith(f"alert {first['alert']}: Supplier invoice Invoice 2, raised ")
    assert "  amount 75000 > 50000" in lines
    claims = [
        one for message in proof(rich, first["alert"])["messages"] for one in message["claims"]
    ]
    place = f"on {socket.gethostname()}, process {os.getpid()}"
    assert [line for line in lines if line.startswith("      claimed by ")] == [
        f"      claimed by run {one['run']} ({one['command']} {place}), "
        f"try {one['try']}: #{one['event']}"
        for one in claims
    ]
    assert {one["command"] for one in claims} == {"deliver", "resend"}
    (seen,) = [line for line in lines if line.startswith("  seen ")]
    assert seen.endswith(" (not sealed: no event tells it)")
    assert lines[-1] == "ok     each hash agrees; `audit verify` looks at the events in between"
    assert "+46701740605" not in "\n".join(lines)


def test_a_digest_belongs_to_the_story_of_each_alert_that_it_tells(rich):
    for (alert_id,) in rich.workplace.query("SELECT alert_id FROM digest_contents"):
        told = proof(rich, alert_id)
        (digest,) = told["messages"]
        assert digest["template"] == "built-in/digest"
        assert {event["kind"] for event in told["events"]} >= {"alert_raised", "message_accepted"}


def test_what_was_changed_is_told(office):
    office.people(anna={"sms": "+46701740605"})
    office.alert(invoice("1", 75000))
    office.workplace.query("UPDATE alerts SET reason = 'because'")
    (message,) = office.trail()
    told = office.run("audit", "prove", message["alert"], code=1)
    assert "(alert_raised): column reason of its row of alerts was changed" in told.splitlines()[-1]
    office.workplace.query("DROP TRIGGER audit_events_no_update")
    office.workplace.query("UPDATE audit_events SET run_id = 'x' WHERE kind = 'message_created'")
    assert proof(office, message["alert"], code=1)["faults"][0].endswith(
        "(message_created): edited: its hash seals something else"
    )


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            """UPDATE documents SET key = replace(key, '"1"', '"9"')""",
            "its stream or its key was changed",
        ),
        ("UPDATE documents SET stream = 'x'", "its stream or its key was changed"),
        ("UPDATE runs SET host = 'x'", "column host of its row of runs was changed"),
        ("UPDATE documents SET stamp = 'forged', seen_at = '2020-01-01T00:00:00.000000Z'", None),
    ],
)
def test_what_is_forged_of_a_record_is_told_or_marked_as_not_sealed(office, statement, said):
    office.people(anna={"sms": "+46701740605"})
    office.alert(invoice("1", 75000, stamp=STAMP))
    ((alert,),) = office.workplace.query("SELECT id FROM alerts")
    before = proof(office, alert)["record"]
    office.workplace.query(statement)
    told = proof(office, alert, code=0 if said is None else 1)
    assert (told["faults"] == []) is (said is None)
    assert all(said in fault for fault in told["faults"])
    if said is None:
        same = {name: told["record"][name] for name in before if name not in before["not_sealed"]}
        assert same.items() <= before.items()
        assert same["stamp"].startswith(STAMP)
        text = office.run("audit", "prove", alert)
        assert "forged" not in text
        assert re.search(r"^  seen 2020-01-01.* \(not sealed: no event", text, re.MULTILINE)


@pytest.mark.parametrize("number", [2, 6])
def test_the_key_of_a_record_is_held_in_whatever_order_its_parts_came(desk, number):
    names = ["referenceNumber", "currencyId", "a", "b", "c", "d"][:number]
    row = {**invoice("1", 75000), "a": 1, "b": "2", "c": 3, "d": 4}
    desk.read(row, key=names)
    ((alert_id,),) = desk.rows(sa.select(alerts.c.id))

    def told():
        with desk.ledger.read() as connection:
            return story.tell(connection, alert_id)

    is_held = number == 2
    assert told()["faults"] == []
    assert ("key" in told()["record"]["not_sealed"]) is not is_held
    for forged in ('{"currencyId":"SEK","referenceNumber":"9"}', '{"referenceNumber":1.5}', "x"):
        with desk.ledger.write() as connection:
            connection.execute(sa.update(documents).values(key=forged))
        assert told()["faults"][0].endswith(": its stream or its key was changed")


def test_an_alert_that_is_not_there_is_one_line(rich):
    assert rich.run("audit", "prove", "nosuch00", code=1) == (
        "Error: no alert, and no message of one, NOSUCH00 in the ledger; `twilio-alerts audit` "
        "lists messages\n"
    )
    assert rich.run("audit", "prove", code=1) == "Error: name an alert, or a run with --run\n"


RULES = """
recipients:
  anna: {name: Anna Berg, sms: "+46701740605", email: anna@example.com}
  erik: {name: Erik Ek, sms: "+46701740696"}
rules:
  large: {entity: supplier_invoice, when: amount > 50000, notify: [anna, erik], via: sms}
  huge: {entity: supplier_invoice, when: amount > 90000, notify: anna, via: email}
  per-supplier:
    {entity: supplier_invoice, when: amount > 50000, notify: anna, via: sms, once_per: counterparty}
"""
FREE = "DROP TRIGGER audit_events_no_update"
MORE = """body = replace(body, '"records":4', '"records":5') WHERE kind = 'run_ended'"""
STAMP = "2026-11-20T11:00:00"


@pytest.fixture
def run(workplace, zygote):
    """A run of the target that took four records in, and its id."""
    workplace.write_alerts(RULES)
    zygote.run(workplace, baseline(invoice("0", 100)))
    rows = [
        invoice("0", 100),
        invoice("1", 75000, stamp=STAMP),
        invoice("2", 95000, stamp=STAMP),
        invoice("3", None, stamp=STAMP),
    ]
    zygote.run(workplace, schema() + "".join(map(record, rows)) + state(STAMP))
    ((workplace.run_id,),) = workplace.query("SELECT id FROM runs ORDER BY started_at DESC LIMIT 1")
    return workplace


def counts(place, *arguments, code=0):
    told = Office(place).run("audit", "prove", "--run", place.run_id, *arguments, code=code)
    return told.splitlines()


def test_the_counts_of_a_run_agree_down_to_twilios_own_list(run):
    per_supplier = "1 alert, 1 already told, 1 no match, 1 undecided"
    lines = counts(run, "--online")
    assert lines[0].startswith(f"run {run.run_id}: target, completed, ")
    assert [line.removeprefix("ok      ") for line in lines[1:]] == [
        "records: 4 counted, 4 by entity",
        "rule huge: outcomes (1 alert, 2 no match, 1 undecided): 4 records, 4 outcomes",
        "rule large: outcomes (2 alert, 1 no match, 1 undecided): 4 records, 4 outcomes",
        f"rule per-supplier: outcomes ({per_supplier}): 4 records, 4 outcomes",
        "alerts that records raised: 4 outcomes, 4 in the trail",
        "alerts: 4 counted, 4 in the trail, 4 in the ledger",
        "alerts told already (once_per): 1 counted, 1 in the trail",
        "messages of these alerts: 6 counted, 6 in the trail",
        "messages, with escalations, digests and the like: 6 in the trail, 6 in the ledger",
        "alerts that tell nobody: none",
        "hand-overs: accepted: 4 counted, 4 in the trail",
        "hand-overs: rejected: 2 counted, 2 in the trail",
        "hand-overs: unknown: 0 counted, 0 in the trail",
        "hand-overs: postponed: 0 counted, 0 in the trail",
        "messages at Twilio: 3 accepted, 3 listed by Twilio",
        "not compared: emails have no list, and of what was erased there is no address: 1 messages",
    ]
    told = json.loads(counts(run, "--json")[0])
    assert told["agrees"]
    assert told["counts"][0] == {
        "what": "records",
        "agrees": True,
        "counted": 4,
        "by entity": 4,
        "differences": [],
    }


def test_a_message_that_was_sent_beside_the_ledger_is_listed(run):
    url = f"{run.sandbox.twilio_url}/2010-04-01/Accounts/{credentials.ACCOUNT_SID}/Messages.json"
    form = {"To": "+46701740605", "From": credentials.FROM_NUMBER, "Body": "beside"}
    login = (credentials.ACCOUNT_SID, credentials.AUTH_TOKEN)
    sid = requests.post(url, form, auth=login, timeout=10).json()["sid"]
    *_, differs, what, _emails = counts(run, "--online", code=1)
    assert differs == "DIFFERS messages at Twilio: 3 accepted, 3 listed by Twilio"
    assert re.fullmatch(
        rf" +Twilio lists {sid} of \S+ to \+46\*{{5}}605, which the ledger does not know", what
    )


def test_a_message_that_twilio_does_not_have_is_listed(run):
    message = next(row for row in run.trail("--state", "accepted") if row["channel"] == "sms")
    url = f"{run.sandbox.twilio_url}/2010-04-01/Accounts/{credentials.ACCOUNT_SID}"
    login = (credentials.ACCOUNT_SID, credentials.AUTH_TOKEN)
    place = f"{url}/Messages/{message['sid']}.json"
    until(lambda: requests.get(place, auth=login, timeout=10).json()["status"] == "delivered")
    assert requests.delete(place, auth=login, timeout=10).status_code == 204
    told = "\n".join(counts(run, "--online", code=1))
    assert f"message {message['message']}: Twilio does not list {message['sid']}" in told
    assert "3 accepted, 2 listed by Twilio" in told


def test_a_message_whose_answer_was_lost_is_named_beside_what_twilio_has(workplace, zygote):
    workplace.write_alerts(RULES)
    zygote.run(workplace, baseline())
    workplace.sandbox.faults.add("twilio", drop="after", method="POST", match="46701740605")
    workplace.sandbox.faults.add("twilio", method="GET", status=503, times=None)
    row = invoice("1", 75000, stamp=STAMP, supplier=None)
    zygote.run(workplace, schema() + record(row) + state(STAMP))
    workplace.sandbox.faults.clear()
    ((workplace.run_id,),) = workplace.query("SELECT id FROM runs ORDER BY started_at DESC LIMIT 1")
    (unknown,) = workplace.trail("--state", "unknown")
    told = "\n".join(counts(workplace, "--online", code=1))
    assert f"does not know; perhaps {unknown['message']}, which is unknown" in told


def test_what_a_killed_run_sent_is_listed_in_the_run_that_settles_it_later(workplace, zygote):
    workplace.write_alerts(RULES)
    zygote.run(workplace, baseline())
    lines = schema() + record(invoice("1", 75000, stamp=STAMP, supplier=None)) + state(STAMP)
    assert zygote.start(workplace, lines, die=Step("commit", 1, "accepted")).wait().code == -9
    assert len(workplace.accepted) > 0
    zygote.run(workplace, schema() + state(STAMP))
    ((workplace.run_id,),) = workplace.query("SELECT id FROM runs ORDER BY started_at DESC LIMIT 1")
    # It came an hour later.
    for name in ("started_at", "ended_at"):
        ((moment,),) = workplace.query(f"SELECT {name} FROM runs WHERE id = ?", workplace.run_id)
        later = iso_utc(datetime.fromisoformat(f"{moment[:-1]}+00:00") + timedelta(hours=1))
        workplace.query(f"UPDATE runs SET {name} = ? WHERE id = ?", later, workplace.run_id)
    number = len(workplace.accepted)
    told = counts(workplace, "--online")
    assert f"ok      messages at Twilio: {number} accepted, {number} listed by Twilio" in told


@pytest.mark.parametrize("tells_rules", [True, False])
def test_the_counts_of_an_old_run_agree_though_a_rule_is_about_something_else_now(
    run, zygote, tells_rules
):
    run.write_alerts(RULES.replace("entity: supplier_invoice", "entity: customer_invoice"))
    zygote.run(run, schema() + state(STAMP))
    assert run.query("SELECT count(DISTINCT entity) FROM rule_epochs") == [(2,)]
    if not tells_rules:  # as the first version did not
        run.query(FREE)
        body = "UPDATE audit_events SET body = json_remove(body, '$.rules') WHERE kind = ?"
        run.query(body, "run_started")
    assert (
        "ok      rule large: outcomes (2 alert, 1 no match, 1 undecided): 4 records, 4 outcomes"
        in (counts(run))
    )


@pytest.mark.parametrize(
    ("statement", "differs"),
    [
        ("DELETE FROM message_contents; DELETE FROM messages", "messages, with escalations"),
        (
            "DELETE FROM message_contents; DELETE FROM messages; DELETE FROM alerts",
            "alerts: 4 counted, 4 in the trail, 0 in the ledger",
        ),
        ("DELETE FROM message_contents; DELETE FROM messages", "alerts that tell nobody: 4"),
        (f"{FREE}; UPDATE audit_events SET {MORE}", "records: 5 counted, 4 by entity"),
    ],
)
def test_counts_that_do_not_agree_are_told(run, statement, differs):
    with closing(sqlite3.connect(run.ledger_path)) as connection, connection:
        connection.executescript(statement)
    assert any(line.startswith(f"DIFFERS {differs}") for line in counts(run, code=1))


def test_a_run_that_was_killed_has_no_counts_of_its_own(workplace, zygote):
    workplace.write_alerts(RULES)
    zygote.run(workplace, baseline())
    workplace.sandbox.faults.add("twilio", delay=30, method="POST", times=None)
    row = invoice("1", 75000, stamp=STAMP)
    running = zygote.start(workplace, schema() + record(row) + state(STAMP))
    until(lambda: workplace.sandbox.requests("twilio"))
    running.kill()
    running.wait()
    ((workplace.run_id,),) = workplace.query("SELECT id FROM runs ORDER BY started_at DESC LIMIT 1")
    lines = counts(workplace)
    assert lines[1] == "  it has not ended: what it counted is not known"
    assert "ok      alerts: 2 in the trail, 2 in the ledger" in lines


def test_a_run_is_named_by_how_its_id_begins(rich):
    ((run_id,),) = rich.workplace.query("SELECT min(id) FROM runs")
    assert run_id in rich.run("audit", "prove", "--run", run_id[:12])
    assert "no run in the ledger begins with zz" in rich.run(
        "audit", "prove", "--run", "zz", code=1
    )
    assert "several runs begin with" in rich.run("audit", "prove", "--run", "", code=1)
