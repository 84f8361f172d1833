"""The tables of what analyse finds: issues, the contacts about them, what was told again, and figures over all."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.columns import NOW, id, metadata, text, time
from services.counts import COUNTS, DIMENSIONS

# A customer's matter, on the identifier of its first statement.
issues = sa.Table(
    "issues", metadata,
    id("identifier_id"), id("issue_id"),
    text("title"), text("state"), text("language"), sa.Column("channels", ARRAY(sa.Text), nullable=False),
    time("opened_at"), time("last_at"),
    text("group_id"),  # '' for none
    sa.PrimaryKeyConstraint("identifier_id", "issue_id"),
    sa.Index(None, "group_id", "last_at"),
)  # fmt: skip

# What a customer said of one issue in one interaction, on the identifier of its first statement there.
contacts = sa.Table(
    "contacts", metadata,
    id("identifier_id"), id("issue_id"), id("interaction_id"),
    time("at"), text("event_source"), text("event_id"),  # of its first statement
    sa.Column("day", sa.Date, nullable=False),
    *(text(name) for name in DIMENSIONS), text("agent"), text("group_id"),
    sa.Column("blind", sa.Boolean, nullable=False),  # whose it is, is not known
    sa.Column("asked", ARRAY(sa.Text), nullable=False),  # kinds of facts we asked for though they were on record
    *(sa.Column(name, sa.Float, nullable=True) for name in ("nps", "ces", "csat")),  # csat 0 to 100
    sa.Column("resolved", sa.Boolean, nullable=False, server_default=sa.false()),  # as who dealt with it said
    sa.PrimaryKeyConstraint("identifier_id", "issue_id", "interaction_id"),
    sa.Index(None, "day", "at"),
)  # fmt: skip

# A contact that comes back within so many days, with the two passages that say so.
repeats = sa.Table(
    "repeats", metadata,
    id("identifier_id"), id("issue_id"), id("interaction_id"), sa.Column("window", sa.SmallInteger),
    time("at"), sa.Column("day", sa.Date, nullable=False), text("from_channel"),
    sa.Column("explained", sa.Boolean, nullable=False), text("evidence"), text("context"),
    sa.Column("score", sa.Float, nullable=False), sa.Column("hours", sa.Float, nullable=False),
    text("earlier_source"), text("earlier_event"), text("later_source"), text("later_event"),
    sa.PrimaryKeyConstraint("identifier_id", "issue_id", "interaction_id", "window"),
    sa.Index(None, "window", "day", "at"),
)  # fmt: skip

# What the deployment's own stream taught, newest counts: by it all else here was found (`timeline.learning`).
lessons = sa.Table(
    "lessons", metadata,
    sa.Column("version", sa.BigInteger, sa.Identity(), primary_key=True), time("learned_at", server_default=NOW),
    sa.Column("contacts", sa.BigInteger, nullable=False),  # that there were
    sa.Column("content", JSONB, nullable=False),
)  # fmt: skip

# What a customer told and tried and what we promised, of each value on an identifier the latest.
facts = sa.Table(
    "facts", metadata,
    id("identifier_id"), time("at"), text("event_source"), text("event_id"), sa.Column("place", sa.SmallInteger),
    text("sort"), text("kind"), text("value"), text("sentence"), sa.Column("due", sa.Date, nullable=True),
    sa.PrimaryKeyConstraint("identifier_id", "at", "event_source", "event_id", "place"),
)  # fmt: skip

# Sums over contacts, as changes by the day on which they became known, so that figures can be told as of a day.
# `cut` says what `label` holds: all '' · agent · group · handover FROM>TO>BUCKET of hours · asked KIND of fact ·
# score KIND and number.
figures = sa.Table(
    "figures", metadata,
    text("cut"), sa.Column("day", sa.Date), *(text(name) for name in DIMENSIONS), text("label"),
    sa.Column("known_on", sa.Date),
    *(sa.Column(name, sa.Integer, nullable=False, server_default="0") for name in COUNTS),
    sa.PrimaryKeyConstraint("cut", "day", *DIMENSIONS, "label", "known_on"),
    sa.Index(None, "known_on", "cut"),
    postgresql_with={"fillfactor": 70},
)  # fmt: skip

# Figures of the days of knowing that are over, added up so that years are read at once: `kept` names the only dimension
# that is told apart (the others are ''), '' where none is, and 'each' where all are, which is done for `all` alone.
sums = sa.Table(
    "sums", metadata,
    text("cut"), text("kept"), *(text(name) for name in DIMENSIONS), sa.Column("day", sa.Date), text("label"),
    sa.Column("known_on", sa.Date),
    *(sa.Column(name, sa.Integer, nullable=False) for name in COUNTS),
    sa.PrimaryKeyConstraint("cut", "kept", *DIMENSIONS, "day", "label", "known_on"),
    sa.Index(None, "cut", "kept", "day"),
)  # fmt: skip

# The days of knowing that are in `sums`.
closings = sa.Table("closings", metadata, sa.Column("known_on", sa.Date, primary_key=True))
