"""The tables of the one store. Large ones lead with the identifier a row is attached to (ARCHITECTURE.md, Tables)."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB, TIMESTAMP, UUID

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)
Time = TIMESTAMP(timezone=True)
NOW = sa.text("now()")
MILESTONES = ("billing.updated", "delivery.updated", "feedback.received", "note.written", "purchase.made")
CORRECTIONS = ("issue.joined", "issue.parted")
TALK = "(channel NOT IN ('web', 'app', 'other') OR conversation IS NOT NULL)"  # no visit and no notice of a system


def _id(name: str, **options: object) -> sa.Column[object]:
    return sa.Column(name, UUID(as_uuid=True), nullable=bool(options.pop("nullable", False)), **options)  # type: ignore[arg-type]


def _text(name: str, **options: object) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=bool(options.pop("nullable", False)), **options)  # type: ignore[arg-type]


def _time(name: str, **options: object) -> sa.Column[object]:
    return sa.Column(name, Time, nullable=bool(options.pop("nullable", False)), **options)  # type: ignore[arg-type]


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


# --- Large: keyed first by identifier -------------------------------------------------------------------------

# One row per event, for ever on the identifier it was attached to. `event` is the whole event, canonical.
events = sa.Table(
    "events", metadata,
    _id("identifier_id"), _time("occurred_at"), _id("event_key"),
    _id("interaction_id"),
    _text("source"), _text("event_id"), _text("type"), _text("channel"), _text("direction"),
    sa.Column("event", JSONB, nullable=False),
    sa.Column("tx", sa.BigInteger, nullable=False),  # the transaction that stitched it; cursor of the live stream
    sa.PrimaryKeyConstraint("identifier_id", "occurred_at", "event_key"),
    sa.Index(None, "identifier_id", "interaction_id", "occurred_at"),
    # What a brief tells the newest of, however long ago; few rows, so the index costs next to nothing.
    sa.Index(
        "ix_events_milestones", "identifier_id", "type", "occurred_at",
        postgresql_where=sa.text(f"type IN {MILESTONES}"),
    ),
    sa.Index(
        "ix_events_corrections", "identifier_id", "occurred_at", postgresql_where=sa.text(f"type IN {CORRECTIONS}")
    ),
)  # fmt: skip

# One row per interaction and identifier its events are attached to: parts that a reader adds up, so that their
# order of arrival can't matter. All columns are minima, maxima or sums.
interactions = sa.Table(
    "interactions", metadata,
    _id("identifier_id"), _id("interaction_id"),
    _text("source"), _text("channel"), _text("conversation", nullable=True),
    _time("started_at"), _time("last_at"),
    _count("events"), _count("inbound"), _count("outbound"),
    _time("last_inbound_at", nullable=True), _time("last_outbound_at", nullable=True),
    _time("closed_at", nullable=True),
    sa.Column("tx", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("identifier_id", "interaction_id"),
    sa.Index(None, "identifier_id", "last_at", "interaction_id"),
    sa.Index(None, "interaction_id"),
    sa.Index("ix_interactions_talk", "identifier_id", "last_at", "interaction_id", postgresql_where=sa.text(TALK)),
    sa.Index(None, "last_at", postgresql_using="brin"),  # who was heard of last; costs next to nothing to keep
    postgresql_with={"fillfactor": 85},
)  # fmt: skip

# What has arrived: the one guard against doubles. Keyed by the event's own hash, by which it spreads.
arrivals = sa.Table(
    "arrivals", metadata,
    _id("event_key", primary_key=True), sa.Column("digest", BYTEA, nullable=False),
)  # fmt: skip

# --- Identity: small, and where locks are taken -----------------------------------------------------------------

# `customer_id` is the id of the oldest identifier of the same customer: a customer is its identifiers.
identifiers = sa.Table(
    "identifiers", metadata,
    _id("id", primary_key=True),
    _text("type"), _text("scope"), _text("value"),
    _text("verification"),
    _time("first_at"), _id("first_key"),  # the earliest event that named it, and so its age
    _id("customer_id", index=True),
    sa.Column("shared", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index(None, "type", "value", postgresql_ops={"value": "text_pattern_ops"}),
    postgresql_with={"fillfactor": 85},
)  # fmt: skip

# Append-only: that an event named both identifiers, or a person said they are one. `refused` is derived:
# why the link does not join its ends (NULL: it does).
links = sa.Table(
    "links", metadata,
    _id("left_id"), _id("right_id"), _time("occurred_at"), _id("event_key"),
    _text("rule"),
    _text("source"), _text("event_id"),
    _time("linked_at", server_default=NOW),
    _text("refused", nullable=True),
    sa.PrimaryKeyConstraint("left_id", "right_id", "occurred_at", "event_key", "rule"),
    sa.Index(None, "right_id"),
)  # fmt: skip

# What people decided, as it came by event: merge, unmerge, bar. The last word on a pair counts.
decisions = sa.Table(
    "decisions", metadata,
    _id("left_id"), _id("right_id"), _time("occurred_at"), _id("event_key"),
    _text("verdict"), _text("author", nullable=True), _text("reason", nullable=True),
    sa.PrimaryKeyConstraint("left_id", "right_id", "occurred_at", "event_key"),
    sa.Index(None, "right_id"),
)  # fmt: skip

# Who the first named party of a conversation is, for events that name nobody.
conversations = sa.Table(
    "conversations", metadata,
    _id("interaction_id", primary_key=True),
    _id("identifier_id", nullable=True), _time("first_at", nullable=True), _id("first_key", nullable=True),
    sa.Column("unnamed", sa.Boolean, nullable=False, server_default=sa.false()),  # has events that name nobody
    postgresql_with={"fillfactor": 85},
)  # fmt: skip

# Web and app visits: stretches of one device without 30 minutes of silence.
visits = sa.Table(
    "visits", metadata,
    _id("device_id"), _time("started_at"), _time("ended_at"),
    sa.PrimaryKeyConstraint("device_id", "started_at"),
    postgresql_with={"fillfactor": 85},
)  # fmt: skip

names = sa.Table(
    "names", metadata,
    _id("identifier_id"), _text("name"), _time("seen_at"),
    sa.PrimaryKeyConstraint("identifier_id", "name"),
    sa.Index("ix_names_words", sa.text("to_tsvector('simple', name)"), postgresql_using="gin"),
)  # fmt: skip

# --- The worker's own ---------------------------------------------------------------------------------------------

# Where each partition's reader is. A reader that has lost its partition fails on `generation` and can't write.
positions = sa.Table(
    "positions", metadata,
    _text("topic"), sa.Column("partition", sa.Integer), sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("topic", "partition"),
    postgresql_with={"fillfactor": 50},
)  # fmt: skip

# Customers whose statements changed, appended by stitch, taken by analyse. Appended, so that no mark meets a lock.
marks = sa.Table(
    "marks", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    _id("customer_id", index=True), _time("marked_at", server_default=NOW),
)  # fmt: skip

dead_letters = sa.Table(
    "dead_letters", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    _text("topic"), sa.Column("partition", sa.Integer, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    _text("reason"), _text("detail"),
    sa.Column("record", BYTEA, nullable=False),
    _time("dead_at", server_default=NOW), _time("replayed_at", nullable=True),
    sa.UniqueConstraint("topic", "partition", "position"),
)  # fmt: skip

# The same (source, id) with other content: the first stays on the timeline, the others are kept here.
conflicts = sa.Table(
    "conflicts", metadata,
    _id("event_key"), sa.Column("digest", BYTEA), sa.Column("event", JSONB, nullable=False),
    _time("seen_at", server_default=NOW),
    sa.PrimaryKeyConstraint("event_key", "digest"),
)  # fmt: skip

# --- The event log, where it is not Kafka ------------------------------------------------------------------------

log_heads = sa.Table(
    "log_heads", metadata,
    _text("topic"), sa.Column("partition", sa.Integer), _count("position"),
    sa.PrimaryKeyConstraint("topic", "partition"),
    postgresql_with={"fillfactor": 50},
)  # fmt: skip

log_records = sa.Table(
    "log_records", metadata,
    _text("topic"), sa.Column("partition", sa.Integer), sa.Column("position", sa.BigInteger),
    sa.Column("value", BYTEA, nullable=False), _time("appended_at", server_default=NOW),
    sa.PrimaryKeyConstraint("topic", "partition", "position"),
)  # fmt: skip

log_readers = sa.Table(
    "log_readers", metadata,
    _text("topic"), _text("group"), _text("reader"), _time("seen_at", server_default=NOW),
    sa.PrimaryKeyConstraint("topic", "group", "reader"),
    postgresql_with={"fillfactor": 50},
)  # fmt: skip

# --- Who may do what, and who did ---------------------------------------------------------------------------------

# The secret behind identifier ids; one row, made by the first migration, kept by rebuild.
deployment = sa.Table(
    "deployment", metadata,
    sa.Column("one", sa.Boolean, sa.CheckConstraint("one", name="one_row"), primary_key=True, server_default=sa.true()),
    sa.Column("secret", BYTEA, nullable=False), _time("created_at", server_default=NOW),
)  # fmt: skip

# `secrets`: those of a vendor's signatures, as they are, since what is signed has to be signed anew to be checked.
sources = sa.Table(
    "sources", metadata,
    _text("name", primary_key=True), _text("kind"),
    sa.Column("key_hash", BYTEA, nullable=False, unique=True),
    _time("created_at", server_default=NOW), _time("revoked_at", nullable=True),
    sa.Column("secrets", ARRAY(sa.Text), nullable=False, server_default="{}"),
)  # fmt: skip

keys = sa.Table(
    "keys", metadata,
    _text("name", primary_key=True), _text("role"),
    sa.Column("key_hash", BYTEA, nullable=False, unique=True),
    _time("created_at", server_default=NOW), _time("revoked_at", nullable=True),
)  # fmt: skip

# A one-time link and the cookie it turns into.
sign_ins = sa.Table(
    "sign_ins", metadata,
    sa.Column("link_hash", BYTEA, primary_key=True), sa.Column("cookie_hash", BYTEA, nullable=True, unique=True),
    _text("name"), _text("role"),
    _time("created_at", server_default=NOW), _time("expires_at"), _time("used_at", nullable=True),
)  # fmt: skip

# Every read of a customer.
reads = sa.Table(
    "reads", metadata,
    _id("customer_id"), _time("read_at", server_default=NOW), sa.Column("id", sa.BigInteger, sa.Identity()),
    _text("reader"), _text("role"), _text("what"), _text("channel", nullable=True), _text("reason", nullable=True),
    sa.PrimaryKeyConstraint("customer_id", "read_at", "id"),
)  # fmt: skip

imports = sa.Table(
    "imports", metadata,
    _text("name", primary_key=True), _count("done"), _count("accepted"), _count("refused"),
    _time("updated_at", server_default=NOW),
)  # fmt: skip

# Uses of signatures that do not cover what they sign, each with a digest of the ids of the events that it brought.
signatures = sa.Table(
    "signatures", metadata,
    sa.Column("signature", BYTEA, primary_key=True), sa.Column("brought", BYTEA, nullable=False),
    _time("used_at", server_default=NOW), sa.Index(None, "used_at"),
)  # fmt: skip

# How far mailboxes are read: the last mail, by the number it has while `validity` stays the same (RFC 9051).
mailboxes = sa.Table(
    "mailboxes", metadata,
    _text("name", primary_key=True),
    sa.Column("validity", sa.BigInteger, nullable=False), sa.Column("uid", sa.BigInteger, nullable=False),
    _time("updated_at", server_default=NOW),
)  # fmt: skip
