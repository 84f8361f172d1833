"""More than can be taken, or nowhere to put it: what is accepted is durable, the rest is told so, memory is bounded."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event as Flag
from time import monotonic

import orjson
import pytest

from schemas.codec import encode
from services.eventlog import LARGEST, Draft
from services.eventlog.opening import open_appender
from services.settings import Settings
from tests.builders import event
from tests.e2e.stacks import open_folder, wait_for
from tests.faults.flood import Answers, Flood
from tests.faults.load import Try
from tests.faults.stand import LONG, Log, Stand
from tests.faults.truth import drained, whole_log
from tests.faults.witness import Witness

MOST_MEMORY = 512  # MB of any process of ours
SECONDS = 60 if LONG else 10  # of overload
AWAY = 60 if LONG else 8  # seconds for which the log is away
BACK = 10.0  # seconds after which all is as before
IN_A_ROW = 30  # good answers that show it
LARGE = 250 if LONG else 30  # events of the largest size
SOON = 0.5  # seconds for an answer, beyond what it took before

pytestmark = [
    pytest.mark.skipif(not LONG, reason="its load needs the machine for itself: `make faults`"),
    pytest.mark.timeout(600),  # millions of events are accepted, and read again
]


class Flooded:
    """A deployment with a flood to pour on it, and a client that sees how long an answer takes."""

    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        key = stand.key()
        self.flood = Flood(stand.ingest, key)
        self.witness = Witness(f"{stand.ingest}/v1/events", stand.key("witness"), posts=True)

    def calm(self) -> float:
        """Seconds until an answer at most, without a flood."""
        began = monotonic()
        wait_for(lambda: len(self._since(began)) >= 3 * IN_A_ROW, "the witness")
        return max(one.seconds for one in self._since(began))

    def is_as_before(self, since: float, calm: float) -> None:
        """Wait until answers come as they did before."""

        def good() -> bool:
            last = self._since(since)[-IN_A_ROW:]
            return len(last) == IN_A_ROW and all(one.status == 200 and one.seconds < calm + SOON for one in last)

        # those in a row take their time, too
        wait_for(good, f"answers as soon as before ({calm:.2f} s)", BACK + IN_A_ROW * (0.05 + calm))
        print(f"as before after {monotonic() - since:.1f} s")

    def kept_its_word(self, answers: Answers) -> None:
        """Nothing but 200, and 503 with Retry-After; what was accepted is in the log; memory is bounded."""
        peaks = {name: round(self.stand[name].peak) for name in self.stand.names("ingest", "api", "worker")}
        print(f"{answers}; MB: {peaks}")
        assert answers.statuses.keys() <= {200, 503}, (answers.statuses, answers.odd[:3])
        assert not answers.odd, answers.odd[:3]
        assert max(peaks.values()) < MOST_MEMORY, peaks
        lines = (
            line for batch in whole_log(self.stand) for record in batch.records for line in record.value.split(b"\n")
        )
        stored = {orjson.loads(line)["id"] for line in lines}
        assert answers.accepted <= stored, f"{len(answers.accepted - stored)} lost"

    def _since(self, moment: float) -> list[Try]:
        return [one for one in list(self.witness.tries) if one.at >= moment]


@pytest.fixture(scope="module", params=["postgres", "kafka"])
def flooded(request: pytest.FixtureRequest) -> Iterator[Flooded]:
    """Each of the logs in turn."""
    kind: Log = request.param
    with open_folder() as folder:
        stand = Stand(folder, kind, workers=1)
        stand.broker_settings += "log.segment.bytes=16777216\n"  # the last word on it; room for the largest record
        with stand:
            scene = Flooded(stand)
            with scene.witness:
                yield scene


def test_twice_of_what_can_be_sustained(flooded: Flooded) -> None:
    calm, rate = flooded.calm(), flooded.flood.sustainable(SECONDS / 3)
    answers = flooded.flood.pour(SECONDS, 2 * rate)
    ended = monotonic()
    print(f"{flooded.stand.log_kind}: {rate:.0f} requests/s sustained")
    flooded.is_as_before(ended, calm)
    flooded.kept_its_word(answers)


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_the_log_is_away(how: str, flooded: Flooded) -> None:
    stand, calm = flooded.stand, flooded.calm()
    name = "postgres" if stand.log_kind == "postgres" else "broker"
    with ThreadPoolExecutor(1) as threads:
        pouring = threads.submit(flooded.flood.pour, AWAY + 4, 100)
        Flag().wait(2)  # of the flood, in which the log is there
        stand.kill(name) if how == "killed" else stand[name].signal_all(signal.SIGSTOP)
        Flag().wait(AWAY)
        if how == "killed":
            stand.mend([name])
        else:
            stand[name].signal_all(signal.SIGCONT)
        back = monotonic()
        answers = pouring.result()
    print(f"{stand.log_kind} {how}")
    assert answers.statuses[503] > AWAY * 100 / 2, answers
    flooded.is_as_before(max(back, monotonic()), calm)
    flooded.kept_its_word(answers)


def test_records_of_the_largest_size_take_little_memory(flooded: Flooded) -> None:
    stand, text = flooded.stand, "Where is my parcel? " * (LARGEST // 21)
    ids = [f"large{number}" for number in range(LARGE)]
    stand.kill("worker-0")
    with closing(open_appender(Settings(log=stand.log, append_timeout=30), stand.database)) as appender:
        for id in ids:
            appender.append([Draft(id, encode(event(f"account:{id}", source="large", id=id, text=text)))])
    stand.mend(["worker-0"])
    drained(stand, 300)
    print(f"{stand.log_kind}: {LARGE} events of {len(text)} bytes; worker at most {stand['worker-0'].peak:.0f} MB")
    assert stand["worker-0"].peak < MOST_MEMORY
