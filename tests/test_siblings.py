"""Several processes of ingest on one port: any tells the metrics of all, and they come and go together."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
import requests
import sqlalchemy as sa
from starlette.testclient import TestClient

from services import access
from services.eventlog.opening import ensure_topics
from services.ingest.app import create_app
from services.settings import Settings
from tests.brokers import free_port
from tests.builders import document
from tests.e2e.stacks import is_ready, wait_for
from tests.fakes import MemoryLog

KEY = "src_test"
BEARER = {"Authorization": f"Bearer {KEY}"}
ACCEPTED = 'tellonce_ingest_events_total{process="%s",verdict="accepted"} %s'


@pytest.fixture
def settings(engine: sa.Engine, database_url: str) -> Settings:
    with engine.begin() as conn:
        access.add_source(conn, "shop", "events", KEY)
    return Settings(database=database_url, ingest_port=free_port(), ingest_processes=2)


def test_each_tells_the_metrics_of_all_that_are_there(settings: Settings, database_url: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(TestClient(create_app(settings, database_url, MemoryLog(), tmp_path / name)))
            for name in ("0", "1")
        )
        first.post("/v1/events", json=document(), headers=BEARER)
        second.post("/v1/events", json=[document(), document()], headers=BEARER)
        for client in (first, second):
            told = client.get("/metrics").text
            assert ACCEPTED % (0, 1.0) in told
            assert ACCEPTED % (1, 2.0) in told
            assert told.count("# TYPE tellonce_ingest_events_total counter") == 1
    (tmp_path / "1").touch()  # what one leaves that is killed
    with TestClient(create_app(settings, database_url, MemoryLog(), tmp_path / "0")) as alone:
        told = alone.get("/metrics").text
        assert 'process="0"' in told
        assert 'process="1"' not in told


@contextmanager
def serving(settings: Settings, log: Path) -> Iterator[psutil.Process]:
    """`tellonce ingest`, until all its processes listen."""
    with log.open("wb") as out:
        command = [sys.executable, "-m", "services", "ingest"]
        process = subprocess.Popen(command, env=os.environ | settings.environment(), stdout=out, stderr=out)
    try:
        wait_for(lambda: len(told(settings)) == settings.ingest_processes, "both processes to listen")
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        assert process.wait(60) == 0, log.read_text()


def told(settings: Settings) -> set[str]:
    """The processes whose metrics are told; none when it was asked of one that was killed meanwhile."""
    if not is_ready(address(settings)):
        return set()
    with suppress(requests.ConnectionError):
        return set(re.findall(r'process="(\d)"', requests.get(f"{address(settings)}/metrics", timeout=20).text))
    return set()


def address(settings: Settings) -> str:
    return f"http://127.0.0.1:{settings.ingest_port}"


def test_one_that_is_killed_comes_back_while_others_serve(settings: Settings, tmp_path: Path) -> None:
    with serving(settings, tmp_path / "out") as parent:
        before = parent.children()
        assert len(before) == 2
        before[0].send_signal(signal.SIGKILL)
        wait_for(lambda: told(settings) == {before[1].cmdline()[-1][-1]}, "the killed one to be missed")
        wait_for(lambda: len(told(settings)) == 2, "the killed one to be back")
        answer = requests.post(f"{address(settings)}/v1/events", json=document(), headers=BEARER, timeout=20)
        assert answer.status_code == 200
        others = parent.children(recursive=True)
    assert not [one for one in others if one.is_running()]


def test_the_one_that_appends_for_all_is_missed_when_it_is_killed_and_comes_back(
    settings: Settings, kafka: str, tmp_path: Path
) -> None:
    settings = settings.model_copy(update={"log": f"kafka://{kafka}"})
    ensure_topics(settings, settings.database or "")
    post = partial(requests.post, f"{address(settings)}/v1/events", headers=BEARER, timeout=20)
    with serving(settings, tmp_path / "out") as parent:
        assert post(json=document()).status_code == 200
        metrics = requests.get(f"{address(settings)}/metrics", timeout=20).text
        assert 'tellonce_ingest_append_seconds_count{outcome="stored",process="appender"} 1.0' in metrics
        [appender] = [child for child in parent.children() if "append" in child.cmdline()]
        appender.send_signal(signal.SIGSTOP)
        wait_for(lambda: not is_ready(address(settings)), "a halted one to be missed")
        with ThreadPoolExecutor(1) as posting:
            under_way = posting.submit(post, json=document())
            appender.send_signal(signal.SIGKILL)
            assert under_way.result().status_code == 503
            assert "Retry-After" in under_way.result().headers
        wait_for(lambda: is_ready(address(settings)), "another to be there")
        wait_for(lambda: post(json=document()).status_code == 200, "each process to find it")
        others = parent.children(recursive=True)
    assert not [one for one in others if one.is_running()]


def test_a_second_service_does_not_slip_in_on_the_port(settings: Settings, tmp_path: Path) -> None:
    with serving(settings, tmp_path / "out"):
        command = [sys.executable, "-m", "services", "ingest"]
        tried = subprocess.run(command, env=os.environ | settings.environment(), capture_output=True, text=True)
        assert tried.returncode == 1
        assert "TELLONCE_INGEST_PORT" in tried.stderr
