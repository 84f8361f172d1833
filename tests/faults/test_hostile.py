"""Clients that mean harm get an answer or a closed door; memory stays bounded and others are served as before."""

import asyncio
import gzip
import resource
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from itertools import repeat
from time import monotonic

import pytest

from tests.brokers import free_port
from tests.e2e.stacks import open_folder, wait_for
from tests.faults.attackers import CLOSED, Piece, attack, flood, request, sized
from tests.faults.parts import Part
from tests.faults.stand import LONG, Stand
from tests.faults.witness import Witness

MOST_MEMORY = 512  # MB of any process
MOST_DELAY = 1.0  # seconds of anybody else's p99, beyond that of one whose service is left alone on the same machine
TIMEOUT = 20 if LONG else 4  # seconds in which a request must be there
SECONDS = TIMEOUT + 30  # by which any attack is over
MANY = 1000 if LONG else 200  # connections
IDLE = 10_000 if LONG else 2000
PATHS = {"ingest": "/v1/events", "api": "/v1/customers/00000000-0000-0000-0000-000000000001/notes"}
REFUSED = {400, 401, 404, 408, 413}  # an answer that says no
LUMP = b"a" * 65536

Parts = Callable[[str, str], list[Piece]]  # from a service's path and the header with a valid key


class Scene:
    """A deployment that is attacked, with a well-behaved client of each of its services."""

    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        self.keys = {"ingest": stand.key(), "api": stand.tellonce("keys", "add", "desk", "--role", "agent")}
        self.addresses = {"ingest": stand.ingest, "api": stand.api}
        self.control = Witness(f"{another_ingest(stand, 'calm')}/v1/events", self.keys["ingest"], posts=True)
        self.witnesses = {
            "ingest": Witness(f"{stand.ingest}/v1/events", self.keys["ingest"], posts=True),
            "api": Witness(f"{stand.api}/v1/brief?identifier=device:witness", self.keys["api"], posts=False),
        }

    def attacked(self, parts: Parts, connections: int) -> Counter[int]:
        """What so many attackers of each service were answered, all at once."""
        return self._together(lambda address, *said: attack(address, lambda: parts(*said), connections, SECONDS))

    def flooded(self, piece: Callable[[str, str], bytes], count: int, connections: int, reads: bool) -> Counter[int]:
        """What became of so many who sent each service the same again and again; see `flood`."""
        return self._together(lambda address, *said: flood(address, piece(*said), count, connections, SECONDS, reads))

    def _together(self, attack: Callable[[str, str, str], Awaitable[Counter[int]]]) -> Counter[int]:
        async def attacks() -> list[Counter[int]]:
            words = {name: (PATHS[name], f"Authorization: Bearer {key}") for name, key in self.keys.items()}
            return await asyncio.gather(*[attack(self.addresses[name], *said) for name, said in words.items()])

        return sum(asyncio.run(attacks()), Counter())


@pytest.fixture(scope="module")
def around() -> Iterator[Scene]:
    """The deployment, which waits for requests only so long."""
    with open_folder() as folder, Stand(folder, workers=1, request_timeout=str(TIMEOUT)) as stand:
        scene = Scene(stand)
        with scene.control, scene.witnesses["ingest"], scene.witnesses["api"]:
            seen = scene.witnesses["api"].tries
            wait_for(lambda: seen and seen[-1].status == 200, "the witness's brief")
            yield scene


@pytest.fixture
def scene(around: Scene, request: pytest.FixtureRequest) -> Iterator[Scene]:
    """The same; afterwards: nobody else has noticed, and memory is bounded."""
    began = monotonic()
    yield around
    ended = monotonic()
    everybody = [around.control, *around.witnesses.values()]
    wait_for(lambda: all(sum(one.at >= ended for one in who.tries) > 10 for who in everybody), "others to go on")
    control = around.control.p99(began)
    for name, witness in around.witnesses.items():
        p99, peak = witness.p99(began), around.stand[name].peak
        figures = f"{name}: p99 {p99 * 1000:.0f} ms (control {control * 1000:.0f}), at most {peak:.0f} MB"
        print(f"{request.node.name}: {figures}")
        assert p99 < MOST_DELAY + control, figures
        assert peak < MOST_MEMORY, figures


