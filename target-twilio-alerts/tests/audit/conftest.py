from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

import pytest

from target_twilio_alerts.audit import anchors
from target_twilio_alerts.audit.verify import verify
from target_twilio_alerts.ledger import Ledger, events
from target_twilio_alerts.ledger.events import Sealed


class Copy:
    """A copy of a ledger, changed behind its back."""

    def __init__(self, path, root):
        self.path = root / "copy.db"
        with (
            closing(sqlite3.connect(path)) as source,
            closing(sqlite3.connect(self.path)) as target,
        ):
            source.backup(target)
            target.execute("PRAGMA journal_mode = OFF")
            for verb in ("update", "delete"):
                target.execute(f"DROP TRIGGER audit_events_no_{verb}")
            target.commit()

    def again(self):
        """The same once more, as it was."""
        twin = object.__new__(Copy)
        twin.path = self.path.with_name("again.db")
        shutil.copyfile(self.path, twin.path)
        return twin

    def do(self, statement, *values):
        """Give the rows, or how many were changed."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            found = connection.execute(statement, values)
            return found.fetchall() if found.description else found.rowcount

    def reseal(self, first=1):
        """Give every event from one on a hash that fits, and the head too, as an insider would."""
        ((before,),) = self.do(
            "SELECT coalesce((SELECT hash FROM audit_events WHERE seq < ? ORDER BY seq DESC "
            "LIMIT 1), ?)",
            first,
            events.GENESIS,
        )
        rows = self.do("SELECT * FROM audit_events WHERE seq >= ? ORDER BY seq", first)
        with closing(sqlite3.connect(self.path)) as connection, connection:
            for number, (seq, at, kind, run_id, alert_id, message_id, body, *_) in enumerate(
                rows, first
            ):
                found = events.seal(
                    Sealed(alert_id, at, body, kind, message_id, before, run_id, number)
                )
                connection.execute(
                    "UPDATE audit_events SET seq = ?, previous_hash = ?, hash = ? WHERE seq = ?",
                    (number, before, found, seq),
                )
                before = found
            last = first + len(rows) - 1
            connection.execute("UPDATE chain_head SET seq = ?, hash = ?", (last, before))

    def verdict(self, *files):
        """What verify says, given files of anchors."""
        ledger = Ledger(f"sqlite:///{self.path}")
        try:
            return verify(ledger, anchors.read(files))
        finally:
            ledger.close()

    @property
    def fault(self):
        fault = self.verdict().fault
        return None if fault is None else fault.what


@pytest.fixture
def copy(rich, tmp_path):
    return Copy(rich.workplace.ledger_path, tmp_path)


@pytest.fixture(scope="session")
def anchor_file(rich):
    return rich.root / "anchors.txt"
