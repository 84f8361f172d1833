"""What the parts that we build on can do by themselves, on the same stand in the same rounds."""

import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from random import Random
from time import monotonic, sleep
from uuid import uuid4

import orjson
import psycopg
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from benchmarks import crowd
from benchmarks.figures import Reading
from benchmarks.load import Load
from benchmarks.stands import Stand
from services import programs
from services.eventlog import EVENTS
from services.eventlog.kafka_clients import ensure_topics
from tests.brokers import free_port
from tests.e2e import stacks
from tests.faults.parts import Part

AT_ONCE = 1000  # rows a transaction


@contextmanager
def bare_application(stand: Stand) -> Iterator[str]:
    """The address of a bare ASGI application, served as ours are."""
    port = free_port()
    options = ["--port", str(port), "--no-access-log", "--no-server-header", "--log-level", "critical"]
    part = Part("bare", [sys.executable, "-m", "uvicorn", "benchmarks.bare:app", *options], stand.folder / "bare.log")
    part.start()
    try:
        stacks.wait_for(lambda: _listens(port), "the bare application")
        yield f"http://127.0.0.1:{port}"
    finally:
        part.end()


def decoded(stand: Stand, address: str, connections: int, batch: int = 1) -> Reading:
    """The same load on a bare application."""
    return Load(address, stand.patterns, connections, batch).reading(stand.run.scale.seconds)


def inserted(stand: Stand, clients: int = 16) -> Reading:
    """Rows like the log's, one INSERT and commit each, by pgbench."""
    _table(stand, "log_records")
    script = stand.folder / "insert.sql"
    row = "'bench', 0, nextval('bench_numbers'), decode(repeat('5a', 700), 'hex')"
    script.write_text(f"INSERT INTO bench_log_records (topic, partition, position, value) VALUES ({row});\n")
    times = stand.folder / f"times-{uuid4().hex[:6]}"
    command = [str(programs.folder(programs.account()) / "pgbench"), "--no-vacuum", "--protocol=prepared"]
    command += [f"--client={clients}", f"--time={max(round(stand.run.scale.seconds), 1)}", f"--file={script}", "--log"]
    subprocess.run([*command, f"--log-prefix={times}", stand.server.url], check=True, capture_output=True)
    found = sorted(int(line.split()[2]) for file in times.parent.glob(f"{times.name}*") for line in file.open())
    return {"/s": len(found) / stand.run.scale.seconds} | percentiles([one / 1000 for one in found])


def copied_records(stand: Stand) -> Reading:
    """Rows like the log's by COPY, 1,000 a transaction, as many as the scale's events."""
    _table(stand, "log_records")
    lines = [f"bench\t0\t{number}\t\\\\x{value.hex()}\n" for number, value in enumerate(_values(stand))]
    return _copied(stand, "log_records (topic, partition, position, value)", lines)


def copied_events(stand: Stand) -> Reading:
    """Rows of `events` that are there, by COPY into a table like it, 1,000 a transaction."""
    _table(stand, "events")
    with psycopg.connect(stand.server.url) as conn, conn.cursor() as cursor:
        rows = f"SELECT * FROM events LIMIT {stand.run.scale.events}"
        with cursor.copy(f"COPY ({rows}) TO STDOUT") as copy:
            lines = bytes(b"".join(copy)).decode().splitlines(keepends=True)
    return _copied(stand, "events", lines)


def produced(stand: Stand) -> Reading:
    """Records by one kafka-python producer that waits for all replicas, as many as the scale's events."""
    servers = stand.log.removeprefix("kafka://")
    ensure_topics(servers, ("bench",), 3, 1, {})
    values = _values(stand)
    producer = KafkaProducer(bootstrap_servers=servers, acks="all", linger_ms=5, batch_size=262_144)
    try:
        producer.partitions_for("bench")
        began = monotonic()
        sent = [producer.send("bench", value, str(number).encode()) for number, value in enumerate(values)]
        for one in sent:
            one.get(60)
        return {"/s": len(sent) / (monotonic() - began)}
    finally:
        producer.close()


def consumed(stand: Stand, events: int) -> Reading:
    """All records of the events' topic, which hold so many events, read by one kafka-python consumer."""
    servers = stand.log.removeprefix("kafka://")
    consumer = KafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False, max_poll_records=1000)
    try:
        partitions = [TopicPartition(EVENTS, number) for number in sorted(consumer.partitions_for_topic(EVENTS))]
        ends = sum(consumer.end_offsets(partitions).values())
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        began, read = monotonic(), 0
        while read < ends:
            read += sum(map(len, consumer.poll(1000).values()))
        return {"/s": events / (monotonic() - began)}
    finally:
        consumer.close()


def notified(stand: Stand, every: float) -> Reading:
    """A row committed with NOTIFY, until another connection has heard of it and read it."""
    _table(stand, "log_records")
    times: list[float] = []
    ends = monotonic() + stand.run.scale.seconds
    url, row = stand.server.url, "'bench', 1, nextval('bench_numbers'), %s"
    with psycopg.connect(url, autocommit=True) as writer, psycopg.connect(url, autocommit=True) as reader:
        reader.execute("LISTEN bench")
        while monotonic() < ends:
            began = monotonic()
            with writer.transaction():
                add = f"INSERT INTO bench_log_records (topic, partition, position, value) VALUES ({row})"
                writer.execute(add, [b"x" * 700])
                writer.execute("NOTIFY bench")
            next(reader.notifies(timeout=30, stop_after=1))
            reader.execute("SELECT value FROM bench_log_records ORDER BY position DESC LIMIT 1").fetchone()
            times.append((monotonic() - began) * 1000)
            sleep(max(every - (monotonic() - began), 0))
    return percentiles(times)


def percentiles(times: Sequence[float]) -> Reading:
    """Of times in ms."""
    ordered = sorted(times)
    return {f"p{share} ms": ordered[min(len(ordered) * share // 100, len(ordered) - 1)] for share in (50, 99)}


def _values(stand: Stand) -> list[bytes]:
    random = Random(1)
    patterns = [orjson.dumps(crowd.pattern(random)) for _ in range(1000)]
    return [patterns[number % 1000] for number in range(stand.run.scale.events)]


def _table(stand: Stand, like: str) -> None:
    """An empty table like one of ours, logged and with its indexes."""
    with psycopg.connect(stand.server.url, autocommit=True) as conn:
        conn.execute(f"DROP TABLE IF EXISTS bench_{like}")
        conn.execute(f"CREATE TABLE bench_{like} (LIKE {like} INCLUDING ALL)")
        conn.execute("CREATE SEQUENCE IF NOT EXISTS bench_numbers CACHE 100")


def _copied(stand: Stand, into: str, lines: Sequence[str]) -> Reading:
    began = monotonic()
    with psycopg.connect(stand.server.url) as conn:
        for first in range(0, len(lines), AT_ONCE):
            with conn.cursor().copy(f"COPY bench_{into} FROM STDIN") as copy:
                copy.write("".join(lines[first : first + AT_ONCE]))
            conn.commit()
    return {"/s": len(lines) / (monotonic() - began)}


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
