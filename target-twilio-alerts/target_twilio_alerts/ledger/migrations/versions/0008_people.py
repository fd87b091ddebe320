"""People: several addresses of one recipient, escalation steps, and who opted out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from target_twilio_alerts.ledger.tables import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_BEFORE = "uq_messages_alert_id_recipient_channel_attempt"
_AFTER = "uq_messages_alert_id_recipient_channel_place_step_attempt"


def upgrade() -> None:
    """Add the columns to what makes a message unique, and the table."""
    with op.batch_alter_table("messages") as batch:
        batch.add_column(sa.Column("place", sa.Integer(), nullable=False, server_default="1"))
        batch.add_column(sa.Column("step", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("because", sa.Text()))
        batch.drop_constraint(_BEFORE, type_="unique")
        batch.create_unique_constraint(
            _AFTER, ["alert_id", "recipient", "channel", "place", "step", "attempt"]
        )
    op.create_table(
        "opt_outs",
        sa.Column("channel", sa.String(length=16), primary_key=True),
        sa.Column("address_hash", sa.String(length=64), primary_key=True),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("message_id", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
    )
