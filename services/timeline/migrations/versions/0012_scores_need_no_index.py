"""Scores are told by figures; no contact is found by them any more.

Revision: 0012, after: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.drop_index("ix_contacts_scored", table_name="contacts")


def downgrade() -> None:
    op.create_index(
        "ix_contacts_scored",
        "contacts",
        ["day"],
        postgresql_where=sa.text("nps IS NOT NULL OR ces IS NOT NULL OR csat IS NOT NULL"),
    )
