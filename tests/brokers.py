"""A Kafka broker for the tests, found in this order: the address in TELLONCE_TEST_KAFKA; Docker, by testcontainers
(TELLONCE_TEST_KAFKA_IMAGE names another image); Java 17 with Maven, as one process on loopback. Without any of them
the tests skip, and fail in CI."""

import fcntl
import hashlib
import os
import random
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from string import Template

import docker
import pytest
from docker.errors import DockerException
from testcontainers.community.kafka import KafkaContainer

from services.eventlog import LogUnavailable
from services.eventlog.kafka_clients import admin_client, reach

HERE = Path(__file__).parent / "kafka"
CACHE = Path(__file__).parents[1] / ".cache" / "kafka"
HINT = "no Kafka: install Java 17 and Maven, or start Docker, or name a broker in TELLONCE_TEST_KAFKA"
CLUSTER = "tellonceTestsKafka0001"  # 22 characters: base64 of 16 bytes
START_SECONDS = 60
SERVERS = (10_000, 32_000)  # below the ports that systems hand to clients: RFC 6335's from 49152, Linux's from 32768

# Ends the broker when standard input does: when the tests are gone, however they went.
GUARD = '"$@" & read -r _; kill -9 $!'


@dataclass(frozen=True)
class Broker:
    """A running broker. `signed_address`: where it wants SASL PLAIN, "tests" with "password".

    `pause` stops it in its tracks, connections open. Each is None where it isn't ours to have.
    """

    address: str
    signed_address: str | None = None
    pause: Callable[[], object] | None = None
    resume: Callable[[], object] | None = None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The broker is silent inside; skips the test where it can't be paused."""
        if not (self.pause and self.resume):
            pytest.skip("the broker in TELLONCE_TEST_KAFKA isn't ours to pause")
        self.pause()
        try:
            while answers(self.address, 0.5):
                continue  # it is not stopped yet
            yield
        finally:
            self.resume()


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One broker for the whole run."""
    with ExitStack() as stack:
        found = _named() or _in_docker(stack) or _on_java(stack, tmp_path_factory)
        if not found:
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(HINT)
        assert answers(found.address, START_SECONDS), f"{found.address} does not answer"
        yield found


@pytest.fixture(scope="session")
def kafka(broker: Broker) -> str:
    """Its bootstrap address."""
    return broker.address


def answers(address: str, seconds: float) -> bool:
    """Whether a broker does, within so many seconds."""
    try:
        with admin_client(reach(address, seconds)):
            return True
    except LogUnavailable:
        return False


def _named() -> Broker | None:
    address = os.environ.get("TELLONCE_TEST_KAFKA")
    return Broker(address.removeprefix("kafka://")) if address else None


def _in_docker(stack: ExitStack) -> Broker | None:
    """None without Docker, and where it can't get the image, unless one was named."""
    image = os.environ.get("TELLONCE_TEST_KAFKA_IMAGE")
    try:
        docker.from_env().ping()
        container = (KafkaContainer(image) if image else KafkaContainer()).with_kraft()
        stack.callback(container.stop)
        container.start(START_SECONDS)
    except DockerException:
        if image:
            raise
        return None
    wrapped = container.get_wrapped_container()
    return Broker(container.get_bootstrap_server(), pause=wrapped.pause, resume=wrapped.unpause)


def _on_java(stack: ExitStack, folders: pytest.TempPathFactory) -> Broker | None:
    if not has_java():
        return None
    folder = folders.mktemp("kafka")
    ports = {name: free_port() for name in ("port", "signed_port")}
    command = prepared(folder, ports["port"], {"SIGNED": (ports["signed_port"], ports["signed_port"])})
    process = stack.enter_context(_guarded(command, folder / "kafka.log"))
    return Broker(
        f"127.0.0.1:{ports['port']}",
        f"127.0.0.1:{ports['signed_port']}",
        lambda: os.killpg(process.pid, signal.SIGSTOP),
        lambda: os.killpg(process.pid, signal.SIGCONT),
    )


def has_java() -> bool:
    """Whether a broker of our own can be run here."""
    return _java_version() >= 17 and shutil.which("mvn") is not None


def prepared(folder: Path, port: int, more: Mapping[str, tuple[int, int]], settings: str = "") -> list[str]:
    """Make a broker's empty data in `folder`: the command that runs it.

    `more`: further listeners by name, each with its port and the port that clients are told, such as a proxy's; of
    these SIGNED wants SASL PLAIN. `settings`: further lines of server.properties.
    """
    ports = {"PLAINTEXT": (port, port), **more}
    filled = {
        "folder": folder,
        "controller_port": free_port(),
        "listeners": ",".join(f"{name}://127.0.0.1:{own}" for name, (own, _) in ports.items()),
        "advertised": ",".join(f"{name}://127.0.0.1:{told}" for name, (_, told) in ports.items()),
        "protocols": ",".join(f"{name}:{'SASL_' * (name == 'SIGNED')}PLAINTEXT" for name in ports),
    }
    properties = folder / "server.properties"
    properties.write_text(Template((HERE / "server.properties").read_text()).substitute(filled) + settings)
    logging = f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}"
    java = ["java", "-Xmx512m", logging, "-cp", f"{_jars()}/*"]
    form = [*java, "kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", str(properties), "--standalone"]
    done = subprocess.run(form, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    return [*java, "kafka.Kafka", str(properties)]


def _java_version() -> int:
    if not shutil.which("java"):
        return 0
    said = subprocess.run(["java", "-version"], capture_output=True, text=True).stderr
    major = re.search(r'version "(\d+)', said)
    return int(major[1]) if major else 0


def _jars() -> Path:
    """The broker's jars, fetched once for each state of pom.xml."""
    pom = HERE / "pom.xml"
    folder = CACHE / f"libs-{hashlib.sha256(pom.read_bytes()).hexdigest()[:8]}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            partial = CACHE / "partial"
            copy = ["dependency:copy-dependencies", f"-DoutputDirectory={partial}"]
            subprocess.run(["mvn", "-q", "-B", "-f", pom, *copy], check=True)
            partial.rename(folder)
    return folder


def free_port() -> int:
    """A port of loopback that nobody has now, nor gets while its server is down.

    Of those that the system hands to clients one may connect to itself: to a server that is away, from the very port
    that is tried, which the server then cannot have back (RFC 9293, section 3.5, simultaneous open).
    """
    while True:
        port = random.randint(*SERVERS)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@contextmanager
def _guarded(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a process group of its own until the block, or this process, ends."""
    shell = ["sh", "-c", GUARD, "sh", *command]
    with log.open("wb") as out:
        process = subprocess.Popen(shell, stdin=subprocess.PIPE, stdout=out, stderr=out, process_group=0)
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
