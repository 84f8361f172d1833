"""A proxy between two parts, in which the network goes wrong: by asyncio, in a thread of its own."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from random import Random
from threading import Thread
from types import TracebackType
from typing import Any, Literal, Self

Fault = Literal["slow", "lost", "half-open", "drip", "torn"]
FAULTS: tuple[Fault, ...] = ("slow", "lost", "half-open", "drip", "torn")
GONE = ("lost", "half-open")  # nothing comes through
DELAY = 0.1  # seconds that "slow" adds to whatever comes, in both directions
DROP, PAUSE = 128, 0.01  # bytes of an answer that "drip" lets through, and seconds to the next
TORN = 3000  # bytes of answers after which at the latest "torn" cuts a connection


class Proxy:
    """Forwards `port` of loopback to the port, or Unix socket, `to`; begun by `with`. `fault` is what goes wrong now:

    slow: everything comes late. lost: connections are reset, and new ones too. half-open: connections are accepted and
    stay, but nothing comes through, nor is either end told that the other has closed; those that met it are silent for
    ever. drip: answers come by the drop. torn: each connection is reset in the middle of some answer. None: nothing.
    """

    def __init__(self, port: int, to: int | Path, seed: int = 0) -> None:
        self.port = port
        self._to = to
        self._fault: Fault | None = None
        self._random = Random(seed)
        self._loop = asyncio.new_event_loop()
        self._pairs: set[_Pair] = set()
        self._thread = Thread(target=self._loop.run_forever, name=f"proxy-{port}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._do(asyncio.start_server(self._serve, "127.0.0.1", self.port))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def fault(self) -> Fault | None:
        """What goes wrong now."""
        return self._fault

    @fault.setter
    def fault(self, fault: Fault | None) -> None:
        self._do(self._go_wrong(fault))

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _go_wrong(self, fault: Fault | None) -> None:
        self._fault = fault
        for pair in list(self._pairs):
            pair.meet(fault)

    async def _end(self) -> None:
        self._server.close()
        for pair in list(self._pairs):
            pair.reset()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pair = _Pair(self, writer, self._random.randrange(1, TORN))
        self._pairs.add(pair)
        pair.meet(self._fault)
        with suppress(OSError, asyncio.CancelledError):
            await pair.run(reader, self._to)
        pair.reset()
        self._pairs.discard(pair)


class _Pair:
    """A client's connection and the one to the server."""

    def __init__(self, proxy: Proxy, client: asyncio.StreamWriter, torn_after: int) -> None:
        self._proxy, self._torn_after = proxy, torn_after
        self._ends = [client]
        self._silent = False

    def meet(self, fault: Fault | None) -> None:
        """Begin to suffer from a fault."""
        self._silent |= fault == "half-open"
        if fault == "lost":
            self.reset()

    def reset(self) -> None:
        """Cut both connections; what was under way is lost."""
        for end in self._ends:
            end.transport.abort()

    async def run(self, asking: asyncio.StreamReader, to: int | Path) -> None:
        """Forward until one end closes."""
        if not self._silent:
            answering, server = await _connect(to)
            self._ends.append(server)
            ways = [self._forward(asking, server), self._forward(answering, self._ends[0], answers=True)]
            tasks = [asyncio.create_task(way) for way in ways]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
        if self._silent:
            await asyncio.Event().wait()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: bool = False) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                if not self._silent:
                    await self._pass(data, writer, answers)

    async def _pass(self, data: bytes, writer: asyncio.StreamWriter, answers: bool) -> None:
        fault = self._proxy.fault
        if fault == "slow":
            await asyncio.sleep(DELAY)
        elif fault == "torn" and answers:
            data, self._torn_after = data[: self._torn_after], self._torn_after - len(data)
        elif fault == "drip" and answers:
            while len(data) > DROP and self._proxy.fault == "drip":
                writer.write(data[:DROP])
                await writer.drain()
                data = data[DROP:]
                await asyncio.sleep(PAUSE)
        if not self._silent:
            writer.write(data)
            await writer.drain()
        if self._torn_after <= 0:
            self.reset()


async def _connect(to: int | Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if isinstance(to, Path):
        return await asyncio.open_unix_connection(to)
    return await asyncio.open_connection("127.0.0.1", to)
