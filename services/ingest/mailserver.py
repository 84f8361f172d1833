"""Mails by SMTP and LMTP: each recipient is answered for, and 250 says that the event log has the mail.

aiosmtpd speaks the protocols (RFC 5321, RFC 2033); here is whose source a recipient is, and what becomes of a mail.
"""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from schemas.codec import Malformed
from services.access import NAME, Source
from services.errors import TooLarge, Unauthorized, Unavailable
from services.eventlog.budget import Budget
from services.ingest.acceptance import Acceptance
from services.ingest.keys import Keys
from services.ingest.measures import Measures
from services.ingest.sources import mail
from services.ingest.sources.mail import Receipt
from services.logs import kind
from services.ours import Ours

KIND = "email"  # of the sources that mails may be for
MOST_CONNECTIONS = 200
MOST_RECIPIENTS = 100
SECONDS = 120.0  # without a command, or within a mail without a byte, until a connection is closed
SLOWEST = 20_000  # bytes a second: how much longer than that a whole mail may take, by the room it holds
LINE = 1_000_000  # bytes of a line; 998 are allowed, and programs write far longer ones
AT_ONCE = 4  # mails of the greatest size that may be under way

KEPT, AWAY = "250 2.0.0 Kept", "451 4.3.0 Not kept: what keeps it is away; send it again"
UNKNOWN, FULL = "550 5.1.1 No source is named so", "452 4.5.3 Too many recipients"
BUSY = "452 4.3.1 Too many mails at once; send it again"

log = structlog.get_logger()


class Reception:
    """Takes mails in, as aiosmtpd's handler.

    A mail's source is the one whose key the client signed in with; else the one named by what stands before `+` or `@`
    in the recipient; else `otherwise`.
    """

    def __init__(
        self, acceptance: Acceptance, keys: Keys, measures: Measures, ours: Ours, otherwise: str | None = None
    ) -> None:
        self.measures = measures
        self._acceptance = acceptance
        self._keys = keys
        self._ours = ours
        self._otherwise = otherwise

    async def signed_in(self, key: str) -> Source | None:
        """The source whose key it is. Raises Unavailable if it can't be known."""
        try:
            return await self._keys.source_of(iter([key]))
        except Unauthorized:
            return None

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer for a recipient."""
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return FULL
        try:
            if not await self._source(session, address):
                return UNKNOWN
        except Unavailable as away:
            return _said(AWAY, away)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Answer for a mail when it is kept or can't be: once, or by LMTP for each recipient."""
        started, content = perf_counter(), envelope.original_content or b""
        by_source: dict[str, str] = {}
        answers = []
        for address in envelope.rcpt_tos:
            source = await self._source_again(session, address)
            name = source.name if source else ""
            if name not in by_source:
                by_source[name] = await self._kept(source, content, envelope) if source else AWAY
            answers.append(by_source[name])
        codes = sorted({answer[:9] for answer in answers})
        log.info("mail", answers=codes, bytes=len(content), sources=sorted(by_source))
        worst = next((answer for answer in sorted(answers, key=_gravity) if answer != KEPT), KEPT)
        protocol = "lmtp" if isinstance(server, LMTP) else "smtp"
        self.measures.timed(protocol, int(worst[:3]), perf_counter() - started)
        return worst if protocol == "smtp" else "\r\n".join(answers)

    async def handle_exception(self, error: Exception) -> str:
        """Whatever went wrong, the mail is not kept."""
        log.error("mail_failed", error=kind(error))
        return AWAY

    async def _source(self, session: Session, address: str) -> Source | None:
        if isinstance(session.auth_data, Source):
            return session.auth_data
        own = address.partition("@")[0].partition("+")[0]
        for name in dict.fromkeys((own, own.lower(), self._otherwise or "")):
            source = await self._keys.named(name) if NAME.fullmatch(name) else None
            if source and source.kind == KIND:
                return source
        return None

    async def _source_again(self, session: Session, address: str) -> Source | None:
        try:
            return await self._source(session, address)
        except Unavailable:
            return None

    async def _kept(self, source: Source, content: bytes, envelope: Envelope) -> str:
        now = datetime.now(UTC)
        recipients = tuple(address[:512] for address in envelope.rcpt_tos)
        receipt = Receipt(now, self._ours, (envelope.mail_from or "").strip("<>"), recipients)
        try:
            self._acceptance.check()
            read = (mail.document(one, receipt) for one in [content])
            judged = await self._acceptance.judged(source, read, now, len(content))
            await self._acceptance.store(judged)
            self.measures.judged(judged)
        except Malformed as why:
            return f"554 5.6.0 {_line(why.message)}"
        except TooLarge as why:
            return f"552 5.3.4 {_line(why.message)}"
        except Unavailable as away:
            return _said(AWAY, away)
        return f"554 5.6.0 {_line(judged.refusals[0].get('message') or '')}" if judged.refusals else KEPT


