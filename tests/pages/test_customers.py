"""Finding a customer, and what their page tells."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from services import demo
from services.tables import reads
from tests.builders import event
from tests.fakes import MemoryLog
from tests.pages.reading import OWN, anna, drawn, words
from tests.stories import ACCOUNT, MAIL, PHONE, call, mail, pages, put, story


@pytest.mark.parametrize("query", ["5500 1234", "+372 5500 1234", "anna@mail.example", "C-1", "kask", "Anna K"])
def test_a_customer_is_found_by_any_identifier_or_name(desk: TestClient, engine: sa.Engine, query: str) -> None:
    put(engine, story())
    assert words(desk.get("/", params={"q": query}), ".found .name") == ["Anna Kask"]


def test_who_is_not_known_is_said_to_be_unknown(desk: TestClient) -> None:
    answer = desk.get("/", params={"q": "<b>nobody</b>"})
    assert words(answer, ".empty")[0].startswith("Nobody is known by “<b>nobody</b>”.")


def test_when_nothing_is_asked_those_heard_of_last_are_listed_newest_first(desk: TestClient, engine: sa.Engine) -> None:
    now = datetime.now(UTC)
    names = {"Eve": 3, "Ann": 70, "Old": 60 * 24 * 61}
    for name, minutes in names.items():
        told = {"occurred_at": now - timedelta(minutes=minutes), "author": {"name": name}}
        put(engine, [event(f"email:{name}@mail.example", **told)])
    assert words(desk.get("/"), ".found .name") == ["Eve", "Ann"]


def test_a_customers_page_tells_all_channels_newest_first(desk: TestClient, engine: sa.Engine) -> None:
    put(engine, story())
    answer = desk.get(f"/customers/{anna(engine)}")
    assert words(answer, "h1") == ["Anna Kask"]
    channels = [one["class"][1] for one in drawn(answer).select(".interaction")]
    assert channels == ["chat", "phone", "email", "web"]
    assert words(answer, ".identifiers .value") == ["C-1", "anna@mail.example", "+372 5500 1234", "d-1"]


def test_customer_agent_and_bot_are_told_apart_in_words(desk: TestClient, engine: sa.Engine) -> None:
    put(engine, story())
    answer = desk.get(f"/customers/{anna(engine)}")
    assert words(answer, ".chat .said .role") == ["customer", "bot"]
    assert words(answer, ".phone .said .role") == ["agent", "customer"]


def test_the_way_through_the_phone_menu_is_shown(desk: TestClient, engine: sa.Engine) -> None:
    put(engine, story())
    answer = desk.get(f"/customers/{anna(engine)}")
    assert words(answer, ".path") == ["Phone menu Internet › Faults Connection drops"]


def test_pages_seen_are_one_line_that_opens(desk: TestClient, engine: sa.Engine) -> None:
    put(engine, story())
    answer = desk.get(f"/customers/{anna(engine)}")
    assert words(answer, ".web details summary") == ["Help → “red light” → Faults → signed in"]
    assert len(words(answer, ".web details li")) == 4


def test_what_waits_for_an_answer_stands_first_and_leads_to_it(desk: TestClient, engine: sa.Engine) -> None:
    now = datetime.now(UTC)
    put(engine, [mail("Is anybody there?", occurred_at=now)])
    answer = desk.get(f"/customers/{anna(engine)}")
    assert words(answer, ".open q") == ["Is anybody there?"]
    target = drawn(answer).select_one(".open a")
    assert target is not None
    assert drawn(answer).select_one(str(target["href"])) is not None


def test_the_timeline_is_filtered_by_channel_and_by_words(desk: TestClient, engine: sa.Engine) -> None:
    put(engine, story())
    address = f"/customers/{anna(engine)}"
    assert len(words(desk.get(address, params={"channel": "phone"}), ".interaction")) == 1
    assert len(words(desk.get(address, params={"text": "EVENING"}), ".interaction")) == 2
    assert len(words(desk.get(address, params={"text": "evening", "channel": "email"}), ".interaction")) == 1
    assert words(desk.get(address, params={"text": "giraffe"}), "section .empty") == [
        "Nothing matches; take a filter away."
    ]


def test_older_pages_bring_every_interaction_once(desk: TestClient, engine: sa.Engine) -> None:
    put(engine, pages(45))
    address, seen = f"/customers/{anna(engine)}", []
    while address:
        answer = desk.get(address)
        seen += words(answer, ".said .words")
        older = drawn(answer).select_one("a[rel=next]")
        address = f"/customers/{anna(engine)}{older['href']}" if older else ""
    assert seen == [f"Mail number {n}." for n in reversed(range(45))]


def test_an_id_from_before_a_merge_leads_to_the_present_customer(desk: TestClient, engine: sa.Engine) -> None:
    put(engine, [mail("One.", 1), event(ACCOUNT, minute=2, source="site")])
    old = anna(engine, ACCOUNT)
    put(engine, [event(MAIL, ACCOUNT, minute=3, source="site")])
    answer = desk.get(f"/customers/{old}", params={"channel": "email"})
    assert answer.url.path == f"/customers/{anna(engine)}" != f"/customers/{old}"


def test_every_view_leaves_who_read_whom(desk: TestClient, engine: sa.Engine) -> None:
    put(engine, story())
    id = anna(engine)
    desk.get("/", params={"q": "anna"})
    address = drawn(desk.get(f"/customers/{id}")).select_one(".interaction")
    assert address is not None
    desk.get(f"/customers/{id}/interactions/{str(address['id']).removeprefix('i-')}")
    with engine.connect() as conn:
        found = conn.execute(sa.select(reads).order_by(reads.c.id)).all()
    assert [(row.reader, row.role, row.customer_id) for row in found] == [("Katrin", "agent", id)] * 3
    assert [row.what for row in found] == ["search", "page", "interaction"]


def test_a_note_is_on_the_timeline_and_in_the_log(desk: TestClient, engine: sa.Engine, log: MemoryLog) -> None:
    put(engine, story())
    answer = desk.post(f"/customers/{anna(engine)}/notes", data={"text": " Call back. "}, headers=OWN)
    assert answer.url.path == f"/customers/{anna(engine)}"
    assert words(answer, ".said.note .words") == ["Call back."]
    assert words(answer, ".said.note b") == ["Katrin"]
    assert [(one.type, one.text) for one in log.events] == [("note.written", "Call back.")]


def test_an_empty_note_is_refused_in_words(desk: TestClient, engine: sa.Engine, log: MemoryLog) -> None:
    put(engine, [mail("Hello.")])
    answer = desk.post(f"/customers/{anna(engine)}/notes", data={"text": "  "}, headers=OWN)
    assert answer.status_code == 400
    assert words(answer, "h1")[0].startswith("text:")
    assert log.drafts == []


def test_one_interaction_has_a_page_of_its_own_with_all_events_on_request(desk: TestClient, engine: sa.Engine) -> None:
    put(engine, [mail(f"Line {n}.", n) for n in range(50)])
    first = desk.get(f"/customers/{anna(engine)}")
    more = drawn(first).select_one(".interaction .step a")
    assert more is not None
    assert more.get_text() == "10 earlier events"
    assert words(desk.get(str(more["href"])), ".said .words") == [f"Line {n}." for n in range(50)]


def test_an_interaction_of_somebody_else_is_not_shown(desk: TestClient, engine: sa.Engine) -> None:
    put(engine, [mail("Mine."), event("email:eve@mail.example", text="Hers.", source="shop", conversation="x")])
    hers = drawn(desk.get(f"/customers/{anna(engine, 'email:eve@mail.example')}")).select_one(".interaction")
    assert hers is not None
    answer = desk.get(f"/customers/{anna(engine)}/interactions/{str(hers['id']).removeprefix('i-')}")
    assert answer.status_code == 404
    assert "Hers." not in answer.text


def test_what_had_to_be_told_again_stands_side_by_side_with_what_it_could_have_been_known_by(
    desk: TestClient, engine: sa.Engine
) -> None:
    put(engine, demo.events(datetime.now(UTC)))
    answer = desk.get(f"/customers/{anna(engine, 'account:TL-20210')}")
    again = words(answer, ".told .again summary")
    assert len(again) >= 3
    assert any(one.endswith("it was on record") for one in again)
    passages = words(answer, ".told .pair q")
    assert any("breaks several times every evening" in one for one in passages)
    assert any(one.startswith("Promised") for one in words(answer, ".told .facts li"))


def test_an_agent_says_how_an_issue_stands(desk: TestClient, engine: sa.Engine, log: MemoryLog) -> None:
    put(engine, [mail("My router keeps dropping the connection every evening.")])
    address = f"/customers/{anna(engine, MAIL)}"
    assert words(desk.get(address), ".told .state") == ["How it stands: open"]
    [form] = drawn(desk.get(address)).select(".told form")
    shown = desk.post(str(form["action"]), data={"state": "resolved"}, headers=OWN)
    assert words(shown, ".told .state") == ["How it stands: resolved"]
    assert [(one.type, one.data["state"]) for one in log.events] == [("issue.stated", "resolved")]
    assert desk.post(str(form["action"]), data={"state": "done"}, headers=OWN).status_code == 400
    assert desk.post(str(form["action"]), data={"state": "open"}).status_code == 403


def test_who_told_nothing_yet_has_no_such_part(desk: TestClient, engine: sa.Engine) -> None:
    put(engine, [mail("")])
    assert not drawn(desk.get(f"/customers/{anna(engine, MAIL)}")).select(".told")


def test_an_answer_leads_to_the_call_that_it_is_about(desk: TestClient, engine: sa.Engine) -> None:
    rated = {"kind": "ces", "score": 2, "contact": {"source": "pbx", "conversation": "call-1"}}
    told: dict[str, Any] = {"type": "feedback.received", "source": "nps", "channel": "other", "minute": 500}
    put(engine, [*call(200), *(event(PHONE, text=words, data=rated, **told) for words in ("Slow.", None))])
    answer = desk.get(f"/customers/{anna(engine, PHONE)}")
    assert words(answer, ".other a") == ["about the call of 4 May, 12:20"] * 2
    (link, _) = drawn(answer).select(".other a")
    assert len(words(desk.get(str(link["href"])), ".phone .said")) == 2
