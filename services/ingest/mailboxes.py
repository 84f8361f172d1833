"""Mailboxes by IMAP: reads what is new in a folder, each mail once, and changes nothing there.

A mail's number (UID) holds while the folder's validity does (RFC 9051, section 2.3.1.1). How far it was read is kept in
the database after its mails are in the event log, so that a stop in between reads some again, known by their ids.
"""

import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event as Flag
from time import monotonic
from typing import Any, NamedTuple

import sqlalchemy as sa
import structlog
from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientError, LoginError
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from services.errors import Unavailable
from services.files import Item
from services.logs import kind
from services.tables import mailboxes

AT_ONCE, BYTES = 100, 20_000_000  # mails that are asked for at once, and bytes of them
CONNECT, ANSWER = 15.0, 90.0  # seconds
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds until a server that is away is asked again
IDLE_SECONDS = 540.0  # after which IDLE is begun anew: servers end it in half an hour, routers sooner
GLANCE = 1.0  # seconds between looks whether to stop

log = structlog.get_logger()


class Client(IMAPClient):  # type: ignore[misc] # it has no types
    """Finds by `idle_check(0)` what came along with an earlier answer too: the library asks the socket alone."""

    def _poll_socket(self, sock: Any, timeout: float | None = None) -> Any:
        return timeout == 0 or super()._poll_socket(sock, timeout)


class Place(NamedTuple):
    """How far a folder is read: its validity, and the number of the last mail."""

    validity: int
    uid: int


@dataclass(frozen=True)
class Account:
    """Where a mailbox is. `secret` is asked at each sign-in: a password, or a token for XOAUTH2 where `by_token`."""

    host: str
    user: str
    secret: Callable[[], str]
    port: int | None = None
    security: str = "tls"  # or starttls, or none
    by_token: bool = False
    tls: ssl.SSLContext | None = None

    def connected(self) -> IMAPClient:
        """A client that is signed in. Raises IMAPClientError, OSError."""
        wait = SocketTimeout(CONNECT, ANSWER)
        tls = self.tls or ssl.create_default_context()
        client = Client(self.host, self.port, ssl=self.security == "tls", ssl_context=tls, timeout=wait)
        try:
            if self.security == "starttls":
                client.starttls(tls)
            (client.oauth2_login if self.by_token else client.login)(self.user, self.secret())
        except BaseException:
            with suppress(OSError):  # where the connection is gone already
                client.shutdown()
            raise
        return client