class Limits(SMTP):
    """One connection within its limits of time and memory, whose client may sign in with a source's key."""

    protocol = "smtp"
    line_length_limit = LINE
    open = 0
    handler: Reception

    def __init__(self, handler: Reception, budget: Budget, most: int, **options: Any) -> None:
        super().__init__(
            handler, data_size_limit=most, enable_SMTPUTF8=True, hostname="tellonce", ident="tellonce",
            authenticator=lambda server, session, envelope, mechanism, said: AuthResult(success=True, auth_data=said),
            **options,
        )  # fmt: skip
        self.handler = handler
        self._budget = budget
        self._most = most
        self._counted = False
        self._ends: float | None = None  # when the mail that is under way is given up, by the loop's clock
        self._held, self._last = 0, b""  # bytes since the last end of a line, and the last of them

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self._counted:
            self._counted = True
            Limits.open += 1
        super().connection_made(transport)
        if Limits.open > MOST_CONNECTIONS:
            self._hang_up(b"421 4.7.0 Too many connections; come again")

    def connection_lost(self, error: Exception | None) -> None:
        Limits.open -= self._counted
        self._counted = False
        super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._ends is None or not self.transport:
            return
        ended = (self._last + data).rfind(b"\r\n")
        self._held, self._last = len(data) - ended if ended >= 0 else self._held + len(data), data[-1:]
        if self._held > max(self.data_size_limit or 0, LINE):  # aiosmtpd holds a line until it ends
            self._hang_up(b"421 4.7.0 A line without an end")
        else:
            self._reset_timeout(max(0.01, min(self._timeout_duration, self._ends - self.loop.time())))

    async def push(self, status: Any) -> None:
        for line in status.split("\r\n") if isinstance(status, str) else ():
            if line[:3].isdecimal() and line[3:4] == " ":
                self.handler.measures.answered(self.protocol, int(line[:3]))
        await super().push(status)

    async def smtp_DATA(self, arg: str) -> None:
        """Take a mail if there is room for it: what the client says it has, or the most there may be."""
        size = self._size()
        try:
            self._budget.take(size)
        except Unavailable:
            await self.push(BUSY)
            return
        self.data_size_limit = size
        self._ends, self._held = self.loop.time() + self._timeout_duration + size / SLOWEST, 0
        try:
            await super().smtp_DATA(arg)
        finally:
            self._ends, self.data_size_limit = None, self._most
            self._budget.give_back(size)
            if self.transport:
                self._reset_timeout()

    async def auth_PLAIN(self, _: Any, args: list[str]) -> AuthResult:
        return await self._checked(await super().auth_PLAIN(_, args))

    async def auth_LOGIN(self, _: Any, args: list[str]) -> AuthResult:
        return await self._checked(await super().auth_LOGIN(_, args))

    async def _checked(self, said: AuthResult) -> AuthResult:
        """Only the password counts, which is the source's key; the name is the client's to choose."""
        if not said.success or not isinstance(said.auth_data, LoginPassword):
            return said
        try:
            source = await self.handler.signed_in(said.auth_data.password.decode("utf-8", "replace"))
        except Unavailable:
            return AuthResult(success=False, handled=False, message="454 4.7.0 The keys are away; try again")
        return AuthResult(success=True, auth_data=source) if source else AuthResult(success=False, handled=False)

    def _hang_up(self, answer: bytes) -> None:
        if isinstance(self.transport, asyncio.WriteTransport):
            self.handler.measures.answered(self.protocol, 421)
            self.transport.write(answer + b"\r\n")
            self.transport.close()

    def _size(self) -> int:
        """What the client says, with room for miscounts (RFC 1870); or the most that it may be."""
        options = self.envelope.mail_options if self.envelope else ()
        said = next((option[5:] for option in options if option.upper().startswith("SIZE=")), "")
        return min(2 * int(said) + 10_000, self._most) if said.isdecimal() and len(said) < 12 else self._most


class PerRecipient(Limits, LMTP):
    """The same by LMTP: after the mail there is an answer for each recipient."""

    protocol = "lmtp"
    _recipients = 0  # that are still to be answered for

    async def smtp_DATA(self, arg: str) -> None:
        await super().smtp_DATA(arg)
        self._recipients = 0

    async def push(self, status: Any) -> None:
        if self._recipients and isinstance(status, str) and "\r\n" not in status:  # such as that it is too large
            status = "\r\n".join([status] * self._recipients)
        await super().push(status)
        is_asked_for = isinstance(status, str) and status.startswith("354")
        self._recipients = len(self.envelope.rcpt_tos) if is_asked_for and self.envelope else 0


@dataclass(frozen=True)
class Ports:
    """Where to listen, and how clients prove themselves; `must_sign_in` is of SMTP alone. `patience`: see SECONDS."""

    host: str
    smtp: int | None = None
    lmtp: int | None = None
    tls: ssl.SSLContext | None = None
    must_sign_in: bool = False
    patience: float = SECONDS


async def listen(ports: Ports, reception: Reception, most: int, stop: asyncio.Event) -> None:
    """Serve until told to stop; `most` is the size of a mail in bytes. Raises OSError for a port that is taken."""
    budget = Budget(AT_ONCE * most)
    is_private = ports.host in ("127.0.0.1", "::1", "localhost")  # where nobody listens in
    options: dict[str, Any] = {"timeout": ports.patience, "tls_context": ports.tls, "auth_require_tls": not is_private}
    smtp = lambda: Limits(reception, budget, most, auth_required=ports.must_sign_in, **options)  # noqa: E731
    lmtp = lambda: PerRecipient(reception, budget, most, **options)  # noqa: E731
    makers: Sequence[tuple[int | None, Callable[[], Limits]]] = ((ports.smtp, smtp), (ports.lmtp, lmtp))
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as servers:
        for port, make in makers:
            if port:
                await servers.enter_async_context(await loop.create_server(make, ports.host, port))
        await stop.wait()


def _gravity(answer: str) -> bool:
    """By SMTP there is one answer for all: that it is to be sent again goes before that it can't be taken."""
    return not answer.startswith("4")


def _said(answer: str, away: Unavailable) -> str:
    log.warning("mail_put_off", code=away.code)
    return answer


def _line(words: str) -> str:
    return " ".join(words.split())[:400]
