"""Content templates of WhatsApp messages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("message_contents", sa.Column("content_sid", sa.String(length=34)))
    op.add_column("message_contents", sa.Column("content_variables", sa.Text()))
