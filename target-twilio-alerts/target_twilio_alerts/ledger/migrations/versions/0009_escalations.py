"""Escalations and acknowledgements."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from target_twilio_alerts.ledger.tables import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "escalations",
        sa.Column("alert_id", sa.String(length=16), sa.ForeignKey("alerts.id"), primary_key=True),
        sa.Column("step", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
    )
    op.create_index("ix_escalations_state", "escalations", ["state", "due_at"])
    op.create_table(
        "acknowledgements",
        sa.Column("alert_id", sa.String(length=16), sa.ForeignKey("alerts.id"), primary_key=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("how", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text()),
    )
