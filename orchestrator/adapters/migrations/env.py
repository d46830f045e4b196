"""How alembic runs our migrations: on the connection it is given, inside its open transaction."""

from __future__ import annotations

from alembic import context

import orchestrator.adapters.netbox_tables
import orchestrator.adapters.occurrence_tables
import orchestrator.adapters.tables  # noqa: F401  (registers the rows)
from inventory.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
    transaction_per_migration=False,
)
context.run_migrations()
