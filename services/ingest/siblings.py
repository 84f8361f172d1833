"""The metrics of several processes that listen on one port, any of which is reached by who asks for them."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

PATIENCE = 1.0  # seconds for one process to tell another its metrics


@dataclass(frozen=True)
class Siblings:
    """A process and those beside it. Each tells its metrics to whoever connects to its Unix socket.

    `place`: that of this process, in a folder where there is nothing but such sockets; None: it is alone.
    """

    registry: CollectorRegistry
    place: Path | None = None

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Tell the others while the block lasts."""
        if self.place is None:
            yield
            return
        self.place.unlink(missing_ok=True)  # of one that was killed
        async with await asyncio.start_unix_server(self._tell, self.place):
            yield
        self.place.unlink(missing_ok=True)

    async def metrics(self) -> bytes:
        """What is measured, for Prometheus; of several processes, as far as they answer, by the label `process`."""
        if self.place is None:
            return generate_latest(self.registry)
        places = sorted(self.place.parent.iterdir())
        told = await asyncio.gather(*map(_asked, places))
        merged = CollectorRegistry()
        merged.register(_Merged({place.name: text for place, text in zip(places, told, strict=True)}))
        return generate_latest(merged)

    async def _tell(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            writer.write(generate_latest(self.registry))
            await writer.drain()
        writer.close()


async def _asked(place: Path) -> str:
    """The metrics of the process there; none if it does not answer."""
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_unix_connection(place)
            try:
                return (await reader.read()).decode()
            finally:
                writer.close()
    return ""


@dataclass(frozen=True, eq=False)
class _Merged(Collector):
    """The metrics of processes by their names; one of the same name in several is one, with a label more."""

    told: Mapping[str, str]

    def collect(self) -> Iterator[Metric]:
        found: dict[str, Metric] = {}
        for process, text in self.told.items():
            for metric in text_string_to_metric_families(text):
                samples = [one._replace(labels=one.labels | {"process": process}) for one in metric.samples]
                found.setdefault(metric.name, Metric(metric.name, metric.documentation, metric.type)).samples += samples
        yield from found.values()
