"""Anchors: each run's last event, in the log, in a file, and in an email that is in the ledger."""

from __future__ import annotations

import re

import pytest
from office import Office
from singer import baseline, invoice, record, schema, state

LARGE = schema() + record(invoice("1", 75000, stamp="2026-11-20T11:00:00")) + state("2026-11-20T11")
PEOPLE = """
recipients:
  anna: {name: Anna Berg, sms: "+46701740605"}
  controller: {name: Maria Holm, email: maria.holm@example.com, locale: sv_SE}
rules:
  large: {entity: supplier_invoice, when: amount > 50000, notify: anna, via: sms}
"""


@pytest.fixture
def anchored(workplace):
    workplace.write_alerts(PEOPLE)
    workplace.config["anchor_file"] = str(workplace.root / "anchors.txt")
    workplace.config["anchor_notify"] = "controller"
    return workplace


def lines(place):
    return (place.root / "anchors.txt").read_text().splitlines()


def emails(place):
    return [vars(one) for one in place.sandbox.sendgrid.emails]


def test_each_run_adds_a_line_that_its_log_has_too(anchored, zygote):
    logs = [zygote.run(anchored, text).stderr for text in (baseline(), LARGE)]
    assert len(lines(anchored)) == 2
    for line, log in zip(lines(anchored), logs, strict=True):
        run_id, at, seq, head = line.split()
        assert f"Ledger head: event {seq}, {head}" in log
        [(found, ended_at, kind)] = anchored.query(
            "SELECT hash, at, kind FROM audit_events WHERE seq = ? AND run_id = ?", seq, run_id
        )
        assert (found, kind) == (head, "run_ended")
        assert at >= ended_at


def test_the_commands_of_operators_add_theirs(anchored, zygote):
    zygote.run(anchored, baseline())
    assert "Ledger head: event " in anchored.command("deliver")
    assert len(lines(anchored)) == 2
    told = anchored.command("audit", "verify", "--anchors", str(anchored.root / "anchors.txt"))
    assert "2 anchors agree" in told


def test_a_dry_run_adds_none(anchored, zygote):
    anchored.config["dry_run"] = True
    zygote.run(anchored, baseline())
    assert not (anchored.root / "anchors.txt").exists()


def test_the_controller_is_sent_what_the_trail_was_before_the_email(anchored, zygote):
    zygote.run(anchored, baseline())
    (email,) = emails(anchored)
    assert "maria.holm@example.com" in str(email)
    assert "Granskningsspår: " in str(email)
    seq, head = re.search(r"Ledger head: event (\d+), ([0-9a-f]{64})", str(email)).groups()
    [(found,)] = anchored.query("SELECT hash FROM audit_events WHERE seq = ?", seq)
    assert found == head
    told = [row for row in anchored.trail() if row["recipient"] == "controller"]
    assert [(row["template"], row["state"]) for row in told] == [("built-in/anchor", "accepted")]
    saved = anchored.root / "mail.txt"
    saved.write_text(str(email).replace("\\n", "\n"))
    assert "1 anchors agree" in anchored.command("audit", "verify", "--anchors", str(saved))


def test_runs_that_tell_the_ledger_nothing_send_nothing(anchored, zygote):
    zygote.run(anchored, baseline())
    for _ in range(3):
        zygote.run(anchored, schema() + state())
    assert len(emails(anchored)) == 1
    zygote.run(anchored, LARGE)
    assert len(emails(anchored)) == 2


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("anchor_file", "/no/such/folder/anchors.txt", "cannot be written; make its folder"),
        ("anchor_file", "/", "cannot be written; make its folder"),
        (
            "anchor_notify",
            "controler",
            "anchor_notify: no recipient controler in the alerts file; did you mean controller?",
        ),
        ("anchor_notify", "anna", "anchor_notify: recipient anna has no address for email; add"),
        ("sendgrid_api_key", None, "sendgrid_api_key: not set, but rules send by email; set it"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_read(anchored, zygote, setting, value, said):
    anchored.config[setting] = value
    ended = zygote.run(anchored, baseline(), code=2)
    (line,) = [line for line in ended.stderr.splitlines() if "ERROR" in line]
    assert said in line
    assert ended.stdout == ""
    if setting != "sendgrid_api_key":
        assert said in anchored.command("check", code=1)


def test_a_file_that_fails_at_the_end_costs_only_the_anchor(anchored, monkeypatch):
    office = Office(anchored)
    office.alert(invoice("1", 75000))
    from target_twilio_alerts.audit import anchors  # noqa: PLC0415

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(anchors.os, "write", full)
    told = office.run("deliver")
    assert "Handed over: 2 accepted" in told
    assert "Ledger head: event " in told
