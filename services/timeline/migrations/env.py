"""Runs migrations on the connection that `services.timeline.migrate` hands over."""

from alembic import context

from services.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
