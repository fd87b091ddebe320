"""Erases what is personal, and leaves the trail as it is: it has salted hashes only.

The salt goes with what it salted, so that nobody can find an address by trying all there are. What
waits to be sent, or is being sent, is left until it has come to an end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from target_twilio_alerts.audit.rows import ERASED_DECISION
from target_twilio_alerts.ledger import Event, MessageState, events
from target_twilio_alerts.ledger.runs import utc_now
from target_twilio_alerts.ledger.tables import (
    StepState,
    alerts,
    digest_items,
    document_versions,
    escalations,
    failure_contents,
    iso_utc,
    message_contents,
    messages,
    undecided_documents,
)
from target_twilio_alerts.messages.kinds import FAILURES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.ledger import Ledger

_AT_A_TIME = 400
"""Rows of one transaction: others must not wait long for the ledger."""

SETTLING = timedelta(days=3)
"""How long an unknown message may be settled by evidence, for which its address is needed."""

_UNDER_WAY = [
    state.value for state in (MessageState.PENDING, MessageState.CLAIMED, MessageState.SENDING)
]


@dataclass(frozen=True)
class Scope:
    """What is to be erased: what fits all that is given.

    Attributes:
        recipient: Messages to this recipient, and summaries of failures that name one of those.
        address: Messages to this address, whatever its case, and such summaries.
        before: What is older than this moment. Alone it is about everybody, and then also what
            alerts say of documents, and versions of documents that others have replaced.
    """

    recipient: str | None = None
    address: str | None = None
    before: datetime | None = None

    @property
    def is_of_all(self) -> bool:
        """Whether it is by age only."""
        return self.recipient is None and self.address is None


@dataclass(frozen=True)
class Found:
    """How much there is to erase, or was erased.

    Attributes:
        messages: Messages with an address and a text.
        alerts: Alerts with what they say of their documents.
        versions: Versions of documents that others have replaced.
        under_way: Messages that are not at their end, and stay.
        oldest: When the first of the messages was written.
        newest: When the last one was.
    """

    messages: int
    alerts: int
    versions: int
    under_way: int
    oldest: datetime | None = None
    newest: datetime | None = None

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to erase."""
        return not (self.messages or self.alerts or self.versions)


def look(connection: Connection, scope: Scope) -> Found:
    """What there is to erase."""
    created_at = messages.c.created_at
    query = sa.select(sa.func.count(), sa.func.min(created_at), sa.func.max(created_at))
    theirs = query.select_from(_joined()).where(*_of_messages(scope))
    number, oldest, newest = connection.execute(theirs.where(~_is_under_way())).one()
    under_way = connection.execute(theirs.where(_is_under_way())).one()[0]
    return Found(
        messages=number,
        alerts=_count(connection, alerts, _of_alerts(scope)) if scope.is_of_all else 0,
        versions=(
            _count(connection, document_versions, _of_versions(scope)) if scope.is_of_all else 0
        ),
        under_way=under_way,
        oldest=oldest,
        newest=newest,
    )


def erase(
    ledger: Ledger,
    scope: Scope,
    *,
    at: datetime,
    operator: str,
    reason: str,
    run_id: str | None = None,
) -> Found:
    """Erase, some rows in each transaction, and tell the trail who wanted it and why.

    Killed in between it has erased some of it, which the trail tells; done again it goes on.
    """
    with ledger.read() as connection:
        found = look(connection, scope)
    who: dict[str, Any] = {"operator": operator, "reason": reason}

    def write(step: Callable[[Connection], list[Event]]) -> int:
        """Take a step until there is nothing left for it; gives the number of events."""
        number = 0
        while told := _written(ledger, step, at=at, run_id=run_id):
            number += len(told)
        return number

    of_messages = write(lambda connection: _erase_messages(connection, scope, who, at=at))
    of_alerts = 0
    if scope.is_of_all:
        of_alerts = write(lambda connection: _erase_alerts(connection, scope, who, at=at))
    done = Found(of_messages, of_alerts, 0, found.under_way, found.oldest, found.newest)

    def end(connection: Connection) -> list[Event]:
        """Versions have no events of their own: they go with the one that counts them."""
        nonlocal done
        if scope.is_of_all:
            done = replace(done, versions=_erase_versions(connection, scope))
        return [] if done.is_nothing else [Event("erased", who | _told(scope, done))]

    _written(ledger, end, at=at, run_id=run_id)
    return done


def compact(ledger: Ledger) -> str | None:
    """Rewrite a SQLite file, so that no free page has what was erased; gives why it could not be.

    Other databases do so themselves.
    """
    if ledger.engine.dialect.name != "sqlite":
        return None
    connection = ledger.engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        ((is_busy, *_),) = cursor.fetchall()
    except ledger.engine.dialect.loaded_dbapi.Error as error:
        return str(error)
    finally:
        connection.close()
    return "another process is reading it" if is_busy else None


def _written(
    ledger: Ledger,
    step: Callable[[Connection], list[Event]],
    *,
    at: datetime,
    run_id: str | None,
) -> list[Event]:
    with ledger.write() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
        told = step(connection)
        events.append(connection, told, at=at, run_id=run_id)
    return told


