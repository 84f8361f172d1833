"""Who gets in, and that nobody gets in by somebody else's browser."""

from uuid import UUID

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from services.access import Role
from services.api.app import create_app
from services.api.callers import COOKIE
from services.api.pages.routing import UNSAVED
from services.settings import Settings
from tests.fakes import MemoryLog
from tests.pages.reading import HOST, OWN, anna, link, sign_in, words
from tests.stories import mail, put


@pytest.mark.parametrize("address", ["/", "/?q=anna", f"/customers/{UUID(int=1)}"])
def test_without_signing_in_every_page_leads_to_how_to_sign_in(browser: TestClient, address: str) -> None:
    answer = browser.get(address)
    assert answer.url.path == "/sign-in"
    assert "tellonce sign-in" in answer.text


def test_a_note_without_signing_in_is_not_written(browser: TestClient, engine: sa.Engine, log: MemoryLog) -> None:
    put(engine, [mail("Hello.")])
    answer = browser.post(f"/customers/{anna(engine)}/notes", data={"text": "Hi."}, headers=OWN)
    assert answer.status_code == 401
    assert words(answer, "h1 + p") == [UNSAVED.hint]
    assert log.drafts == []


def test_a_link_signs_in_once(browser: TestClient, engine: sa.Engine) -> None:
    address = link(engine)
    assert browser.post(address, headers=OWN).url.path == "/"
    browser.cookies.clear()
    again = browser.post(address, headers=OWN)
    assert again.status_code == 410
    assert "has been used" in again.text
    assert browser.get("/").url.path == "/sign-in"


def test_a_preview_of_the_link_does_not_use_it_up(browser: TestClient, engine: sa.Engine) -> None:
    address = link(engine)
    for _ in range(2):
        assert words(browser.get(address), "main button") == ["Sign in"]
    assert browser.post(address, headers=OWN).url.path == "/"


def test_the_cookie_is_kept_from_scripts_and_other_sites(browser: TestClient, engine: sa.Engine) -> None:
    answer = browser.post(link(engine), headers=OWN, follow_redirects=False)
    attributes = answer.headers["set-cookie"].lower()
    assert "httponly" in attributes
    assert "samesite=lax" in attributes
    assert "secure" not in attributes


def test_behind_https_the_cookie_stays_there(database_url: str, engine: sa.Engine) -> None:
    settings = Settings(public_url="https://public.example/")
    with TestClient(create_app(settings, database_url, MemoryLog()), base_url=HOST) as browser:
        origin = {"origin": "https://public.example"}
        answer = browser.post(link(engine), headers=origin, follow_redirects=False)
    assert "secure" in answer.headers["set-cookie"].lower()


def test_signing_out_makes_the_cookie_worthless(desk: TestClient) -> None:
    cookie = desk.cookies[COOKIE]
    desk.post("/sign-out", headers=OWN)
    desk.cookies.set(COOKIE, cookie)
    assert desk.get("/").url.path == "/sign-in"


@pytest.mark.parametrize("headers", [{"origin": "https://elsewhere.example"}, {"origin": "null"}, {}])
def test_a_form_from_elsewhere_changes_nothing(
    desk: TestClient, engine: sa.Engine, log: MemoryLog, headers: dict[str, str]
) -> None:
    put(engine, [mail("Hello.")])
    for address in (f"/customers/{anna(engine)}/notes", "/sign-out"):
        assert desk.post(address, data={"text": "Hi."}, headers=headers).status_code == 403
    assert log.drafts == []
    assert desk.get("/").url.path == "/"


@pytest.mark.parametrize("role", [Role.channel, Role.analyst])
def test_who_is_no_agent_sees_no_customer(browser: TestClient, engine: sa.Engine, role: Role) -> None:
    put(engine, [mail("Hello.")])
    sign_in(browser, engine, role)
    answer = browser.get(f"/customers/{anna(engine)}")
    assert answer.status_code == 403
    assert "Hello." not in answer.text
    assert "text/html" in answer.headers["content-type"]
