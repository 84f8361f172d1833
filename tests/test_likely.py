"""What a brief says that a customer probably comes about, who knows it, and what is not to be asked again."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from schemas.event import Author, Direction, Event, Role
from services.access import Role as Caller
from services.api import briefs, remembered
from services.api.familiar import Touch, routing
from services.api.hints import Known
from services.api.likely import QUESTIONS, Kept, known, likely, question
from services.timeline.rebuild import rebuild
from tests.builders import at, event
from tests.house import MAIL, PHONE, SETTINGS, House
from tests.test_analysis import analysed
from tests.test_briefs import NOW, customer

DAY = 24 * 60
ROUTER = "My router keeps dropping the connection every evening."
INVOICE = "The invoice for May is wrong, I was charged twice."


def issue(title: str = ROUTER, day: float = 0, **changes: Any) -> dict[str, Any]:
    """A row of an issue last spoken of so many days before now."""
    last = (NOW - timedelta(days=day)).isoformat()
    fields = {
        "issue_id": str(uuid4()), "title": title, "state": "open", "language": "en", "channels": ["email"],
        "opened_at": last, "last_at": last, "contacts": [],
    }  # fmt: skip
    return fields | changes


def likeliest(*rows: dict[str, Any]) -> tuple[str, float] | None:
    found = likely(Kept(rows), NOW)
    return found and (found.title, found.sure)


def test_the_open_issue_last_spoken_of_is_likely_and_less_so_beside_others_and_with_time() -> None:
    assert likeliest(issue()) == (ROUTER, 0.67)
    assert likeliest(issue(day=14)) == (ROUTER, 0.5)
    assert likeliest(issue(), issue(INVOICE, 2)) == (ROUTER, 0.42)
    assert likeliest(issue(day=3), issue(INVOICE, 2)) == (INVOICE, 0.4)


def test_what_is_done_or_long_past_or_tells_nothing_is_not_likely() -> None:
    assert likeliest() is None
    assert likeliest(issue(state="resolved"), issue(day=31), issue("Hello!"), issue("Any news?")) is None


@pytest.mark.parametrize("language", list(QUESTIONS))
def test_the_question_is_in_the_customers_language_and_words(language: str) -> None:
    asked = question("Internetas dingsta vakarais. Ir dar kai kas.", language)
    assert "Internetas dingsta vakarais" in asked
    assert asked.endswith("?")
    assert "kai kas" not in asked


def test_a_question_in_a_language_without_words_is_english() -> None:
    found = likely(Kept([issue(language="fr")]), NOW)
    assert found
    assert (found.language, found.question) == ("en", f"Is it about what you told us: “{ROUTER[:-1]}”?")


@pytest.mark.parametrize(
    "private", ["mari@example.com", "+372 5551 2345", "TL-20210", "55512345", "https://shop.example.com/a?b=c"]
)
def test_what_somebody_is_known_by_is_never_spoken(private: str) -> None:
    assert private not in question(f"I am {private} and my parcel is lost", "en")
    told = Known(sort="tried", kind="tried", value="", sentence=f"I tried {private} twice.", at=NOW, due=None)
    found = likely(Kept([issue(f"Parcel lost, {private}")]), NOW)
    assert found
    spoken = [*remembered.about(found, NOW), *(one for line in remembered.facts([told], NOW) for one in line)]
    assert private not in " ".join(spoken)


def touch(day: float, queue: str = "", agent: str = "", resolved: bool = False) -> Touch:
    return Touch(NOW - timedelta(days=day), queue, agent, resolved)


def test_who_dealt_with_it_last_knows_it_and_more_so_who_did_it_often() -> None:
    found = routing([touch(0, "faults", "Martin")], NOW)
    assert found.agent
    assert found.queue
    assert (found.agent.name, found.agent.sure, found.queue.name) == ("Martin", 0.67, "faults")
    often = routing([touch(4, agent="Liis"), touch(3, agent="Liis"), touch(1, agent="Martin")], NOW).agent
    assert often
    assert (often.name, often.contacts, often.last_at) == ("Liis", 2, NOW - timedelta(days=3))
    long_ago = routing([touch(44, agent="Liis"), touch(43, agent="Liis"), touch(1, agent="Martin")], NOW).agent
    assert long_ago
    assert long_ago.name == "Martin"


def test_who_called_it_resolved_though_the_customer_came_back_counts_half() -> None:
    came_back = routing([touch(2, agent="Liis", resolved=True), touch(2.5, agent="Martin"), touch(0)], NOW).agent
    assert came_back
    assert came_back.name == "Martin"
    held = routing([touch(2, agent="Martin"), touch(1, agent="Liis", resolved=True)], NOW).agent
    assert held
    assert (held.name, held.resolved) == ("Liis", True)


def test_what_only_a_bot_or_a_menu_touched_nobody_knows() -> None:
    found = routing([touch(0, "faults"), touch(1)], NOW)
    assert found.agent is None
    assert found.queue
    assert routing([touch(0)], NOW).queue is None


def fact(sort: str = "told", kind: str = "order", value: str = "48213", **changes: Any) -> dict[str, Any]:
    said = {"sentence": f"It is about {value}.", "at": NOW.isoformat(), "due": None}
    return {"sort": sort, "kind": kind, "value": value, **said} | changes


def test_each_value_is_known_once_and_of_some_only_that_it_is() -> None:
    tried = fact("tried", "tried", "x", sentence="I restarted it.")
    rows = [fact(), fact(), fact(kind="address", value="pikk 1"), tried]
    facts = known(rows)
    assert len(facts) == 3
    [told] = remembered.facts(facts, NOW)
    assert told == ["Do not ask again: order 48213, address, what they tried: “I restarted it.”"]


def test_a_promise_is_told_with_its_day() -> None:
    promise = fact("promised", "promise", "x", sentence="We will call you back.", due="2026-05-04")
    [told] = remembered.facts(known([promise]), NOW)
    assert told == ["We promised just now: “We will call you back.”, by 4 May (past)."]


@pytest.mark.parametrize("length", [160, 500, 2000])
def test_the_text_tells_it_at_each_length(length: int) -> None:
    context = briefs.Context(customer=customer(), kept=Kept([issue(day=3)], [fact()]), pending=True)
    told = briefs.text(briefs.build(context, NOW), length, NOW)
    assert f"Probably about “{ROUTER[:-1]}.”, open, told 3 days ago by mail" in told
    assert "More is still being read." in told
    assert len(told) <= length
    assert length == 160 or "Do not ask again: order 48213." in told
    assert length == 160 or "Ask: Is it about what you told us" in told


def call(minute: float, text: str, **ending: Any) -> list[Event]:
    """A call in which the customer says this to Martin of faults."""
    talk = dict(channel="phone", source="calls", conversation=f"call {minute}")
    return [
        event(MAIL, PHONE, type="call.started", text=None, minute=minute, **talk,
              data={"queue": "faults", "agent": "Martin"}),
        event(MAIL, PHONE, type="call.turn", text=text, minute=minute + 1, **talk),
        event(MAIL, PHONE, type="call.ended", text=None, minute=minute + 9, **talk, data=ending),
    ]  # fmt: skip


def lately(*happened: Event) -> list[Event]:
    """The same, but of the last days."""
    shift = datetime.now(UTC) - timedelta(days=3) - at(0)
    return [one.model_copy(update={"occurred_at": one.occurred_at + shift}) for one in happened]


def test_a_brief_carries_the_issue_who_knows_it_and_what_is_on_record(house: House, database_url: str) -> None:
    promise = event(
        MAIL, type="message.sent", text="We will send you a new one within 2 days.", minute=200, channel="email",
        direction=Direction.outbound, author=Author(role=Role.agent, name="Martin"),
    )  # fmt: skip
    told = "My router keeps dropping the connection, order 48213. I restarted it twice."
    house.happened(*lately(*call(0, told), promise))
    before = house.get("/v1/brief", Caller.channel, identifier=MAIL)
    assert (before["issue"], before["facts"], before["analysis"]["pending"]) == (None, [], True)
    for again in range(2):
        analysed(house.engine)
        found = house.get("/v1/brief", Caller.channel, identifier=MAIL)
        assert (found["issue"]["state"], found["issue"]["channels"]) == ("open", ["phone"])
        assert found["issue"]["question"].startswith("Is it about what you told us: “My router keeps")
        knows = found["issue"]["routing"]
        assert (knows["queue"]["name"], knows["agent"]["name"], knows["agent"]["contacts"]) == ("faults", "Martin", 1)
        facts = {(one["sort"], one["kind"]): one for one in found["facts"]}
        assert facts["told", "order"]["value"] == "48213"
        assert facts["tried", "tried"]["sentence"] == "I restarted it twice."
        assert facts["promised", "promise"]["due"]
        if not again:
            rebuild(database_url, SETTINGS.rules())
    text = house.ask("/v1/brief", Caller.channel, identifier=MAIL, format="text", length=500).text
    assert "Do not ask again: order 48213, what they tried: “I restarted it twice.”" in text
    where = {"source": "chat", "conversation": "c9", "same": True}
    address = f"/v1/customers/{found['customer']['id']}/issues/{found['issue']['id']}/answer"
    assert house.post(address, where, Caller.channel).status_code == 200
    said = event(MAIL, text="It is slow.", minute=300, source="chat", channel="chat", conversation="c9")
    house.happened(*lately(said))
    analysed(house.engine)
    assert house.get("/v1/brief", identifier=MAIL)["issue"]["channels"] == ["phone", "chat"]


def test_what_is_resolved_is_no_longer_likely(house: House) -> None:
    house.happened(*lately(*call(0, ROUTER, disposition="resolved")))
    analysed(house.engine)
    assert house.get("/v1/brief", identifier=MAIL)["issue"] is None


def test_merged_customers_have_each_others_issues_and_facts_at_once(house: House) -> None:
    house.happened(*lately(event(MAIL, text=ROUTER), event(PHONE, text="Order 48213 is late.", minute=9)))
    analysed(house.engine)
    house.post(f"/v1/customers/{house.id(MAIL)}/merge", {"with": house.id(PHONE)})
    found = house.get("/v1/brief", identifier=MAIL)
    assert found["issue"]["title"] == "Order 48213 is late."
    assert [one["value"] for one in found["facts"]] == ["48213"]
    kept = house.get(f"/v1/customers/{house.id(MAIL)}/issues")["issues"]
    assert found["issue"]["id"] in [one["id"] for one in kept]
