"""What can be erased: when it was, and the salt of what an alert tells of its document."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from target_twilio_alerts.ledger.tables import UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("alerts", sa.Column("salt", sa.String(length=32)))
    op.add_column("alerts", sa.Column("erased_at", UtcDateTime()))
    op.add_column("message_contents", sa.Column("erased_at", UtcDateTime()))
