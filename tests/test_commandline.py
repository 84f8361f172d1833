"""The command line: what operators type, what scripts read, and what mistakes look like."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from schemas.codec import encode
from services import health
from services.__main__ import globals_first, main
from services.access import Role, caller_of, redeem, source_of
from services.commandline import instances
from services.embedded import Server
from services.errors import Conflict
from services.settings import Settings
from services.tables import dead_letters, log_records, marks
from tests.builders import append, document, event
from tests.terminal import Terminal


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (["up", "--data", "x", "--api-port", "1"], ["--data", "x", "up", "--api-port", "1"]),
        (["status", "--log=kafka://a", "--json"], ["--log=kafka://a", "status", "--json"]),
        (["import", "--", "--data"], ["import", "--", "--data"]),
        (["status", "--data"], ["--data", "status"]),
    ],
)
def test_options_for_all_commands_may_stand_behind_the_command(typed: list[str], read: list[str]) -> None:
    assert globals_first(typed) == read


@pytest.mark.parametrize(
    "command",
    [[], ["up"], ["ingest"], ["timeline"], ["analyse"], ["api"], ["migrate"], ["sources", "add"], ["keys", "add"],
     ["import"], ["rebuild"], ["dead", "replay"], ["status"], ["sign-in"]],
)  # fmt: skip
def test_every_command_has_help_with_an_example(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert not ended.value.code
    assert " ".join(["tellonce", *command]) in " ".join(capsys.readouterr().out.replace("Usage: ", "").split())


def test_a_source_s_key_stands_alone_on_standard_output(tellonce: Terminal, engine: sa.Engine) -> None:
    added = tellonce("sources", "add", "webshop", "--kind", "web")
    assert added.code == 0
    with engine.connect() as conn:
        source = source_of(conn, added.out.removesuffix("\n"))
    assert source
    assert (source.name, source.kind) == ("webshop", "web")
    assert "/v1/events" in added.err


def test_a_key_has_its_role(tellonce: Terminal, engine: sa.Engine) -> None:
    added = tellonce("keys", "add", "bot", "--role", "channel")
    with engine.connect() as conn:
        caller = caller_of(conn, added.out.removesuffix("\n"))
    assert caller
    assert caller.role is Role.channel


@pytest.mark.parametrize(("group", "more"), [("sources", []), ("keys", ["--role", "agent"])])
def test_a_revoked_key_is_listed_and_refused(
    tellonce: Terminal, engine: sa.Engine, group: str, more: list[str]
) -> None:
    key = tellonce(group, "add", "shop", *more).out.strip()
    assert tellonce(group, "revoke", "shop").code == 0
    with engine.connect() as conn:
        assert not source_of(conn, key)
        assert not caller_of(conn, key)
    assert "shop" in tellonce(group, "list").out
    again = tellonce(group, "revoke", "shop")
    assert again.code == 1
    assert "no valid key" in again.err


def test_a_name_is_taken_once(tellonce: Terminal) -> None:
    tellonce("sources", "add", "shop")
    again = tellonce("sources", "add", "shop")
    assert (again.code, again.out) == (1, "")
    assert "The name 'shop' is taken." in again.err


def test_a_name_that_could_be_taken_for_a_path_is_refused(tellonce: Terminal) -> None:
    refused = tellonce("sources", "add", "shop/web")
    assert refused.code == 1
    assert "can't be a name" in refused.err


def test_a_sign_in_link_signs_in(tellonce: Terminal, engine: sa.Engine) -> None:
    link = tellonce("sign-in", "mari", "--role", "analyst").out.strip()
    with engine.begin() as conn:
        assert redeem(conn, link.rpartition("/sign-in/")[2], datetime.now(UTC))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["status", "--database", "postgresql://nobody@127.0.0.1:1/none"], "Connection refused. Check --database"),
        (["status", "--log", "rabbits://here"], "There is no event log 'rabbits://here'"),
        (["up", "--host", "256.0.0.1"], "Choose another by --api-port"),
        (["dead", "replay"], "Name the records, or --all"),
        (["import", "/nowhere/at/all"], "There is no /nowhere/at/all"),
        (["import", "/nowhere/at/all", "--format", "jsonl"], "There is no /nowhere/at/all"),
        (["import", "n" * 300], "can't be read: File name too long"),
        (["sources", "add", "chat", "--kind", "chatwot"], "There is no kind 'chatwot'"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(tellonce: Terminal, arguments: list[str], said: str) -> None:
    ended = tellonce(*arguments)
    assert ended.code == 1
    assert said in ended.err
    assert len(ended.err.strip().splitlines()) == 1


def test_a_variable_that_can_not_be_read_is_named(tellonce: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELLONCE_API_PORT", "many")
    ended = tellonce("status")
    assert ended.code == 1
    assert "api_port" in ended.err


def test_a_database_without_tables_is_told_to_migrate(tellonce: Terminal, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        conn.execute(sa.text("DELETE FROM alembic_version"))
    ended = tellonce("status")
    assert ended.code == 1
    assert "tellonce migrate" in ended.err


def test_status_is_well_on_a_fresh_database(tellonce: Terminal) -> None:
    tellonce("sources", "add", "webshop")
    ended = tellonce("status", "--json")
    assert ended.code == 0
    said = json.loads(ended.out)
    assert said["ok"]
    assert said["sources"] == {"webshop": "events"}
    assert said["lag"] == {"0": 0, "1": 0, "2": 0}
    assert "All is well" in tellonce("status").out


def test_status_says_what_waits_and_for_how_long(tellonce: Terminal, engine: sa.Engine, database_url: str) -> None:
    append(engine, event(received_at="2026-05-04T09:00:00Z"))
    ended = tellonce("status", "--json")
    said = json.loads(ended.out)
    assert sum(said["lag"].values()) == 1
    assert said["oldest"] > health.LATE
    assert ended.code == 1
    assert "no worker runs: start one by `tellonce timeline`" in said["red"][0]


def test_status_says_how_much_is_to_be_analysed_and_for_how_long(tellonce: Terminal, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        conn.execute(marks.insert().values(customer_id=uuid4(), marked_at=sa.func.now() - sa.text("interval '7 s'")))
    assert re.search(r"to be analysed +1, the oldest for \d+ s", tellonce("status").out)


def test_status_looks_into_kafka_too(tellonce: Terminal, kafka: str) -> None:
    log = ("--log", f"kafka://{kafka}")
    assert tellonce("migrate", *log).code == 0
    before = json.loads(tellonce("status", "--json", *log).out)
    typed = json.dumps(document()).encode()
    assert tellonce("import", "-", *log, typed=typed).code == 0
    after = json.loads(tellonce("status", "--json", *log).out)
    assert sum(after["lag"].values()) == sum(before["lag"].values()) + 1
    assert after["oldest"] >= 0


def test_status_says_that_the_log_is_away(tellonce: Terminal) -> None:
    ended = tellonce("status", "--json", "--log", "kafka://127.0.0.1:1")
    assert ended.code == 1
    assert "The event log does not answer" in json.loads(ended.out)["red"][0]


def test_status_for_scripts_is_json_even_without_a_database(tellonce: Terminal) -> None:
    ended = tellonce("status", "--json", "--database", "postgresql://nobody@127.0.0.1:1/none")
    assert ended.code == 1
    assert json.loads(ended.out)["ok"] is False


def set_aside(engine: sa.Engine, record: bytes, position: int = 0, detail: str = "unexpected end") -> int:
    where = {"topic": "timeline.events", "partition": 0, "position": position}
    row = dead_letters.insert().values(**where, reason="not_json", detail=detail, record=record)
    with engine.begin() as conn:
        return int(conn.execute(row.returning(dead_letters.c.id)).scalar_one())


def logged(engine: sa.Engine) -> list[bytes]:
    with engine.connect() as conn:
        return [bytes(value) for value in conn.scalars(sa.select(log_records.c.value))]


def test_a_dead_letter_is_listed_and_shown(tellonce: Terminal, engine: sa.Engine) -> None:
    id = set_aside(engine, '{"id": "tšekk"'.encode())
    assert "not_json" in tellonce("dead", "list").out
    shown = tellonce("dead", "show", str(id))
    assert shown.out == '{"id": "tšekk"\n'
    assert "unexpected end" in shown.err


def test_what_a_dead_letter_quotes_is_listed_as_it_is(tellonce: Terminal, engine: sa.Engine) -> None:
    set_aside(engine, b"{}", detail="it is '[/x]', [bold] :x:")
    assert {"'[/x]',", "[bold]", ":x:"} < set(tellonce("dead", "list").out.split())


def test_bytes_that_are_no_text_are_shown_as_numbers(tellonce: Terminal, engine: sa.Engine) -> None:
    id = set_aside(engine, b"\x00\xffabc")
    assert tellonce("dead", "show", str(id)).out == f"00000000  {'00 ff 61 62 63':47}  ..abc\n"


def test_a_dead_letter_is_replayed_once(tellonce: Terminal, engine: sa.Engine) -> None:
    record = encode(event())
    id = set_aside(engine, record)
    set_aside(engine, b"{", position=1)
    assert tellonce("dead", "replay", str(id)).code == 0
    assert logged(engine) == [record]
    assert "Replayed: 1" in tellonce("dead", "replay", "--all").err
    assert sorted(logged(engine)) == sorted([record, b"{"])
    assert "Replayed: 0" in tellonce("dead", "replay", "--all").err


def test_nothing_is_replayed_when_one_of_them_is_unknown(tellonce: Terminal, engine: sa.Engine) -> None:
    id = set_aside(engine, encode(event()))
    ended = tellonce("dead", "replay", str(id), "99999")
    assert ended.code == 1
    assert "no dead letter 99999" in ended.err
    assert logged(engine) == []


@contextmanager
def announced(**told: object) -> Iterator[Settings]:
    settings = Settings.model_validate(told)
    with instances.announced(settings):
        yield settings


@pytest.fixture
def account(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders of an account of its own."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))


@pytest.mark.usefixtures("account")
def test_the_one_that_runs_is_found(postgres: Server, capsys: pytest.CaptureFixture[str]) -> None:
    with announced(database=postgres.url, data="/d"), pytest.raises(SystemExit) as ended:
        main(["sources", "list"])
    assert not ended.value.code
    assert "kind" in capsys.readouterr().out


@pytest.mark.usefixtures("account")
def test_without_one_that_runs_it_says_how_to_start(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sources", "list"])
    assert ended.value.code == 1
    assert "Start it by `tellonce up`" in capsys.readouterr().err


@pytest.mark.usefixtures("account")
def test_of_several_that_run_one_must_be_named() -> None:
    with announced(data="/d"), announced(data="/e"):
        with pytest.raises(Conflict, match="/d"):
            instances.running()
        assert instances.running(Path("/e")) == {"data": "/e"}


@pytest.mark.usefixtures("account")
def test_one_that_has_ended_is_not_found() -> None:
    with announced(data="/d"):
        assert instances.running() == {"data": "/d"}
    assert instances.running() == {}
