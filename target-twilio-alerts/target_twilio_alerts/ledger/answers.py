"""What rules answered where it matters later: the last decided answer, and what is undecided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from target_twilio_alerts.ledger.tables import (
    documents,
    remembered_answers,
    rule_epochs,
    undecided_documents,
)
from target_twilio_alerts.ledger.versions import chunks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from sqlalchemy.engine import Connection

AnswerKey = tuple[str, int, str]
"""A rule, its epoch, and a document."""


@dataclass(frozen=True)
class Undecided:
    """A document that a rule cannot decide now.

    Attributes:
        rule: Name of the rule.
        document_id: Whose newest version it is.
        entity: What the document is.
        header: Its values, as JSON.
        reason: What is missing, in words.
        since: When the newest version could first not be decided.
    """

    rule: str
    document_id: str
    entity: str
    header: str
    reason: str
    since: datetime


def load_remembered(
    connection: Connection,
    ids: Iterable[str],
) -> dict[tuple[str, int, str], bool]:
    """The last decided answers kept for documents that are undecided now."""
    if connection.execute(sa.select(sa.literal(1)).select_from(remembered_answers)).first() is None:
        return {}
    table = remembered_answers.c
    found: dict[tuple[str, int, str], bool] = {}
    for chunk in chunks(list(ids)):
        query = sa.select(table.rule, table.epoch, table.document_id, table.answer)
        for row in connection.execute(query.where(table.document_id.in_(chunk))):
            found[row.rule, row.epoch, row.document_id] = row.answer
    return found


def load_remembered_of(connection: Connection, *, rule: str, epoch: int) -> dict[str, bool]:
    """The last decided answers kept for one rule, by document."""
    table = remembered_answers.c
    query = sa.select(table.document_id, table.answer).where(
        table.rule == rule,
        table.epoch == epoch,
    )
    return {row.document_id: row.answer for row in connection.execute(query)}


def save_remembered(
    connection: Connection,
    answers: Mapping[tuple[str, int, str], bool | None],
) -> None:
    """Keep (True, False) or forget (None) last decided answers."""
    if not answers:
        return
    table = remembered_answers.c
    connection.execute(
        sa.delete(remembered_answers).where(
            table.rule == sa.bindparam("r"),
            table.epoch == sa.bindparam("e"),
            table.document_id == sa.bindparam("d"),
        ),
        [{"r": rule, "e": epoch, "d": document} for rule, epoch, document in answers],
    )
    kept = [
        {"rule": rule, "epoch": epoch, "document_id": document, "answer": answer}
        for (rule, epoch, document), answer in answers.items()
        if answer is not None
    ]
    if kept:
        connection.execute(sa.insert(remembered_answers), kept)


def load_undecided(connection: Connection, ids: Iterable[str]) -> set[AnswerKey]:
    """Which rules could not decide which of these documents."""
    table = undecided_documents.c
    if connection.execute(sa.select(table.rule).limit(1)).first() is None:
        return set()
    found: set[AnswerKey] = set()
    for chunk in chunks(list(ids)):
        query = sa.select(table.rule, table.epoch, table.document_id)
        rows = connection.execute(query.where(table.document_id.in_(chunk)))
        found.update((row.rule, row.epoch, row.document_id) for row in rows)
    return found


def undecided_of(connection: Connection, *, rule: str, epoch: int) -> list[str]:
    """Documents that a rule could not decide, in key order."""
    table = undecided_documents.c
    query = sa.select(table.document_id).where(table.rule == rule, table.epoch == epoch)
    return list(connection.execute(query.order_by(table.document_id)).scalars())


def list_undecided(
    connection: Connection, *, rules: Collection[str] | None, limit: int
) -> list[Undecided]:
    """What these rules cannot decide now, under their present conditions; the newest, oldest first.

    Args:
        connection: In a transaction.
        rules: Their names; None: every rule that there was.
        limit: At most so many.
    """
    table = undecided_documents.c
    newest = (
        sa.select(rule_epochs.c.rule, sa.func.max(rule_epochs.c.epoch).label("epoch"))
        .group_by(rule_epochs.c.rule)
        .subquery()
    )
    query = (
        sa.select(
            table.rule,
            table.document_id,
            documents.c.entity,
            documents.c.header,
            table.reason,
            table.since,
        )
        .join(documents, documents.c.id == table.document_id)
        .join(newest, sa.and_(newest.c.rule == table.rule, newest.c.epoch == table.epoch))
        .order_by(table.since.desc(), table.rule, table.document_id)
        .limit(limit)
    )
    if rules is not None:
        query = query.where(table.rule.in_(rules))
    return [Undecided(*row) for row in reversed(connection.execute(query).all())]


def save_undecided(
    connection: Connection,
    reasons: Mapping[AnswerKey, str | None],
    *,
    known: set[AnswerKey],
    at: datetime,
    run_id: str,
) -> None:
    """Note what is undecided and why, and forget what is decided (None).

    Args:
        connection: In a transaction that writes.
        reasons: Per rule and document.
        known: What `load_undecided` gave for these documents.
        at: Now.
        run_id: The run at work.
    """
    table = undecided_documents.c
    gone = [key for key in reasons if key in known]
    if gone:
        connection.execute(
            sa.delete(undecided_documents).where(
                table.rule == sa.bindparam("r"),
                table.epoch == sa.bindparam("e"),
                table.document_id == sa.bindparam("d"),
            ),
            [{"r": rule, "e": epoch, "d": document} for rule, epoch, document in gone],
        )
    rows = [
        {
            "rule": rule,
            "epoch": epoch,
            "document_id": document,
            "reason": reason,
            "since": at,
            "run_id": run_id,
        }
        for (rule, epoch, document), reason in reasons.items()
        if reason is not None
    ]
    if rows:
        connection.execute(sa.insert(undecided_documents), rows)
