"""Files to import, as the items they hold: events in JSON lines, mails in an mbox, in a maildir or one a file."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from services.errors import Invalid, NotFound

# A line that begins a mail; others that begin with "From " stand in somebody's sentence.
POSTMARK = re.compile(rb"From \S.*\d:\d\d")


class Format(StrEnum):
    """How a file or folder holds its items."""

    jsonl = "jsonl"
    mbox = "mbox"
    maildir = "maildir"
    eml = "eml"


class Item(NamedTuple):
    """One item: where it is, in words; its bytes; when its file was last written."""

    where: str
    raw: bytes
    written_at: datetime


def detect(path: Path) -> Format:
    """The format of a file or folder by its name and first bytes. Raises NotFound, Invalid."""
    with _legible():
        if path.is_dir():
            return Format.maildir if (path / "cur").is_dir() or (path / "new").is_dir() else Format.eml
        if path.suffix.lower() in (".eml", ".mbox", ".jsonl"):
            return Format(path.suffix.lower()[1:])
        with path.open("rb") as file:
            start = file.read(4096).lstrip()
    if start.startswith(b"From "):
        return Format.mbox
    if start.startswith(b"{"):
        return Format.jsonl
    if re.match(rb"[A-Za-z-]+:[^\n]*\n", start):
        return Format.eml
    raise Invalid(
        f"{path} holds neither events, one JSON object a line, nor mails.",
        code="unknown_format",
        hint="Say what it is by --format; an array of events is made into lines by `jq -c '.[]'`.",
    )


def items(path: Path, format: Format) -> Iterator[Item]:
    """The items of a file or folder, always in the same order. Raises NotFound, Invalid."""
    with _legible():
        if path.is_dir():
            for file in _mails(path, format):
                yield Item(str(file.relative_to(path)), file.read_bytes(), _written_at(file))
        elif format is Format.eml:
            yield Item(path.name, path.read_bytes(), _written_at(path))
        else:
            with path.open("rb") as lines:
                yield from read(lines, format, _written_at(path))


def read(lines: Iterable[bytes], format: Format, written_at: datetime) -> Iterator[Item]:
    """The items of an open file. Raises Invalid for an mbox that is none."""
    if format is Format.jsonl:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield Item(f"line {number}", line.removeprefix(b"\xef\xbb\xbf").strip(), written_at)
    elif format is Format.mbox:
        for number, mail in enumerate(_mbox(lines), 1):
            yield Item(f"mail {number}", mail, written_at)
    else:
        yield Item("the mail", b"".join(lines), written_at)


@contextmanager
def _legible() -> Iterator[None]:
    """What the system says of a file that it does not give, as errors of ours."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound(f"There is no {error.filename}.", code="no_such_file", hint="Check the path.") from None
    except OSError as error:
        hint = "Check the path, and that this account may read it."
        raise Invalid(f"{error.filename} can't be read: {error.strerror}.", code="unreadable", hint=hint) from None


def _mails(folder: Path, format: Format) -> list[Path]:
    if format is Format.maildir:
        return sorted(file for part in ("cur", "new") for file in (folder / part).glob("[!.]*"))
    return sorted(file for file in folder.rglob("*") if file.suffix.lower() == ".eml")


def _mbox(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The mails of an mbox (RFC 4155), quoted `>From` lines restored."""
    mail: list[bytes] | None = None
    after_blank = True
    for line in lines:
        if after_blank and POSTMARK.match(line):
            if mail is not None:
                yield b"".join(mail)
            mail = []
        elif mail is not None:
            mail.append(line[1:] if re.match(rb">+From ", line) else line)
        elif line.strip():
            hint = "Say what it is by --format."
            raise Invalid("It is no mbox: its first line does not begin a mail.", code="no_mbox", hint=hint)
        after_blank = not line.strip()
    if mail is not None:
        yield b"".join(mail)


def _written_at(file: Path) -> datetime:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)
