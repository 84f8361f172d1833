"""Kafka's clients, built so that a broker that is away leaves nothing behind; topics as the log needs them."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError, TopicAlreadyExistsError
from kafka.net.compat import KafkaNetClient
from kafka.record import util

from services.errors import Invalid, Unavailable
from services.eventlog import LARGEST, LogUnavailable

Client = TypeVar("Client", KafkaProducer, KafkaConsumer, KafkaAdminClient)
Options = Mapping[str, str | int | bool]

# Settings on which durability and positions rest.
OURS = {"acks", "allow_auto_create_topics", "auto_offset_reset", "bootstrap_servers", "enable_auto_commit"} | {
    "enable_idempotence", "group_id", "partition_assignment_strategy", "partitioner", "transactional_id",
}  # fmt: skip
ROOM = 100_000  # bytes of a request beside the records in it
NEW = 10.0  # seconds until partitions that were added are known


def check_options(options: Options) -> None:
    """Raise Invalid for settings that no client knows, Unavailable without the fast checksum."""
    if ours := sorted(options.keys() & OURS):
        message = f"{', '.join(ours)} can't be set: the log's promises rest on it."
        raise Invalid(message, code="fixed_log_option", hint="Take it out of TELLONCE_LOG_OPTIONS.")
    known = KafkaProducer.DEFAULT_CONFIG | KafkaConsumer.DEFAULT_CONFIG | KafkaAdminClient.DEFAULT_CONFIG
    if unknown := sorted(options.keys() - known):
        message = f"Kafka's clients don't know {', '.join(unknown)}."
        hint = "Correct TELLONCE_LOG_OPTIONS; names are as in kafka-python."
        raise Invalid(message, code="unknown_log_option", hint=hint)
    if util.crc32c_c is None:
        message = "Kafka's records can't be checked fast: the package crc32c is missing."
        raise Unavailable(message, code="crc32c_missing", hint="Install it: pip install crc32c.")


def build(kind: type[Client], settings: Mapping[str, Any]) -> Client:
    """A connected client with the settings that its kind knows.

    Raises LogUnavailable when no broker answers in `bootstrap_timeout_ms`.
    """
    clients: list[KafkaNetClient] = []

    def network(**configs: Any) -> KafkaNetClient:
        clients.append(KafkaNetClient(**configs))
        return clients[0]

    known = {name: value for name, value in settings.items() if name in kind.DEFAULT_CONFIG}
    with available():
        try:
            return kind(**known, kafka_client=network)
        except Exception:
            for network_client in clients:  # its thread and sockets would stay for ever
                network_client.close()
            raise


@contextmanager
def available() -> Iterator[None]:
    """Say LogUnavailable for what kafka-python says in many ways."""
    try:
        yield
    except KafkaError as error:
        raise LogUnavailable(f"The event log in Kafka can't be used: {error}") from error


@contextmanager
def admin_client(settings: Mapping[str, Any]) -> Iterator[KafkaAdminClient]:
    """A client to look and to make topics, for the length of a block."""
    one = build(KafkaAdminClient, settings)
    try:
        yield one
    finally:
        one.close()


def reach(servers: str, seconds: float) -> dict[str, object]:
    """Settings of any client: where the brokers are, and how long each of its steps may take."""
    return {
        "bootstrap_servers": servers,
        "bootstrap_timeout_ms": int(seconds * 1000),
        "request_timeout_ms": int(seconds * 1000),
        "reconnect_backoff_max_ms": 1000,
        "metadata_max_age_ms": int(NEW * 1000),
    }


def describe(admin: KafkaAdminClient, topic: str) -> dict[str, Any]:
    """A topic whose partitions all have a leader now. Raises LogUnavailable otherwise."""
    with available():
        found: dict[str, Any] = admin.describe_topics([topic])[0]
    if found["error_code"]:
        raise LogUnavailable(f"Kafka has no usable topic {topic}; `tellonce migrate` makes it.")
    leaderless = [one["partition_index"] for one in found["partitions"] if one["leader_id"] < 0]
    if leaderless:
        raise LogUnavailable(f"Partitions {leaderless} of {topic} have no leader.")
    return found


def ensure_topics(servers: str, topics: Iterable[str], partitions: int, replication: int, options: Options) -> None:
    """Make the topics that are missing, add partitions where there are fewer; records are kept for ever.

    Three copies or more: two must have a record before it counts as stored. Raises LogUnavailable.
    """
    configs = {"retention.ms": "-1", "max.message.bytes": str(LARGEST + ROOM)}
    if replication >= 3:
        configs["min.insync.replicas"] = "2"
    wanted = {"num_partitions": partitions, "replication_factor": replication, "configs": configs}
    check_options(options)
    with admin_client({**reach(servers, 30), **options}) as admin, available():
        for topic in topics:
            _ensure(admin, topic, wanted)


def _ensure(admin: KafkaAdminClient, topic: str, wanted: dict[str, Any]) -> None:
    try:
        admin.create_topics({topic: wanted})
    except TopicAlreadyExistsError:
        if len(describe(admin, topic)["partitions"]) < wanted["num_partitions"]:
            admin.create_partitions({topic: wanted["num_partitions"]})
    admin.wait_for_topics([topic])
