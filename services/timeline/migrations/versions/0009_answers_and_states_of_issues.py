"""Customers' answers and agents' states of issues are found like other words on them.

Revision: 0009, after: 0008
"""

from alembic import op

revision = "0009"
down_revision = "0008"

INDEX, NEW, OLD = "ix_events_corrections", "ix_events_corrections_new", "ix_events_corrections_old"


def upgrade() -> None:
    _replace("'issue.answered', 'issue.joined', 'issue.parted', 'issue.stated'")


def downgrade() -> None:
    _replace("'issue.joined', 'issue.parted'")


def _replace(types: str) -> None:
    """Beside the old one, which the version before goes on to read by; what a try before left is taken away."""
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")  # on a large table it takes long, but holds nobody up
        for left in (NEW, OLD):
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {left}")
        op.execute(f"CREATE INDEX CONCURRENTLY {NEW} ON events (identifier_id, occurred_at) WHERE type IN ({types})")
        op.execute(f"ALTER INDEX IF EXISTS {INDEX} RENAME TO {OLD}")
        op.execute(f"ALTER INDEX {NEW} RENAME TO {INDEX}")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {OLD}")
        op.execute("SET statement_timeout = '10min'")
