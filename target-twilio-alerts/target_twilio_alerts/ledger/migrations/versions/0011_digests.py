"""Digests: alerts that are told together, and which message told them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from target_twilio_alerts.ledger.tables import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "digest_items",
        sa.Column("alert_id", sa.String(length=16), sa.ForeignKey("alerts.id"), primary_key=True),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("told_at", UtcDateTime()),
    )
    op.create_index("ix_digest_items_due_at", "digest_items", ["told_at", "due_at"])
    op.create_table(
        "digest_contents",
        sa.Column(
            "message_id", sa.String(length=16), sa.ForeignKey("messages.id"), primary_key=True
        ),
        sa.Column("alert_id", sa.String(length=16), sa.ForeignKey("alerts.id"), primary_key=True),
    )
