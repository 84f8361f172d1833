"""The README's picture: the demo's first customer. `python -m tests.browser.picture docs/customer.png`."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from services import demo, embedded
from services.database import engine as engine_of
from services.timeline import migrate
from tests.browser.serving import chromium, chromium_path, served
from tests.pages.reading import anna, link
from tests.stories import put

BATCH = 500


def take(target: Path, folder: Path) -> None:
    """Load the demo into a database in the folder and photograph a customer's page."""
    server = embedded.start(folder)
    try:
        migrate.upgrade(server.url)
        engine = engine_of(server.url)
        events = list(demo.events(datetime.now(UTC)))
        for start in range(0, len(events), BATCH):
            put(engine, events[start : start + BATCH])
        with served(server.url) as address, chromium(chromium_path() or "chromium") as browser:
            tab = browser.new_page(base_url=address, viewport={"width": 1240, "height": 1640})
            tab.goto(link(engine))
            tab.get_by_role("button", name="Sign in").click()
            tab.goto(f"/customers/{anna(engine, 'account:TL-20210')}")
            tab.screenshot(path=target)
        engine.dispose()
    finally:
        server.stop()


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        take(Path(sys.argv[1]), Path(folder) / "data")
