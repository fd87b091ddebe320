"""Anchors: the number and the hash of the last event, noted where nobody can change them.

A line of an anchor file is ``<run id> <time> <number> <hash>``; a line of a log, or of an email to
the controller, has ``Ledger head: event <number>, <hash>`` in it.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_twilio_alerts.ledger.tables import iso_utc

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

_OF_A_FILE = re.compile(r"[0-9a-f]{32} \S+Z (?P<seq>\d{1,15}) (?P<hash>[0-9a-f]{64})\s*")
_OF_A_LOG = re.compile(r"Ledger head: event (?P<seq>\d{1,15}), (?P<hash>[0-9a-f]{64})(?![0-9a-f])")

_ENOUGH = 4096
"""Bytes at the end of a file in which its last line is."""


class AnchorError(Exception):
    """A file of anchors cannot be used; the text says why and how to mend it in one line."""


@dataclass(frozen=True)
class Anchor:
    """What was noted of an event: its number and hash; `place` is where, as ``file:line``."""

    seq: int
    hash: str
    place: str


def told_in_a_log(seq: int, head: str) -> str:
    """An anchor as logs and emails tell it."""
    return f"Ledger head: event {seq}, {head}"


def read(paths: Iterable[Path]) -> dict[int, list[Anchor]]:
    """The anchors of files, by the numbers of their events; other lines of a log are left out.

    Raises:
        AnchorError: A file cannot be read, or has none.
    """
    found: dict[int, list[Anchor]] = {}
    for path in paths:
        try:
            with path.open(encoding="utf-8", errors="replace") as lines:
                anchors = list(_anchors(path, lines))
        except OSError as error:
            raise AnchorError(f"{path}: cannot be read ({error.strerror})") from None
        for anchor in anchors:
            found.setdefault(anchor.seq, []).append(anchor)
        if not anchors:
            raise AnchorError(
                f"{path}: has no anchor; give the file of the setting anchor_file, or a log with "
                "lines `Ledger head: event ...`",
            )
    return found


def _anchors(path: Path, lines: Iterable[str]) -> Iterable[Anchor]:
    for number, line in enumerate(lines, 1):
        match = _OF_A_FILE.fullmatch(line) or _OF_A_LOG.search(line)
        if match is not None:
            yield Anchor(int(match["seq"]), match["hash"], f"{path.name}:{number}")


def last(path: Path) -> Anchor | None:
    """The anchor that was written last; None if the file cannot be read, or has none at its end."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _ENOUGH))
            lines = file.read().decode("utf-8", errors="replace").splitlines()
    except OSError:
        return None
    return next((anchor for line in reversed(lines) for anchor in _anchors(path, [line])), None)


def ensure_writable(path: Path) -> None:
    """Refuse a file that cannot be written to; nothing is written.

    Raises:
        AnchorError: It cannot be.
    """
    is_writable = os.access(path, os.W_OK) and path.is_file()
    if not path.exists():
        is_writable = path.parent.is_dir() and os.access(path.parent, os.W_OK)
    if not is_writable:
        raise AnchorError(
            f"anchor_file: {path} cannot be written; make its folder, let this user write there, "
            "or give another file",
        )


def append(path: Path, *, run_id: str, at: datetime, seq: int, head: str) -> None:
    """Add a run's anchor, on disk when this returns.

    Raises:
        AnchorError: It cannot be written.
    """
    line = f"{run_id} {iso_utc(at)} {seq} {head}\n".encode()
    try:
        # One write to a file that is opened for appending: lines of two runs do not mix.
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(file, line)
            os.fsync(file)
        finally:
            os.close(file)
    except OSError as error:
        raise AnchorError(f"anchor_file: {path} cannot be written ({error.strerror})") from None
