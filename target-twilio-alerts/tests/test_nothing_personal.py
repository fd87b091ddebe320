"""Numbers, addresses and tokens are in the erasable columns only: in no log, error, state, column.

People write them where they do not belong: in a document's description, in a reason on the command
line. The providers repeat them in their answers.
"""

from __future__ import annotations

import re

import pytest
from busy_office import PEOPLE, RULES
from office import Office
from singer import baseline, invoice, line, record, schema, state
from time_passing import make_due

ERASABLE = {
    "message_contents": {"address", "subject", "text", "html", "content_variables"},
    "alerts": {"reason", "decision"},
    # What the documents themselves say, in their last version and those before it.
    "documents": {"header", "key"},
    "document_versions": {"header"},
}
PERSONAL = "call Per on +46701740699 or 070-174 06 98, per.holm@example.org, about 100234"
NUMBERS = re.compile(r"(?<![0-9A-Za-z])(?:\+|%2B|00)?(?:46|0)[ -]?70[ -]?174[ -]?06[ -]?\d\d")
EMAILS = re.compile(r"(?:anna\.berg|carl\.dahl|maria\.holm|per\.holm)(?:@|%40)")
MORE_RULES = """\
  words:
    entity: supplier_invoice
    when: contains(description, "call")
    notify: anna
    via: sms
    once_per: counterparty
  won:
    entity: deal
    when: status == "won"
    notify: cfo
    via: email
entities:
  deal:
    stream: deals
    key: id
    fields:
      number: {from: id}
      status: {from: stage}
limits: {per_recipient: 8}
"""
DEALS = line(
    {
        "type": "SCHEMA",
        "stream": "deals",
        "schema": {"properties": {"id": {"type": "string"}, "stage": {"type": "string"}}},
        "key_properties": ["id"],
    }
)
DEALS_ARE_READ = line(
    {"type": "STATE", "value": {"bookmarks": {"deals": {"replication_key_value": "1"}}}}
)


def found_in(text):
    return NUMBERS.findall(text) + EMAILS.findall(text)


def rows(number, **fields):
    stamp = f"2026-11-20T11:00:{number:02}"
    row = invoice(f"no{number}", 75000 + number, stamp=stamp, description=PERSONAL, **fields)
    deal = record({"id": f"{number}-per.holm@example.org", "stage": "won"}, "deals")
    return schema() + record(row) + DEALS + deal + state(stamp)


@pytest.fixture(scope="module")
def printed(new_workplace, zygote):
    """Everything that a busy day prints, by the target and by the operators' commands."""
    workplace = new_workplace
    office, told = Office(workplace), []
    config, faults = workplace.config, workplace.sandbox.faults
    rules = RULES.partition("limits:")[0]
    office.people(rules=f"{rules}{MORE_RULES}", **PEOPLE)
    config |= {
        "anchor_notify": "controller",
        "anchor_file": str(workplace.root / "anchors.txt"),
        "retention": "400d",
    }

    def run(text, code=0):
        ended = zygote.run(workplace, text, code=code)
        told.extend([ended.stdout, ended.stderr])

    def command(*arguments):
        told.append(workplace.command(*arguments))

    run(baseline(invoice("0", 100, description=PERSONAL)) + DEALS + DEALS_ARE_READ)
    run(rows(1))
    echo = f'{{"code": 21999, "message": "no: {PERSONAL}"}}'
    faults.add("twilio", status=400, body=echo, method="POST", times=2)
    faults.add("sendgrid", status=400, body=f'{{"errors":[{{"message":"bad: {PERSONAL}"}}]}}')
    run(rows(2))
    faults.clear()
    faults.add("twilio", drop="after", method="POST")
    run(rows(3))
    run(rows(4, supplier={"name": PERSONAL}))
    run(schema() + record(invoice("no5", PERSONAL, supplier=PERSONAL, status=PERSONAL)))
    run(schema() + record(invoice(None, 1, description=PERSONAL)))
    run(schema() + PERSONAL + "\n", code=2)
    config["dry_run"] = True
    run(rows(6))
    del config["dry_run"]
    token, config["auth_token"] = config["auth_token"], "wrong-token"
    run(rows(7), code=2)
    config["auth_token"] = token
    command("silence", "add", "--rule", "words", "--for", "1h", "--reason", PERSONAL)
    run(rows(8))
    sent = office.trail("--recipient", "anna")
    command("ack", sent[0]["message"], "--by", PERSONAL, "--reason", PERSONAL)
    command("release", "--all", "--reason", PERSONAL)
    refused = office.trail("--recipient", "erik")[-1]["message"]
    command("resend", "--yes", refused, "--to", "+46701740605", "--reason", PERSONAL)
    make_due(office.workplace)
    command("deliver")
    command("deliver")
    looks = (
        *(["audit"], ["audit", "--format", "csv"], ["audit", "--format", "jsonl"]),
        *(["audit", "undecided"], ["audit", "runs"], ["audit", "verify"], ["check"]),
        *(["opt-outs", "list"], ["silence", "list", "--all"]),
        ["erase", "erik", "--reason", PERSONAL, "--yes"],
        ["audit", "verify", "--anchors", config["anchor_file"]],
    )
    told += [office.run(*arguments) for arguments in looks]
    ((run_id,),) = workplace.query("SELECT max(id) FROM runs")
    told.append(office.run("audit", "prove", "--run", run_id))
    told.append((workplace.root / "anchors.txt").read_text())
    return workplace, "\n".join(told)


def test_a_busy_day_gives_nothing_away(printed):
    place, told = printed
    for words in ("accepted", "rejected", "unknown", "Erased", "malformed", "dry run: "):
        assert words in told
    assert found_in(told) == []
    secrets = {place.config[name] for name in ("auth_token", "sendgrid_api_key")}
    assert [secret for secret in secrets if secret in told] == []
    looked_at = 0
    for (table,) in place.query("SELECT name FROM sqlite_master WHERE type = 'table'"):
        for _, column, *_ in place.query(f"PRAGMA table_info({table})"):
            if column in ERASABLE.get(table, ()):
                continue
            for (value,) in place.query(f"SELECT {column} FROM {table}"):
                looked_at += 1
                assert found_in(str(value)) == [], f"{table}.{column}: {value}"
                assert not any(secret in str(value) for secret in secrets), f"{table}.{column}"
    assert looked_at > 2000


def test_they_are_where_they_can_be_erased(printed):
    place, _ = printed
    ((addresses,),) = place.query("SELECT group_concat(address) FROM message_contents")
    assert found_in(addresses) != []
    ((decisions,),) = place.query("SELECT group_concat(decision || reason) FROM alerts")
    assert found_in(decisions) != []


def test_a_proof_shows_the_record_but_no_recipients_address(printed):
    office = Office(printed[0])
    message = office.trail("--rule", "words")[0]
    told = office.run("audit", "prove", message["alert"])
    told += office.run("audit", "prove", message["alert"], "--json")
    told += office.run("audit", "show", message["message"])
    assert "call Per on" in told
    for address in ("701740605", "anna.berg@", "701740696", "carl.dahl@"):
        assert address not in told
