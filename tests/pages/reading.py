"""Signing in, and reading pages as a person does."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from bs4 import BeautifulSoup
from fastapi.testclient import TestClient
from httpx2 import Response

from services.access import Role, make_link
from services.tables import identifiers
from tests.stories import MAIL

HOST = "http://desk.example"
OWN = {"origin": HOST}


def link(engine: sa.Engine, role: Role = Role.agent) -> str:
    with engine.begin() as conn:
        return f"/sign-in/{make_link(conn, 'Katrin', role, datetime.now(UTC) + timedelta(hours=1))}"


def sign_in(browser: TestClient, engine: sa.Engine, role: Role = Role.agent) -> None:
    browser.post(link(engine, role), headers=OWN)


def drawn(answer: Response) -> BeautifulSoup:
    return BeautifulSoup(answer.text, "html.parser")


def words(answer: Response, selector: str) -> list[str]:
    """The texts of the elements, each on one line."""
    return [" ".join(one.get_text(" ").split()) for one in drawn(answer).select(selector)]


def anna(engine: sa.Engine, handle: str = MAIL) -> UUID:
    """The id of the customer who has the identifier."""
    type, _, value = handle.partition(":")
    found = sa.select(identifiers.c.customer_id).where(identifiers.c.type == type, identifiers.c.value == value)
    with engine.connect() as conn:
        return conn.scalars(found).one()
