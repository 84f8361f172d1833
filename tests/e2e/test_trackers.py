"""The real trackers of web and app, unmodified, in good times and bad; what they posted joins the customer at login."""

import functools
import http.server
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import posthog
import pytest
import snowplow_tracker
import sqlalchemy as sa
from playwright.sync_api import Browser
from snowplow_tracker import Emitter, SelfDescribing, SelfDescribingJson, Subject, Tracker

from schemas.event import Event
from tests.browser.serving import chromium, chromium_path
from tests.e2e.serving import KEY, Faltering, once, stored
from tests.e2e.test_sdks import TROUBLES

MANY = 120


def _by_posthog(address: str, modules: Path) -> None:
    client = posthog.Posthog(KEY, host=address)
    client.capture("$pageview", distinct_id="anon-1", properties={"$current_url": "https://shop.example/returns"})
    client.alias("anon-1", "8812")
    client.set(distinct_id="8812", properties={"email": "mari@example.com", "name": "Mari Maasikas"})
    client.group_identify("company", "g-1", {"name": "Initech"})
    for n in range(MANY):
        client.capture("Counted", distinct_id="8812", properties={"n": n})
    client.shutdown()


def _by_snowplow(address: str, modules: Path, method: str = "post") -> None:
    ended: list[int] = []
    emitter = Emitter(address, method=method, batch_size=10, on_success=lambda sent: ended.append(len(sent)))
    subject = Subject().set_user_id("8812").set_domain_user_id("anon-1")
    tracker = Tracker("shop", emitter, app_id=KEY, subject=subject)
    tracker.track(snowplow_tracker.PageView("https://shop.example/returns", page_title="Returns"))
    for n in range(MANY):
        said = SelfDescribingJson("iglu:example.shop/Counted/jsonschema/1-0-0", {"n": n})
        tracker.track(SelfDescribing(event_json=said))
    deadline, pause = time.monotonic() + 60, threading.Event()
    while sum(ended) < 1 + MANY:
        assert time.monotonic() < deadline, ended
        tracker.flush()
        pause.wait(0.1)


def _by_node(script: str, *more: str) -> Callable[[str, Path], None]:
    def post(address: str, modules: Path) -> None:
        subprocess.run(["node", script, address, KEY, str(MANY), *more], cwd=modules, check=True, timeout=120)

    return post


CLIENTS: dict[str, Callable[[str, Path], None]] = {
    "posthog": _by_posthog,
    "posthog-node": _by_node("posthog.js"),
    "snowplow": _by_snowplow,
    "snowplow-node": _by_node("snowplow.js"),
    "snowplow-node-get": _by_node("snowplow.js", "get"),
}


def _check(events: list[Event]) -> None:
    """Everything is there exactly once, and names whom it should."""
    assert len({event.id for event in events}) == len(events)
    counted = [event.data["properties"]["n"] for event in events if event.data.get("name") == "Counted"]
    assert sorted(counted) == list(range(MANY))
    named = [(one.type, one.value) for event in events for one in event.identifiers]
    assert {("account", "8812"), ("device", "anon-1")} <= set(named)
    [page] = [event for event in events if event.type == "page.viewed"]
    assert page.data["url"] == "https://shop.example/returns"


@pytest.mark.parametrize("client", CLIENTS)
def test_a_tracker_that_meets_troubles_loses_and_doubles_nothing(
    modules: Path, address: str, faltering: Faltering, engine: sa.Engine, client: str
) -> None:
    faltering.answers[:] = TROUBLES
    CLIENTS[client](address, modules)
    assert faltering.answers == []
    _check(once(stored(engine)))


def test_a_tracker_that_asks_for_images_delivers_all_in_good_times(
    modules: Path, address: str, engine: sa.Engine
) -> None:
    """In bad ones Snowplow's for Python forgets: of several images it asks again only if the last of them failed."""
    _by_snowplow(address, modules, method="get")
    _check(stored(engine))


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A Chromium, gone after its test: while it is there, an event loop runs that others would trip over."""
    path = chromium_path()
    if path is None:
        assert os.environ.get("CI") != "true", "no Chromium"
        pytest.skip("no Chromium; `apt-get install chromium`, or set TELLONCE_TEST_CHROMIUM to its path")
    with chromium(path) as browser:
        yield browser


@pytest.fixture
def site(modules: Path) -> Iterator[str]:
    """A site with Segment's client for browsers beside its empty page; its address."""
    folder = modules / "node_modules/@segment/analytics-next/dist/umd"
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    handler.log_message = lambda *_: None  # type: ignore[attr-defined]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


VISIT = """
async ([writeKey, apiHost]) => {
  const settings = { "Segment.io": { apiKey: writeKey, apiHost, protocol: "http" } };
  const [client] = await AnalyticsNext.AnalyticsBrowser.load(
    { writeKey, cdnSettings: { integrations: settings } }, { integrations: settings });
  await client.page("Returns");
  await client.track("Counted", { n: 0 });
  await client.identify("8812", { email: "mari@example.com" });
  await client.alias("8812");
  await client.track("Order Completed", { orderId: "1001", total: 19.9 });
  return client.user().anonymousId();
}
"""


@pytest.mark.parametrize("answers", [(), TROUBLES], ids=["good", "bad"])
def test_segments_client_in_a_browser_delivers_all_that_a_visitor_did(
    browser: Browser, site: str, address: str, faltering: Faltering, engine: sa.Engine, answers: Any
) -> None:
    faltering.answers[:] = answers
    page = browser.new_page()
    page.goto(f"{site}/queryString.bundle.34b193ada8fe288d1bd1.js")
    page.add_script_tag(url="/index.js")
    device = page.evaluate(VISIT, [KEY, address.removeprefix("http://") + "/v1"])
    deadline = time.monotonic() + 60
    while len(events := once(stored(engine))) < 5 or faltering.answers:
        assert time.monotonic() < deadline, [event.type for event in events]
        page.wait_for_timeout(100)
    page.close()
    assert sorted(event.type for event in events) == [
        "app.event", "customer.identified", "customer.identified", "page.viewed", "purchase.made",
    ]  # fmt: skip
    assert {("device", device)} == {
        (one.type, one.value) for event in events for one in event.identifiers if one.type == "device"
    }
    assert not any("previous" in event.data for event in events)  # its alias is to itself
