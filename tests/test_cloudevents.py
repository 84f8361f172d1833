import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.codec import Malformed
from services.ingest.cloudevents import translate

ATTRIBUTES = {"specversion": "1.0", "id": "e-1", "source": "/chat/web", "type": "ee.example.chat.message"}
BINARY = {"ce-" + name: value for name, value in ATTRIBUTES.items()}


def _one(headers: dict[str, str], body: bytes = b"") -> Any:
    [document] = translate(headers, body, depth=32)
    return document


def _scenarios(feature: str) -> Iterator[tuple[dict[str, str], bytes, dict[str, str], Any]]:
    """Headers, body, attributes and data of each example in the conformance tests' HTTP feature."""
    for scenario in feature.split("Scenario Outline:")[1:]:
        texts = [re.sub(r"(?m)^ {8}", "", text).strip() for text in re.findall(r'"""(.*?)"""', scenario, re.S)]
        table, examples = scenario.split("Examples:")[0], scenario.split("Examples:")[1]
        for content_type in re.findall(r"\|\s*(application/[^|]+?)\s*\|", examples):
            request, data = (text.replace("<contentType>", content_type) for text in texts)
            head, _, body = request.partition("\n\n")
            headers = dict(line.split(": ", 1) for line in head.split("\n")[1:])
            rows = re.findall(r"\|\s*(\w+)\s*\|\s*(.+?)\s*\|", table.split("the attributes are:")[1])
            attributes = {name: value.replace("<contentType>", content_type) for name, value in rows[1:]}
            yield {name.lower(): value for name, value in headers.items()}, body.encode(), attributes, json.loads(data)


def test_the_conformance_tests_of_the_http_binding_pass(shared: Path) -> None:
    feature = (shared / "fixtures/web/cloudevents/http-protocol-binding.feature").read_text()
    scenarios = list(_scenarios(feature))
    assert len(scenarios) == 4
    for headers, body, attributes, data in scenarios:
        assert _one(headers, body) == attributes | {"data": data}


def test_what_the_python_client_sends_in_both_modes_is_the_same_event(shared: Path) -> None:
    lines = (shared / "fixtures/web/cloudevents/recorded/ce_py.jsonl").read_text().splitlines()
    posted = [json.loads(line) for line in lines]
    structured, binary = (
        _one({name.lower(): value for name, value in one["headers"]}, one["body"].encode()) for one in posted
    )
    assert structured == binary
    assert structured["data"] == {"text": "Tere! õäöü"}


def test_a_batch_is_its_events() -> None:
    headers = {"content-type": "application/cloudevents-batch+json; charset=utf-8"}
    assert list(translate(headers, b'[{"id": "1"}, {"id": "2"}]', 32)) == [{"id": "1"}, {"id": "2"}]
    assert list(translate(headers, b"[]", 32)) == []


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [
        ("application/cloudevents-batch+json", b'{"id": "1"}', "not_a_batch"),
        ("application/cloudevents+avro", b"Obj", "unsupported_format"),
        ("application/cloudevents", b"{}", "unsupported_format"),
        ("application/cloudevents+json", b"{", "not_json"),
    ],
)
def test_what_is_not_structured_as_it_says_is_refused(content_type: str, body: bytes, code: str) -> None:
    with pytest.raises(Malformed) as refusal:
        _one({"content-type": content_type}, body)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("content_type", "body", "data"),
    [
        ("application/json", b'{"a": 1}', {"data": {"a": 1}}),
        ("application/vnd.shop+json", b"[1]", {"data": [1]}),
        ("text/json", b'"a"', {"data": "a"}),
        ("text/plain", "Tere õhtust".encode(), {"data": "Tere õhtust"}),
        ("application/xml", b"<a/>", {"data": "<a/>"}),
        ("image/png", b"\x89PNG", {"data_base64": base64.b64encode(b"\x89PNG").decode()}),
        ("application/json", b"", {}),
    ],
)
def test_binary_data_is_kept_by_its_content_type(content_type: str, body: bytes, data: dict[str, Any]) -> None:
    expected = ATTRIBUTES | {"datacontenttype": content_type} | data
    assert _one(BINARY | {"content-type": content_type}, body) == expected


def test_binary_data_without_a_content_type_is_json() -> None:
    assert _one(BINARY, b'{"a": 1}') == ATTRIBUTES | {"data": {"a": 1}}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        ("100%25", "100%"),
        ("%2541", "%41"),
        ('"in quotes"', "in quotes"),
        (r'"say \"hi\" \\ %C3%B5"', 'say "hi" \\ õ'),
        ('"', '"'),
        ("Õ".encode().decode("latin-1"), "Õ"),
    ],
)
def test_a_header_is_unquoted_and_then_percent_decoded_once(written: str, meant: str) -> None:
    assert _one(BINARY | {"ce-subject": written})["subject"] == meant


@pytest.mark.parametrize("written", ["%FF", "%C3%28", "%", "50%", "%zz", "\xff"])
def test_a_header_that_is_no_utf8_is_refused(written: str) -> None:
    with pytest.raises(Malformed) as refusal:
        _one(BINARY | {"ce-subject": written})
    assert refusal.value.code == "bad_header"
    assert "ce-subject" in refusal.value.message


def test_an_event_that_nests_too_deep_does_not_spoil_its_batch() -> None:
    found = list(translate({}, b'[{"id": "1"}, {"data": {"a": {"b": {}}}}]', depth=3))
    assert found[0] == {"id": "1"}
    assert isinstance(found[1], Malformed)
    assert found[1].code == "nested_too_deep"
