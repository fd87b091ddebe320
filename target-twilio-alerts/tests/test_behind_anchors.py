"""A ledger that does not have its last anchor is refused before anything is sent."""

from __future__ import annotations

import pytest
from ledgers import ON_BOTH, copied, query
from serving import served
from singer import baseline, invoice, record, schema, state

LATER = "2026-11-20T11:00:00"


def lines(number):
    return schema() + record(invoice(number, 75000, stamp=LATER)) + state(LATER)


@pytest.fixture
def restored(workplace, zygote, databases, tmp_path):
    """A message waited when the backup was made, and was sent since."""
    workplace.config["anchor_file"] = str(workplace.root / "anchors.txt")
    zygote.run(workplace, baseline())
    workplace.config |= {"delivery_deadline_seconds": 0}
    workplace.sandbox.faults.add("twilio", status=429, retry_after=1, method="POST")
    zygote.run(workplace, lines("1"))
    newest = workplace.config["ledger_url"]
    (tmp_path / "backup").mkdir()
    backup = copied(newest, tmp_path / "backup", databases)
    assert workplace.query("SELECT state FROM messages") == [("pending",)]
    workplace.config |= {"delivery_deadline_seconds": 120}
    assert zygote.command(workplace, "deliver").wait().code == 0
    assert len(workplace.accepted) == 1
    workplace.config["ledger_url"] = backup
    yield workplace
    assert len(workplace.accepted) == 1
    workplace.config["ledger_url"] = newest
    zygote.run(workplace, lines("2"))
    assert len(workplace.accepted) == 2


@ON_BOTH
def test_a_run_is_refused_with_one_line_and_sends_nothing(restored, zygote):
    before = query(restored.config["ledger_url"], "SELECT count(*) FROM audit_events")
    ended = zygote.run(restored, lines("2"), code=2)
    (line,) = [line for line in ended.stderr.splitlines() if "ERROR" in line]
    assert "is not in it: it was restored from an older backup, or is another ledger" in line
    assert "anchors.txt" in line
    assert ended.stdout == ""
    assert query(restored.config["ledger_url"], "SELECT count(*) FROM audit_events") == before


@pytest.mark.parametrize(
    "command", [["deliver"], ["send-test", "ap-manager"], ["check", "--online"]]
)
def test_a_command_is_refused_too(restored, zygote, command):
    refused(zygote.command(restored, *command))


def refused(running):
    ended = running.wait()
    assert ended.code == 1
    told = ended.stdout + ended.stderr
    assert "restored from an older backup" in told
    assert "Traceback" not in told


def test_a_resend_is_refused_too(restored, zygote):
    ((message_id,),) = restored.query("SELECT id FROM messages")
    restored.query("UPDATE messages SET state = 'failed'")
    refused(zygote.command(restored, "resend", message_id, "--reason", "once more"))


def test_the_trail_can_still_be_looked_at(restored, zygote):
    anchors = restored.config["anchor_file"]
    ended = zygote.command(restored, "audit", "verify", "--anchors", anchors).wait()
    assert ended.code == 1
    assert "WRONG" in ended.stdout


def test_a_server_that_ends_does_not_hide_it(restored, zygote):
    anchors = (restored.root / "anchors.txt").read_text()
    with served(restored):
        pass
    assert (restored.root / "anchors.txt").read_text() == anchors
    refused(zygote.command(restored, "deliver"))


def test_a_ledger_whose_anchor_file_was_moved_away_goes_on(workplace, zygote):
    anchors = workplace.root / "anchors.txt"
    workplace.config["anchor_file"] = str(anchors)
    zygote.run(workplace, baseline())
    text = anchors.read_text()
    anchors.write_text(text.replace(text.split()[-1], "0" * 64))
    assert "restored" in zygote.run(workplace, lines("1"), code=2).stderr
    anchors.rename(workplace.root / "anchors of before.txt")
    zygote.run(workplace, lines("1"))
    assert len(workplace.accepted) == 1
