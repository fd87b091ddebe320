"""Finds what was deleted: Visma tells nobody, so the keys of whole reads are kept and compared.

The keys are in an SQLite file beside the project, because STATE is no place for a million of them.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_visma import bookmarks
from tap_visma.errors import TapError
from tap_visma.kinds import Filter
from tap_visma.settings import setting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tap_visma.pagination import Row
    from tap_visma.reading import Reading
    from tap_visma.stream import VismaStream

DELETED_AT = "_sdc_deleted_at"
"""The field that tells when a record was found to be gone; null in those that are there."""

COMPARING = "comparing"
"""Where a partition's entry in STATE keeps how far a read of everything is that finds deletes."""

SCHEMA = {
    "type": ["string", "null"],
    "format": "date-time",
    "description": "When the record was found to be deleted in Visma.net; UTC.",
}

_BUSY_SECONDS = 60

_TABLES = (
    "CREATE TABLE IF NOT EXISTS scopes (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    (
        "CREATE TABLE IF NOT EXISTS reads (id INTEGER PRIMARY KEY, scope INTEGER NOT NULL,"
        " is_whole INTEGER NOT NULL DEFAULT 0)"
    ),
    (
        "CREATE TABLE IF NOT EXISTS keys (scope INTEGER NOT NULL, key TEXT NOT NULL,"
        " seen INTEGER NOT NULL, stamp TEXT, start TEXT, missed_by INTEGER, deleted_at TEXT,"
        " deleted_by INTEGER, PRIMARY KEY (scope, key)) WITHOUT ROWID"
    ),
)

_SAW = """
INSERT INTO keys (scope, key, seen, stamp, start) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (scope, key) DO UPDATE SET
    seen = max(seen, excluded.seen),
    stamp = coalesce(max(stamp, excluded.stamp), stamp, excluded.stamp),
    start = coalesce(max(start, excluded.start), start, excluded.start),
    missed_by = NULL,
    deleted_at = NULL,
    deleted_by = NULL
"""

_UNSEEN = """
scope = :scope AND seen < :read AND deleted_at IS NULL
    AND (:start IS NULL OR start >= :start OR stamp >= :surely)
"""

_DELETE = f"UPDATE keys SET deleted_at = :at, deleted_by = :read WHERE {_UNSEEN}"  # noqa: S608
_DELETE_WHAT_WAS_MISSED = f"{_DELETE} AND missed_by < :read"
_MISS = f"UPDATE keys SET missed_by = :read WHERE {_UNSEEN}"  # noqa: S608


def keys_path(config: Mapping[str, Any]) -> Path:
    """Where the keys are kept."""
    root = Path(os.environ.get("MELTANO_PROJECT_ROOT") or ".")
    return root / str(setting(config, "keys_file"))


@dataclass(frozen=True)
class Missed:
    """What a whole read did not see.

    Attributes:
        once: How many keys only this read missed: they may have slipped over a page border.
        strange: How many are known although the listing was empty: an answer too strange to call
            them all deleted.
    """

    once: int = 0
    strange: int = 0


