"""Log lines: one stable action name each, never a customer's data; for people on a terminal, else as JSON.

What each action means is in docs/logs.md. Libraries' lines are the action `library`. Of an error there is its kind,
where it happened, and PostgreSQL's SQLSTATE; never its message, which may hold values of a row.
"""

import logging
import sys
import threading
import traceback
from enum import StrEnum
from types import TracebackType
from typing import Any

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.types import EventDict, Processor

TALKATIVE = ("kafka", "uvicorn", "imapclient")  # each connection and partition they meet is worth a line to them
SILENT = ("python_multipart.multipart", "mail.log")  # the sender is told; the latter, aiosmtpd, shows mails as well
FRAMES = 12  # of a traceback, the innermost


class Level(StrEnum):
    """The least that is worth a line."""

    debug = "debug"
    info = "info"
    warning = "warning"
    error = "error"


def set_up(level: Level) -> None:
    """Send the lines of this process, libraries' included, to standard error."""
    known: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*known, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    shown: Processor = structlog.processors.JSONRenderer()
    if sys.stderr.isatty():
        shown = structlog.dev.ConsoleRenderer()
    last: list[Processor] = [_without_message, ProcessorFormatter.remove_processors_meta, shown]
    handler = logging.StreamHandler()
    handler.setFormatter(ProcessorFormatter(processors=last, foreign_pre_chain=[*known, _named]))
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))
    for name in SILENT:
        logging.getLogger(name).disabled = True
    logging.captureWarnings(True)
    threading.excepthook = _thread_ended
    sys.excepthook = _process_ended


def kind(error: BaseException) -> str:
    """What may be said of an error: its class, and PostgreSQL's SQLSTATE where it has one."""
    state = getattr(getattr(error, "orig", error), "sqlstate", None)
    return f"{type(error).__name__} {state}" if state else type(error).__name__


def _named(logger: Any, method: str, line: EventDict) -> EventDict:
    """A library's line under a stable name. Only its first line, and of asyncio only what comes before values."""
    record: logging.LogRecord = line["_record"]
    said = str(line["event"]).strip().partition("\n")[0]
    if record.name == "asyncio":
        said = said.partition("(")[0].partition("<")[0]
    return {**line, "event": "library", "library": record.name, "said": said}


def _without_message(logger: Any, method: str, line: EventDict) -> EventDict:
    """The error of a line as its kind and its place."""
    given = line.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    error = given if isinstance(given, BaseException) else given[1] if given else None
    if error is not None:
        line["error"] = kind(error)
        places = traceback.extract_tb(error.__traceback__)[-FRAMES:]
        line["where"] = [f"{place.filename}:{place.lineno} {place.name}" for place in places]
    return line


def _thread_ended(ended: threading.ExceptHookArgs) -> None:
    log = structlog.get_logger()
    log.error("thread_failed", thread=ended.thread.name if ended.thread else "", exc_info=ended.exc_value)


def _process_ended(_: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    structlog.get_logger().critical("process_failed", exc_info=error)
