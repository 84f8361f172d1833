"""The pages in a real browser, from a real server, on a real database."""

import os
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.serving import chromium, chromium_path, served
from tests.pages.reading import link

PATIENCE = 15_000  # milliseconds; machines that test are busy
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def window() -> Iterator[Browser]:
    """A Chromium; without one the tests are skipped, but not where everything must be tested.

    Gone after each module: while it is there, an event loop runs that others would trip over.
    """
    path = chromium_path()
    if path is None and os.environ.get("CI") != "true":
        pytest.skip("no Chromium; `apt-get install chromium`, or set TELLONCE_TEST_CHROMIUM to its path")
    assert path, "no Chromium"
    with chromium(path) as browser:
        yield browser


@pytest.fixture
def address(database_url: str) -> Iterator[str]:
    """Where the API service is."""
    with served(database_url) as address:
        yield address


@pytest.fixture
def context(window: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A fresh browser; parametrize it indirectly with options such as `{"java_script_enabled": False}`."""
    context = window.new_context(base_url=address, timezone_id="Europe/Tallinn", **getattr(request, "param", {}))
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture
def tab(context: BrowserContext) -> Iterator[Page]:
    """A tab in which nothing may go wrong silently."""
    wrong: list[str] = []
    tab = context.new_page()
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    yield tab
    assert wrong == []


@pytest.fixture
def desk(tab: Page, engine: sa.Engine) -> Page:
    """A tab in which the agent Katrin has signed in by her link."""
    tab.goto(link(engine))
    tab.get_by_role("button", name="Sign in").click()
    return tab
