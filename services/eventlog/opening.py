"""Which event log there is, from the settings: `postgres`, or `kafka://host:port,…`."""

from services.database import PATIENCE, engine
from services.errors import Invalid
from services.eventlog import DEAD, EVENTS, Appender, Reader, Swift, postgres
from services.eventlog.postgres import PostgresAppender
from services.eventlog.postgres_reader import PostgresReader
from services.settings import Settings


def open_appender(settings: Settings, database_url: str) -> Appender:
    """The writing side; a log that is away is no error yet. Raises Invalid for an unknown log or option."""
    if _kafka(settings.log):
        return open_swift(settings)
    timeout, budget = settings.append_timeout, settings.byte_budget
    return PostgresAppender(engine(database_url), settings.log_partitions, timeout, budget)


def open_swift(settings: Settings) -> Swift:
    """The same where the log is Kafka."""
    from services.eventlog.kafka import KafkaAppender  # only who has Kafka waits for its client to load

    return KafkaAppender(_kafka(settings.log), settings.append_timeout, settings.byte_budget, settings.log_options)


def open_reader(settings: Settings, database_url: str) -> Reader:
    """A reader of the settings' group; a log that is away is no error yet. Raises Invalid as above."""
    store, group, size = engine(database_url, 2, PATIENCE), settings.group, settings.batch_size
    if servers := _kafka(settings.log):
        from services.eventlog.kafka_reader import KafkaReader

        return KafkaReader(servers, store, group, size, settings.log_options)
    return PostgresReader(store, group, size)


def ensure_topics(settings: Settings, database_url: str) -> None:
    """Make both topics, or give them more partitions, never fewer. Raises LogUnavailable."""
    count = settings.log_partitions
    if servers := _kafka(settings.log):
        from services.eventlog import kafka_clients

        copies = settings.log_replication
        return kafka_clients.ensure_topics(servers, (EVENTS, DEAD), count, copies, settings.log_options)
    store = engine(database_url, pool_size=1)
    with store.begin() as conn:
        for topic in (EVENTS, DEAD):
            postgres.ensure_topic(conn, topic, count)
    store.dispose()


def _kafka(log: str) -> str:
    """The addresses of Kafka's brokers, empty for PostgreSQL."""
    scheme, _, servers = log.partition("://")
    if (scheme, servers) == ("postgres", "") or (scheme == "kafka" and servers):
        return servers.rstrip("/")
    hint = "Use postgres, or kafka://host:port with further brokers after commas."
    raise Invalid(f"There is no event log {log!r}.", code="unknown_log", hint=hint)