class KeysFile:
    """The keys that were seen, by scope: what was asked of whom.

    Args:
        path: The file; it is made when it is first used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: sqlite3.Connection | None = None

    def close(self) -> None:
        """Let go of the file."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, on disk at its end.

        Raises:
            TapError: The file cannot be used.
        """
        try:
            if self._opened is None:
                self._opened = sqlite3.connect(
                    self._path,
                    timeout=_BUSY_SECONDS,
                    isolation_level=None,
                )
            connection = self._opened
            connection.execute("BEGIN IMMEDIATE")
            try:
                for table in _TABLES:
                    connection.execute(table)
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()
        except sqlite3.Error as error:
            raise TapError(
                f"the keys in {self._path} cannot be kept ({error}), so deletes are not looked "
                "for: mend or remove that file (setting keys_file)",
            ) from None

    def begin(self, scope: str, *, after: int) -> int:
        """Begin a whole read; gives its id, which is higher than all before and than `after`."""
        with self._writing() as connection:
            (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM reads").fetchone()
            read = int(max(last, after)) + 1
            number = _number(connection, scope)
            connection.execute("INSERT INTO reads (id, scope) VALUES (?, ?)", (read, number))
        return read

    def knows(self, scope: str, read: int) -> bool:
        """Whether the scope has this read."""
        query = "SELECT 1 FROM reads WHERE scope = ? AND id = ?"
        with self._writing() as connection:
            asked = (_number(connection, scope), read)
            return connection.execute(query, asked).fetchone() is not None

    def saw(
        self,
        scope: str,
        keys: Iterable[tuple[str, str | None]],
        *,
        start: str | None,
    ) -> None:
        """Keep keys with their canonical stamps; one that was called deleted is back.

        They are seen by the newest read of the scope, whoever makes it: they are there now.

        Args:
            scope: What was asked of whom.
            keys: Each as JSON, with its stamp.
            start: The filter under which they came, canonical.
        """
        with self._writing() as connection:
            number = _number(connection, scope)
            newest = "SELECT coalesce(max(id), 0) FROM reads WHERE scope = ?"
            (read,) = connection.execute(newest, (number,)).fetchone()
            connection.executemany(
                _SAW,
                ((number, key, read, stamp, start) for key, stamp in keys),
            )

    def finish(self, scope: str, read: int, *, start: str | None, is_sure: bool) -> Missed:
        """Call deleted what two whole reads did not see, and what no filter can have hidden.

        A key cannot be hidden if it came under the same filter or a later one, or if its stamp is
        later by more than the hour that stamps may seem to differ by.

        Args:
            scope: What was asked of whom.
            read: The read, which came to its end.
            start: Its filter.
            is_sure: Whether one read is enough, because nothing could slip over a page border.
        """
        surely = None if start is None else bookmarks.canonical(bookmarks.moved_back(start, -3600))
        at = datetime.now(timezone.utc).isoformat(timespec="seconds")
        with self._writing() as connection:
            number = _number(connection, scope)
            asked = {
                "scope": number,
                "read": read,
                "start": bookmarks.canonical(start),
                "surely": surely,
                "at": at,
            }
            is_any = "SELECT 1 FROM keys WHERE scope = :scope AND seen >= :read LIMIT 1"
            if connection.execute(is_any, asked).fetchone() is None:
                unseen = f"SELECT count(*) FROM keys WHERE {_UNSEEN}"  # noqa: S608 - no value in it
                missed = Missed(strange=connection.execute(unseen, asked).fetchone()[0])
            else:
                connection.execute(_DELETE if is_sure else _DELETE_WHAT_WAS_MISSED, asked)
                missed = Missed(connection.execute(_MISS, asked).rowcount)
            connection.execute("UPDATE reads SET is_whole = 1 WHERE id = ?", (read,))
            connection.execute(
                "DELETE FROM reads WHERE scope = ? AND is_whole = 1 AND id < ?",
                (number, read),
            )
        return missed

    def deleted(self, scope: str, *, after: int) -> list[tuple[str, str, int]]:
        """Key, time and read of what reads after this one called deleted, in order of reads."""
        query = (
            "SELECT key, deleted_at, deleted_by FROM keys WHERE scope = ? AND deleted_by > ?"
            " ORDER BY deleted_by, key"
        )
        with self._writing() as connection:
            return connection.execute(query, (_number(connection, scope), after)).fetchall()


class Deletes:
    """What one stream's reads tell of deletes.

    In STATE, each partition's entry has `compared_at` (Unix seconds), `compared`, the read up to
    which deletes have been written, and `missed`, while another read must tell whether keys are
    gone or slipped over a page border.

    Args:
        stream: Whose.
        file: Where the keys are.
        hours: How often to compare.

    Attributes:
        missed: The partitions of which another read must tell what is gone.
    """

    def __init__(self, stream: VismaStream, file: KeysFile, *, hours: int) -> None:
        self._stream = stream
        self._file = file
        self._seconds = hours * 3600
        self._rows: dict[Reading, list[tuple[str, str | None]]] = {}
        self._has_failed = False
        self.missed: list[dict[str, Any]] = []

    def is_due(self, entry: Mapping[str, Any]) -> bool:
        """Whether it is time to read a partition as a whole, only to compare.

        Never before its first read came to an end, which compares too.
        """
        if self._has_failed or not entry.get("replication_key_value"):
            return False
        at = entry.get("compared_at")
        is_known = isinstance(at, (int, float)) and 0 <= time.time() - at < self._seconds
        return not is_known or COMPARING in entry or "missed" in entry

    def prepare(self, reading: Reading, entry: Mapping[str, Any]) -> None:
        """Give a read that sees everything its id, by which its keys are told from others.

        One that was cut off, and of which the file knows nothing, tells no deletes: it has none,
        or begins again if it is made for nothing else.
        """
        progress = reading.progress
        kept, progress.compare = progress.compare, None
        if self._has_failed:
            return
        with self._keeping(reading):
            scope = self._scope(reading)
            if kept is not None and self._file.knows(scope, kept):
                progress.compare = kept
                return
            if reading.is_comparison:
                progress.begin_again()
            if progress.page == 1 and not progress.sweeping and self._is_whole(reading):
                progress.compare = self._file.begin(scope, after=_id(entry))

    def _is_whole(self, reading: Reading) -> bool:
        """Whether nothing is hidden but what the setting `start_date` hides."""
        is_unfiltered = reading.progress.start in {None, bookmarks.BEFORE_EVERYTHING}
        return is_unfiltered or reading.progress.start == reading.company.start_date

    def saw(self, reading: Reading, row: Row) -> None:
        """Note a row that is being written."""
        row[DELETED_AT] = None
        key = [row.get(name) for name in self._own_key(reading)]
        if all(isinstance(part, (str, int)) for part in key):
            stamp = self._stream.stamp
            canonical = None if stamp is None else bookmarks.canonical(row.get(stamp))
            self._rows.setdefault(reading, []).append((json.dumps(key), canonical))

    def keep(self, reading: Reading) -> None:
        """Put on disk what was seen: before the STATE that would not read it again."""
        rows = self._rows.pop(reading, [])
        if self._has_failed:
            reading.progress.compare = None
        elif rows:
            start = bookmarks.canonical(reading.progress.start)
            with self._keeping(reading):
                self._file.saw(self._scope(reading), rows, start=start)

    def found(self, reading: Reading, entry: dict[str, Any]) -> list[Row]:
        """The records of what was deleted, after a whole read; its entry in STATE says so."""
        found: list[Row] = []
        with self._keeping(reading):
            found.extend(self._found(reading, entry))
        return found

    def _found(self, reading: Reading, entry: dict[str, Any]) -> Iterator[Row]:
        read = reading.progress.compare
        if read is None:
            return
        scope = self._scope(reading)
        missed = self._file.finish(
            scope,
            read,
            start=reading.progress.start,
            is_sure=reading.is_one_answer,
        )
        if missed.strange:
            self._stream.logger.warning(
                "%s: the listing is empty though %d were there: none is called deleted; check "
                "tenant_id and company_id",
                reading.name,
                missed.strange,
            )
        for key, deleted_at, by in self._file.deleted(scope, after=_id(entry)):
            own = dict(zip(self._own_key(reading), json.loads(key), strict=True))
            yield {**reading.context, **own, DELETED_AT: deleted_at}
            read = max(read, by)
        entry["compared"] = read
        entry["compared_at"] = int(time.time())
        is_second = entry.pop("missed", 0)
        if missed.once and not is_second and self._stream.filter is not Filter.NONE:
            entry["missed"] = missed.once
            self.missed.append(reading.context)

    @contextmanager
    def _keeping(self, reading: Reading) -> Iterator[None]:
        """Look for no deletes any more in this run if the keys cannot be kept.

        What the file lacks is not gone. The run goes on, and ends non-zero.
        """
        try:
            yield
        except TapError as error:
            self._has_failed = True
            self._rows.pop(reading, None)
            reading.progress.compare = None
            self._stream.note(reading, error)

    def _own_key(self, reading: Reading) -> list[str]:
        return [name for name in self._stream.primary_keys if name not in reading.context]

    def _scope(self, reading: Reading) -> str:
        """What was asked of whom: what one question hides may answer another."""
        company = reading.company
        asked = {
            "stream": self._stream.name,
            "context": reading.context,
            "asked": self._stream.own_params(company, reading.context),
            "address": company.api_url,
            "client_id": company.client_id,
            "company_id": company.headers.get("ipp-company-id"),
        }
        return json.dumps(asked, sort_keys=True)


def _number(connection: sqlite3.Connection, scope: str) -> int:
    connection.execute("INSERT OR IGNORE INTO scopes (name) VALUES (?)", (scope,))
    found = connection.execute("SELECT id FROM scopes WHERE name = ?", (scope,)).fetchone()
    return int(found[0])


def _id(entry: Mapping[str, Any]) -> int:
    read = entry.get("compared")
    return read if isinstance(read, int) else 0
