"""Which messages a summary of failures names, so that it is erased with whom it names."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, with what is known of earlier summaries."""
    op.create_table(
        "failure_contents",
        sa.Column("summary_id", sa.String(length=16), nullable=False),
        sa.Column("message_id", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name="fk_failure_contents_message_id_messages"
        ),
        sa.PrimaryKeyConstraint("summary_id", "message_id", name="pk_failure_contents"),
    )
    op.execute(
        "INSERT INTO failure_contents (summary_id, message_id) SELECT named.summary_id, named.id "
        "FROM messages AS named JOIN messages AS summary ON summary.id = named.summary_id "
        "WHERE summary.template = 'built-in/failures' AND named.template <> summary.template"
    )
