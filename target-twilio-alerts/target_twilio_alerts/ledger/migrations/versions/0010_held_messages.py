"""The flood brake: what messages will cost, and which summary named those that were held."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the index."""
    op.add_column("messages", sa.Column("cost_micros", sa.BigInteger()))
    op.add_column("messages", sa.Column("summary_id", sa.String(length=16)))
    op.create_index("ix_messages_created_at", "messages", ["created_at"])
