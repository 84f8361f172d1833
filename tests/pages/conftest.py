"""A browser without JavaScript, in front of the API service on a database of its own."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from services.api.app import create_app
from services.settings import Settings
from tests.fakes import MemoryLog
from tests.pages.reading import HOST, sign_in


@pytest.fixture
def browser(database_url: str, log: MemoryLog) -> Iterator[TestClient]:
    """A browser that nobody is signed in with."""
    with TestClient(create_app(Settings(), database_url, log), base_url=HOST) as client:
        yield client


@pytest.fixture
def desk(browser: TestClient, engine: sa.Engine) -> TestClient:
    """A browser in which the agent Katrin is signed in."""
    sign_in(browser, engine)
    return browser
