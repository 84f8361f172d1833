"""Issues, contacts, repeats and figures are kept.

Revision: 0007, after: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"

BACK = ("back", "unrecorded", "unlinked", "unshown", "shown")
COUNTS = ("contacts", "blind", *(f"{what}_{window}" for window in (7, 14, 30) for what in BACK))


def upgrade() -> None:
    op.create_table(
        "contacts",
        sa.Column("identifier_id", sa.UUID(), nullable=False),
        sa.Column("issue_id", sa.UUID(), nullable=False),
        sa.Column("interaction_id", sa.UUID(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("event_source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("blind", sa.Boolean(), nullable=False),
        sa.Column("asked", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("nps", sa.Float(), nullable=True),
        sa.Column("ces", sa.Float(), nullable=True),
        sa.Column("csat", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("identifier_id", "issue_id", "interaction_id", name=op.f("pk_contacts")),
    )
    op.create_index(op.f("ix_contacts_day_at"), "contacts", ["day", "at"], unique=False)
    op.create_index(
        "ix_contacts_scored",
        "contacts",
        ["day"],
        unique=False,
        postgresql_where=sa.text("nps IS NOT NULL OR ces IS NOT NULL OR csat IS NOT NULL"),
    )
    op.create_table(
        "figures",
        sa.Column("cut", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("known_on", sa.Date(), nullable=False),
        *(sa.Column(name, sa.Integer(), server_default="0", nullable=False) for name in COUNTS),
        sa.PrimaryKeyConstraint(
            "cut", "day", "channel", "source", "queue", "team", "language", "label", "known_on", name=op.f("pk_figures")
        ),
        postgresql_with={"fillfactor": 70},
    )
    op.create_table(
        "issues",
        sa.Column("identifier_id", sa.UUID(), nullable=False),
        sa.Column("issue_id", sa.UUID(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("channels", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("opened_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("last_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("identifier_id", "issue_id", name=op.f("pk_issues")),
    )
    op.create_index(op.f("ix_issues_group_id_last_at"), "issues", ["group_id", "last_at"], unique=False)
    op.create_table(
        "repeats",
        sa.Column("identifier_id", sa.UUID(), nullable=False),
        sa.Column("issue_id", sa.UUID(), nullable=False),
        sa.Column("interaction_id", sa.UUID(), nullable=False),
        sa.Column("window", sa.SmallInteger(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("from_channel", sa.Text(), nullable=False),
        sa.Column("explained", sa.Boolean(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("hours", sa.Float(), nullable=False),
        sa.Column("earlier_source", sa.Text(), nullable=False),
        sa.Column("earlier_event", sa.Text(), nullable=False),
        sa.Column("later_source", sa.Text(), nullable=False),
        sa.Column("later_event", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("identifier_id", "issue_id", "interaction_id", "window", name=op.f("pk_repeats")),
    )
    op.create_index(op.f("ix_repeats_window_day_at"), "repeats", ["window", "day", "at"], unique=False)


def downgrade() -> None:
    op.drop_table("repeats")
    op.drop_table("issues")
    op.drop_table("figures")
    op.drop_table("contacts")
