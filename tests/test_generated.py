"""The generated contract: it is what the code says now, and it judges events as the code does."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from schemas import generate
from services import eventlog, openapi
from tests.builders import document
from tests.examples import EXAMPLES

WRITERS = {
    "event.schema.json": generate.main,
    "asyncapi.json": generate.main,
    "openapi.ingest.json": openapi.main,
    "openapi.api.json": openapi.main,
}


@pytest.fixture(scope="module")
def schema() -> Draft202012Validator:
    Draft202012Validator.check_schema(generate.event_schema())
    return Draft202012Validator(generate.event_schema())


@pytest.mark.parametrize("name", list(WRITERS))
def test_generated_files_are_not_stale(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path)
    fresh = json.loads((tmp_path / name).read_bytes())
    assert json.loads((generate.FOLDER / name).read_bytes()) == fresh, "run `make schemas`"


def test_nothing_else_lies_among_the_generated_files() -> None:
    assert {path.name for path in generate.FOLDER.iterdir()} == WRITERS.keys()


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_every_example_satisfies_the_json_schema(name: str, schema: Draft202012Validator) -> None:
    schema.validate(EXAMPLES[name])


@pytest.mark.parametrize(
    "changes",
    [
        {"time": None},
        {"specversion": "0.3"},
        {"channel": "E-Mail"},
        {"direction": "sideways"},
        {"identifiers": [{"type": "email", "value": "mari@example.com"}]},
        {"data": {"automatic": "perhaps"}},
        {"data": {"references": [{"type": "order"}]}},
        {"type": "search.made"},
    ],
)
def test_the_json_schema_refuses_what_is_wrong(changes: dict[str, Any], schema: Draft202012Validator) -> None:
    assert schema.is_valid(document())
    assert not schema.is_valid(document(**changes))


def test_the_described_topics_are_those_of_the_event_log() -> None:
    channels = generate.asyncapi()["channels"].values()
    assert {channel["address"] for channel in channels} == {eventlog.EVENTS, eventlog.DEAD}
