"""The ledger's tables: what was seen, what was decided, what was sent, and the trail of it all."""

from __future__ import annotations

from datetime import datetime, timezone
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect
    from sqlalchemy.types import TypeEngine


class MessageState(str, Enum):
    """Where a message stands between us and the recipient's telephone or inbox.

    ``pending -> claimed -> sending -> accepted -> sent -> delivered | undelivered | failed |
    read``; beside them ``rejected`` (a clear no), ``unknown`` (no clear answer) and ``suppressed``
    (we chose not to send).
    """

    PENDING = "pending"
    CLAIMED = "claimed"
    SENDING = "sending"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    READ = "read"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    SUPPRESSED = "suppressed"


class StepState(str, Enum):
    """Where a step of an escalation stands."""

    WAITING = "waiting"
    TAKEN = "taken"
    ENDED = "ended"


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC moment: sortable ISO text in SQLite, ``timestamptz`` in PostgreSQL."""

    impl = sa.String(27)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Use the database's own type where it keeps the zone."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.DateTime(timezone=True))
        return dialect.type_descriptor(sa.String(27))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse naive moments; write microseconds always, so that text sorts as time does."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("the ledger keeps aware moments only")
        value = value.astimezone(timezone.utc)
        return value if dialect.name == "postgresql" else iso_utc(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give back an aware UTC moment."""
        if value is None:
            return None
        if isinstance(value, str):
            return _read_utc(value)
        moment: datetime = value
        return moment.astimezone(timezone.utc)


@lru_cache(1 << 10)
def _read_utc(text: str) -> datetime:
    return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=timezone.utc)


@lru_cache(1 << 10)
def iso_utc(moment: datetime) -> str:
    """Write a moment as ``2026-11-23T08:52:08.123456Z``."""
    local = moment.astimezone(timezone.utc).replace(tzinfo=None)
    return f"{local.isoformat(timespec='microseconds')}Z"


SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""A place in the trail; a SQLite table is sorted by its key only if that is an INTEGER."""

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    },
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("command", sa.String(32), nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("host", sa.String(255), nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("outcome", sa.String(32), nullable=False),
    sa.Column("summary", sa.Text),
)

complete_reads = sa.Table(
    "complete_reads",
    metadata,
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("context", sa.Text, primary_key=True),
    sa.Column("completed_at", UtcDateTime, nullable=False),
    sa.Column("run_id", sa.String(32), nullable=False),
    sa.Column("reason", sa.String(64), nullable=False),
)

documents = sa.Table(
    "documents",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("entity", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("ordinal", sa.Integer, nullable=False),
    sa.Column("stamp", sa.Text),
    sa.Column("row_version", sa.Text),
    sa.Column("content", sa.String(64), nullable=False),
    sa.Column("header", sa.Text, nullable=False),
    sa.Column("final", sa.Boolean, nullable=False),
    sa.Column("baseline", sa.Boolean, nullable=False),
    sa.Column("seen_at", UtcDateTime, nullable=False),
    sa.Column("run_id", sa.String(32), nullable=False),
    sa.Column("grouping", sa.String(16)),
    sa.Column("dated", sa.Date),
)
sa.Index("ix_documents_entity_final", documents.c.entity, documents.c.final)
sa.Index("ix_documents_grouping", documents.c.grouping, documents.c.dated)

document_versions = sa.Table(
    "document_versions",
    metadata,
    sa.Column("document_id", sa.String(32), primary_key=True),
    sa.Column("ordinal", sa.Integer, primary_key=True),
    sa.Column("stamp", sa.Text),
    sa.Column("row_version", sa.Text),
    sa.Column("content", sa.String(64), nullable=False),
    sa.Column("header", sa.Text, nullable=False),
    sa.Column("seen_at", UtcDateTime, nullable=False),
    sa.Column("run_id", sa.String(32), nullable=False),
)

malformed_records = sa.Table(
    "malformed_records",
    metadata,
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("document_id", sa.String(32)),
    sa.Column("problem", sa.Text, nullable=False),
    sa.Column("first_seen_at", UtcDateTime, nullable=False),
    sa.Column("last_seen_at", UtcDateTime, nullable=False),
    sa.Column("times", sa.Integer, nullable=False),
    sa.Column("run_id", sa.String(32), nullable=False),
)

currency_rates = sa.Table(
    "currency_rates",
    metadata,
    sa.Column("company", sa.Text, primary_key=True),
    sa.Column("type", sa.Text, primary_key=True),
    sa.Column("base", sa.Text, primary_key=True),
    sa.Column("quote", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("rate", sa.Text, nullable=False),
    sa.Column("seen_at", UtcDateTime, nullable=False),
    sa.Column("run_id", sa.String(32), nullable=False),
)

rule_epochs = sa.Table(
    "rule_epochs",
    metadata,
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("epoch", sa.Integer, primary_key=True),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("entity", sa.Text, nullable=False),
    sa.Column("condition", sa.Text, nullable=False),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("decided_on", sa.Date),
    sa.Column("run_id", sa.String(32), nullable=False),
)

remembered_answers = sa.Table(
    "remembered_answers",
    metadata,
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("epoch", sa.Integer, primary_key=True),
    sa.Column("document_id", sa.String(32), primary_key=True),
    sa.Column("answer", sa.Boolean, nullable=False),
)

undecided_documents = sa.Table(
    "undecided_documents",
    metadata,
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("epoch", sa.Integer, primary_key=True),
    sa.Column("document_id", sa.String(32), primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("since", UtcDateTime, nullable=False),
    sa.Column("run_id", sa.String(32), nullable=False),
)
sa.Index("ix_undecided_documents_document_id", undecided_documents.c.document_id)

alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("document_id", sa.String(32), nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("entity", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("severity", sa.String(16), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("decision", sa.Text, nullable=False),
    sa.Column("raised_at", UtcDateTime, nullable=False),
    sa.Column("run_id", sa.String(32), nullable=False),
    sa.Column("once_key", sa.String(32)),
    sa.Column("salt", sa.String(32)),
    sa.Column("erased_at", UtcDateTime),
    sa.UniqueConstraint("rule", "epoch", "document_id", "version"),
)
sa.Index("ix_alerts_once_key", alerts.c.rule, alerts.c.epoch, alerts.c.once_key, unique=True)

silences = sa.Table(
    "silences",
    metadata,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("rule", sa.Text),
    sa.Column("entity", sa.Text),
    sa.Column("company", sa.Text),
    sa.Column("counterparty", sa.Text),
    sa.Column("recipient", sa.Text),
    sa.Column("starts_at", UtcDateTime, nullable=False),
    sa.Column("ends_at", UtcDateTime, nullable=False),
)

messages = sa.Table(
    "messages",
    metadata,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("alert_id", sa.String(16), sa.ForeignKey("alerts.id")),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("channel", sa.String(16), nullable=False),
    sa.Column("place", sa.Integer, nullable=False, server_default="1"),
    sa.Column("step", sa.Integer, nullable=False, server_default="0"),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("because", sa.Text),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("severity_rank", sa.Integer, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("not_before", UtcDateTime),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("claim_token", sa.String(32)),
    sa.Column("claim_expires_at", UtcDateTime),
    sa.Column("claim_run_id", sa.String(32)),
    sa.Column("sending_at", UtcDateTime),
    sa.Column("accepted_at", UtcDateTime),
    sa.Column("sid", sa.Text),
    sa.Column("request_id", sa.Text),
    sa.Column("status", sa.Text),
    sa.Column("status_at", UtcDateTime),
    sa.Column("error_code", sa.Text),
    sa.Column("error_message", sa.Text),
    sa.Column("template", sa.Text, nullable=False),
    sa.Column("locale", sa.String(16), nullable=False),
    sa.Column("encoding", sa.String(16)),
    sa.Column("segments", sa.Integer),
    sa.Column("cost_micros", sa.BigInteger),
    sa.Column("summary_id", sa.String(16)),
    sa.Column("validity_seconds", sa.Integer),
    sa.Column("valid_until", UtcDateTime),
    sa.Column("resend_of", sa.String(16), sa.ForeignKey("messages.id")),
    sa.Column("resend_reason", sa.Text),
    sa.Column("operator", sa.Text),
    sa.Column("run_id", sa.String(32), nullable=False),
    sa.UniqueConstraint("alert_id", "recipient", "channel", "place", "step", "attempt"),
)
sa.Index("ix_messages_state", messages.c.state, messages.c.severity_rank, messages.c.created_at)
sa.Index("ix_messages_sid", messages.c.sid)
sa.Index("ix_messages_created_at", messages.c.created_at)

message_contents = sa.Table(
    "message_contents",
    metadata,
    sa.Column("message_id", sa.String(16), sa.ForeignKey("messages.id"), primary_key=True),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("subject", sa.Text),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("html", sa.Text),
    sa.Column("salt", sa.String(32), nullable=False),
    sa.Column("content_sid", sa.String(34)),
    sa.Column("content_variables", sa.Text),
    sa.Column("erased_at", UtcDateTime),
)

escalations = sa.Table(
    "escalations",
    metadata,
    sa.Column("alert_id", sa.String(16), sa.ForeignKey("alerts.id"), primary_key=True),
    sa.Column("step", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("due_at", UtcDateTime, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("updated_at", UtcDateTime, nullable=False),
)
sa.Index("ix_escalations_state", escalations.c.state, escalations.c.due_at)

digest_items = sa.Table(
    "digest_items",
    metadata,
    sa.Column("alert_id", sa.String(16), sa.ForeignKey("alerts.id"), primary_key=True),
    sa.Column("due_at", UtcDateTime, nullable=False),
    sa.Column("told_at", UtcDateTime),
)
sa.Index("ix_digest_items_due_at", digest_items.c.told_at, digest_items.c.due_at)

digest_contents = sa.Table(
    "digest_contents",
    metadata,
    sa.Column("message_id", sa.String(16), sa.ForeignKey("messages.id"), primary_key=True),
    sa.Column("alert_id", sa.String(16), sa.ForeignKey("alerts.id"), primary_key=True),
)

failure_contents = sa.Table(
    "failure_contents",
    metadata,
    sa.Column("summary_id", sa.String(16), primary_key=True),
    sa.Column("message_id", sa.String(16), sa.ForeignKey("messages.id"), primary_key=True),
)

acknowledgements = sa.Table(
    "acknowledgements",
    metadata,
    sa.Column("alert_id", sa.String(16), sa.ForeignKey("alerts.id"), primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("how", sa.String(32), nullable=False),
    sa.Column("reason", sa.Text),
)

opt_outs = sa.Table(
    "opt_outs",
    metadata,
    sa.Column("channel", sa.String(16), primary_key=True),
    sa.Column("address_hash", sa.String(64), primary_key=True),
    sa.Column("since", UtcDateTime, nullable=False),
    sa.Column("message_id", sa.String(16), nullable=False),
    sa.Column("source", sa.String(64), nullable=False),
)

audit_events = sa.Table(
    "audit_events",
    metadata,
    sa.Column("seq", SEQUENCE, primary_key=True, autoincrement=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("kind", sa.String(64), nullable=False),
    sa.Column("run_id", sa.String(32)),
    sa.Column("alert_id", sa.String(16)),
    sa.Column("message_id", sa.String(16)),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("previous_hash", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
)
sa.Index("ix_audit_events_message_id", audit_events.c.message_id)
sa.Index("ix_audit_events_alert_id", audit_events.c.alert_id)

chain_head = sa.Table(
    "chain_head",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("seq", SEQUENCE, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
)
