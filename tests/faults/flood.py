"""Many posts at a steady rate, whether or not they are answered: what overload is."""

import asyncio
import base64
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from time import monotonic
from urllib.parse import urlsplit

import orjson

from tests.faults.load import Try

EVENTS = 20  # a request
CUSTOMERS = 5000
CONNECTIONS = 300  # at most; beyond, a post waits on this side: the kernel's own queue is not what is tested
PATIENCE = 30.0  # seconds for an answer


@dataclass
class Answers:
    """What was sent and came back: each request with its status, 0 where the connection broke."""

    tries: list[Try] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)
    odd: list[bytes] = field(default_factory=list)  # neither 200 nor a 503 that says when to come again

    @property
    def statuses(self) -> Counter[int]:
        """How many of each."""
        return Counter(one.status for one in self.tries)

    def slowest(self, status: int = 200) -> float:
        """Seconds, of all but a hundredth of those answered so; 0 without any."""
        found = sorted(one.seconds for one in self.tries if one.status == status)
        return found[-1 - len(found) // 100] if found else 0.0

    def __str__(self) -> str:
        times = ", ".join(f"p99 of {status} {self.slowest(status):.2f} s" for status in self.statuses)
        return f"requests {dict(self.statuses)}, {len(self.accepted)} events accepted, {times}"


class Flood:
    """Posts to an address of ingest with a source's key, from this thread, on a few hundred connections."""

    def __init__(self, address: str, key: str) -> None:
        self._where = urlsplit(address)
        self._authorization = base64.b64encode(f"{key}:".encode()).decode()
        self._numbers = count()
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._room = asyncio.Semaphore(CONNECTIONS)

    def sustainable(self, seconds: float, connections: int = 32) -> float:
        """Requests a second that are accepted when so many clients wait for their answers."""

        async def measured() -> float:
            self._room = asyncio.Semaphore(CONNECTIONS)
            answers, end = Answers(), monotonic() + seconds
            await asyncio.gather(*[self._one_after_another(answers, end) for _ in range(connections)])
            self._hang_up()
            return answers.statuses[200] / seconds

        return asyncio.run(measured())

    def pour(self, seconds: float, rate: float) -> Answers:
        """Post `rate` requests a second for so long, and wait for all their answers."""

        async def poured() -> Answers:
            self._room = asyncio.Semaphore(CONNECTIONS)
            answers, began = Answers(), monotonic()
            async with asyncio.TaskGroup() as posts:
                for number in range(int(seconds * rate)):
                    await asyncio.sleep(max(began + number / rate - monotonic(), 0))
                    posts.create_task(self._post(answers))
            self._hang_up()
            return answers

        return asyncio.run(poured())

    async def _one_after_another(self, answers: Answers, end: float) -> None:
        while monotonic() < end:
            await self._post(answers)

    async def _post(self, answers: Answers) -> None:
        async with self._room:
            await self._posted(answers)

    async def _posted(self, answers: Answers) -> None:
        began, status, ids = monotonic(), 0, [f"f{next(self._numbers)}" for _ in range(EVENTS)]
        with suppress(ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                status, head, body = await self._ask(ids)
            if status == 200:
                answers.accepted.update(ids)
            elif status != 503 or b"retry-after: " not in head:
                answers.odd.append(head + body[:300])
        answers.tries.append(Try(began, monotonic() - began, status))

    async def _ask(self, ids: list[str]) -> tuple[int, bytes, bytes]:
        where = self._where
        reader, writer = self._idle.pop() if self._idle else await asyncio.open_connection(where.hostname, where.port)
        body = orjson.dumps([_event(id) for id in ids])
        head = f"POST /v1/events HTTP/1.1\r\nHost: here\r\nAuthorization: Basic {self._authorization}\r\n"
        try:
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            answer = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(answer.partition(b"content-length: ")[2].split(b"\r\n", 1)[0])
            content = await reader.readexactly(length)
        except BaseException:
            writer.close()
            raise
        if b"connection: close" in answer:
            writer.close()
        else:
            self._idle.append((reader, writer))
        return int(answer.split()[1]), answer, content

    def _hang_up(self) -> None:
        while self._idle:
            self._idle.pop()[1].close()


def _event(id: str) -> dict[str, object]:
    who = [{"type": "email", "value": f"c{hash(id) % CUSTOMERS}@example.com"}]
    text = "My parcel has not arrived, and nobody at the shop could tell me where it is. What shall I do now?"
    event = {"id": id, "type": "message.received", "time": "2026-05-04T09:00:00Z", "channel": "email"}
    return {**event, "identifiers": who, "text": text}