def test_headers_that_never_end_are_cut_off(scene: Scene) -> None:
    answers = scene.attacked(lambda path, key: [request("/", "X-A: 1")[:-2], *_slowly(b"X-B: 2\r\n")], MANY)
    assert answers.keys() <= {CLOSED, 400}, answers


def test_bodies_that_never_end_are_refused_or_cut_off(scene: Scene) -> None:
    answers = scene.attacked(lambda path, key: [request(path, "Content-Length: 90000", key), *_slowly(b"[")], MANY)
    assert answers.keys() <= {CLOSED, *REFUSED}, answers


def test_headers_without_end_take_no_memory(scene: Scene) -> None:
    begin = request("/", "X-A: 1")[:-2] + b"X-B: "
    answers = scene.attacked(lambda path, key: [begin, *repeat(LUMP, 2000)], 8)
    assert answers.keys() <= {CLOSED, 400}, answers


def test_headers_of_a_few_bytes_each_take_no_memory(scene: Scene) -> None:
    begin = request("/")[:-2] + b"a:\r\n" * 15_000
    answers = scene.attacked(lambda path, key: [begin, *_slowly(b"a:\r\n")], 2 * MANY)
    assert answers.keys() <= {CLOSED, 400}, answers


def test_trailers_without_end_take_no_memory(scene: Scene) -> None:
    end = b"2\r\n[]\r\n0\r\nX-B: "
    answers = scene.attacked(
        lambda path, key: [request(path, "Transfer-Encoding: chunked", key, body=end), *repeat(LUMP, 2000)], 8
    )
    assert answers.keys() <= {CLOSED, *REFUSED}, answers


def test_bodies_without_end_take_no_memory(scene: Scene) -> None:
    chunk = b"10000\r\n" + LUMP + b"\r\n"
    answers = scene.attacked(
        lambda path, key: [request(path, "Transfer-Encoding: chunked", key), *repeat(chunk, 2000)], 8
    )
    assert answers.keys() <= {CLOSED, *REFUSED}, answers


def test_large_bodies_without_a_key_take_no_memory(scene: Scene) -> None:
    answers = scene.attacked(lambda path, key: [request(path, "Content-Length: 15000000"), *repeat(LUMP, 228)], MANY)
    assert answers.keys() <= {CLOSED, *REFUSED}, answers


def test_chunks_of_one_byte_are_taken_or_refused(scene: Scene) -> None:
    chunks, end = b"1\r\n \r\n" * 10_000, b"2\r\n[]\r\n0\r\n\r\n"
    answers = scene.attacked(
        lambda path, key: [request(path, "Transfer-Encoding: chunked", key), *repeat(chunks, 50), end], 8
    )
    assert answers.keys() <= {200, CLOSED, *REFUSED}, answers


def test_requests_without_end_in_one_connection_take_no_memory(scene: Scene) -> None:
    lump = request("/x", method="GET") * 2000
    answers = scene.flooded(lambda path, key: lump, 200, 4, reads=True)
    assert answers.keys() == {CLOSED}, answers


def test_answers_that_nobody_reads_take_no_memory(scene: Scene) -> None:
    event = '{"id":"%s","type":"page.viewed","time":"2026-05-04T09:00:00Z","channel":"web"}' % ("a" * 500)
    events, long = f"[{','.join([event] * 5)}]".encode(), "X-A: " + "a" * 3000

    def piece(path: str, key: str) -> bytes:
        """Long enough that few come at once."""
        is_post = path == PATHS["ingest"]
        return sized(path, events, key) if is_post else request("/openapi.json", long, method="GET")

    answers = scene.flooded(piece, 4000, 4, reads=False)
    assert answers.keys() == {CLOSED}, answers


def test_a_gzip_bomb_is_refused(scene: Scene) -> None:
    bomb = gzip.compress(bytes(500_000_000))
    answers = scene.attacked(lambda path, key: [sized(path, bomb, key, "Content-Encoding: gzip")], 20)
    assert answers.keys() <= {400, 413}, answers


