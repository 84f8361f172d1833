"""Log lines: each action has one stable name that is documented, and no error shows what it holds."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers import free_port

ROOT = Path(__file__).parents[1]
LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}
SECRET = "Mari Maasikas"


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Each call that writes a log line, with its place."""
    for path in sorted((ROOT / "services").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            writer = ast.unparse(node.func.value)
            if node.func.attr in LEVELS and (writer == "log" or "get_logger" in writer):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def documented() -> list[tuple[str, str]]:
    """The actions in docs/logs.md and their levels."""
    return re.findall(r"^\| `([^`]+)` \| (\w+) \|", (ROOT / "docs/logs.md").read_text(), re.M)


def test_each_line_has_one_name_that_is_written_out_and_documented() -> None:
    found: dict[str, set[str]] = {"library": {"any"}}
    for place, call in calls():
        assert call.args, f"{place}: no name"
        name = call.args[0]
        assert isinstance(name, ast.Constant), f"{place}: the name is put together"
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", str(name.value)), f"{place}: {name.value!r} is no name"
        assert len(call.args) == 1, f"{place}: what is more than the name goes by keywords"
        assert isinstance(call.func, ast.Attribute)
        found.setdefault(str(name.value), set()).add(call.func.attr)
    assert len(found) > 10
    assert {name: {level} for name, level in documented()} == found
    assert [name for name, _ in documented()] == sorted(found)


def test_no_line_is_written_past_the_log() -> None:
    services = [path for path in (ROOT / "services").rglob("*.py") if "commandline" not in path.parts]
    assert not [
        path for path in services if re.search(r"^\s*print\(|traceback\.print|logging\.\w+\(\"", path.read_text(), re.M)
    ]


PROGRAM = """
import asyncio, logging, sys, threading, warnings
import structlog
from psycopg.errors import CheckViolation
from sqlalchemy.exc import IntegrityError
from services import logs
logs.set_up(logs.Level.info)
try:
    raise CheckViolation("Failing row contains (Mari Maasikas)")
except CheckViolation as cause:
    error = IntegrityError("INSERT", {{"name": "Mari Maasikas"}}, cause)
def fail():
    raise error
async def forgotten():
    asyncio.get_running_loop().call_soon(fail)
    asyncio.create_task(failing())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
async def failing():
    raise error
{act}
"""


@pytest.mark.parametrize(
    ("act", "name"),
    [
        ("fail()", "process_failed"),
        ("one = threading.Thread(target=fail); one.start(); one.join()", "thread_failed"),
        ("try: fail()\nexcept Exception: logging.getLogger('uvicorn.error').exception('Exception in ASGI')", "library"),
        ("try: fail()\nexcept Exception: structlog.get_logger().error('waiting', exc_info=True)", "waiting"),
        ("asyncio.run(forgotten())", "library"),
    ],
)
def test_what_nobody_caught_is_told_by_kind_and_place(act: str, name: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM.format(act=act)], capture_output=True, text=True, cwd=ROOT)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert lines
    for line in lines:
        assert line["event"] == name
        assert line["error"] == "IntegrityError 23514"
        assert any(place.endswith(("fail", "failing", "<module>")) for place in line["where"])
    assert SECRET not in done.stderr + done.stdout


MAILS = """
import smtplib, sys
from aiosmtpd.controller import Controller
from services import logs
logs.set_up(logs.Level.debug)
class Takes:
    async def handle_DATA(self, *_):
        return "250 OK"
server = Controller(Takes(), port=int(sys.argv[1]), hostname="127.0.0.1", ready_timeout=60)
server.start()
with smtplib.SMTP("127.0.0.1", server.port, timeout=60) as client:
    client.sendmail("mari@maasikas.example", ["help@shop.example"], "Subject: Mari Maasikas\\n\\nIs here")
    client.docmd("Mari Maasikas")
server.stop()
"""


def test_the_library_that_takes_mails_says_nothing_of_them_at_any_level() -> None:
    done = subprocess.run([sys.executable, "-c", MAILS, str(free_port())], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "asikas" not in done.stderr + done.stdout
