"""`audit verify`: every change of the trail, and of the rows that it tells of, is found."""

from __future__ import annotations

import json

import pytest
from busy_office import ALERT, MESSAGE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from target_twilio_alerts.audit import messages as held_messages
from target_twilio_alerts.audit import reading

EVENT_COLUMNS = (
    *("at", "kind", "run_id", "alert_id", "message_id", "body", "previous_hash", "hash"),
)
ALERT_COLUMNS = (
    *("rule", "epoch", "document_id", "version", "entity", "title", "severity", "reason"),
    *("decision", "raised_at", "run_id", "once_key", "salt", "erased_at"),
)
MESSAGE_COLUMNS = (
    *("alert_id", "recipient", "channel", "place", "step", "attempt", "because", "state"),
    *("reason", "severity_rank", "created_at", "not_before", "tries", "sending_at"),
    "valid_until",
    *("accepted_at", "sid", "request_id", "status", "error_code", "error_message", "template"),
    *("locale", "encoding", "cost_micros", "validity_seconds", "resend_of", "resend_reason"),
    *("operator", "run_id"),
)
CONTENT_COLUMNS = (
    *("address", "subject", "text", "html", "salt", "content_sid", "content_variables"),
    "erased_at",
)
SEALED = {
    "alerts": ("id", ALERT_COLUMNS),
    "messages": ("id", MESSAGE_COLUMNS),
    "message_contents": ("message_id", CONTENT_COLUMNS),
    "runs": (
        "id",
        ("command", "version", "host", "pid", "started_at", "ended_at", "outcome", "summary"),
    ),
    "rule_epochs": (
        "rule",
        ("fingerprint", "entity", "condition", "started_at", "decided_on", "run_id"),
    ),
    "digest_items": ("alert_id", ("due_at", "told_at")),
    "escalations": ("alert_id", ("due_at", "state", "reason", "updated_at")),
    "acknowledgements": ("alert_id", ("at", "by", "how", "reason")),
    "silences": ("id", ("author", "reason", "recipient", "rule", "starts_at", "ends_at")),
    "complete_reads": ("stream", ("completed_at", "run_id", "reason")),
}
some = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


def other_than(value, number):
    """A value of the same kind that is not this one."""
    if isinstance(value, int):
        return value + 1 + number
    if value is None:
        return f"put in {number}"
    return value[1:] if number % 2 and len(value) > 1 else value + " "


def last_seq(copy):
    ((seq,),) = copy.do("SELECT max(seq) FROM audit_events")
    return seq


def edit(copy, seq, column, number):
    ((value,),) = copy.do(f"SELECT {column} FROM audit_events WHERE seq = ?", seq)
    copy.do(f"UPDATE audit_events SET {column} = ? WHERE seq = ?", other_than(value, number), seq)
    return seq


def delete(copy, seq, column, number):
    copy.do("DELETE FROM audit_events WHERE seq = ?", seq)
    return seq


def cut(copy, seq, column, number):
    copy.do("DELETE FROM audit_events WHERE seq >= ?", seq)
    return seq


def swap(copy, seq, column, number):
    other = 1 + (seq + number) % last_seq(copy)
    if other == seq:
        other = 1 + seq % last_seq(copy)
    copy.do("UPDATE audit_events SET seq = -1 WHERE seq = ?", seq)
    copy.do("UPDATE audit_events SET seq = ? WHERE seq = ?", seq, other)
    copy.do("UPDATE audit_events SET seq = ? WHERE seq = -1", other)
    return min(seq, other)


def put_in(copy, seq, column, number):
    """Another event at this place, which fits the one before; those after it move up."""
    copy.do("UPDATE audit_events SET seq = -1 - seq WHERE seq >= ?", seq)
    copy.do("UPDATE audit_events SET seq = -seq WHERE seq < 0")
    copy.do(
        "INSERT INTO audit_events SELECT ?, at, kind, run_id, alert_id, message_id, ?, "
        "previous_hash, hash FROM audit_events WHERE seq = ?",
        seq,
        json.dumps({"forged": number}),
        seq + 1,
    )
    return seq


