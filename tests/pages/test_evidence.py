"""What is behind a figure, as people read it: both passages, whose they are, and for whom that is."""

from random import Random

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from services.access import Role
from tests.builders import event
from tests.counted import FIRST, World, contact, keep, within, world
from tests.house import MAIL
from tests.pages.reading import anna, drawn, sign_in, words
from tests.stories import put
from tests.test_analysis import AGAIN, BROKEN, HOUR, analysed, both, called, recorded

SPAN = {"from": "2026-05-01", "to": "2026-06-30"}


@pytest.fixture
def told(engine: sa.Engine) -> None:
    """A mail, and a call a day later that tells the same."""
    mail = event(MAIL, text=BROKEN, id="mail", conversation="m")
    put(engine, recorded(both(), mail, *called(AGAIN, 26 * HOUR)))
    analysed(engine)


@pytest.mark.usefixtures("told")
def test_a_count_leads_to_both_passages_and_to_the_customer(browser: TestClient, engine: sa.Engine) -> None:
    sign_in(browser, engine, Role.admin)
    figures = drawn(browser.get("/figures", params=SPAN))
    [count] = figures.select(".card.first a")
    answer = browser.get(str(count["href"]))
    assert words(answer, ".proof q") == [BROKEN, AGAIN]
    assert words(answer, ".proof b") == ["linked, not shown"]
    assert "Mail → Phone after 26 h" in words(answer, ".proof p")[0]
    assert [one["href"] for one in drawn(answer).select(".proof a")] == [f"/customers/{anna(engine, MAIL)}"]


@pytest.mark.usefixtures("told")
def test_a_filter_and_the_context_hold_here_as_well(browser: TestClient, engine: sa.Engine) -> None:
    sign_in(browser, engine, Role.admin)
    for other in ({"context": "shown"}, {"channel": "chat"}):
        assert words(browser.get("/figures/evidence", params=SPAN | other), ".empty") == ["Nothing fits in these days."]
    assert words(browser.get("/figures/evidence", params=SPAN | {"channel": "phone"}), ".proof q")


@pytest.mark.usefixtures("told")
def test_an_analyst_sees_neither_words_nor_customers(browser: TestClient, engine: sa.Engine) -> None:
    sign_in(browser, engine, Role.analyst)
    answer = browser.get("/figures/evidence", params=SPAN)
    assert words(answer, ".proof b") == ["linked, not shown"]
    assert words(answer, ".proof q") == []
    assert drawn(answer).select(".proof a") == []
    assert BROKEN not in answer.text


def test_each_number_leads_to_as_many_contacts(browser: TestClient, engine: sa.Engine) -> None:
    keep(engine, world(Random(1), contacts=60), FIRST)
    sign_in(browser, engine, Role.admin)
    figures = drawn(browser.get("/figures", params=SPAN))
    links = [one for one in figures.select("a") if "/evidence" in str(one["href"])]
    assert len({str(one["href"]) for one in links}) >= 30
    for one in links:
        assert listed(browser, str(one["href"])) == int(one.text.replace(",", "")), one["href"]


def listed(browser: TestClient, address: str) -> int:
    """How many contacts a page of evidence has, with all that are older."""
    answer = browser.get(address)
    assert answer.status_code == 200
    older = [str(one["href"]) for one in drawn(answer).select(".older a")]
    return len(drawn(answer).select(".proof")) + sum(listed(browser, f"/figures/evidence{one}") for one in older)


@pytest.mark.usefixtures("told")
def test_what_it_is_narrowed_to_is_said_and_kept_by_the_form(browser: TestClient, engine: sa.Engine) -> None:
    sign_in(browser, engine, Role.admin)
    narrowed = {"of": "contacts", "from_channel": "email", "group": "g1", "asked": "order_number"}
    answer = browser.get("/figures/evidence", params=SPAN | narrowed)
    assert words(answer, "h1") == ["Contacts, after mail, asked for “order number”, about “g1”"]
    kept = {str(one["name"]): str(one["value"]) for one in drawn(answer).select("form.asked input[type=hidden]")}
    assert kept == narrowed


def test_older_goes_on_where_a_page_ends(browser: TestClient, engine: sa.Engine) -> None:
    made = World([contact(number, number % 20) for number in range(1, 26)])
    made.repeats = [one for again in made.contacts for one in within(again)]
    keep(engine, made, FIRST)
    sign_in(browser, engine, Role.admin)
    first = browser.get("/figures/evidence", params=SPAN)
    [older] = drawn(first).select(".older a")
    second = browser.get(f"/figures/evidence{older['href']}")
    whose = [str(one["href"]) for page in (first, second) for one in drawn(page).select(".proof a")]
    assert len(whose) == len(set(whose)) == 25
    assert drawn(second).select(".older a") == []
