"""Events on the wire: what is read, what is refused and why, and that nothing changes on the way."""

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from schemas.codec import Malformed, Unreadable, decode, encode, from_wire, to_wire
from schemas.event import Author, Direction, Event, Role
from tests.builders import at, document, event
from tests.examples import EXAMPLES

WRONG = [{"time": None}, {"source": None}, {"type": "search.made"}, {"type": "customer.merged", "data": {"left": 1}}]


def read(**changes: Any) -> Event:
    return from_wire(document(**changes), source="shop")


def refusal(**changes: Any) -> Malformed:
    with pytest.raises(Malformed) as refused:
        read(**changes)
    return refused.value


def test_plain_json_and_cloudevents_say_the_same() -> None:
    ours = {
        "author": {"role": "customer", "name": "Mari"}, "text": "Tere!", "language": "et",
        "identifiers": [{"type": "email", "value": "mari@example.com", "verification": "verified"}],
        "references": [{"type": "order", "value": "48213"}],
    }  # fmt: skip
    common = {"id": "1", "type": "message.received", "channel": "email", "conversation": "m1"}
    strict = {"specversion": "1.0", "source": "shop", "time": "2026-05-04T09:00:00Z", "data": {**ours, "subject": "Hi"}}
    plain = {"occurred_at": "2026-05-04T12:00:00+03:00", "data": {"subject": "Hi"}, **ours}
    assert from_wire({**common, **strict}, source="shop") == from_wire({**common, **plain}, source="shop")


def test_a_type_says_channel_and_direction_where_the_event_does_not() -> None:
    call = read(type="call.held", channel=None, data={})
    assert (call.channel, call.direction) == ("phone", Direction.internal)
    other = from_wire(document(type="com.example.x", channel=None), source="shop", channel="chat")
    assert (other.channel, other.direction) == ("chat", Direction.inbound)
    assert read(type="com.example.x", channel="").channel == "other"


@pytest.mark.parametrize(("speaker", "way"), [("customer", "inbound"), ("agent", "outbound"), ("bot", "outbound")])
def test_a_turn_of_a_call_goes_the_way_of_who_speaks(speaker: str, way: str) -> None:
    assert read(type="call.turn", data={"speaker": speaker}).direction == way
    assert read(type="call.turn", direction="internal", data={"speaker": speaker}).direction == "internal"


@pytest.mark.parametrize(
    ("own", "kept"),
    [
        *((own, "shop") for own in (None, "", "shop", "/")),
        *((own, "shop/checkout") for own in ("shop/checkout", "/shop/checkout", "/checkout")),
        ("https://example.com/a", "shop/example.com/a"),
        ("urn:example:a", "shop/example:a"),
        *((own, f"shop/{own}") for own in ("crm", "tellonce", "shopping")),
    ],
)
def test_no_source_can_speak_for_another(own: str | None, kept: str) -> None:
    event = read(source=own)
    assert event.source == kept
    assert event.system == "shop"


def test_an_import_of_own_exports_keeps_the_source() -> None:
    assert from_wire(document(source="crm/a"), source="").source == "crm/a"
    with pytest.raises(Malformed, match='"source" is missing'):
        from_wire(document(source=None), source="")


def test_received_at_is_what_ingest_says_or_else_what_is_written() -> None:
    written = document(recordedtime="2026-05-04T09:05:00Z")
    assert from_wire(written, source="shop").received_at == at(5)
    assert from_wire(written, source="shop", received_at=at(7)).received_at == at(7)
    assert read(received_at="2026-05-04T09:05:00Z").received_at == at(5)
    assert read().received_at is None


@pytest.mark.parametrize("time", [
    "2026-05-04T12:00:00+03:00", "2026-05-04t09:00:00z", "2026-05-04 09:00:00+00:00", "2026-05-04T09:00:00.000000999Z",
    "20260504T090000Z",
])  # fmt: skip
def test_times_are_read_as_people_write_them(time: str) -> None:
    assert read(time=time).occurred_at == at(0)


def test_years_far_off_are_kept() -> None:
    assert read(time="0999-12-31T00:00:00Z").occurred_at.year == 999
    assert read(time="9999-12-31T00:00:00Z").occurred_at.year == 9999


