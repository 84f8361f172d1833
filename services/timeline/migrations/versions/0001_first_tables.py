"""First tables.

Revision: 0001, after:
"""

import secrets

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "arrivals",
        sa.Column("event_key", sa.UUID(), nullable=False),
        sa.Column("digest", postgresql.BYTEA(), nullable=False),
        sa.PrimaryKeyConstraint("event_key", name=op.f("pk_arrivals")),
    )
    op.create_table(
        "conflicts",
        sa.Column("event_key", sa.UUID(), nullable=False),
        sa.Column("digest", postgresql.BYTEA(), nullable=False),
        sa.Column("event", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("seen_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("event_key", "digest", name=op.f("pk_conflicts")),
    )
    op.create_table(
        "conversations",
        sa.Column("interaction_id", sa.UUID(), nullable=False),
        sa.Column("identifier_id", sa.UUID(), nullable=True),
        sa.Column("first_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("first_key", sa.UUID(), nullable=True),
        sa.Column("unnamed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("interaction_id", name=op.f("pk_conversations")),
        postgresql_with={"fillfactor": 85},
    )
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("record", postgresql.BYTEA(), nullable=False),
        sa.Column("dead_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("replayed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letters")),
        sa.UniqueConstraint("topic", "partition", "position", name=op.f("uq_dead_letters_topic_partition_position")),
    )
    op.create_table(
        "decisions",
        sa.Column("left_id", sa.UUID(), nullable=False),
        sa.Column("right_id", sa.UUID(), nullable=False),
        sa.Column("occurred_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("event_key", sa.UUID(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("left_id", "right_id", "occurred_at", "event_key", name=op.f("pk_decisions")),
    )
    op.create_index(op.f("ix_decisions_right_id"), "decisions", ["right_id"], unique=False)
    op.create_table(
        "deployment",
        sa.Column("one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("secret", postgresql.BYTEA(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_deployment")),
    )
    op.create_table(
        "events",
        sa.Column("identifier_id", sa.UUID(), nullable=False),
        sa.Column("occurred_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("event_key", sa.UUID(), nullable=False),
        sa.Column("interaction_id", sa.UUID(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("event", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("tx", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("identifier_id", "occurred_at", "event_key", name=op.f("pk_events")),
    )
    op.create_index(
        op.f("ix_events_identifier_id_interaction_id_occurred_at"),
        "events",
        ["identifier_id", "interaction_id", "occurred_at"],
        unique=False,
    )
    op.create_index(
        "ix_events_milestones",
        "events",
        ["identifier_id", "type", "occurred_at"],
        unique=False,
        postgresql_where=sa.text(
            "type IN ('billing.updated', 'delivery.updated', 'feedback.received', 'note.written', 'purchase.made')"
        ),
    )
    op.create_table(
        "identifiers",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("verification", sa.Text(), nullable=False),
        sa.Column("first_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("first_key", sa.UUID(), nullable=False),
        sa.Column("customer_id", sa.UUID(), nullable=False),
        sa.Column("shared", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identifiers")),
        postgresql_with={"fillfactor": 85},
    )
    op.create_index(op.f("ix_identifiers_customer_id"), "identifiers", ["customer_id"], unique=False)
    op.create_index(
        op.f("ix_identifiers_type_value"),
        "identifiers",
        ["type", "value"],
        unique=False,
        postgresql_ops={"value": "text_pattern_ops"},
    )
    op.create_table(
        "imports",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("done", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("accepted", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("refused", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_imports")),
    )
    op.create_table(
        "interactions",
        sa.Column("identifier_id", sa.UUID(), nullable=False),
        sa.Column("interaction_id", sa.UUID(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("conversation", sa.Text(), nullable=True),
        sa.Column("started_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("last_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("events", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("inbound", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("outbound", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_inbound_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("last_outbound_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("tx", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("identifier_id", "interaction_id", name=op.f("pk_interactions")),
        postgresql_with={"fillfactor": 85},
    )
    op.create_index(
        op.f("ix_interactions_identifier_id_last_at_interaction_id"),
        "interactions",
        ["identifier_id", "last_at", "interaction_id"],
        unique=False,
    )
    op.create_index(op.f("ix_interactions_interaction_id"), "interactions", ["interaction_id"], unique=False)
    op.create_index(op.f("ix_interactions_last_at"), "interactions", ["last_at"], unique=False, postgresql_using="brin")
    op.create_table(
        "keys",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("key_hash", postgresql.BYTEA(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_keys_key_hash")),
    )
    op.create_table(
        "links",
        sa.Column("left_id", sa.UUID(), nullable=False),
        sa.Column("right_id", sa.UUID(), nullable=False),
        sa.Column("occurred_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("event_key", sa.UUID(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("linked_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("refused", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("left_id", "right_id", "occurred_at", "event_key", "rule", name=op.f("pk_links")),
    )
    op.create_index(op.f("ix_links_right_id"), "links", ["right_id"], unique=False)
    op.create_table(
        "log_heads",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition", name=op.f("pk_log_heads")),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "log_readers",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("group", sa.Text(), nullable=False),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("seen_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("topic", "group", "reader", name=op.f("pk_log_readers")),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "log_records",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("value", postgresql.BYTEA(), nullable=False),
        sa.Column("appended_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition", "position", name=op.f("pk_log_records")),
    )
    op.create_table(
        "marks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.UUID(), nullable=False),
        sa.Column("marked_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_marks")),
    )
    op.create_index(op.f("ix_marks_customer_id"), "marks", ["customer_id"], unique=False)
    op.create_table(
        "names",
        sa.Column("identifier_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("seen_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("identifier_id", "name", name=op.f("pk_names")),
    )
    op.create_index(
        "ix_names_words",
        "names",
        [sa.literal_column("to_tsvector('simple', name)")],
        unique=False,
        postgresql_using="gin",
    )
    op.create_table(
        "positions",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition", name=op.f("pk_positions")),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "reads",
        sa.Column("customer_id", sa.UUID(), nullable=False),
        sa.Column("read_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("customer_id", "read_at", "id", name=op.f("pk_reads")),
    )
    op.create_table(
        "sign_ins",
        sa.Column("link_hash", postgresql.BYTEA(), nullable=False),
        sa.Column("cookie_hash", postgresql.BYTEA(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("link_hash", name=op.f("pk_sign_ins")),
        sa.UniqueConstraint("cookie_hash", name=op.f("uq_sign_ins_cookie_hash")),
    )
    op.create_table(
        "sources",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key_hash", postgresql.BYTEA(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sources")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_sources_key_hash")),
    )
    op.create_table(
        "visits",
        sa.Column("device_id", sa.UUID(), nullable=False),
        sa.Column("started_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("device_id", "started_at", name=op.f("pk_visits")),
        postgresql_with={"fillfactor": 85},
    )
    op.execute(sa.text("INSERT INTO deployment (secret) VALUES (:secret)").bindparams(secret=secrets.token_bytes(32)))


def downgrade() -> None:
    op.drop_table("visits")
    op.drop_table("sources")
    op.drop_table("sign_ins")
    op.drop_table("reads")
    op.drop_table("positions")
    op.drop_index("ix_names_words", table_name="names", postgresql_using="gin")
    op.drop_table("names")
    op.drop_index(op.f("ix_marks_customer_id"), table_name="marks")
    op.drop_table("marks")
    op.drop_table("log_records")
    op.drop_table("log_readers")
    op.drop_table("log_heads")
    op.drop_index(op.f("ix_links_right_id"), table_name="links")
    op.drop_table("links")
    op.drop_table("keys")
    op.drop_index(op.f("ix_interactions_last_at"), table_name="interactions", postgresql_using="brin")
    op.drop_index(op.f("ix_interactions_interaction_id"), table_name="interactions")
    op.drop_index(op.f("ix_interactions_identifier_id_last_at_interaction_id"), table_name="interactions")
    op.drop_table("interactions")
    op.drop_table("imports")
    op.drop_index(
        op.f("ix_identifiers_type_value"), table_name="identifiers", postgresql_ops={"value": "text_pattern_ops"}
    )
    op.drop_index(op.f("ix_identifiers_customer_id"), table_name="identifiers")
    op.drop_table("identifiers")
    op.drop_index(
        "ix_events_milestones",
        table_name="events",
        postgresql_where=sa.text(
            "type IN ('billing.updated', 'delivery.updated', 'feedback.received', 'note.written', 'purchase.made')"
        ),
    )
    op.drop_index(op.f("ix_events_identifier_id_interaction_id_occurred_at"), table_name="events")
    op.drop_table("events")
    op.drop_table("deployment")
    op.drop_index(op.f("ix_decisions_right_id"), table_name="decisions")
    op.drop_table("decisions")
    op.drop_table("dead_letters")
    op.drop_table("conversations")
    op.drop_table("conflicts")
    op.drop_table("arrivals")
