"""A ledger that cannot be written ends a run in one clear line: nothing is lost, nothing is twice.

The faults are the system's own: a limit on the size of files, permissions, another's lock.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sqlite3
from contextlib import closing
from functools import partial

import pytest
from singer import baseline, invoice, record, schema, state

LATER = "2026-11-20T11:00:00"
NUMBERS = [str(number) for number in range(100)]
_DROP_FROM_BOUNDING_SET, _MAY_OVERRIDE_PERMISSIONS = 24, 1


def lines():
    rows = [record(invoice(number, 75000, stamp=LATER)) for number in NUMBERS]
    return schema() + "".join(rows) + state(LATER)


def as_anybody():
    """Let permissions hold for root too."""
    if os.geteuid() == 0:
        ctypes.CDLL(None).prctl(_DROP_FROM_BOUNDING_SET, _MAY_OVERRIDE_PERMISSIONS, 0, 0, 0)


def run(workplace, text, **options):
    """Run the target; gives its code, its STATE lines and what it logged."""
    process = workplace.start(**options)
    out, err = process.communicate(text.encode(), timeout=120)
    return process.returncode, out.decode(), err.decode()


def fails(workplace, said, **options):
    """It ends in one line, and lets no STATE go that covers what was not committed."""
    code, out, err = run(workplace, lines(), **options)
    assert code == 2, err
    assert "Traceback" not in err
    told = [line for line in err.splitlines() if "| ERROR " in line and "ledger_url" in line]
    assert len(told) == 1, err
    assert f"ledger_url sqlite:///{workplace.ledger_path}: " in told[0]
    assert told[0].endswith(said)
    raised = workplace.query("SELECT count(*) FROM alerts")
    is_committed = raised == [(len(NUMBERS),)]
    assert is_committed or raised == [(0,)]
    assert is_committed or LATER not in out
    assert is_committed or f"Taken in: {len(NUMBERS)} alerts" not in err
    return is_committed


def goes_on(workplace):
    """The next run sends each message that has not been sent, and none that has."""
    workplace.run(lines())
    assert sorted(title.split()[-1] for (title,) in workplace.messages("title")) == sorted(NUMBERS)
    assert {state for (state,) in workplace.messages("state")} <= {"accepted", "sent", "delivered"}
    bodies = [message.body for message in workplace.accepted]
    assert len(bodies) == len(set(bodies)) == len(NUMBERS)
    assert workplace.command("audit", "verify").startswith("ok ")


@pytest.fixture
def read_before(workplace):
    """A workplace without limits on what one recipient is told."""
    alerts = workplace.root / "alerts.yml"
    text = alerts.read_text(encoding="utf-8")
    workplace.write_alerts(f"{text}\nlimits: {{per_recipient: 1000}}\n")
    workplace.run(baseline())
    return workplace


@pytest.mark.parametrize(("more", "is_committed"), [(8192, False), (600_000, True)])
def test_a_disk_that_is_full_loses_nothing(read_before, more, is_committed):
    """It is full before the alerts are committed, or while their messages are sent."""
    size = sum(path.stat().st_size for path in read_before.root.glob("ledger.db*")) + more
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (size, size))
    said = "disk I/O error; see whether its disk is full"
    assert fails(read_before, said, preexec_fn=limit) is is_committed
    goes_on(read_before)


def test_a_file_that_may_only_be_read_is_told(read_before):
    read_before.ledger_path.chmod(0o444)
    fails(read_before, "; let this user write the file and its folder", preexec_fn=as_anybody)
    read_before.ledger_path.chmod(0o644)
    goes_on(read_before)


def test_a_folder_in_which_nothing_may_be_written_is_told(read_before):
    folder = read_before.root / "kept"
    folder.mkdir()
    for path in read_before.root.glob("ledger.db*"):
        path.rename(folder / path.name)
    read_before.config["ledger_url"] = f"sqlite:///{folder / 'ledger.db'}"
    folder.chmod(0o555)
    fails(read_before, "; let this user write the file and its folder", preexec_fn=as_anybody)
    folder.chmod(0o755)
    goes_on(read_before)


def test_a_file_that_another_has_locked_is_told(read_before):
    read_before.config["ledger_url"] += "?timeout=1"
    with closing(sqlite3.connect(read_before.ledger_path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        fails(
            read_before,
            "database is locked; another program holds it; end that, and keep backups short",
        )
    goes_on(read_before)