def test_a_gzip_bomb_in_another_needs_no_key_and_is_refused(scene: Scene) -> None:
    bomb = gzip.compress(gzip.compress(b"[" + b"{}," * 6_600_000 + b"{}]"))
    answers = scene.attacked(lambda path, key: [sized("/batch", bomb)], 20)
    assert answers.keys() == {400, 404}, answers


@pytest.mark.parametrize("level", [b"[", b'{"a":', b'{"data":['])
def test_json_ten_thousand_deep_is_refused(scene: Scene, level: bytes) -> None:
    answers = scene.attacked(lambda path, key: [sized(path, level * 10_000, key)], 20)
    assert answers.keys() == {400}, answers


@pytest.mark.parametrize("zipped", [False, True])
def test_an_object_of_a_million_keys_is_refused(scene: Scene, zipped: bool) -> None:
    keys = b"{" + b",".join(b'"%x":1' % number for number in range(1_000_000)) + b"}"
    body, more = (gzip.compress(keys), ("Content-Encoding: gzip",)) if zipped else (keys, ())
    answers = scene.attacked(lambda path, key: [sized(path, body, key, *more)], 4)
    assert answers.keys() <= {400, 413}, answers


@pytest.mark.parametrize("form", ["{%s}", '{"id":"k","type":"x","time":"2026-05-04T09:00:00Z","data":{%s}}'])
def test_as_many_keys_as_a_body_may_hold_are_no_trouble(scene: Scene, form: str) -> None:
    body = form % ",".join(f'"{number:x}":1' for number in range(95_000))
    answers = scene.attacked(lambda path, key: [sized(path, body.encode(), key)], 2)
    assert answers.keys() <= {200, 400, 413}, answers


def test_what_is_no_http_gets_no_server_error(scene: Scene) -> None:
    for said in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"\0" * 1000, b"GET / HTTP/9.9\r\n\r\n",
        request("/\xff\xfe", method="GET"), request("/%00%ff%", method="GET"), request("http://[::1", method="GET"),
        request("/", "Content-Length: -1"), request("/", "Content-Length: " + "9" * 40),
        request("/", "Transfer-Encoding: chunked", body=b"zz\r\n"), request("/", "X: \0"),
        request("/", "Connection: upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: a", method="GET"),
        request("/", "Content-Length: 2", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    ):  # fmt: skip
        answers = scene.attacked(lambda path, key, said=said: [said], 2)
        assert max(answers) < 500, (said, answers)


def test_ten_thousand_idle_connections_are_let_go(scene: Scene) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(IDLE, hard // 2 - 500)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        answers = scene.attacked(lambda path, key: [], count)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    print(f"{count} idle connections to each service")
    assert answers.keys() == {CLOSED}, answers


def test_where_files_are_few_connections_go_before_the_database_does(scene: Scene) -> None:
    address = another_ingest(scene.stand, "few", "ulimit -n 300;")
    with Witness(f"{address}/v1/events", scene.keys["ingest"], posts=True) as witness:
        wait_for(lambda: witness.tries, "its client")
        began = monotonic()
        answers = asyncio.run(attack(address, lambda: [], 600, SECONDS))
    assert answers.keys() == {CLOSED}, answers
    assert witness.p99(began) < MOST_DELAY + scene.control.p99(began)


def another_ingest(stand: Stand, name: str, first: str = "") -> str:
    """Start one more, after a command of the shell; its address."""
    ingest, port = stand["ingest"], stand.ports.setdefault(name, free_port())
    command = ["sh", "-c", f'{first} exec "$@"', "sh", *ingest.command]
    environment = {**ingest.environment, "TELLONCE_INGEST_PORT": str(port)}
    stand.parts[name] = Part(name, command, stand.folder / f"{name}.log", environment)
    stand.mend([name])
    return f"http://127.0.0.1:{port}"


def _slowly(more: bytes) -> list[Piece]:
    return [part for _ in range(SECONDS) for part in (0.5, more)]
