"""`tap-twilio-alerts-audit`: the ledger as streams, each row anew when an event is about it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from office import Office
from singer import invoice
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from singer_sdk.testing.runners import TapTestRunner

from target_twilio_alerts.audit_tap.tap import TapTwilioAlertsAudit

STREAMS = ["alerts", "audit_events", "messages", "runs"]
KEYS = {"audit_events": "seq"}


class Told:
    """What the tap wrote: records by stream, schemas by stream, and the last state."""

    def __init__(self, text):
        messages = [json.loads(line, parse_float=Decimal) for line in text.splitlines()]
        self.schemas = {one["stream"]: one["schema"] for one in messages if one["type"] == "SCHEMA"}
        self.records = {name: [] for name in self.schemas}
        for one in messages:
            if one["type"] == "RECORD":
                self.records[one["stream"]].append(one["record"])
        self.state = [one["value"] for one in messages if one["type"] == "STATE"][-1]

    def ids(self, stream):
        return [row[KEYS.get(stream, "id")] for row in self.records[stream]]


def read(place, *, state=None, code=0, **config):
    """Run the tap over the ledger of a workplace."""
    file = place.root / "tap.json"
    file.write_text(json.dumps({"ledger_url": place.config["ledger_url"], **config}))
    arguments = ["--config", file]
    if state is not None:
        before = place.root / "state.json"
        before.write_text(json.dumps(state))
        arguments += ["--state", before]
    ended = subprocess.run(
        [Path(sys.executable).parent / "tap-twilio-alerts-audit", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == code, ended.stderr
    return Told(ended.stdout) if code == 0 else ended


@pytest.fixture
def office(workplace):
    return Office(workplace)


@pytest.fixture(scope="session")
def told(rich):
    return read(rich.workplace)


def test_every_row_is_told_once_in_the_order_of_its_events(told, rich):
    assert sorted(told.records) == STREAMS
    for stream, rows in told.records.items():
        key = KEYS.get(stream, "id")
        stored = rich.workplace.query(f"SELECT {key} FROM {stream}")
        assert sorted(told.ids(stream)) == sorted(one for (one,) in stored)
        events = [row["seq" if stream == "audit_events" else "event"] for row in rows]
        assert events == sorted(set(events))


def test_the_trail_arrives_as_it_is_sealed(told, rich):
    for row in told.records["audit_events"]:
        stored = rich.workplace.query(
            "SELECT at, kind, run_id, alert_id, message_id, body, previous_hash, hash "
            "FROM audit_events WHERE seq = ?",
            row["seq"],
        )
        assert [tuple(row.values())[1:]] == stored


def test_an_alert_brings_its_rule_its_document_and_who_takes_care(told):
    alerts = [row for row in told.records["alerts"] if row["rule"] == "large"]
    (alert,) = (row for row in alerts if row["number"] == "2")
    assert alert["amount"] == Decimal(75000)
    assert (alert["condition"], alert["reason"]) == ("amount > 50000", "amount 75000 > 50000")
    assert (alert["stream"], alert["key"]["referenceNumber"]) == ("supplier_invoices", "2")
    assert (alert["company"], alert["currency"]) == ("Testbolaget AB", "SEK")
    assert alert["document_values"]["due_date"] == "2026-12-20"
    assert alert["acknowledged_by"] is not None
    assert {row["acknowledged_by"] for row in alerts} > {None}


def test_a_message_brings_how_it_went_and_no_address(told):
    states = {row["state"] for row in told.records["messages"]}
    assert states > {"delivered", "rejected", "unknown", "accepted"}
    for row in told.records["messages"]:
        assert "*****" in row["address"] or "***@" in row["address"]
    written = json.dumps(told.records, default=str)
    assert "+4670174" not in written
    assert "anna.berg@" not in written


def test_the_next_run_tells_only_what_events_were_about_since(told, rich, tmp_path):
    place = rich.workplace
    shutil.copy(place.ledger_path, tmp_path / "ledger.db")
    office = Office(type(place)(tmp_path, place.sandbox, {**place.config}))
    office.config["ledger_url"] = f"sqlite:///{tmp_path / 'ledger.db'}"
    office.config["anchor_notify"] = None
    again = read(office.workplace, state=told.state)
    assert again.records == {name: [] for name in STREAMS}
    assert again.state == told.state
    shutil.copy(rich.root / "alerts.yml", tmp_path / "alerts.yml")
    office.config["alerts_file"] = str(tmp_path / "alerts.yml")
    office.alert(invoice("9", 99000))
    erased = office.trail("--recipient", "controller")
    office.run("erase", "controller", "--reason", "has left", "--yes")
    later = read(office.workplace, state=again.state)
    assert {row["number"] for row in later.records["alerts"]} >= {"9"}
    ((head,),) = office.workplace.query("SELECT seq FROM chain_head")
    assert later.ids("audit_events") == list(
        range(told.state["bookmarks"]["audit_events"]["replication_key_value"] + 1, head + 1)
    )
    gone = [row for row in later.records["messages"] if row["erased_at"]]
    assert {row["id"] for row in gone} == {row["message"] for row in erased}
    assert {row["address"] for row in gone} == {None}
    assert len(later.records["runs"]) == 2


def test_a_run_is_told_when_it_begins_and_again_when_it_ends(office):
    from target_twilio_alerts.ledger import Ledger, runs  # noqa: PLC0415

    ledger = Ledger(office.config["ledger_url"])
    run = runs.start(ledger, command="target", version="1", body={})
    begun = read(office.workplace)
    assert [(row["outcome"], row["summary"]) for row in begun.records["runs"]] == [
        ("running", None)
    ]
    runs.end(ledger, run, outcome="completed", summary={"delivery": {"accepted": 1}})
    ledger.close()
    ended = read(office.workplace, state=begun.state)
    assert [(row["id"], row["outcome"]) for row in ended.records["runs"]] == [(run.id, "completed")]
    assert ended.records["runs"][0]["summary"] == {"delivery": {"accepted": 1}}


def test_what_was_erased_of_an_alert_is_null(office):
    office.people(anna={"sms": "+46701740605"})
    office.alert(invoice("1", 75000))
    office.run("deliver")
    old = "2020-01-01T00:00:00.000000Z"
    for table, column in (("alerts", "raised_at"), ("messages", "created_at")):
        office.workplace.query(f"UPDATE {table} SET {column} = ?", old)
    office.run("erase", "--older-than", "400d", "--reason", "policy", "--yes")
    (alert,) = read(office.workplace).records["alerts"]
    assert alert["erased_at"] is not None
    empty = ("reason", "company", "amount", "counterparty", "document_values", "previous_values")
    assert {alert[name] for name in empty} == {None}
    assert alert["title"] == "Supplier invoice Invoice 1"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:////no/such/ledger.db", "there is no ledger /no/such/ledger.db: run target-"),
        ("nonsense", "ledger_url: not a database URL; write sqlite:///ledger.db for a file"),
    ],
)
def test_a_ledger_that_is_not_there_is_one_line(rich, url, said):
    ended = read(rich.workplace, code=1, ledger_url=url)
    (line,) = [line for line in ended.stderr.splitlines() if "ERROR" in line]
    assert said in line
    assert "Traceback" not in ended.stderr
    assert not any('"RECORD"' in line for line in ended.stdout.splitlines())


_SuiteOfTheSdk = get_tap_test_class(TapTwilioAlertsAudit, config={})


# Some fields have no value in this ledger; the suite only remarks on them.
@pytest.mark.filterwarnings("ignore:Fields in transformed catalog but not in records")
class TestSdkSuite(_SuiteOfTheSdk):
    """The Singer SDK's own suite for taps."""

    @pytest.fixture(scope="class")
    @classmethod
    def runner(cls, rich):
        runner = TapTestRunner(
            TapTwilioAlertsAudit,
            config={"ledger_url": rich.config["ledger_url"]},
            suite_config=SuiteConfig(max_records_limit=None),
        )
        runner.sync_all()
        return runner
