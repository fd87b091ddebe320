"""Run migrations on the connection that the ledger hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from target_twilio_alerts.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,
)
context.run_migrations()
