import json
from typing import Any

import pytest

from schemas.codec import Malformed
from services.ingest.documents import parse, shallow, split

ONE, TWO = {"id": "1"}, {"id": "2", "text": "Ačiū!"}
LINES = json.dumps(ONE) + "\r\n" + json.dumps(TWO, ensure_ascii=False) + "\n\n"


def _codes(found: list[Any]) -> list[Any]:
    return [item.code if isinstance(item, Malformed) else item for item in found]


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded", ""])
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (json.dumps(ONE), [ONE]),
        (json.dumps([ONE, TWO]), [ONE, TWO]),
        (json.dumps([ONE, TWO], indent=2), [ONE, TWO]),
        ("[]", []),
        (LINES, [ONE, TWO]),
    ],
)
def test_one_event_an_array_and_lines_are_known_by_themselves(
    body: str, expected: list[Any], content_type: str
) -> None:
    assert split(body.encode(), content_type) == expected


@pytest.mark.parametrize("content_type", ["application/x-ndjson", "Application/X-NDJSON; charset=utf-8"])
def test_one_line_is_lines_too(content_type: str) -> None:
    assert split(b'{"id": "1"}', content_type) == [ONE]


def test_a_line_that_is_no_json_does_not_spoil_the_others() -> None:
    assert _codes(split(b'{"id": "1"}\n{"id": \n{"id": "1"}', "")) == [ONE, "not_json", ONE]


def test_a_broken_document_over_several_lines_is_not_taken_for_lines() -> None:
    with pytest.raises(Malformed) as refusal:
        split(json.dumps(ONE, indent=2).encode()[:-1], "application/json")
    assert refusal.value.code == "not_json"


@pytest.mark.parametrize("body", [b"", b"hello", b'{"a": 1,}', b"{'a': 1}", b'{"a": NaN}', b'{"a": "\xff"}', b"a=1"])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed) as refusal:
        parse(body)
    assert refusal.value.code == "not_json"


def test_the_refusal_says_where_the_json_breaks() -> None:
    with pytest.raises(Malformed, match="line 2 column 7"):
        parse(b'{"a": 1,\n "b": x}')


def test_a_byte_order_mark_is_passed_over() -> None:
    assert parse(b'\xef\xbb\xbf{"id": "1"}') == ONE


def test_half_a_surrogate_pair_does_not_cost_the_batch() -> None:
    found = parse(b'[{"text": "cut \\ud83d"}, {"id": "1"}]')
    assert found == [{"text": "cut \ud83d"}, ONE]


@pytest.mark.parametrize("body", [b'["\\ud83d", NaN]', b'["\\ud83d", 1'])
def test_half_a_surrogate_pair_excuses_nothing_else(body: bytes) -> None:
    with pytest.raises(Malformed) as refusal:
        parse(body)
    assert refusal.value.code == "not_json"


@pytest.mark.parametrize("inner", [b"1", b'"\\ud83d"'])
def test_json_beyond_the_parsers_own_depth_is_refused_as_too_deep(inner: bytes) -> None:
    with pytest.raises(Malformed) as refusal:
        parse(b"[" * 100_000 + inner + b"]" * 100_000)
    assert refusal.value.code == "nested_too_deep"


def _nested(levels: int) -> Any:
    document: Any = {"leaf": 1}
    for level in range(levels - 1):
        document = [document] if level % 2 else {"inner": document, "other": "text"}
    return document


def test_a_document_may_nest_as_deep_as_the_limit_and_no_deeper() -> None:
    assert shallow(_nested(4), 4) == _nested(4)
    assert _codes([shallow(_nested(5), 4)]) == ["nested_too_deep"]
    assert shallow("text", 0) == "text"
