"""How long messages are of use."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from target_twilio_alerts.ledger.tables import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("messages", sa.Column("validity_seconds", sa.Integer()))
    op.add_column("messages", sa.Column("valid_until", UtcDateTime()))
