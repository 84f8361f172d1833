"""The README's pictures: the demo's first customer, and the figures of the demo.

`python -m tests.browser.picture docs/customer.png docs/figures.png`
"""

import sys
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa
from playwright.sync_api import Browser

from services import demo, embedded
from services.access import Role
from services.commandline.demonstration import remember_looks
from services.database import engine as engine_of
from services.identifiers import Rules
from services.timeline import migrate
from services.timeline.analysis import analyse
from services.timeline.analysis import take as marks
from services.timeline.learning import Latest, learn
from tests.browser.serving import chromium, chromium_path, served
from tests.pages.reading import anna, link
from tests.stories import put

BATCH = 500
WIDTH, TALL, LOW = 1240, 1640, 1180  # pixels


def take(customer: Path, figures: Path, folder: Path) -> None:
    """Load the demo into a database in the folder and photograph a customer's page and the figures."""
    server = embedded.start(folder)
    try:
        migrate.upgrade(server.url)
        engine = engine_of(server.url)
        fill(engine)
        with served(server.url) as address, chromium(chromium_path() or "chromium") as browser:
            photograph(browser, address + link(engine), f"{address}/customers/{_first(engine)}", customer, TALL)
            find(engine)
            photograph(browser, address + link(engine, Role.admin), f"{address}/figures", figures, LOW)
        engine.dispose()
    finally:
        server.stop()


def fill(engine: sa.Engine) -> None:
    """The demo as `tellonce up` loads it."""
    with engine.begin() as conn:
        remember_looks(conn, Rules())
    events = list(demo.events(datetime.now(UTC)))
    for start in range(0, len(events), BATCH):
        put(engine, events[start : start + BATCH])


def find(engine: sa.Engine) -> None:
    """What the analyser finds in it, and again once it has learned from it."""
    everybody(engine)
    with engine.begin() as conn:
        learn(conn)
    everybody(engine)


def everybody(engine: sa.Engine) -> None:
    """Analyse whoever is marked."""
    latest, marked = Latest(), True
    while marked:
        with engine.begin() as conn:
            marked = bool(analyse(conn, marks(conn), latest, date.today()).marked)


def photograph(browser: Browser, door: str, address: str, target: Path, height: int) -> None:
    """Sign in by a link and take a page's picture."""
    tab = browser.new_page(viewport={"width": WIDTH, "height": height})
    tab.goto(door)
    tab.get_by_role("button", name="Sign in").click()
    tab.goto(address)
    tab.screenshot(path=target)


def _first(engine: sa.Engine) -> object:
    return anna(engine, "account:TL-20210")


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        take(Path(sys.argv[1]), Path(sys.argv[2]), Path(folder) / "data")
