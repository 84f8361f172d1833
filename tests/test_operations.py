"""What a process tells of itself that is asked by HTTP for nothing else."""

import requests

from services.ingest.measures import Measures, Peer
from services.ingest.operations import application
from services.server import aside
from tests.brokers import free_port
from tests.e2e.stacks import wait_for
from tests.fakes import MemoryLog


def test_it_is_ready_while_what_it_reads_is_connected_and_the_log_answers(log: MemoryLog) -> None:
    measures, port = Measures(), free_port()
    peer = Peer("mailbox INBOX", measures)
    address, needed = f"http://127.0.0.1:{port}", {"mailbox INBOX": peer.check, "event log": log.check}

    def said() -> tuple[int, str]:
        answer = requests.get(f"{address}/readyz", timeout=20)
        return answer.status_code, answer.json().get("message", "")

    def connected() -> str:
        told = requests.get(f"{address}/metrics", timeout=20).text
        return told.partition('tellonce_ingest_connected{to="mailbox INBOX"} ')[2].partition("\n")[0]

    with aside(application(measures.registry, needed), "127.0.0.1", port):
        wait_for(lambda: answers(f"{address}/healthz"), "it to listen")
        assert said() == (503, "The mailbox INBOX is away: there is no connection.")
        assert connected() == "0.0"
        peer.tell(True)
        assert said() == (200, "")
        log.away = True
        assert said() == (503, "The event log is away: the log is away")
        assert connected() == "1.0"
    assert not answers(f"{address}/healthz")


def answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=20).ok
    except requests.ConnectionError:
        return False