@pytest.mark.parametrize(
    ("changes", "code", "word"),
    [
        ({"id": None}, "missing_id", '"id"'),
        ({"id": " "}, "missing_id", '"id"'),
        ({"id": 17}, "invalid_field", '"id"'),
        ({"id": "x" * 513}, "invalid_field", '"id"'),
        ({"type": None}, "missing_type", "message.received"),
        ({"type": "spaces in it"}, "invalid_field", '"type"'),
        ({"type": ["a"]}, "invalid_field", '"type"'),
        ({"time": None}, "missing_time", "+03:00"),
        ({"time": "2026-05-04T09:00:00"}, "time_without_zone", "+03:00"),
        ({"time": "2026-05-04"}, "time_without_zone", "+03:00"),
        ({"time": "yesterday"}, "invalid_time", "yesterday"),
        ({"time": 1777885200}, "invalid_time", "1777885200"),
        ({"time": "0001-01-01T00:00:00+03:00"}, "invalid_time", "0001"),
        ({"time": "2026-05-04T09:00:00+99:00"}, "invalid_time", "+99"),
        ({"recordedtime": "later"}, "invalid_recordedtime", "leave it out"),
        ({"specversion": "0.3"}, "unsupported_specversion", "1.0"),
        ({"specversion": 1.0}, "unsupported_specversion", "1.0"),
        ({"channel": "E-mail"}, "invalid_field", "lower case"),
        ({"direction": "sideways"}, "invalid_field", "outbound"),
        ({"language": "Estonian!"}, "invalid_field", "et, lt"),
        ({"text": 5, "data": {}}, "invalid_field", '"text"'),
        ({"author": "Mari"}, "invalid_field", '"author"'),
        ({"author": {"rôle": "agent"}}, "invalid_field", '"author.rôle"'),
        ({"identifiers": "mari@example.com", "data": {}}, "invalid_field", '"identifiers"'),
        ({"data": {"identifiers": [{"type": "x", "value": "a", "sure": 1}]}}, "invalid_field", "identifiers.0.sure"),
        ({"identifiers": [{"type": "x", "value": str(n)} for n in range(51)], "data": {}}, "invalid_field", "50"),
        ({"text": "one", "data": {"text": "another"}}, "given_twice", '"text"'),
        ({"occurred_at": "2026-05-04T09:00:01Z"}, "given_twice", '"occurred_at"'),
        ({"data_base64": "aGk="}, "given_twice", '"data_base64"'),
        ({"userId": "u1"}, "unknown_field", '"userId"'),
        ({"price": 1.5}, "unknown_field", '"price"'),
        ({"basket": {"items": 3}}, "unknown_field", 'go into "data"'),
        ({"identifers": []}, "unknown_field", 'did you mean "identifiers"?'),
        ({"specversion": None, "chanel": "web"}, "unknown_field", 'did you mean "channel"?'),
        ({"data": {"big": 2**64}}, "invalid_value", "data.big"),
        ({"data": {"small": -(2**63) - 1}}, "invalid_value", "data.small"),
        ({"data": {"deep": {"no": float("nan")}, "nul": "\0"}}, "invalid_value", "data.deep.no"),
        ({"data": {"of": {"no": b"JSON"}}}, "invalid_value", "data.of.no"),
    ],
)
def test_a_refusal_says_which_field_and_what_to_write(changes: dict[str, Any], code: str, word: str) -> None:
    refused = refusal(**changes)
    assert refused.code == code
    assert word in refused.message


def test_what_is_no_object_is_refused() -> None:
    for wrong in (None, 1, "text", ["id"]):
        with pytest.raises(Malformed, check=lambda refused: refused.code == "not_an_object"):
            from_wire(wrong, source="shop")  # type: ignore[arg-type]


def test_what_nests_deeper_than_any_store_takes_is_refused() -> None:
    nested: list[Any] = []
    for _ in range(300):
        nested = [nested]
    assert "deeper" in refusal(data={"nested": nested}).message
    wide = {"wide": [{"n": [n]} for n in range(200)]}
    assert read(type="com.example.x", data=wide).data == wide


def test_attributes_of_others_are_kept_and_null_is_absent() -> None:
    others = {"subject": "Order", "comexampleflag": True, "comexamplenumber": 5, "chanel": "strict"}
    assert read(**others, unset=None, conversation=None).extensions == others
    assert read(specversion=None, resource="shop 7").extensions == {"resource": "shop 7"}


def test_identifiers_without_a_value_are_left_out() -> None:
    blank = [{"type": "email", "value": ""}, {"type": "phone", "value": None}, {"type": "device"}]
    known = {"type": "account", "value": "C1"}
    assert [one.type for one in read(data={"identifiers": [*blank, known]}).identifiers] == ["account"]


def test_a_type_we_do_not_know_may_mean_something_else_by_our_names() -> None:
    data = {"author": "Mari", "text": {"et": "Tere"}, "language": "et", "identifiers": [1, 2], "note": 1}
    event = read(type="com.example.x", data=data)
    assert event.language == "et"
    assert event.data == {name: value for name, value in data.items() if name != "language"}
    assert (event.author, event.text, event.identifiers) == (None, None, ())
    assert from_wire(to_wire(event), source="shop") == event
    assert refusal(type="com.example.x", author="Mari").code == "invalid_field"
    assert refusal(type="note.written", data={"author": "Mari"}).code == "invalid_field"


@pytest.mark.parametrize(
    ("posted", "kept"),
    [
        ({"data": "Hello"}, {"content": "Hello"}),
        ({"data": [1, None]}, {"content": [1, None]}),
        ({"data": 0}, {"content": 0}),
        ({"data": "<a/>", "datacontenttype": "text/xml"}, {"content": "<a/>", "content_type": "text/xml"}),
        ({"data": None, "data_base64": "aGk="}, {"base64": "aGk="}),
        ({"data": None, "data_base64": "aGk=", "datacontenttype": "a/b"}, {"base64": "aGk=", "content_type": "a/b"}),
        ({"data": None}, {}),
    ],
)
def test_data_that_is_no_object_is_kept_in_one(posted: dict[str, Any], kept: dict[str, Any]) -> None:
    event = read(type="com.example.x", **posted)
    assert event.data == kept
    assert to_wire(event)["datacontenttype"] == "application/json"


