"""What signatures that do not cover the body were used for.

Revision: 0005, after: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "signatures",
        sa.Column("signature", postgresql.BYTEA(), nullable=False),
        sa.Column("brought", postgresql.BYTEA(), nullable=False),
        sa.Column("used_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("signature", name=op.f("pk_signatures")),
    )
    op.create_index(op.f("ix_signatures_used_at"), "signatures", ["used_at"])


def downgrade() -> None:
    op.drop_table("signatures")
