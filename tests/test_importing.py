"""Imports: nothing twice, nothing lost, and what is refused is told with its place."""

import json
import mailbox
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path

import pytest
import sqlalchemy as sa

from schemas.codec import decode, encode, to_wire
from schemas.event import Event
from services import files, importing
from services.errors import Invalid
from services.eventlog import Draft, LogUnavailable
from services.files import Format, Item
from services.identifiers import Rules
from services.importing import Import
from services.tables import log_records
from tests.builders import document, event
from tests.terminal import Terminal


def logged(engine: sa.Engine) -> list[Event]:
    with engine.connect() as conn:
        values = conn.scalars(sa.select(log_records.c.value).order_by(log_records.c.appended_at)).all()
    return [one for value in values for one in map(decode, bytes(value).split(b"\n"))]


def ids(engine: sa.Engine) -> list[str]:
    return sorted(one.id for one in logged(engine))


def lines(path: Path, *documents: object) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in documents))
    return path


def mail(id: str, words: str = "Where is it?", sender: str = "mari@example.com") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Message-ID"] = sender, "help@shop.example", f"<{id}>"
    message["Date"] = "Mon, 4 May 2026 10:00:00 +0300"
    message.set_content(words)
    return message


def test_lines_of_events_are_imported(tellonce: Terminal, engine: sa.Engine, tmp_path: Path) -> None:
    path = lines(tmp_path / "events.jsonl", document(id="one", source=None), document(id="two", source="desk"))
    ended = tellonce("import", str(path))
    assert (ended.code, ended.out) == (0, "Accepted: 2, refused: 0.\n")
    assert {one.id: one.source for one in logged(engine)} == {"one": "import", "two": "desk"}
    assert all(one.received_at for one in logged(engine))


def test_a_source_that_is_named_holds_for_all(tellonce: Terminal, engine: sa.Engine, tmp_path: Path) -> None:
    path = lines(tmp_path / "events.jsonl", document(id="one"), document(id="two", source="desk"))
    tellonce("import", str(path), "--source", "archive")
    assert {one.system for one in logged(engine)} == {"archive"}


def test_what_was_exported_comes_back_as_it_was(tellonce: Terminal, engine: sa.Engine, tmp_path: Path) -> None:
    exported = event(id="one", source="desk/mail", received_at="2026-05-04T09:00:00Z")
    tellonce("import", str(lines(tmp_path / "events.jsonl", to_wire(exported))))
    assert [encode(one) for one in logged(engine)] == [encode(exported)]


def test_standard_input_is_imported(tellonce: Terminal, engine: sa.Engine) -> None:
    typed = "".join(json.dumps(document(id=id)) + "\n" for id in ("one", "two")).encode()
    assert tellonce("import", "-", typed=typed).code == 0
    assert ids(engine) == ["one", "two"]


def test_a_mail_on_standard_input_is_imported(tellonce: Terminal, engine: sa.Engine) -> None:
    assert tellonce("import", "-", "--format", "eml", typed=mail("one@x").as_bytes()).code == 0
    assert ids(engine) == ["one@x"]


