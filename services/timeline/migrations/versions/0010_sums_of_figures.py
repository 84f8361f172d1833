"""Figures of days that are over are added up.

Revision: 0010, after: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

BACK = ("back", "unrecorded", "unlinked", "unshown", "shown")
COUNTS = ("contacts", "blind", *(f"{what}_{window}" for window in (7, 14, 30) for what in BACK))
DIMENSIONS = ("channel", "source", "queue", "team", "language")


def upgrade() -> None:
    op.create_index(op.f("ix_figures_known_on_cut"), "figures", ["known_on", "cut"])
    op.create_table(
        "closings",
        sa.Column("known_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("known_on", name=op.f("pk_closings")),
    )
    op.create_table(
        "sums",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("cut", "kept", *DIMENSIONS)),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("known_on", sa.Date(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in COUNTS),
        sa.PrimaryKeyConstraint("cut", "kept", *DIMENSIONS, "day", "label", "known_on", name=op.f("pk_sums")),
    )
    op.create_index(op.f("ix_sums_cut_kept_day"), "sums", ["cut", "kept", "day"])


def downgrade() -> None:
    op.drop_table("sums")
    op.drop_table("closings")
    op.drop_index(op.f("ix_figures_known_on_cut"), "figures")
