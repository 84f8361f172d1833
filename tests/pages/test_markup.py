"""How pages are made: nothing a customer wrote becomes code, everybody can read them, errors are pages."""

import re
from itertools import product
from uuid import UUID

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from services.access import Role
from services.api.app import create_app
from services.api.callers import COOKIE
from services.api.pages.files import FOLDER
from services.settings import Settings
from tests.builders import event
from tests.fakes import MemoryLog
from tests.pages.reading import HOST, anna, drawn, sign_in, words
from tests.stories import DEVICE, MAIL, mail, put, story


def test_what_a_customer_wrote_never_becomes_markup(desk: TestClient, engine: sa.Engine) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    told = {"author": {"role": "customer", "name": evil}, "data": {"subject": evil}}
    put(
        engine,
        [mail(evil, **told), event(DEVICE, MAIL, type="page.viewed", channel="web", text=None, data={"title": evil})],
    )
    for answer in (desk.get(f"/customers/{anna(engine)}"), desk.get("/", params={"q": evil})):
        page = drawn(answer)
        assert page.select("img[onerror], main script") == []
    assert words(desk.get(f"/customers/{anna(engine)}"), "h1") == [evil]


def test_no_page_has_scripts_or_styles_within(desk: TestClient, engine: sa.Engine) -> None:
    put(engine, story())
    whose = [f"/customers/{anna(engine)}", f"/customers/{UUID(int=1)}"]
    for address in ("/", "/?q=x", "/sign-in", "/sign-in/x", "/figures", "/figures/evidence", *whose):
        answer = desk.get(address)
        assert "'unsafe" not in answer.headers["content-security-policy"]
        assert drawn(answer).select("style, [style], script:not([src]), [onclick]") == [], address


def test_every_page_can_be_walked_by_ear_and_keyboard(desk: TestClient, engine: sa.Engine) -> None:
    put(engine, story())
    sign_in(desk, engine, Role.admin)
    for address in ("/", f"/customers/{anna(engine)}", "/sign-in", "/figures", "/figures/evidence"):
        page = drawn(desk.get(address))
        assert page.html is not None
        assert page.html["lang"] == "en"
        assert len(page.select("h1")) == len(page.select("main")) == len(page.select("header.top")) == 1
        for field in page.select("input:not([type=hidden]), select, textarea"):
            assert field.find_parent("label") or page.select(f"label[for={field['id']}]"), field
        assert all(page.select(f"#{one['aria-labelledby']}") for one in page.select("[aria-labelledby]"))
        assert page.select_one("a.skip[href='#main']")


@pytest.mark.parametrize(
    "address", [f"/customers/{UUID(int=1)}", "/customers/me", f"/customers/{UUID(int=1)}/interactions/x"]
)
def test_what_is_not_there_is_said_on_a_page(desk: TestClient, address: str) -> None:
    answer = desk.get(address)
    assert answer.status_code == 404
    assert words(answer, "h1")
    assert words(answer, "main a") == ["To the search"]


def test_a_cursor_that_is_none_is_said_on_a_page(desk: TestClient, engine: sa.Engine) -> None:
    put(engine, [mail("Hello.")])
    assert desk.get(f"/customers/{anna(engine)}", params={"before": "x"}).status_code == 400


@pytest.mark.parametrize("asked", ["q=%00", "text=%00", "channel=%00"])
def test_a_value_that_the_database_can_not_take_is_said_on_a_page(
    desk: TestClient, engine: sa.Engine, asked: str
) -> None:
    put(engine, [mail("Hello.")])
    answer = desk.get(f"/?{asked}" if asked.startswith("q=") else f"/customers/{anna(engine)}?{asked}")
    assert answer.status_code == 400
    assert words(answer, "h1") == ["The database can't take a value that was sent."]


def test_a_database_that_is_away_is_said_on_a_page_and_counted() -> None:
    away = create_app(Settings(), "postgresql://nobody@/nothing?host=/nowhere", MemoryLog())
    with TestClient(away, base_url=HOST, cookies={COOKIE: "x"}) as browser:
        answer = browser.get("/")
        told = browser.get("/metrics").text
    assert 'tellonce_api_unavailable_total{code="database_away"} 1.0' in told
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert words(answer, "h1") == ["The database does not answer."]


def test_static_files_are_kept_until_they_change(browser: TestClient) -> None:
    page = drawn(browser.get("/sign-in"))
    sheet = page.select_one("link[rel=stylesheet]")
    assert sheet is not None
    assert "immutable" in browser.get(str(sheet["href"])).headers["cache-control"]
    assert browser.get("/static/pages.css?v=old").headers["cache-control"] == "no-cache"
    assert browser.get("/static/../views.py").status_code == 404
    assert browser.get("/static/nothing.css").status_code == 404


def test_pages_with_customers_are_kept_nowhere(desk: TestClient) -> None:
    assert desk.get("/").headers["cache-control"] == "no-store"


INKS = ("ink", "faint")
GROUNDS = ("ground", "sheet", "customer", "agent", "bot", "note", "waiting", "fresh")
OTHERS = [
    ("accent", "ground"),
    ("accent", "sheet"),
    ("on-accent", "accent"),
    ("error", "sheet"),
    ("waiting-edge", "waiting"),
    ("agent-edge", "ground"),
]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), [*product(INKS, GROUNDS), *OTHERS])
def test_every_ink_reads_on_every_ground(scheme: int, ink: str, ground: str) -> None:
    """WCAG 2.2, 1.4.3: a contrast of 4.5 or more."""
    schemes = (FOLDER / "pages.css").read_text().split("prefers-color-scheme: dark")
    colours = dict(re.findall(r"--([a-z-]+): #([0-9a-f]{6})", schemes[scheme]))
    lighter, darker = sorted((luminance(colours[ink]), luminance(colours[ground])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def luminance(colour: str) -> float:
    """Relative luminance of `rrggbb` (WCAG 2.2)."""
    parts = (int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
