"""Silences: what an operator does not want to be told for a while."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from target_twilio_alerts.ledger.tables import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "silences",
        sa.Column("id", sa.String(length=16), primary_key=True),
        sa.Column("author", sa.String(length=255), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("rule", sa.String(length=255)),
        sa.Column("entity", sa.String(length=64)),
        sa.Column("company", sa.String(length=255)),
        sa.Column("counterparty", sa.String(length=255)),
        sa.Column("recipient", sa.String(length=255)),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
    )
