"""An agent whose page stays open for a day: streams end, tabs are many, customers merge, sessions run out."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, expect

from tests.brokers import free_port
from tests.browser.serving import ARGUMENTS, chromium_path
from tests.builders import event
from tests.pages.reading import anna, link
from tests.stories import chat, mail, put, story, visit

BEN = "email:ben@mail.example"
TABS = 7  # one more than a browser holds connections to one address by HTTP/1.1


@pytest.fixture
def hurt(context: BrowserContext, engine: sa.Engine) -> Page:
    """A tab of Katrin's in which answers may fail, which Chromium says on its console."""
    return signed_in(context, engine)


@pytest.fixture
def tabs(window: Browser, address: str, engine: sa.Engine) -> Iterator[BrowserContext]:
    """A browser whose tabs hide each other, as those that Playwright opens do not, in which Katrin has signed in."""
    port = free_port()
    arguments = [*ARGUMENTS, f"--remote-debugging-port={port}"]
    with window.browser_type.launch(executable_path=chromium_path(), args=arguments):
        seen = window.browser_type.connect_over_cdp(f"http://127.0.0.1:{port}", no_defaults=True)
        signed_in(seen.contexts[0], engine, address)
        yield seen.contexts[0]


def signed_in(context: BrowserContext, engine: sa.Engine, address: str = "") -> Page:
    tab = context.new_page()
    tab.goto(address + link(engine))
    tab.get_by_role("button", name="Sign in").click()
    expect(tab.get_by_role("searchbox")).to_be_visible()
    return tab


def first_fails(tab: Page, addresses: str, **failure: Any) -> None:
    """Answer the first request for the addresses by a failure."""
    left = [failure]

    def answer(route: Route) -> None:
        if left and route.request.resource_type != "document":
            route.fulfill(**left.pop())
        else:
            route.continue_()

    tab.route(addresses, answer)


def write(tab: Page, note: str) -> None:
    tab.get_by_text("Write a note").click()
    tab.get_by_label("For colleagues").fill(note)


def test_a_stream_that_is_refused_is_opened_again_and_nothing_is_missed(hurt: Page, engine: sa.Engine) -> None:
    """By the standard an EventSource tries no more after an answer that is not 200."""
    put(engine, story())
    first_fails(hurt, "**/stream?*", status=503)
    hurt.goto(f"/customers/{anna(engine)}")
    expect(hurt.get_by_text("Not live")).to_be_visible()
    put(engine, [mail("It works again!", 900, conversation="<2@mail.example>")])
    expect(hurt.get_by_role("article").first).to_contain_text("It works again!")
    expect(hurt.get_by_text("Not live")).to_be_hidden()


def test_an_identifier_that_could_not_be_drawn_at_once_is_drawn_later(desk: Page, engine: sa.Engine) -> None:
    put(engine, chat(0) + visit(5))
    whose = f"/customers/{anna(engine)}"
    desk.goto(whose)
    first_fails(desk, f"**{whose}", status=200, body="<p>Half a page.")
    identifiers = [{"type": "account", "value": "C-1"}, {"type": "email", "value": "anna@work.example"}]
    put(engine, [event(minute=9, source="site", type="customer.identified", text=None, identifiers=identifiers)])
    expect(desk.get_by_role("complementary")).to_contain_text("anna@work.example")


def test_seven_customers_are_open_and_who_is_looked_at_is_live(
    tabs: BrowserContext, address: str, engine: sa.Engine
) -> None:
    put(engine, story())
    asked: list[str] = []
    tabs.on("request", lambda request: asked.append(_place(request)) if "/stream?" in request.url else None)
    pages = [tabs.new_page() for _ in range(TABS)]
    for page in pages:
        page.goto(f"{address}/customers/{anna(engine)}")
        expect(page.get_by_role("heading", level=1)).to_have_text("Anna Kask")
    for minute, text in enumerate(("It works again!", "No, it does not."), start=900):
        put(engine, [mail(text, minute, conversation="<2@mail.example>")])
        for page in (pages[0], pages[-1]):
            page.bring_to_front()
            expect(page.get_by_role("article").first).to_contain_text(text)
    assert len(set(asked[-2:])) == 1, "each goes on where it stopped"
    assert asked[-1] != asked[0]


def test_a_note_half_written_is_kept_when_the_customer_becomes_another(desk: Page, engine: sa.Engine) -> None:
    put(engine, [event(BEN, minute=0, text="I am Ben."), *chat(400)])
    desk.goto(f"/customers/{anna(engine, 'account:C-1')}")
    write(desk, "Promised a call back.")
    put(engine, [event(BEN, "account:C-1", minute=500, type="customer.identified", text=None)])
    expect(desk.get_by_text("out of date")).to_be_visible()
    expect(desk.get_by_label("For colleagues")).to_have_value("Promised a call back.")
    desk.get_by_role("button", name="Save the note").click()
    expect(desk.locator(".said.note")).to_contain_text("Promised a call back.")
    expect(desk.get_by_role("article").filter(has_text="I am Ben.")).to_be_visible()


def test_a_note_that_is_saved_signed_out_is_saved_by_loading_again(hurt: Page, engine: sa.Engine) -> None:
    put(engine, story())
    hurt.goto(f"/customers/{anna(engine)}")
    write(hurt, "Promised a call back.")
    hurt.context.clear_cookies()
    hurt.get_by_role("button", name="Save the note").click()
    expect(hurt.get_by_role("heading", level=1)).to_have_text("You are not signed in.")
    signed_in(hurt.context, engine)
    hurt.reload()
    expect(hurt.locator(".said.note")).to_contain_text("Promised a call back.")


def _place(request: Request) -> str:
    """From where on a stream is asked for."""
    return parse_qs(urlsplit(request.url).query)["after"][0]