def duplicate(copy, seq, column, number):
    """The same event once more, at the end."""
    copy.do(
        "INSERT INTO audit_events SELECT ?, at, kind, run_id, alert_id, message_id, body, "
        "previous_hash, hash FROM audit_events WHERE seq = ?",
        last_seq(copy) + 1,
        seq,
    )
    return last_seq(copy)


@pytest.fixture(params=[None, 7], ids=["whole", "by-seven"])
def windows(request, monkeypatch):
    """Whether all events of a message are held at once, or it is read anew for those to come."""
    if request.param is not None:
        monkeypatch.setattr(reading, "AT_A_TIME", request.param)
        monkeypatch.setattr(held_messages, "HELD", request.param)


numbers = st.integers(0, 500)
TAMPERING = st.tuples(
    st.sampled_from([edit, delete, cut, swap, put_in, duplicate]),
    numbers,
    st.sampled_from(EVENT_COLUMNS),
    numbers,
)


@pytest.mark.usefixtures("windows")
def test_a_ledger_that_nobody_touched_is_right(copy, anchor_file):
    verdict = copy.verdict(anchor_file)
    assert verdict.fault is None
    assert verdict.events == last_seq(copy) > 100
    ((number,),) = copy.do("SELECT count(*) FROM messages")
    assert verdict.messages == number > 20


@some
@given(tampering=TAMPERING)
def test_whatever_is_done_to_the_trail_is_found_at_its_first_event(copy, tampering):
    tamper, seq, column, number = tampering
    changed = copy.again()
    first = tamper(changed, 1 + seq % last_seq(changed), column, number)
    fault = changed.verdict().fault
    assert fault is not None
    # An event that was sealed anew after its edit shows by the one after it.
    assert fault.seq in {first, first + 1, first - 1}
    assert "\n" not in fault.what


@some
@given(tampering=TAMPERING)
def test_a_trail_that_is_sealed_anew_is_found_by_its_anchors(copy, anchor_file, tampering):
    tamper, seq, column, number = tampering
    changed = copy.again()
    newest = last_seq(changed)
    first = tamper(changed, 1 + seq % newest, column, number)
    changed.reseal()
    if first > newest or (column in {"previous_hash", "hash"} and tamper is edit):
        return  # what is after the last anchor; what sealing has put right again
    verdict = changed.verdict(anchor_file)
    assert verdict.fault is not None
    assert verdict.fault.seq <= first or "cut or sealed anew since event" in verdict.fault.what


