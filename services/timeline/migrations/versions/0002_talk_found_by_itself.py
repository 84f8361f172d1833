"""Talk is found by itself, however many visits came after it.

Revision: 0002, after: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

INDEX = "ix_interactions_talk"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")  # on a large table it takes long, but holds nobody up
        op.drop_index(INDEX, table_name="interactions", if_exists=True, postgresql_concurrently=True)  # of a try before
        op.create_index(
            INDEX,
            "interactions",
            ["identifier_id", "last_at", "interaction_id"],
            postgresql_where=sa.text("(channel NOT IN ('web', 'app', 'other') OR conversation IS NOT NULL)"),
            postgresql_concurrently=True,
        )
        op.execute("SET statement_timeout = '10min'")


def downgrade() -> None:
    op.drop_index(INDEX, table_name="interactions")
