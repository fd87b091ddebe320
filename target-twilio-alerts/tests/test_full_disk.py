"""A disk that is full, a file that is read-only or locked: one clear line, and nothing is lost."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import replace

import pytest
from ledgers import check_chain, copied
from singer import baseline, invoice, record, schema, state

LATER = "2026-11-20T11:00:00"
NUMBERS = [f"n{number}" for number in range(12)]


def lines():
    rows = [record(invoice(number, 75000, stamp=LATER)) for number in NUMBERS]
    return schema() + "".join(rows) + state(LATER)


def fails(ended):
    """The one line of a run that could not go on; it let no STATE go that it had not kept."""
    assert ended.code == 2, ended.stderr
    assert "Traceback" not in ended.stderr
    told = [line for line in ended.stderr.splitlines() if "ERROR" in line]
    *unwritten, line = told
    assert all("could not be written down" in one for one in unwritten)
    return line


def judge(place, *, places=1):
    """Each message of so many ledgers was accepted once, whatever they could write down of it."""
    taken = Counter(one.body for one in place.sandbox.twilio.messages)
    assert len(place.sandbox.twilio.messages) == len(NUMBERS) * places
    for text, found in place.query(
        "SELECT text, state FROM messages JOIN message_contents ON message_id = messages.id"
    ):
        assert found in {"accepted", "sent", "delivered"}
        assert taken.pop(text) == 1
    assert place.query("SELECT count(*) FROM messages") == [(len(NUMBERS),)]
    check_chain(place.config["ledger_url"])


@pytest.mark.parametrize("change", ["disk fills", "files stay small"])
def test_a_disk_that_fills_at_any_moment_loses_nothing_and_sends_nothing_twice(
    workplace, zygote, databases, tmp_path, change
):
    zygote.run(workplace, baseline())
    ((pages,),) = workplace.query("PRAGMA page_count")
    ((size,),) = workplace.query("PRAGMA page_size")
    codes = []
    for places, more in enumerate(range(0, 64, 8), 1):
        place = replace(workplace, root=tmp_path / str(more), config={**workplace.config})
        place.root.mkdir()
        place.config["ledger_url"] = copied(workplace.config["ledger_url"], place.root, databases)
        limit = pages + more if change == "disk fills" else (pages + more) * size
        ended = zygote.start(place, lines(), changes=[f"{change}:{limit}"]).wait()
        codes.append(ended.code)
        if ended.code:
            line = fails(ended)
            assert "disk" in line
            assert "ledger.db: " in line
            # What was not committed does not count.
            ((number,),) = place.query("SELECT count(*) FROM alerts")
            assert number or f"{len(NUMBERS)} alerts" not in ended.stderr
        zygote.run(place, lines())
        judge(place, places=places)
    assert codes[0] == 2


def test_a_file_that_is_read_only_is_told_and_nothing_is_sent(workplace, zygote):
    zygote.run(workplace, baseline())
    workplace.ledger_path.chmod(0o444)
    ended = zygote.start(workplace, lines(), changes=["is no superuser"]).wait()
    assert "ledger.db: " in fails(ended)
    assert "readonly" in fails(ended)
    assert ended.stdout == ""
    assert workplace.accepted == []
    workplace.ledger_path.chmod(0o644)
    zygote.run(workplace, lines())
    judge(workplace)


def test_a_file_that_stays_locked_is_told_and_nothing_is_sent(workplace, zygote):
    zygote.run(workplace, baseline())
    with closing(sqlite3.connect(workplace.ledger_path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ended = zygote.start(workplace, lines(), changes=["has little patience"]).wait()
        assert "ledger.db: database is locked" in fails(ended)
    assert ended.stdout == ""
    assert workplace.accepted == []
    zygote.run(workplace, lines())
    judge(workplace)
