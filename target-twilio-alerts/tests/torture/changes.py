"""What is otherwise in a target of a test: a disk that fills, or a guarantee that is taken out.

They are made in a forked process, which has its own copy of the target's code.
"""

from __future__ import annotations

import ctypes
import resource
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from target_twilio_alerts.delivery.steps import Steps
from target_twilio_alerts.intake import group
from target_twilio_alerts.intake.decisions import Group
from target_twilio_alerts.ledger import databases, events, versions

if TYPE_CHECKING:
    from collections.abc import Callable


def make(name: str) -> None:
    """Make a change; a number may stand behind its name, after a colon."""
    name, _, number = name.partition(":")
    _CHANGES[name](*([int(number)] if number else []))


def _small_groups() -> None:
    """A STATE leaves after each two records, not after each two thousand."""
    group.GROUP_RECORDS = 2


def _sending_is_not_committed() -> None:
    """`sending` is written with the answer, not before the request."""
    begin, record = Steps.begin, Steps.record

    def record_all(steps: Steps, message: Any, outcome: Any) -> None:
        begin(steps, message)
        record(steps, message, outcome)

    Steps.begin = lambda _steps, _message: True  # type: ignore[method-assign]
    Steps.record = record_all  # type: ignore[method-assign]


def _state_leaves_first() -> None:
    """STATE is written before the commit that covers it."""

    def commit(intake: Any) -> None:
        state, intake._state = intake._state, None
        if state is not None:
            intake._let_go(state)
        intake._state = state  # for the baseline that it ends
        intake._write()
        intake._state = None

    group.Intake._commit = commit  # type: ignore[method-assign]


def _versions_come_later() -> None:
    """What documents were is committed after the alerts on what they became."""
    save, write = versions.save, group.Intake._write
    kept: list[dict[str, Any]] = []

    def write_both(intake: Any) -> None:
        write(intake)
        with intake._ledger.write() as connection:
            while kept:
                save(connection, **kept.pop())

    versions.save = lambda _connection, **given: kept.append(given)
    group.Intake._write = write_both  # type: ignore[method-assign]


def _alerts_are_not_unique() -> None:
    """Whoever meets an edge raises an alert, though it was raised before."""
    edge = Group._edge

    def unlike_any_other(of: Group, *given: Any, **named: Any) -> Any:
        made = edge(of, *given, **named)
        return replace(made, version=f"{made.version}|{secrets.token_hex(8)}")

    Group._edge = unlike_any_other  # type: ignore[method-assign]


def _an_event_is_left_out() -> None:
    """That a message was accepted is not in the trail."""
    append = events.append

    def forgetful(connection: Any, told: Any, **named: Any) -> None:
        append(connection, [one for one in told if one.kind != "message_accepted"], **named)

    events.append = forgetful


def _an_event_is_not_sealed() -> None:
    """The trail's head stays where it was when a message is accepted."""
    append = events.append

    def forgetful(connection: Any, told: Any, **named: Any) -> None:
        pending = list(told)
        seq, seal = events.head(connection)
        append(connection, pending, **named)
        if any(one.kind == "message_accepted" for one in pending):
            values = {"seq": seq + len(pending), "hash": seal}
            connection.execute(events.chain_head.update().values(**values))

    events.append = forgetful


def _disk_fills(pages: int) -> None:
    """The ledger's file may have so many pages, as if the disk had no room for more."""

    @sa.event.listens_for(sa.engine.Engine, "connect")
    def _limit(connection: Any, _record: Any) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")


def _files_stay_small(size: int) -> None:
    """No file of the process may have more bytes: the disk refuses in the middle of a write."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def _is_no_superuser() -> None:
    """Permissions of files hold for root too."""
    override = 1 << 1  # CAP_DAC_OVERRIDE
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    sets = (ctypes.c_uint32 * 6)()
    assert libc.capget(header, sets) == 0
    sets[0] &= ~override
    assert libc.capset(header, sets) == 0


def _has_little_patience() -> None:
    """A locked file is waited for a moment only."""
    databases._BUSY_TIMEOUT_SECONDS = 0.1


_CHANGES: dict[str, Callable[..., None]] = {
    "disk fills": _disk_fills,
    "files stay small": _files_stay_small,
    "is no superuser": _is_no_superuser,
    "has little patience": _has_little_patience,
    "small groups": _small_groups,
    "sending is not committed": _sending_is_not_committed,
    "state leaves first": _state_leaves_first,
    "versions come later": _versions_come_later,
    "alerts are not unique": _alerts_are_not_unique,
    "an event is left out": _an_event_is_left_out,
    "an event is not sealed": _an_event_is_not_sealed,
}
