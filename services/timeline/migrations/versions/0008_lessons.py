"""What a deployment's own stream teaches is kept.

Revision: 0008, after: 0007
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "lessons",
        sa.Column("version", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("learned_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("contacts", sa.BigInteger(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_lessons")),
    )


def downgrade() -> None:
    op.drop_table("lessons")