@pytest.mark.usefixtures("windows")
@some
@given(st.data())
def test_whatever_is_done_to_a_row_that_an_event_tells_of_is_found(copy, data):
    changed = copy.again()
    table = data.draw(st.sampled_from(sorted(SEALED)))
    key, named = SEALED[table]
    rows = changed.do(f"SELECT {key} FROM {table} ORDER BY {key}")
    (row,) = data.draw(st.sampled_from(rows))
    column = data.draw(st.sampled_from(named))
    ((value,),) = changed.do(f"SELECT {column} FROM {table} WHERE {key} = ?", row)
    new = other_than(value, data.draw(numbers))
    if {value, new} <= {"pending", "claimed"}:
        return
    changed.do(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", new, row)
    fault = changed.verdict().fault
    assert fault is not None, f"{table}.{column} of {row}: {value!r} -> {new!r}"
    assert "\n" not in fault.what


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize("table", [*SEALED, "digest_contents"])
def test_a_row_that_is_deleted_is_found(copy, table):
    copy.do(f"DELETE FROM {table} WHERE rowid = (SELECT min(rowid) FROM {table})")
    assert copy.fault is not None


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize(
    ("table", "key"),
    [
        *((table, "id") for table in ("alerts", "messages", "runs", "silences")),
        ("rule_epochs", "rule"),
        ("acknowledgements", "alert_id"),
        ("complete_reads", "stream"),
        ("digest_contents", "message_id"),
        ("digest_items", "alert_id"),
        ("escalations", "alert_id"),
        ("message_contents", "message_id"),
    ],
)
def test_a_row_that_is_put_in_is_found(copy, table, key):
    copy.do("CREATE TABLE forged AS SELECT * FROM " + table + " LIMIT 1")
    copy.do(f"UPDATE forged SET {key} = 'FORGED00'")
    if table in {"alerts", "messages"}:
        copy.do("UPDATE forged SET " + ("version = 'x'" if table == "alerts" else "attempt = 99"))
    if table == "alerts":
        copy.do("UPDATE forged SET once_key = NULL")
    copy.do(f"INSERT INTO {table} SELECT * FROM forged")
    assert "put in" in copy.fault


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "UPDATE audit_events SET body = '{}' WHERE seq = 10",
            "event 10 (alert_raised): edited: its hash seals something else",
        ),
        ("DELETE FROM audit_events WHERE seq = 10", "event 10: missing: deleted"),
        ("DELETE FROM audit_events WHERE seq BETWEEN 2 AND 9", "events 2 to 9: missing: deleted"),
        ("DELETE FROM audit_events WHERE seq = 1", "event 1: missing: deleted"),
        (
            "DELETE FROM audit_events WHERE seq > 100",
            "event 101: missing, and all after it: the trail was cut; the chain's head knows",
        ),
        (
            "UPDATE chain_head SET seq = 100",
            "event 101: put in behind the chain's head, which is event 100",
        ),
        ("UPDATE chain_head SET hash = 'x'", "has not the hash of the chain's head"),
        ("UPDATE chain_head SET seq = 'x'", "chain_head is not one row that names it"),
        ("DELETE FROM chain_head", "chain_head is not one row that names it"),
        (
            f"UPDATE alerts SET severity = 'low' WHERE id = {ALERT}",
            "event 10 (alert_raised): column severity of its row of alerts was changed",
        ),
        (
            f"UPDATE messages SET recipient = 'x' WHERE id = {MESSAGE}",
            "event 11: column recipient of message ",
        ),
        (
            f"UPDATE message_contents SET text = 'x' WHERE message_id = {MESSAGE}",
            "event 11 (message_created): column text of its row of message_contents was changed",
        ),
    ],
)
def test_it_names_the_first_bad_event_and_what_is_wrong(copy, statement, said):
    copy.do("PRAGMA foreign_keys = OFF")
    copy.do(statement)
    assert said in copy.fault


def test_a_cut_tail_whose_head_was_moved_shows_by_the_anchors_only(copy, anchor_file):
    copy.do("DELETE FROM audit_events WHERE seq > 5")
    copy.do(
        "UPDATE chain_head SET seq = 5, hash = (SELECT max(hash) FROM audit_events WHERE seq = 5)"
    )
    for table in ("digest_contents", "message_contents", "messages", "digest_items"):
        copy.do(f"DELETE FROM {table}")
    for table in ("acknowledgements", "escalations", "alerts", "silences"):
        copy.do(f"DELETE FROM {table}")
    copy.do("DELETE FROM runs WHERE id NOT IN (SELECT run_id FROM audit_events)")
    copy.do("UPDATE runs SET ended_at = NULL, summary = NULL, outcome = 'running'")
    assert copy.fault is None
    fault = copy.verdict(anchor_file).fault
    assert fault.seq == 6
    assert "the trail was cut or sealed anew since event 0; the anchor in anchors" in fault.what


def test_an_edit_that_is_sealed_anew_is_told_between_two_anchors(copy, anchor_file):
    heads = [int(line.split()[2]) for line in anchor_file.read_text().splitlines()]
    copy.do("UPDATE audit_events SET body = ? WHERE seq = ?", '{"command": "x"}', heads[1] + 1)
    copy.reseal(heads[1] + 1)
    fault = copy.verdict(anchor_file).fault
    assert fault.what == (
        f"events {heads[1] + 1} to {heads[2]}: sealed anew: event {heads[2]} has not the hash of "
        "the anchor in anchors.txt:3"
    )


def test_an_event_that_is_sealed_anew_alone_shows_by_the_one_after_it(copy):
    copy.do("UPDATE audit_events SET body = '{}' WHERE seq = 20")
    rest = copy.do("SELECT seq, previous_hash, hash FROM audit_events WHERE seq > 20")
    copy.reseal(20)
    for seq, previous_hash, kept in rest:
        copy.do(
            "UPDATE audit_events SET previous_hash = ?, hash = ? WHERE seq = ?",
            previous_hash,
            kept,
            seq,
        )
    assert copy.fault.startswith("event 20: edited and sealed anew, or event 21 (")
