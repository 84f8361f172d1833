"""An agent at the pages, in a real browser."""

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from playwright.sync_api import BrowserContext, Page, expect

from services.access import Role
from tests.pages.reading import link
from tests.pages.test_figures import SPAN, told
from tests.stories import chat, mail, put, story, visit

WITHOUT_SCRIPTS = pytest.mark.parametrize("context", [{"java_script_enabled": False}], indirect=True)


def open_anna(desk: Page) -> None:
    desk.get_by_role("searchbox").first.fill("5500 1234")
    desk.get_by_role("button", name="Search").click()
    desk.get_by_role("link", name="Anna Kask").click()


def now(**changes: Any) -> dict[str, Any]:
    return {"occurred_at": datetime.now(UTC), **changes}


def test_an_agent_searches_by_phone_and_sees_the_mail_the_call_and_the_chat(desk: Page, engine: sa.Engine) -> None:
    put(engine, story())
    open_anna(desk)
    expect(desk.get_by_role("heading", level=1)).to_have_text("Anna Kask")
    titles = desk.get_by_role("article").get_by_role("heading")
    expect(titles).to_have_text([re.compile(start) for start in ("^Chat", "^Call", "^Mail", "^Visit")])
    words = desk.get_by_role("article").get_by_text("It drops every evening, I wrote to you already.")
    expect(words).to_be_visible()


def test_pages_seen_open_on_a_click(desk: Page, engine: sa.Engine) -> None:
    put(engine, visit(0))
    open_anna(desk)
    step = desk.get_by_text("Viewed “Faults”")
    expect(step).to_be_hidden()
    desk.get_by_text("Help → “red light” → Faults").click()
    expect(step).to_be_visible()


def test_what_happens_meanwhile_appears_without_a_reload(desk: Page, engine: sa.Engine) -> None:
    put(engine, story())
    open_anna(desk)
    desk.evaluate("document.body.dataset.kept = 'yes'")
    put(engine, [mail("It works again!", conversation="<2@mail.example>", **now())])
    expect(desk.get_by_role("article").first).to_contain_text("It works again!")
    put(engine, [mail("No, it does not.", conversation="<2@mail.example>", **now())])
    expect(desk.get_by_role("article").first).to_contain_text("No, it does not.")
    expect(desk.get_by_role("article")).to_have_count(5)
    expect(desk.locator("body")).to_have_attribute("data-kept", "yes")


def test_what_they_told_meanwhile_appears_without_a_reload(desk: Page, engine: sa.Engine) -> None:
    put(engine, story())
    open_anna(desk)
    desk.evaluate("document.body.dataset.kept = 'yes'")
    put(engine, [mail("The invoice for May is wrong, invoice 77120.", conversation="<9@mail.example>", **now())])
    expect(desk.locator(".told .issue").first).to_contain_text("The invoice for May is wrong")
    expect(desk.locator(".told .facts")).to_contain_text("77120")
    expect(desk.locator("body")).to_have_attribute("data-kept", "yes")


def test_an_identifier_learnt_meanwhile_appears_without_a_reload(desk: Page, engine: sa.Engine) -> None:
    put(engine, chat(0) + visit(5))
    open_anna(desk)
    put(engine, [mail("From my other address.", identifiers=[
        {"type": "account", "value": "C-1"}, {"type": "email", "value": "anna@work.example"}
    ])])  # fmt: skip
    expect(desk.get_by_role("complementary")).to_contain_text("anna@work.example")


def test_what_could_not_be_drawn_at_once_is_drawn_later(desk: Page, engine: sa.Engine) -> None:
    put(engine, story())
    open_anna(desk)
    failures = iter(["once", "twice"])
    desk.route(
        "**/interactions/*",
        lambda route: route.fulfill(status=200, body="<p>Half a page.") if next(failures, None) else route.continue_(),
    )
    put(engine, [mail("It works again!", conversation="<2@mail.example>", **now())])
    expect(desk.get_by_role("article").first).to_contain_text("It works again!")


def test_a_visit_that_was_opened_stays_open_when_more_is_seen(desk: Page, engine: sa.Engine) -> None:
    put(engine, visit(0))
    open_anna(desk)
    desk.get_by_text("Help → “red light” → Faults").click()
    put(engine, visit(6))
    expect(desk.get_by_text("Test failed")).to_have_count(2)
    expect(desk.get_by_text("Viewed “Faults”").first).to_be_visible()