def test_a_dialect_of_json_stays_the_content_type() -> None:
    event = read(datacontenttype="application/geo+json", specversion=None)
    assert to_wire(event)["datacontenttype"] == "application/geo+json"
    assert from_wire(to_wire(event), source="shop") == event


@pytest.mark.parametrize("bad", [f"a{chr(code)}b" for code in (0, 0xD83D, 0xDC00)])
def test_characters_that_no_store_holds_are_replaced_and_it_says_so(bad: str) -> None:
    event = read(conversation=bad, type="com.example.x", data={"text": bad, bad: [{"deep": (bad,)}]})
    assert (event.conversation, event.text) == ("a\ufffdb", "a\ufffdb")
    assert event.data == {"a\ufffdb": [{"deep": ["a\ufffdb"]}]}
    assert event.extensions == {"sanitised": True}
    assert decode(encode(event)) == event


def test_a_text_that_only_speaks_of_such_characters_is_left_alone() -> None:
    event = read(data={"text": r"NUL is written \u0000 in JSON"})
    assert (event.text, event.extensions) == (r"NUL is written \u0000 in JSON", {})
    assert decode(encode(event)) == event


def test_equal_events_are_equal_bytes_whatever_the_order_of_their_fields() -> None:
    posted = document(data={"b": 1, "a": {"d": 1, "c": 2}}, subject="s")
    turned = json.loads(json.dumps(posted), object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    assert list(posted) != list(turned)
    assert encode(from_wire(posted, source="shop")) == encode(from_wire(turned, source="shop"))


def test_an_event_is_one_line_whatever_its_text() -> None:
    one = event(text="zwei\nZeilen")
    assert b"\n" not in encode(one)
    assert decode(encode(one)) == one


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        *((value, "not_json") for value in (b"", b"\xff\xfe", b"{" * 3000, encode(event())[:-1])),
        *((value, "not_an_event") for value in (b"[]", b'"text"')),
        (b'{"specversion":"1.0","data":' + b"[" * 900 + b"]" * 900 + b"}", "not_an_event"),
        *((orjson.dumps(document(**changes)), "not_an_event") for changes in WRONG),
        *((orjson.dumps(document(specversion=version)), "unknown_version") for version in (None, "2.0")),
    ],
)
def test_a_line_that_holds_no_event_is_unreadable_for_a_reason(value: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as unreadable:
        decode(value)
    assert unreadable.value.reason == reason
    assert unreadable.value.detail


def test_a_nul_that_came_past_ingest_is_replaced_when_it_is_read() -> None:
    event = decode(orjson.dumps(document(data={"text": "a\0b"})))
    assert (event.text, event.extensions) == ("a\ufffdb", {"sanitised": True})


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_a_cloudevents_client_reads_what_we_write(name: str) -> None:
    event = from_wire(EXAMPLES[name], source="")
    read = JSONFormat().read(CloudEvent, encode(event))
    assert (read.get_id(), read.get_source(), read.get_type()) == (event.id, event.source, event.type)
    assert read.get_time() == event.occurred_at
    assert read.get_data() == to_wire(event)["data"]


def test_the_samples_of_the_specification_are_read_or_refused_with_a_reason(shared: Path) -> None:
    folder = shared / "fixtures" / "web" / "cloudevents"
    binary, infos = "B234-1234-1234 base64 content_type", "C234-1234-1234 appinfoA appinfoB appinfoC"
    assert [_verdict(path) for path in sorted(folder.glob("json-format.*.json"))] == [
        ["twilio/mycontext A234-1234-1234 base64 content_type"],
        ["twilio/mycontext B234-1234-1234 content content_type"],
        [f"twilio/mycontext {infos}"],
        ["twilio/mycontext C234-1234-1234 content"],
        ["twilio/mycontext D234-1234-1234 content"],
        ["missing_time"],
        [f"twilio/mycontext/4 {binary}", f"twilio/mycontext/9 {infos}"],
        [],
    ]


def _verdict(path: Path) -> list[str]:
    posted = json.loads(path.read_text("utf-8"))
    return [_outcome(one) for one in (posted if isinstance(posted, list) else [posted])]


def _outcome(posted: dict[str, Any]) -> str:
    try:
        event = from_wire(posted, source="twilio")
    except Malformed as refused:
        return refused.code
    assert decode(encode(event)) == event
    return " ".join((event.source, event.id, *event.data))


def test_an_author_is_the_customer_unless_it_says_otherwise() -> None:
    assert read(author={"name": "Mari"}).author == Author(role=Role.customer, name="Mari")
    assert read(author={"role": "bot"}).author == Author(role=Role.bot)
