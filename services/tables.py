"""The tables of the one store. Large ones lead with the identifier a row is attached to (ARCHITECTURE.md, Tables)."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB

from services.analysed import closings as closings
from services.analysed import contacts as contacts
from services.analysed import facts as facts
from services.analysed import figures as figures
from services.analysed import issues as issues
from services.analysed import lessons as lessons
from services.analysed import repeats as repeats
from services.analysed import sums as sums
from services.columns import NOW, count, id, text, time
from services.columns import metadata as metadata

MILESTONES = ("billing.updated", "delivery.updated", "feedback.received", "note.written", "purchase.made")
CORRECTIONS = ("issue.answered", "issue.joined", "issue.parted", "issue.stated")
# What findings come from: what was said, by whom it was handled, how it ended, how they liked it.
TELLING = (
    "call.ended", "call.menu_choice", "call.ringing", "call.started", "call.transferred", "call.turn", "chat.ended",
    "chat.started", "feedback.received", "form.submitted", "message.deleted", "message.edited", "message.received",
    "message.sent", "search.made",
)  # fmt: skip
TALK = "(channel NOT IN ('web', 'app', 'other') OR conversation IS NOT NULL)"  # no visit and no notice of a system

# --- Large: keyed first by identifier -------------------------------------------------------------------------

# One row per event, for ever on the identifier it was attached to. `event` is the whole event, canonical.
events = sa.Table(
    "events", metadata,
    id("identifier_id"), time("occurred_at"), id("event_key"),
    id("interaction_id"),
    text("source"), text("event_id"), text("type"), text("channel"), text("direction"),
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
    id("identifier_id"), id("interaction_id"),
    text("source"), text("channel"), text("conversation", nullable=True),
    time("started_at"), time("last_at"),
    count("events"), count("inbound"), count("outbound"),
    time("last_inbound_at", nullable=True), time("last_outbound_at", nullable=True),
    time("closed_at", nullable=True),
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
    id("event_key", primary_key=True), sa.Column("digest", BYTEA, nullable=False),
)  # fmt: skip

# --- Identity: small, and where locks are taken -----------------------------------------------------------------

# `customer_id` is the id of the oldest identifier of the same customer: a customer is its identifiers.
identifiers = sa.Table(
    "identifiers", metadata,
    id("id", primary_key=True),
    text("type"), text("scope"), text("value"),
    text("verification"),
    time("first_at"), id("first_key"),  # the earliest event that named it, and so its age
    id("customer_id", index=True),
    sa.Column("shared", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index(None, "type", "value", postgresql_ops={"value": "text_pattern_ops"}),
    postgresql_with={"fillfactor": 85},
)  # fmt: skip

# Append-only: that an event named both identifiers, or a person said they are one. `refused` is derived:
# why the link does not join its ends (NULL: it does).
links = sa.Table(
    "links", metadata,
    id("left_id"), id("right_id"), time("occurred_at"), id("event_key"),
    text("rule"),
    text("source"), text("event_id"),
    time("linked_at", server_default=NOW),
    text("refused", nullable=True),
    sa.PrimaryKeyConstraint("left_id", "right_id", "occurred_at", "event_key", "rule"),
    sa.Index(None, "right_id"),
)  # fmt: skip

# What people decided, as it came by event: merge, unmerge, bar. The last word on a pair counts.
decisions = sa.Table(
    "decisions", metadata,
    id("left_id"), id("right_id"), time("occurred_at"), id("event_key"),
    text("verdict"), text("author", nullable=True), text("reason", nullable=True),
    sa.PrimaryKeyConstraint("left_id", "right_id", "occurred_at", "event_key"),
    sa.Index(None, "right_id"),
)  # fmt: skip

# Who the first named party of a conversation is, for events that name nobody.
conversations = sa.Table(
    "conversations", metadata,
    id("interaction_id", primary_key=True),
    id("identifier_id", nullable=True), time("first_at", nullable=True), id("first_key", nullable=True),
    sa.Column("unnamed", sa.Boolean, nullable=False, server_default=sa.false()),  # has events that name nobody
    postgresql_with={"fillfactor": 85},
)  # fmt: skip

# Web and app visits: stretches of one device without 30 minutes of silence.
visits = sa.Table(
    "visits", metadata,
    id("device_id"), time("started_at"), time("ended_at"),
    sa.PrimaryKeyConstraint("device_id", "started_at"),
    postgresql_with={"fillfactor": 85},
)  # fmt: skip

names = sa.Table(
    "names", metadata,
    id("identifier_id"), text("name"), time("seen_at"),
    sa.PrimaryKeyConstraint("identifier_id", "name"),
    sa.Index("ix_names_words", sa.text("to_tsvector('simple', name)"), postgresql_using="gin"),
)  # fmt: skip

# --- The worker's own ---------------------------------------------------------------------------------------------

# Where each partition's reader is. A reader that has lost its partition fails on `generation` and can't write.
positions = sa.Table(
    "positions", metadata,
    text("topic"), sa.Column("partition", sa.Integer), sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("topic", "partition"),
    postgresql_with={"fillfactor": 50},
)  # fmt: skip

# Customers whose statements changed, appended by stitch, taken by analyse. Appended, so that no mark meets a lock.
marks = sa.Table(
    "marks", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    id("customer_id", index=True), time("marked_at", server_default=NOW),
)  # fmt: skip

dead_letters = sa.Table(
    "dead_letters", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    text("topic"), sa.Column("partition", sa.Integer, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    text("reason"), text("detail"),
    sa.Column("record", BYTEA, nullable=False),
    time("dead_at", server_default=NOW), time("replayed_at", nullable=True),
    sa.UniqueConstraint("topic", "partition", "position"),
)  # fmt: skip

# The same (source, id) with other content: the first stays on the timeline, the others are kept here.
conflicts = sa.Table(
    "conflicts", metadata,
    id("event_key"), sa.Column("digest", BYTEA), sa.Column("event", JSONB, nullable=False),
    time("seen_at", server_default=NOW),
    sa.PrimaryKeyConstraint("event_key", "digest"),
)  # fmt: skip

# --- The event log, where it is not Kafka ------------------------------------------------------------------------

log_heads = sa.Table(
    "log_heads", metadata,
    text("topic"), sa.Column("partition", sa.Integer), count("position"),
    sa.PrimaryKeyConstraint("topic", "partition"),
    postgresql_with={"fillfactor": 50},
)  # fmt: skip

log_records = sa.Table(
    "log_records", metadata,
    text("topic"), sa.Column("partition", sa.Integer), sa.Column("position", sa.BigInteger),
    sa.Column("value", BYTEA, nullable=False), time("appended_at", server_default=NOW),
    sa.PrimaryKeyConstraint("topic", "partition", "position"),
)  # fmt: skip

log_readers = sa.Table(
    "log_readers", metadata,
    text("topic"), text("group"), text("reader"), time("seen_at", server_default=NOW),
    sa.PrimaryKeyConstraint("topic", "group", "reader"),
    postgresql_with={"fillfactor": 50},
)  # fmt: skip

# --- Who may do what, and who did ---------------------------------------------------------------------------------

# The secret behind identifier ids; one row, made by the first migration, kept by rebuild.
deployment = sa.Table(
    "deployment", metadata,
    sa.Column("one", sa.Boolean, sa.CheckConstraint("one", name="one_row"), primary_key=True, server_default=sa.true()),
    sa.Column("secret", BYTEA, nullable=False), time("created_at", server_default=NOW),
)  # fmt: skip

# `secrets`: those of a vendor's signatures, as they are, since what is signed has to be signed anew to be checked.
sources = sa.Table(
    "sources", metadata,
    text("name", primary_key=True), text("kind"),
    sa.Column("key_hash", BYTEA, nullable=False, unique=True),
    time("created_at", server_default=NOW), time("revoked_at", nullable=True),
    sa.Column("secrets", ARRAY(sa.Text), nullable=False, server_default="{}"),
)  # fmt: skip

keys = sa.Table(
    "keys", metadata,
    text("name", primary_key=True), text("role"),
    sa.Column("key_hash", BYTEA, nullable=False, unique=True),
    time("created_at", server_default=NOW), time("revoked_at", nullable=True),
)  # fmt: skip

# A one-time link and the cookie it turns into.
sign_ins = sa.Table(
    "sign_ins", metadata,
    sa.Column("link_hash", BYTEA, primary_key=True), sa.Column("cookie_hash", BYTEA, nullable=True, unique=True),
    text("name"), text("role"),
    time("created_at", server_default=NOW), time("expires_at"), time("used_at", nullable=True),
)  # fmt: skip

# Every read of a customer.
reads = sa.Table(
    "reads", metadata,
    id("customer_id"), time("read_at", server_default=NOW), sa.Column("id", sa.BigInteger, sa.Identity()),
    text("reader"), text("role"), text("what"), text("channel", nullable=True), text("reason", nullable=True),
    sa.PrimaryKeyConstraint("customer_id", "read_at", "id"),
)  # fmt: skip

imports = sa.Table(
    "imports", metadata,
    text("name", primary_key=True), count("done"), count("accepted"), count("refused"),
    time("updated_at", server_default=NOW),
)  # fmt: skip

# Uses of signatures that do not cover what they sign, each with a digest of the ids of the events that it brought.
signatures = sa.Table(
    "signatures", metadata,
    sa.Column("signature", BYTEA, primary_key=True), sa.Column("brought", BYTEA, nullable=False),
    time("used_at", server_default=NOW), sa.Index(None, "used_at"),
)  # fmt: skip

# How far mailboxes are read: the last mail, by the number it has while `validity` stays the same (RFC 9051).
mailboxes = sa.Table(
    "mailboxes", metadata,
    text("name", primary_key=True),
    sa.Column("validity", sa.BigInteger, nullable=False), sa.Column("uid", sa.BigInteger, nullable=False),
    time("updated_at", server_default=NOW),
)  # fmt: skip