@WITHOUT_SCRIPTS
def test_without_scripts_a_reload_shows_the_same(desk: Page, engine: sa.Engine) -> None:
    put(engine, story())
    open_anna(desk)
    put(engine, [mail("It works again!", conversation="<2@mail.example>", **now())])
    desk.reload()
    expect(desk.get_by_role("article").first).to_contain_text("It works again!")


@WITHOUT_SCRIPTS
def test_without_scripts_a_note_is_written_and_the_agent_signs_out(desk: Page, engine: sa.Engine) -> None:
    put(engine, story())
    open_anna(desk)
    desk.get_by_text("Write a note").click()
    desk.get_by_label("For colleagues").fill("Promised a call back.")
    desk.get_by_role("button", name="Save the note").click()
    expect(desk.locator(".said.note")).to_contain_text("Promised a call back.")
    desk.get_by_role("button", name="Sign out").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_a_sign_in_link_works_once(context: BrowserContext, engine: sa.Engine) -> None:
    tab, address = context.new_page(), link(engine)
    tab.goto(address)
    tab.goto(address)
    tab.get_by_role("button", name="Sign in").click()
    expect(tab.get_by_role("searchbox")).to_be_visible()
    context.clear_cookies()
    tab.goto(address)
    with tab.expect_response(lambda answer: answer.request.method == "POST") as told:
        tab.get_by_role("button", name="Sign in").click()
    assert told.value.status == 410


def test_the_page_on_calls_needs_nothing_from_elsewhere(tab: Page, address: str) -> None:
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto("/docs")
    tab.get_by_role("link", name="GET /v1/brief").click()
    expect(tab.get_by_role("heading", name="What a customer has told and done")).to_be_in_viewport()
    assert tab.get_by_role("main").evaluate("main => getComputedStyle(main).maxWidth") == "960px"
    assert asked == [f"{address}/docs"]


def test_times_are_in_the_readers_own_zone(desk: Page, engine: sa.Engine) -> None:
    put(engine, story())
    open_anna(desk)
    expect(desk.get_by_role("article").last.locator("header time").first).to_contain_text("4 May")
    expect(desk.get_by_role("article").last.locator("header time").first).to_contain_text("12:00")
    expect(desk.get_by_text("Times are in")).to_have_text("Times are in Europe/Tallinn.")


def test_a_customer_is_found_and_opened_by_keyboard_alone(desk: Page, engine: sa.Engine) -> None:
    put(engine, story())
    desk.reload()
    expect(desk.get_by_role("searchbox")).to_be_focused()  # a moment after the page is there
    desk.keyboard.type("anna@mail.example")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name="Found")).to_be_visible()
    desk.get_by_role("searchbox").focus()
    desk.keyboard.press("Tab")
    desk.keyboard.press("Tab")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", level=1)).to_have_text("Anna Kask")


NARROW = pytest.mark.parametrize("context", [{"viewport": {"width": 320, "height": 640}}], indirect=True)


@NARROW
def test_on_a_narrow_screen_figures_lose_nothing(tab: Page, engine: sa.Engine) -> None:
    """WCAG 2.2, 1.4.10: tables may be pushed sideways, the page not."""
    told(engine)
    tab.goto(link(engine, Role.analyst))
    tab.get_by_role("button", name="Sign in").click()
    tab.goto(f"/figures?{urlencode(SPAN)}")
    by_channel = tab.get_by_role("region", name="Where they had to explain it again").get_by_role("row")
    expect(by_channel.first.get_by_role("columnheader")).to_have_count(5)
    expect(by_channel.nth(1).locator(".share")).to_be_visible()
    by_channel.nth(1).get_by_role("link").last.click()
    expect(tab).to_have_url(re.compile("of=avoidable"))
    tab.go_back()
    assert tab.evaluate("document.documentElement.scrollWidth") <= 320


@NARROW
def test_on_a_narrow_screen_nothing_needs_to_be_pushed_sideways(desk: Page, engine: sa.Engine) -> None:
    """WCAG 2.2, 1.4.10: 320 CSS pixels."""
    put(engine, [*story(), mail("https://tuulik.example/" + "a" * 300, 999)])
    open_anna(desk)
    assert desk.evaluate("document.documentElement.scrollWidth") <= 320
