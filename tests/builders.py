"""Small builders of test data: what a test doesn't say has a believable default."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import sqlalchemy as sa

from schemas.codec import encode
from schemas.event import Event, Identifier, Verification
from services.eventlog import Draft
from services.eventlog.postgres import PostgresAppender

START = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)

_numbers = count(1)


def at(minute: float) -> datetime:
    """A moment so many minutes after the tests' common start."""
    return START + timedelta(minutes=minute)


def identifier(text: str, verification: Verification | None = None) -> Identifier:
    """`email:mari@example.com` as an identifier."""
    type, _, value = text.partition(":")
    return Identifier(type=type, value=value, verification=verification)


def event(*identifiers: str, minute: float = 0, **changes: Any) -> Event:
    """A mail from Mari with an id of its own, with these changes; identifiers as `type:value`."""
    fields: dict[str, Any] = {
        "id": f"e{next(_numbers)}",
        "source": "shop",
        "type": "message.received",
        "occurred_at": at(minute),
        "channel": "email",
        "identifiers": [identifier(text) for text in identifiers or ("email:mari@example.com",)],
        "text": "My parcel has not arrived.",
    }
    return Event.model_validate(fields | changes)


def document(**changes: Any) -> dict[str, Any]:
    """The same as somebody would post it: CloudEvents in JSON; a change to None leaves the field out."""
    fields = {
        "specversion": "1.0",
        "id": f"e{next(_numbers)}",
        "source": "shop",
        "type": "message.received",
        "time": "2026-05-04T09:00:00Z",
        "channel": "email",
        "data": {
            "identifiers": [{"type": "email", "value": "mari@example.com"}],
            "text": "My parcel has not arrived.",
        },
    }
    return {name: value for name, value in (fields | changes).items() if value is not None}


def append(engine: sa.Engine, *happened: Event) -> None:
    """Put events into the event log in PostgreSQL, in one partition."""
    appender = PostgresAppender(engine, 3)
    appender.append([Draft("any", encode(one)) for one in happened])
    appender.close()
