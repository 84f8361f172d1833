"""What is Kafka's alone: settings passed through, the budget of bytes, a producer that failed for good."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from uuid import uuid4

import pytest
import sqlalchemy as sa
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType

from services.errors import Invalid
from services.eventlog import Draft, LogUnavailable, kafka_clients
from services.eventlog.kafka import KafkaAppender
from services.eventlog.kafka_reader import KafkaReader
from tests.brokers import Broker
from tests.contract.logs import Work, append_when_back, until

WITHOUT_CRC32C = """
import sys
sys.modules["crc32c"] = None
from services.eventlog.kafka import KafkaAppender
KafkaAppender("127.0.0.1:1")
"""


@pytest.fixture
def topic(kafka: str) -> str:
    """A fresh topic of one partition."""
    name = f"events.{uuid4().hex}"
    kafka_clients.ensure_topics(kafka, [name], 1, 1, {})
    return name


@pytest.fixture
def appender(kafka: str, topic: str) -> Iterator[KafkaAppender]:
    """An appender to it with a budget of 1,000 bytes."""
    with closing(KafkaAppender(kafka, budget=1000, topic=topic)) as appender:
        yield appender


def reads(servers: str, engine: sa.Engine, topic: str, options: kafka_clients.Options) -> list[bytes]:
    """The first that a reader finds in a topic."""
    with KafkaReader(servers, engine, topic, options=options, topic=topic) as reader:
        work = Work(engine, reader)
        until(lambda: work.done, work.step)
    return [value for _, _, value in work.done]


def test_an_option_that_no_client_knows_is_refused() -> None:
    with pytest.raises(Invalid, match="sasl_plain_user"):
        KafkaAppender("127.0.0.1:1", options={"sasl_plain_user": "tellonce"})


@pytest.mark.parametrize("option", ["acks", "enable_auto_commit", "group_id"])
def test_what_the_promises_rest_on_cannot_be_set(engine: sa.Engine, option: str) -> None:
    with pytest.raises(Invalid, match=option):
        KafkaReader("127.0.0.1:1", engine, "group", options={option: "1"})


def test_it_does_not_start_without_the_fast_checksum() -> None:
    ended = subprocess.run([sys.executable, "-c", WITHOUT_CRC32C], capture_output=True, text=True)
    assert ended.returncode == 1
    assert "the package crc32c is missing" in ended.stderr


def test_an_option_of_one_client_does_not_trouble_the_others(kafka: str, topic: str, engine: sa.Engine) -> None:
    options = {"compression_type": "gzip", "fetch_max_wait_ms": 100}
    with closing(KafkaAppender(kafka, options=options, topic=topic)) as appender:
        append_when_back(appender, [Draft("k", b"v")])
    assert reads(kafka, engine, topic, options) == [b"v"]


def test_name_and_password_reach_every_client(broker: Broker, topic: str, engine: sa.Engine) -> None:
    if not broker.signed_address:
        pytest.skip("only the broker on Java wants a password")
    options = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN", "sasl_plain_username": "tests"}
    right, wrong = options | {"sasl_plain_password": "password"}, options | {"sasl_plain_password": "other"}
    kafka_clients.ensure_topics(broker.signed_address, [topic], 1, 1, right)
    with closing(KafkaAppender(broker.signed_address, options=right, topic=topic)) as appender:
        append_when_back(appender, [Draft("k", b"v")])
    assert reads(broker.signed_address, engine, topic, right) == [b"v"]
    with (
        closing(KafkaAppender(broker.signed_address, options=wrong, topic=topic)) as appender,
        pytest.raises(LogUnavailable),
    ):
        appender.append([Draft("k", b"v")])


def test_tls_is_spoken_when_it_is_set(kafka: str, topic: str) -> None:
    with (
        closing(KafkaAppender(kafka, options={"security_protocol": "SSL"}, topic=topic)) as appender,
        pytest.raises(LogUnavailable),
    ):
        appender.check()


def test_a_topic_that_is_missing_is_named_and_not_made(kafka: str) -> None:
    missing = pytest.raises(LogUnavailable, match=r"events\.missing.*tellonce migrate")
    with closing(KafkaAppender(kafka, topic="events.missing")) as appender, missing:
        appender.append([Draft("k", b"v")])
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        assert "events.missing" not in admin.list_topics()


def test_a_host_that_does_not_exist_is_a_log_that_is_away() -> None:
    with closing(KafkaAppender("no-such-host.invalid:9092")) as appender, pytest.raises(LogUnavailable):
        appender.append([Draft("k", b"v")])


def test_a_topic_keeps_its_records_for_ever(kafka: str, topic: str) -> None:
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        found = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    assert found["topic"][topic]["retention.ms"]["value"] == "-1"


def test_what_is_done_is_committed_for_whoever_watches_the_lag(kafka: str, topic: str, engine: sa.Engine) -> None:
    where = TopicPartition(topic, 0)
    with (
        closing(KafkaAppender(kafka, topic=topic)) as appender,
        KafkaReader(kafka, engine, topic, topic=topic) as reader,
        closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin,
    ):
        append_when_back(appender, [Draft("k", b"v")])
        work = Work(engine, reader)
        until(lambda: work.done, work.step)
        reader.done(0, 1)
        until(lambda: where in admin.list_group_offsets(topic)[topic], work.step)
        assert admin.list_group_offsets(topic)[topic][where].offset == 1


def test_a_partition_that_does_not_move_is_read_by_a_new_consumer(kafka: str, topic: str, engine: sa.Engine) -> None:
    with (
        closing(KafkaAppender(kafka, topic=topic)) as appender,
        KafkaReader(kafka, engine, topic, topic=topic, stall=0.5) as reader,
    ):
        work = Work(engine, reader)
        until(lambda: reader.assigned()[0], work.step)
        work.step()
        stuck = reader._consumer
        assert stuck is not None
        stuck.pause(TopicPartition(topic, 0))  # what a fetch that never comes back looks like
        append_when_back(appender, [Draft("k", b"v")])
        until(lambda: work.done, work.step)
        assert reader._consumer is not stuck


def test_above_the_budget_callers_are_told_at_once(broker: Broker, appender: KafkaAppender) -> None:
    def attempt(_: int) -> str:
        try:
            appender.append([Draft("k", b"x" * 800)])
        except LogUnavailable as away:
            return str(away)
        return "stored"

    append_when_back(appender, [Draft("k", b"first")])
    with broker.paused(), ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(attempt, range(2)))
    assert "801 bytes are on their way" in said[0]
    assert "Kafka" in said[1]
    append_when_back(appender, [Draft("k", b"x" * 800)])


def begun(appender: KafkaAppender, value: bytes) -> Future[None]:
    one = appender.begin([Draft("k", value)])
    assert one is not None
    return one


def test_what_is_begun_without_a_thread_ends_as_an_append_does(broker: Broker, kafka: str, topic: str) -> None:
    with closing(KafkaAppender("127.0.0.1:1")) as nowhere:
        assert nowhere.begin([Draft("k", b"v")]) is None
    with closing(KafkaAppender(kafka, budget=1000, topic=topic)) as appender:
        append_when_back(appender, [Draft("k", b"first")])
        begun(appender, b"second").result(30)
        with broker.paused():
            hanging, refused = (begun(appender, b"x" * 800) for _ in range(2))
            with pytest.raises(LogUnavailable, match="801 bytes are on their way"):
                refused.result(0)
            with pytest.raises(LogUnavailable, match="Kafka"):
                hanging.result(30)
            until(lambda: appender.begin([Draft("k", b"x")]) is None)  # a new producer has to be made first
        append_when_back(appender, [Draft("k", b"x" * 800)])
        with broker.paused():
            appender.give_up(given_up := begun(appender, b"third"))
            with pytest.raises(LogUnavailable, match="in time"):
                given_up.result(0)
            assert appender.begin([Draft("k", b"x")]) is None
        append_when_back(appender, [Draft("k", b"fourth")])


def test_a_producer_that_failed_for_good_is_replaced(kafka: str) -> None:
    topic = f"events.{uuid4().hex}"
    configs = {"max.message.bytes": "300"}  # a record refused by the broker is the end of an idempotent producer
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        admin.create_topics({topic: {"num_partitions": 1, "replication_factor": 1, "configs": configs}})
        admin.wait_for_topics([topic])
    with closing(KafkaAppender(kafka, topic=topic)) as appender:
        with pytest.raises(LogUnavailable, match="MessageSizeTooLarge"):
            appender.append([Draft("k", b"x" * 500)])
        append_when_back(appender, [Draft("k", b"small")])
        appender.check()
