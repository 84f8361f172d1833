"""What labelled data look like, and their rows; what is not of that form is told by file, line and field."""

import gzip
import json
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Strict, ValidationError

from schemas.event import Role


class Unreadable(ValueError):
    """A file that can't be measured, with the reason."""


class Gold(BaseModel):
    """What is so of a contact: its kind, what it is about and which earlier ones it repeats."""

    kind: str
    issue: str
    repeat_of: list[Any]


class Contact(BaseModel):
    """An event of a customer; nothing is so of what we said ourselves."""

    event_id: str
    ts: Annotated[datetime, Strict()]  # as text
    channel: str
    direction: Literal["in", "out"]
    role: Role
    text: str | None
    gold: Gold | None


class Timeline(BaseModel):
    """A customer."""

    customer: str
    events: list[Contact]


class Pair(BaseModel):
    """Two texts, and whether they tell the same (`y`). `lang`: `en`, or `en-et` for one of each. What each is about
    may stand beside (`la`, `lb`): groups and training need it."""

    a: str
    b: str
    y: int
    kind: str
    track: str
    lang: str


class Appearance(BaseModel):
    """An event of a stream with the person behind it."""

    t: float
    channel: str
    ids: dict[str, Any]
    person: Any
    event_id: str


def rows(path: Path, form: type[BaseModel]) -> Iterator[dict[str, Any]]:
    """The rows of a JSONL file (plain or .gz) as they are, fields beside the form's too.

    Raises Unreadable at the first that is not of the form, and where there is none at all.
    """
    check, found = form.model_validate_json, False
    for number, line in enumerate(_lines(path), 1):
        if line.strip():
            try:
                check(line)
            except ValidationError as error:
                raise Unreadable(f"{path}, line {number}: {_first(error)}") from error
            yield json.loads(line)
            found = True
    if not found:
        raise Unreadable(f"{path} is empty")


def _lines(path: Path) -> Iterator[str]:
    try:
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as opened:
            yield from opened
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise Unreadable(f"{path}: {error}") from error


def _first(error: ValidationError) -> str:
    told = error.errors()[0]
    return ": ".join(filter(None, (".".join(map(str, told["loc"])), told["msg"])))
