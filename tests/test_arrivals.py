"""What follows from one event alone."""

from datetime import timedelta

import orjson

from schemas.codec import decode, encode
from services.identifiers import Rules
from services.timeline.arrivals import arrival
from tests.builders import at, event

RULES = Rules()


def test_a_line_that_ingest_wrote_is_kept_as_it_is() -> None:
    line = encode(event(received_at=at(1)))
    assert arrival(decode(line), RULES, b"secret", line).body is line


def test_a_line_that_somebody_else_appended_is_written_anew() -> None:
    one = event()
    line = orjson.dumps(orjson.loads(encode(one)), option=orjson.OPT_INDENT_2)
    assert arrival(decode(line), RULES, b"secret", line).body == encode(one)


def test_a_line_with_a_character_that_no_store_holds_is_written_anew() -> None:
    line = encode(event(received_at=at(1), text="a!")).replace(b"a!", b"a\\u0000")
    assert b"\\u0000" not in arrival(decode(line), RULES, b"secret", line).body


def test_two_deliveries_differ_by_content_but_not_by_when_they_were_sent_and_received() -> None:
    first = event(received_at=at(1), data={"time": "noon", "recordedtime": "noon"})
    again = first.model_copy(update={"occurred_at": first.occurred_at + timedelta(1), "received_at": at(2)})
    other = first.model_copy(update={"data": {"time": "midnight", "recordedtime": "noon"}})
    digests = [arrival(one, RULES, b"secret").digest for one in (first, again, other)]
    assert digests[0] == digests[1] != digests[2]
