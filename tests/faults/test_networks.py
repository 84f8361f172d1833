"""The network between any two parts goes wrong under load: who needs it says so in time, is well again by itself, and
nothing is lost or doubled."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from threading import Event as Flag
from time import monotonic
from typing import NamedTuple

import pytest

from tests.brokers import free_port
from tests.e2e.stacks import wait_for
from tests.faults.desk import Desk
from tests.faults.load import Load
from tests.faults.proxy import FAULTS, GONE, Fault, Proxy
from tests.faults.stand import LISTENERS, LOGS, LONG, SEED, Log, Stand
from tests.faults.truth import settled, verify

RED = 5.0  # seconds until a part must say that it can't work
ASKING = 2.0  # seconds for it to be asked and to answer
HELD = 8.0 if LONG else 6.0  # seconds a fault lasts: longer than any red light takes
Path_ = tuple[str, str]
SERVICES = ("ingest", "worker", "api", "analyser")
CLIENTS: list[Path_] = [("client", "ingest"), ("client", "api")]


class Trial(NamedTuple):
    """What goes wrong at once: the same fault on some paths, and which kinds of parts must turn red by it."""

    fault: Fault
    paths: list[Path_]
    red: list[str]


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("log", LOGS)
def test_whatever_the_network_does_nothing_is_lost_and_all_is_well_again_by_itself(folder: Path, log: Log) -> None:
    longest_red, longest_back = 0.0, (0.0, "")
    with networked(folder, log) as (stand, proxies):
        agent = stand.tellonce("keys", "add", "agent", "--role", "agent")
        addresses = {to: f"http://127.0.0.1:{proxies['client', to].port}" for _, to in CLIENTS}
        with Desk(addresses["api"], agent, SEED) as desk, Load(addresses["ingest"], stand.key(), SEED) as load:
            for trial in trials(list(proxies)):
                began = monotonic()
                for path in trial.paths:
                    proxies[path].fault = trial.fault
                for name in stand.names(*trial.red) if trial.red else ():
                    wait_for(lambda name=name: not stand.is_ready(name), f"{name} to turn red by {trial}", RED + ASKING)
                longest_red = max(longest_red, monotonic() - began) if trial.red else longest_red
                Flag().wait(max(began + HELD - monotonic(), 0))
                for path in trial.paths:
                    proxies[path].fault = None
                longest_back = max(longest_back, back(stand, trial))
                settled(stand, load.ledger)
        verify(stand, load.ledger)
        desk.verify(stand)
    figures = f"{load.ledger.figures()}, {len(desk.notes)} notes"
    print(f"{log}: {figures}; red after {longest_red:.1f} s, green again after {longest_back}; seed {SEED}")


def back(stand: Stand, trial: Trial) -> tuple[float, str]:
    """Wait until all parts are well by themselves; the most seconds it took, of whom and after what."""
    began, seconds = monotonic(), dict[str, float]()
    for name in stand.parts:
        wait_for(lambda name=name: stand.is_ready(name), f"{name} to be well after {trial}")
        seconds[name] = round(monotonic() - began, 1)
    last = max(seconds, key=lambda name: seconds[name])
    return seconds[last], f"{last} after {trial.fault} on {trial.paths}"


def trials(paths: list[Path_]) -> Iterator[Trial]:
    """Each fault on each path by itself, in any order; in short: each fault once, on all paths to one thing."""
    random = Random(SEED)
    if LONG:
        for fault in FAULTS:
            for path in random.sample(paths, len(paths)):
                yield Trial(fault, [path], reddened(fault, path))
        return
    for to in sorted({to for _, to in paths if to not in SERVICES}):
        some = [path for path in paths if path[1] == to]
        yield Trial("half-open", some, sorted({kind for path in some for kind in reddened("half-open", path)}))
    yield Trial(random.choice(("slow", "drip", "torn")), paths, [])


def reddened(fault: Fault, path: Path_) -> list[str]:
    """The kinds of parts that can't work then. The API answers without the log; only commands wait."""
    kind = path[0]
    return [kind] if fault in GONE and kind in SERVICES and path != ("api", "broker") else []


@contextmanager
def networked(folder: Path, log: Log) -> Iterator[tuple[Stand, dict[Path_, Proxy]]]:
    """A deployment with a proxy on each path: from each part to each store, and from clients to both services."""
    stand = Stand(folder, log, analyser=True)
    to = {("client", name): stand.ports[name] for name in ("ingest", "api")}
    for kind in SERVICES:
        to[kind, "postgres"] = stand.ports["postgres"]
        if log == "kafka" and kind in LISTENERS:
            to[kind, "broker"] = stand.ports[f"broker.{kind}"]
    with ExitStack() as stack:
        proxies = {path: stack.enter_context(Proxy(free_port(), port, SEED)) for path, port in to.items()}
        stand.reach = {path: proxy.port for path, proxy in proxies.items()}
        yield stack.enter_context(stand), proxies