def test_the_good_go_through_where_others_are_refused(tellonce: Terminal, engine: sa.Engine, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    good, channel = json.dumps(document(id="one")), json.dumps(document(id="x", channel="pigeon"))
    path.write_text(f"{good}\n{{broken\n\n[]\n{channel}\n")
    ended = tellonce("import", str(path))
    assert ended.code == 1
    assert ended.out == "Accepted: 1, refused: 3.\n"
    told = [line.split(": ")[:2] for line in ended.err.splitlines()]
    assert told == [["line 2", "not_json"], ["line 4", "not_an_event"], ["line 5", "unknown_channel"]]
    assert ids(engine) == ["one"]


def test_a_line_too_large_for_the_log_is_refused(tellonce: Terminal, engine: sa.Engine, tmp_path: Path) -> None:
    path = lines(tmp_path / "events.jsonl", document(id="one", data={"text": "x" * 5_000_000}), document(id="two"))
    ended = tellonce("import", str(path))
    assert "line 1: record_too_large" in ended.err
    assert ids(engine) == ["two"]


def test_a_second_run_has_nothing_to_do(tellonce: Terminal, engine: sa.Engine, tmp_path: Path) -> None:
    path = lines(tmp_path / "events.jsonl", document(id="one"))
    tellonce("import", str(path))
    assert tellonce("import", str(path)).out == "Accepted: 1, refused: 0.\n"
    assert ids(engine) == ["one"]


def test_again_starts_over(tellonce: Terminal, engine: sa.Engine, tmp_path: Path) -> None:
    path = lines(tmp_path / "events.jsonl", document(id="one"))
    tellonce("import", str(path))
    tellonce("import", str(path), "--again")
    assert ids(engine) == ["one", "one"]  # which the timeline knows to be one


def test_an_import_that_was_stopped_goes_on_where_it_was(tellonce: Terminal, engine: sa.Engine, tmp_path: Path) -> None:
    path = lines(tmp_path / "events.jsonl", *(document(id=f"{number:04}") for number in range(700)))
    name, total = importing.fingerprint(files.items(path, Format.jsonl), Format.jsonl, "")
    with engine.begin() as conn:
        importing.remember(conn, name, importing.Tally(done=600, accepted=600))
    assert tellonce("import", str(path)).out == "Accepted: 700, refused: 0.\n"
    assert total == 700
    assert ids(engine) == [f"{number:04}" for number in range(600, 700)]


def test_another_content_under_the_same_name_is_another_import(
    tellonce: Terminal, engine: sa.Engine, tmp_path: Path
) -> None:
    tellonce("import", str(lines(tmp_path / "events.jsonl", document(id="one"))))
    tellonce("import", str(lines(tmp_path / "events.jsonl", document(id="two"))))
    assert ids(engine) == ["one", "two"]


def test_a_line_without_id_is_the_same_event_each_time(tellonce: Terminal, engine: sa.Engine, tmp_path: Path) -> None:
    path = lines(tmp_path / "events.jsonl", document(id=None))
    tellonce("import", str(path))
    tellonce("import", str(path), "--again")
    assert len(logged(engine)) == 2
    assert len(set(ids(engine))) == 1


def test_an_mbox_is_imported_with_all_its_mails(tellonce: Terminal, engine: sa.Engine, tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "archive")
    for message in (mail("one@x", "First.\n\nFrom me to you, 10:00 sharp\n"), mail("two@x")):
        box.add(message)
    box.close()
    assert tellonce("import", str(tmp_path / "archive")).code == 0
    texts = {one.id: one.text for one in logged(engine)}
    assert texts == {"one@x": "First.\n\nFrom me to you, 10:00 sharp", "two@x": "Where is it?"}


def test_a_sentence_that_begins_with_from_does_not_end_a_mail() -> None:
    box = b"From mari@x Mon May  4 10:00:00 2026\nA: b\n\nFrom then on\n\nFrom here too\n"
    assert list(files._mbox(box.splitlines(keepends=True))) == [b"A: b\n\nFrom then on\n\nFrom here too\n"]


def test_what_is_no_mbox_is_said_so() -> None:
    with pytest.raises(Invalid, match="no mbox"):
        list(files.read([b"Hello\n"], Format.mbox, event().occurred_at))


def test_a_maildir_is_imported(tellonce: Terminal, engine: sa.Engine, tmp_path: Path) -> None:
    folder = mailbox.Maildir(tmp_path / "Maildir")
    for id in ("one@x", "two@x"):
        folder.add(mail(id))
    seen = mailbox.MaildirMessage(mail("three@x"))
    seen.set_subdir("cur")
    folder.add(seen)
    assert tellonce("import", str(tmp_path / "Maildir")).code == 0
    assert ids(engine) == ["one@x", "three@x", "two@x"]


def test_a_folder_of_mails_and_a_single_one_are_imported(tellonce: Terminal, engine: sa.Engine, tmp_path: Path) -> None:
    (tmp_path / "mails" / "may").mkdir(parents=True)
    (tmp_path / "mails" / "one.eml").write_bytes(mail("one@x").as_bytes())
    (tmp_path / "mails" / "may" / "two.EML").write_bytes(mail("two@x").as_bytes())
    (tmp_path / "mails" / "may" / "broken.eml").write_bytes(b"no mail at all")
    ended = tellonce("import", str(tmp_path / "mails"), "--source", "helpdesk")
    assert ended.code == 1
    assert "may/broken.eml: not_a_mail" in ended.err
    assert ids(engine) == ["one@x", "two@x"]
    assert {one.source for one in logged(engine)} == {"helpdesk"}
    (tmp_path / "three").write_bytes(mail("three@x").as_bytes())
    assert tellonce("import", str(tmp_path / "three")).code == 0
    assert "three@x" in ids(engine)


def test_our_own_mails_are_answers(tellonce: Terminal, engine: sa.Engine, tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(mail("one@x", sender="Help <help@shop.example>").as_bytes())
    tellonce("import", str(tmp_path / "one.eml"), "--own", "shop.example")
    assert [one.type for one in logged(engine)] == ["message.sent"]


def test_what_is_neither_events_nor_mails_is_said_so(tellonce: Terminal, tmp_path: Path) -> None:
    (tmp_path / "picture").write_bytes(b"\x89PNG\r\n")
    ended = tellonce("import", str(tmp_path / "picture"))
    assert ended.code == 1
    assert "--format" in ended.err


class Faltering:
    """An appender that is away the first times."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.appended: list[Draft] = []

    def append(self, drafts: Sequence[Draft], topic: str | None = None) -> None:
        self.times -= 1
        if self.times >= 0:
            raise LogUnavailable("away")
        self.appended += drafts

    def check(self) -> None: ...

    def close(self) -> None: ...


def run(engine: sa.Engine, appender: Faltering) -> None:
    items = [Item("line 1", encode(event(id="one")), event().occurred_at)]
    quiet = Import(engine, appender, Rules(), lambda tally: None, lambda *refusal: None, pauses=(0, 0))
    quiet.run(items, lambda item: decode(item.raw), "name")


def test_a_log_that_is_away_for_a_moment_is_waited_for(engine: sa.Engine) -> None:
    appender = Faltering(times=2)
    run(engine, appender)
    assert len(appender.appended) == 1


def test_a_log_that_stays_away_ends_an_import_that_can_go_on_later(engine: sa.Engine) -> None:
    appender = Faltering(times=3)
    with pytest.raises(LogUnavailable):
        run(engine, appender)
    with engine.connect() as conn:
        assert importing.so_far(conn, "name") is None
    run(engine, appender)
    assert len(appender.appended) == 1


def test_real_mails_are_imported(tellonce: Terminal, engine: sa.Engine, shared: Path) -> None:
    ended = tellonce("import", str(shared / "fixtures/email/raw-mime"))
    assert ended.code == 0
    assert len(logged(engine)) == len(list(shared.glob("fixtures/email/raw-mime/*.eml"))) > 0
