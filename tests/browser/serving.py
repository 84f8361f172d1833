"""The API service on a port of this machine, and a Chromium to look at it with."""

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from playwright.sync_api import Browser, sync_playwright

from services.api.app import create_app
from services.eventlog.opening import ensure_topics, open_appender
from services.settings import Settings

ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]


@contextmanager
def served(database_url: str) -> Iterator[str]:
    """The address of the API service while the context lasts."""
    settings = Settings()
    ensure_topics(settings, database_url)
    appender = open_appender(settings, database_url)
    app = create_app(settings, database_url, appender)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{_port(server)}"
    finally:
        server.should_exit = True
        thread.join()
        appender.close()


@contextmanager
def chromium(path: str) -> Iterator[Browser]:
    """A Chromium without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


def chromium_path() -> str | None:
    """The program: where TELLONCE_TEST_CHROMIUM says, else the one of the system."""
    return os.environ.get("TELLONCE_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


def _port(server: uvicorn.Server) -> int:
    deadline = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.02)
    port: int = server.servers[0].sockets[0].getsockname()[1]
    return port
