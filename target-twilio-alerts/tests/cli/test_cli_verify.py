"""`audit verify`, as it is told: one line, and an exit code for programs."""

from __future__ import annotations

import json
import re

from singer import invoice

HEAD = re.compile(r"Ledger head: event (\d+), ([0-9a-f]{64})")


def forge(office, statement):
    office.workplace.query("DROP TRIGGER audit_events_no_update")
    office.workplace.query(statement)


def test_a_right_ledger_is_one_line(rich):
    ((number, last),) = rich.workplace.query("SELECT seq, hash FROM chain_head")
    ((messages,),) = rich.workplace.query("SELECT count(*) FROM messages")
    assert rich.run("audit", "verify") == (
        f"ok     {number} events, {messages} messages, the last event is {last}; no anchors were "
        "given\n"
    )
    told = rich.run("audit", "verify", "--anchors", str(rich.root / "anchors.txt"))
    assert told.endswith("; 6 anchors agree\n")


def test_it_can_be_told_to_programs(rich):
    told = json.loads(rich.run("audit", "verify", "--json"))
    assert told["ok"]
    assert told["events"] > 100
    assert (told["event"], told["what"], told["faults"]) == (None, None, 0)


def test_a_changed_event_is_one_line_and_exit_code_1(office):
    office.people(anna={"sms": "+46701740605"})
    office.alert(invoice("1", 75000))
    forge(office, "UPDATE audit_events SET body = '{}' WHERE seq = 2")
    assert office.run("audit", "verify", code=1) == (
        "WRONG  event 2 (rule_epoch_started): edited: its hash seals something else\n"
    )
    told = json.loads(office.run("audit", "verify", "--json", code=1))
    assert (told["ok"], told["event"]) == (False, 2)


def test_several_rows_that_do_not_agree_are_counted(office):
    office.people(anna={"sms": "+46701740605"}, bo={"sms": "+46701740606"})
    office.alert(invoice("1", 75000))
    forge(office, "UPDATE messages SET recipient = recipient || 'x'")
    told = office.run("audit", "verify", code=1)
    assert re.fullmatch(
        r"WRONG  event \d+: column recipient of message \w{8} was changed \(and 1 more\)\n", told
    )


def test_the_log_of_runs_is_a_file_of_anchors(workplace, zygote, tmp_path):
    from singer import baseline, record, schema, state  # noqa: PLC0415

    row = invoice("1", 75000, stamp="2026-11-20T11:00:00")
    lines = (baseline(), schema() + record(row) + state("2026-11-20T11:00:00"))
    log = tmp_path / "runs.log"
    log.write_text("".join(zygote.run(workplace, text).stderr for text in lines))
    assert len(HEAD.findall(log.read_text())) == 2
    assert "2 anchors agree" in workplace.command("audit", "verify", "--anchors", str(log))
    workplace.query("DROP TRIGGER audit_events_no_delete")
    last = int(HEAD.findall(log.read_text())[-1][0])
    workplace.query("DELETE FROM audit_events WHERE seq >= ?", last)
    workplace.query(
        "UPDATE chain_head SET (seq, hash) = (SELECT seq, hash FROM audit_events "
        "ORDER BY seq DESC LIMIT 1)"
    )
    told = workplace.command("audit", "verify", "--anchors", str(log), code=1)
    assert told.startswith(f"WRONG  event {last}: missing, and all after it: the trail was cut")
    assert f"the anchor in runs.log:{_line_of(log, last)} knows {last} events" in told


def _line_of(log, number):
    lines = log.read_text().splitlines()
    return next(at for at, line in enumerate(lines, 1) if f"head: event {number}," in line)


def test_a_file_without_anchors_is_refused(rich, tmp_path):
    empty = tmp_path / "empty.txt"
    empty.write_text("nothing here\n")
    assert rich.run("audit", "verify", "--anchors", str(empty), code=1) == (
        f"Error: {empty}: has no anchor; give the file of the setting anchor_file, or a log with "
        "lines `Ledger head: event ...`\n"
    )
