"""Facts are kept, and which contacts were called resolved; customers whose issues are kept are analysed once more.

Revision: 0011, after: 0010
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "facts",
        sa.Column("identifier_id", sa.UUID(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("event_source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("sort", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("due", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("identifier_id", "at", "event_source", "event_id", "place", name=op.f("pk_facts")),
    )
    op.add_column("contacts", sa.Column("resolved", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.execute(
        "INSERT INTO marks (customer_id) SELECT DISTINCT i.customer_id FROM identifiers i JOIN issues ON"
        " issues.identifier_id = i.id"
    )


def downgrade() -> None:
    op.drop_column("contacts", "resolved")
    op.drop_table("facts")