def _erase_messages(
    connection: Connection, scope: Scope, who: dict[str, Any], *, at: datetime
) -> list[Event]:
    rows = connection.execute(
        sa.select(messages.c.id, messages.c.alert_id)
        .select_from(_joined())
        .where(*_of_messages(scope), ~_is_under_way())
        # Summaries first: without the address of what they name they would not be found again.
        .order_by((messages.c.template == FAILURES).desc(), messages.c.created_at, messages.c.id)
        .limit(_AT_A_TIME)
    ).all()
    table = message_contents.c
    connection.execute(
        sa.update(message_contents)
        .where(table.message_id.in_([row.id for row in rows]))
        .values(
            address="",
            subject=None,
            text="",
            html=None,
            salt="",
            content_sid=None,
            content_variables=None,
            erased_at=at,
        )
    )
    return [Event("message_erased", who, alert_id=row.alert_id, message_id=row.id) for row in rows]


def _erase_alerts(
    connection: Connection, scope: Scope, who: dict[str, Any], *, at: datetime
) -> list[Event]:
    ids = connection.execute(
        sa.select(alerts.c.id)
        .where(*_of_alerts(scope))
        .order_by(alerts.c.raised_at, alerts.c.id)
        .limit(_AT_A_TIME)
    ).scalars()
    found = list(ids)
    connection.execute(
        sa.update(alerts)
        .where(alerts.c.id.in_(found))
        .values(reason="", decision=ERASED_DECISION, salt=None, erased_at=at)
    )
    return [Event("alert_erased", who, alert_id=alert_id) for alert_id in found]


def _erase_versions(connection: Connection, scope: Scope) -> int:
    """Delete versions that others have replaced; the newest one tells what has changed."""
    gone = connection.execute(sa.delete(document_versions).where(*_of_versions(scope)))
    return int(gone.rowcount)


def _joined() -> sa.FromClause:
    return messages.join(message_contents, message_contents.c.message_id == messages.c.id)


def _is_under_way() -> sa.ColumnElement[bool]:
    state = messages.c.state
    may_be_settled = sa.and_(
        state == MessageState.UNKNOWN.value, messages.c.created_at > utc_now() - SETTLING
    )
    return sa.or_(state.in_(_UNDER_WAY), may_be_settled)


def _of_messages(scope: Scope) -> Sequence[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [message_contents.c.erased_at.is_(None)]
    if not scope.is_of_all:
        theirs, contents = messages.alias(), message_contents.alias()
        named = (
            sa.select(failure_contents.c.summary_id)
            .join(theirs, theirs.c.id == failure_contents.c.message_id)
            .join(contents, contents.c.message_id == theirs.c.id)
            .where(*_are_theirs(scope, theirs, contents))
        )
        conditions.append(
            sa.or_(
                sa.and_(*_are_theirs(scope, messages, message_contents)),
                sa.and_(messages.c.template == FAILURES, messages.c.summary_id.in_(named)),
            )
        )
    if scope.before is not None:
        conditions.append(messages.c.created_at < scope.before)
    return conditions


def _are_theirs(
    scope: Scope, of: sa.FromClause, contents: sa.FromClause
) -> Iterator[sa.ColumnElement[bool]]:
    """Whether messages are to this recipient, at this address."""
    if scope.recipient is not None:
        yield of.c.recipient == scope.recipient
    if scope.address is not None:
        yield sa.func.lower(contents.c.address) == scope.address.lower()


def _of_alerts(scope: Scope) -> Sequence[sa.ColumnElement[bool]]:
    """Alerts that no digest and no step of an escalation will tell any more."""
    waits = sa.exists().where(
        digest_items.c.alert_id == alerts.c.id, digest_items.c.told_at.is_(None)
    )
    is_escalated = sa.exists().where(
        escalations.c.alert_id == alerts.c.id, escalations.c.state == StepState.WAITING.value
    )
    return [alerts.c.erased_at.is_(None), alerts.c.raised_at < scope.before, ~waits, ~is_escalated]


def _of_versions(scope: Scope) -> Sequence[sa.ColumnElement[bool]]:
    """Versions that no rule will compare with: one that is undecided looks at the one before."""
    is_undecided = sa.exists().where(
        undecided_documents.c.document_id == document_versions.c.document_id
    )
    return [document_versions.c.seen_at < scope.before, ~is_undecided]


def _count(
    connection: Connection, table: sa.Table, conditions: Sequence[sa.ColumnElement[bool]]
) -> int:
    query = sa.select(sa.func.count()).select_from(table).where(*conditions)
    return int(connection.execute(query).scalar_one())


def _told(scope: Scope, done: Found) -> dict[str, Any]:
    told = {
        "recipient": scope.recipient,
        "by_address": scope.address is not None or None,
        "older_than": None if scope.before is None else iso_utc(scope.before),
    }
    numbers = {"messages": done.messages, "alerts": done.alerts, "versions": done.versions}
    return {name: value for name, value in told.items() if value is not None} | numbers
