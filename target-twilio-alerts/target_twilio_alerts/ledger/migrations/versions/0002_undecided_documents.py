"""Documents that a rule cannot decide: shown to people, and decided when what was missing comes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from target_twilio_alerts.ledger.tables import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; what is undecided in an older ledger shows when it is next decided."""
    op.create_table(
        "undecided_documents",
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint(
            "rule", "epoch", "document_id", name=op.f("pk_undecided_documents")
        ),
    )
    op.create_index("ix_undecided_documents_document_id", "undecided_documents", ["document_id"])
