"""An API application on a database of its own, for tests to ask."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from httpx2 import URL
from starlette.testclient import TestClient

from schemas.event import Event
from services import access, tables
from services.access import Role
from services.api.app import create_app
from services.eventlog.opening import ensure_topics, open_appender
from services.settings import Settings
from services.timeline.stitch import stitch

SETTINGS = Settings()
MAIL, PHONE = "email:mari@example.com", "phone:+37255512345"


@dataclass
class House:
    """An application on a database of its own, with a key for each role."""

    engine: sa.Engine
    client: TestClient
    keys: dict[Role, str]

    def happened(self, *events: Event) -> None:
        """Put events on their timelines."""
        with self.engine.begin() as conn:
            self.stitch(conn, *events)

    def stitch(self, conn: sa.Connection, *events: Event) -> None:
        """The same in a transaction that is still open."""
        secret = conn.scalars(sa.select(tables.deployment.c.secret)).one()
        stitch(conn, events, SETTINGS.rules(), secret)

    def get(self, address: str, role: Role = Role.agent, **parameters: Any) -> Any:
        """The answer's JSON, which must be good."""
        answer = self.ask(address, role, **parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(self, address: str, role: Role = Role.agent, **parameters: Any) -> Any:
        """The whole answer."""
        url = URL(address).copy_merge_params(parameters)
        return self.client.get(url, headers=self.by(role))

    def post(self, address: str, body: Any, role: Role = Role.agent) -> Any:
        """The whole answer to a command."""
        return self.client.post(address, json=body, headers=self.by(role))

    def by(self, role: Role) -> dict[str, str]:
        """The headers of a role."""
        return {"Authorization": f"Bearer {self.keys[role]}"}

    def id(self, identifier: str) -> str:
        """The customer with this identifier."""
        return str(self.get("/v1/brief", identifier=identifier)["customer"]["id"])

    def reads(self) -> list[Any]:
        """The traces of reads, in order."""
        with self.engine.connect() as conn:
            return list(conn.execute(sa.select(tables.reads).order_by(tables.reads.c.id)))


@pytest.fixture
def house(engine: sa.Engine, database_url: str, request: pytest.FixtureRequest) -> Iterator[House]:
    """With the settings of a test that is parametrized with some, indirectly."""
    settings = getattr(request, "param", SETTINGS)
    ensure_topics(settings, database_url)
    with engine.begin() as conn:
        keys = {role: access.add_key(conn, role.value, role) for role in Role}
    appender = open_appender(settings, database_url)
    with TestClient(create_app(settings, database_url, appender), raise_server_exceptions=False) as client:
        yield House(engine, client, keys)
    appender.close()
