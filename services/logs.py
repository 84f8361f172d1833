"""Log lines: one stable action name each, never a customer's data; for people on a terminal, else as JSON."""

import logging
import sys
from enum import StrEnum

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.types import Processor

TALKATIVE = ("kafka", "uvicorn")  # each connection and partition they meet is worth a line to them


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
    last: list[Processor] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    if sys.stderr.isatty():
        last = [structlog.dev.ConsoleRenderer()]
    handler = logging.StreamHandler()
    handler.setFormatter(
        ProcessorFormatter(processors=[ProcessorFormatter.remove_processors_meta, *last], foreign_pre_chain=known)
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))