@dataclass(frozen=True)
class Mailbox:
    """A folder of an account that is read. `keep` makes mails durable, or raises Unavailable; mails above `most` bytes
    are left out. `only_new`: what is there at the first look is not read. `poll`: seconds between looks, where the
    server can't tell by itself. `tell`: told whether there is a connection."""

    account: Account
    folder: str
    engine: sa.Engine
    keep: Callable[[Sequence[Item]], object]
    most: int
    poll: float = 60.0
    only_new: bool = False
    tell: Callable[[bool], object] = lambda is_connected: None

    @property
    def name(self) -> str:
        """What its place is kept under."""
        return f"{self.account.user}@{self.account.host}/{self.folder}"

    def run(self, stop: Flag) -> None:
        """Read until told to stop; a server, log or database that is away is tried again.

        Raises LoginError if the very first sign-in is refused, IMAPClientError if there is no such folder then.
        """
        pause, has_read = FIRST_PAUSE, False
        while not stop.is_set():
            try:
                with self.account.connected() as client:
                    self.tell(True)
                    while not stop.is_set():
                        self._read_all(client, stop)
                        pause, has_read = FIRST_PAUSE, True
                        self._wait(client, stop)
            except (IMAPClientError, OSError, Unavailable, SQLAlchemyError) as error:
                if isinstance(error, IMAPClientError) and not has_read and _is_final(error):
                    raise
                self.tell(False)
                log.warning("mailbox_waits", mailbox=self.name, error=kind(error), seconds=pause)
                stop.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    def read(self, client: IMAPClient, stop: Flag) -> int:
        """Read what is new in the folder; how many mails. Raises IMAPClientError, OSError, Unavailable."""
        return self._read(client, client.select_folder(self.folder, readonly=True), stop)

    def _read_all(self, client: IMAPClient, stop: Flag) -> None:
        """Read until the folder is as it was before it was read: what came meanwhile is not told of again by IDLE."""
        before, state = None, client.select_folder(self.folder, readonly=True)
        while not stop.is_set() and _extent(state) != before:
            self._read(client, state, stop)
            before, state = _extent(state), client.select_folder(self.folder, readonly=True)

    def _read(self, client: IMAPClient, state: dict[bytes, Any], stop: Flag) -> int:
        place, count = self._place(state), 0
        found = client.search(["UID", f"{place.uid + 1}:*"])
        ahead = sorted(uid for uid in found if uid > place.uid)  # the last one is always found
        for start in range(0, len(ahead), AT_ONCE):
            for mails in self._mails(client, ahead[start : start + AT_ONCE]):
                self.keep([item for _, item in mails])
                place = Place(place.validity, mails[-1][0])
                self._remember(place)
                count += len(mails)
                if stop.is_set():
                    return count
            self._remember(place := Place(place.validity, max(place.uid, *ahead[start : start + AT_ONCE])))
        if count:
            log.info("mailbox_read", mailbox=self.name, mails=count)
        else:
            self._remember(place)  # when it was looked at last
        return count

    def _place(self, state: dict[bytes, Any]) -> Place:
        """Where to go on; from the beginning where the numbers are others than they were."""
        validity = int(state[b"UIDVALIDITY"])
        with self.engine.connect() as conn:
            known = place(conn, self.name)
        if known and known.validity == validity:
            return known
        if known:
            log.warning("mailbox_renumbered", mailbox=self.name)
        elif self.only_new:
            self._remember(now := Place(validity, int(state[b"UIDNEXT"]) - 1))
            return now
        return Place(validity, 0)

    def _remember(self, place: Place) -> None:
        with self.engine.begin() as conn:
            remember(conn, self.name, place)

    def _mails(self, client: IMAPClient, uids: Sequence[int]) -> Iterator[list[tuple[int, Item]]]:
        """The mails of these numbers, a few at once, in order; those that are gone by now or too large are left out."""
        sizes = {uid: one[b"RFC822.SIZE"] for uid, one in client.fetch(uids, ["RFC822.SIZE"]).items()}
        for uid in uids:
            if sizes.get(uid, 0) > self.most:
                log.warning("mail_too_large", mailbox=self.name, uid=uid, bytes=sizes[uid])
        for part in _parts([(uid, sizes[uid]) for uid in uids if 0 <= sizes.get(uid, -1) <= self.most]):
            got = client.fetch(part, ["BODY.PEEK[]", "INTERNALDATE"])
            mails = [(uid, self._item(uid, got[uid])) for uid in part if got.get(uid, {}).get(b"BODY[]")]
            if mails:
                yield mails

    def _item(self, uid: int, got: dict[bytes, Any]) -> Item:
        at = got.get(b"INTERNALDATE")
        moment = at.astimezone(UTC) if isinstance(at, datetime) else datetime.now(UTC)
        return Item(f"{self.name} {uid}", got[b"BODY[]"], moment)

    def _wait(self, client: IMAPClient, stop: Flag) -> None:
        """Return when there may be something new, or to stop."""
        if not client.has_capability("IDLE"):
            stop.wait(self.poll)
            return
        client.idle()
        until = monotonic() + IDLE_SECONDS
        said: list[Any] = client.idle_check(timeout=0)
        while not said and not stop.is_set() and (now := monotonic()) < until:
            said = client.idle_check(timeout=GLANCE)
            if monotonic() - now < GLANCE / 2:  # there was something, or nobody any more, as `idle_done` then finds
                break
        client.idle_done()


def place(conn: sa.Connection, name: str) -> Place | None:
    """How far a mailbox is read."""
    found = sa.select(mailboxes.c.validity, mailboxes.c.uid).where(mailboxes.c.name == name)
    row = conn.execute(found).one_or_none()
    return Place(*row) if row else None


def remember(conn: sa.Connection, name: str, place: Place) -> None:
    """Keep how far a mailbox is read."""
    values = place._asdict()
    row = insert(mailboxes).values(name=name, **values)
    conn.execute(row.on_conflict_do_update(index_elements=["name"], set_=values | {"updated_at": sa.func.now()}))


def _extent(state: dict[bytes, Any]) -> tuple[Any, ...]:
    """What changes in a folder's state when a mail comes."""
    return tuple(state.get(field) for field in (b"UIDVALIDITY", b"UIDNEXT", b"EXISTS"))


def _parts(sized: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    """Numbers in parts whose mails are not more than BYTES together, each at least one."""
    part: list[int] = []
    size = 0
    for uid, bytes in sized:
        if part and size + bytes > BYTES:
            yield part
            part, size = [], 0
        part.append(uid)
        size += bytes
    if part:
        yield part


def _is_final(error: IMAPClientError) -> bool:
    """Whether asking again would not help: a wrong password or folder, not a connection that broke."""
    return isinstance(error, LoginError) or type(error) is IMAPClientError
