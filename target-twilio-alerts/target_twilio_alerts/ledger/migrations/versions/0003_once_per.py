"""What an alert was raised once for, where its rule says so."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the key; alerts without one are as many as they are."""
    op.add_column("alerts", sa.Column("once_key", sa.String(length=32), nullable=True))
    op.create_index("ix_alerts_once_key", "alerts", ["rule", "epoch", "once_key"], unique=True)
