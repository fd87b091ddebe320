"""To which group a document belongs, and its date: what rules over recent documents look up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; a document of an older ledger gets them when its record comes again."""
    op.add_column("documents", sa.Column("grouping", sa.String(length=16), nullable=True))
    op.add_column("documents", sa.Column("dated", sa.Date(), nullable=True))
    op.create_index("ix_documents_grouping", "documents", ["grouping", "dated"])
