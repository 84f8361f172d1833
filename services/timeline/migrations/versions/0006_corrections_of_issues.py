"""People's words on issues are found by themselves.

Revision: 0006, after: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

INDEX = "ix_events_corrections"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")  # on a large table it takes long, but holds nobody up
        op.drop_index(INDEX, table_name="events", if_exists=True, postgresql_concurrently=True)  # of a try before
        op.create_index(
            INDEX,
            "events",
            ["identifier_id", "occurred_at"],
            postgresql_where=sa.text("type IN ('issue.joined', 'issue.parted')"),
            postgresql_concurrently=True,
        )
        op.execute("SET statement_timeout = '10min'")


def downgrade() -> None:
    op.drop_index(INDEX, table_name="events")
