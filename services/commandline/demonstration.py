"""The demo data, and the keys that go with them."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from rich.progress import Progress

from schemas.codec import decode, encode
from services import access, demo, secret
from services.access import Role
from services.commandline.opening import Instance
from services.database import engine
from services.errors import Conflict
from services.eventlog.opening import open_appender
from services.files import Item
from services.identifiers import Rules, identifier_id, normalise
from services.importing import Import, Tally, remember, so_far
from services.tables import deployment, events, reads

NAME = "demo"


def load(here: Instance, bar: Progress) -> bool:
    """Append the demo data to the log, once, if the database is empty; whether it has them."""
    store = engine(here.url, pool_size=1)
    with store.begin() as conn:
        so_far_loaded = so_far(conn, NAME)
        if so_far_loaded is None and conn.scalar(sa.select(sa.exists(sa.select(events.c.event_key)))):
            return False
        if so_far_loaded is None:
            remember_looks(conn, here.settings.rules())
        remember(conn, NAME, so_far_loaded or Tally())
    if so_far_loaded is None or not so_far_loaded.done:  # not begun, or interrupted
        tally = _append(here, store, bar)
        with store.begin() as conn:
            remember(conn, NAME, tally)
    store.dispose()
    return True


def remember_looks(conn: sa.Connection, rules: Rules) -> None:
    """Leave the traces of those who read before: without, nothing in the demo would have been shown to anybody.

    Traces come from requests and from nowhere else; the people of the demo never made any, so they are written here,
    before the events, under ids of identifiers that will be customers' by then, and say that they are of the demo.
    """
    key = conn.scalars(sa.select(deployment.c.secret)).one()
    rows = [
        {
            "customer_id": UUID(bytes=identifier_id(known, key)), "read_at": look.at, "reader": look.reader,
            "role": Role.channel.value, "what": "brief", "channel": look.channel, "reason": NAME,
        }
        for look in demo.looks(datetime.now(UTC))
        if (known := normalise(look.identifier.type, look.identifier.value, NAME, rules))
    ]  # fmt: skip
    conn.execute(sa.insert(reads), rows)


def _append(here: Instance, store: sa.Engine, bar: Progress) -> Tally:
    happened = [Item(event.id, encode(event), event.occurred_at) for event in demo.events(datetime.now(UTC))]
    task = bar.add_task("", total=len(happened))

    def tell(tally: Tally) -> None:
        bar.update(task, completed=tally.done)

    def refuse(item: Item, code: str, message: str) -> None:
        raise AssertionError(f"the demo event {item.where} is refused: {code}: {message}")

    with closing(open_appender(here.settings, here.url)) as appender:
        loading = Import(store, appender, here.settings.rules(), tell, refuse)
        return loading.run(happened, lambda item: decode(item.raw))


def keys(conn: sa.Connection, folder: Path) -> tuple[str | None, str | None]:
    """The demo's source key and reader's key, the same at each start; None if somebody else took its name."""
    source, reader = secret.kept(folder / "demo.source", "src_"), secret.kept(folder / "demo.key", "key_")
    try:
        if not access.source_of(conn, source):
            access.add_source(conn, NAME, "events", source)
        if not access.caller_of(conn, reader):
            access.add_key(conn, NAME, Role.admin, reader)
    except Conflict:
        return None, None
    return source, reader
