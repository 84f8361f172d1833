"""What a customer told over channels: their issues, what they had to tell again, what is on record."""

from datetime import UTC, datetime, timedelta
from itertools import combinations
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.event import Author, Direction, Event, Role
from services.settings import Settings
from services.timeline.findings import WINDOW, Dossier, Seen, findings, standing
from services.timeline.learning import Latest
from services.timeline.similarity import shipped
from services.timeline.unions import Unions
from tests.builders import at, event
from tests.house import MAIL, PHONE, House
from tests.test_orders import decided

BY = shipped()
BROKEN = "My router keeps dropping the connection every evening, order 48213."
AGAIN = "The router drops the connection each evening, as I told your colleague."
HOUR = 60


def called(text: str, minute: float, **changes: Any) -> Event:
    """What the customer said on a call."""
    return event(PHONE, text=text, minute=minute, type="call.turn", channel="phone", source="calls", **changes)


def wrote(text: str, minute: float, **changes: Any) -> Event:
    """What an agent wrote in a chat."""
    return event(
        MAIL, text=text, minute=minute, type="message.sent", channel="chat", direction=Direction.outbound,
        author=Author(role=Role.agent), conversation="c1", **changes,
    )  # fmt: skip


def both(minute: float = 0) -> Event:
    """An event that names the customer by mail and by phone."""
    return event(MAIL, PHONE, minute=minute, type="page.viewed", channel="web", text=None)


def recorded(event: Event) -> Event:
    """As if it was accepted when it happened."""
    return event.model_copy(update={"received_at": event.occurred_at})


def test_telling_it_again_on_another_channel_is_shown_with_both_passages_and_what_could_have_been_known(
    house: House,
) -> None:
    happened = [both(), event(MAIL, text=BROKEN), called(AGAIN, 26 * HOUR)]
    house.happened(*map(recorded, happened))
    id = house.id(MAIL)
    found = house.get(f"/v1/customers/{id}/issues")
    [issue] = found["issues"]
    assert (issue["title"], issue["state"], issue["channels"]) == (BROKEN, "open", ["email", "phone"])
    [again] = issue["repeats"]
    assert (again["earlier"]["text"], again["later"]["text"], again["hours"]) == (BROKEN, AGAIN, 26.0)
    assert (again["explained"], again["evidence"]) == (True, "the customer says so")
    assert (again["context"], again["avoidable"]) == ("linked but not shown", True)
    assert house.get(f"/v1/customers/{id}/issues", window=7)["window"] == 7
    assert house.reads()[-1].what == "issues"


def test_what_was_linked_only_afterwards_could_not_be_avoided(house: House) -> None:
    happened = [event(MAIL, text=BROKEN), called(AGAIN, 26 * HOUR), both(27 * HOUR)]
    house.happened(*map(recorded, happened))
    [issue] = house.get(f"/v1/customers/{house.id(MAIL)}/issues")["issues"]
    assert [(one["context"], one["avoidable"]) for one in issue["repeats"]] == [("not linked then", False)]


@pytest.mark.parametrize(
    ("first", "verdicts", "context"),
    [
        ([], {10: "merged"}, "linked but not shown"),
        ([], {10: "merged", 5000: "merged"}, "linked but not shown"),
        ([], {10: "merged", 20: "unmerged", 5000: "merged"}, "not linked then"),
        ([both(5)], {10: "merged"}, "linked but not shown"),
        ([both(5)], {5000: "merged"}, "linked but not shown"),
        ([both(5)], {20: "unmerged", 5000: "merged"}, "not linked then"),
    ],
)
def test_a_merge_that_was_undone_links_nothing_until_they_are_merged_again(
    house: House, first: list[Event], verdicts: dict[int, str], context: str
) -> None:
    said = [
        decided(f"customer.{verdict}", minute, *((MAIL, PHONE) if verdict == "merged" else (PHONE, MAIL)))
        for minute, verdict in verdicts.items()
    ]
    house.happened(*map(recorded, [event(MAIL, text=BROKEN), *first, called(AGAIN, 26 * HOUR), *said]))
    [issue] = house.get(f"/v1/customers/{house.id(MAIL)}/issues")["issues"]
    assert [one["context"] for one in issue["repeats"]] == [context]


def test_any_news_comes_back_without_being_told_again(house: House) -> None:
    house.happened(event(MAIL, text=BROKEN), event(MAIL, text="Any news on this?", minute=48 * HOUR))
    [issue] = house.get(f"/v1/customers/{house.id(MAIL)}/issues")["issues"]
    assert [one["explained"] for one in issue["repeats"]] == [False]


def test_a_question_whose_answer_is_on_record_is_answered_by_its_sentence(house: House) -> None:
    house.happened(event(MAIL, text=BROKEN, id="told"), wrote("We will call you back within 2 days.", 5))
    id = house.id(MAIL)
    answer = house.post(f"/v1/customers/{id}/check", {"question": "What is your order number?"}).json()
    assert answer["known"]
    assert [(one["kind"], one["value"], one["event"]) for one in answer["answers"]] == [("order", "48213", "told")]
    assert answer["answers"][0]["sentence"] == BROKEN
    unknown = house.post(f"/v1/customers/{id}/check", {"question": "Which colour is it?"}).json()
    assert (unknown["known"], unknown["answers"]) == (False, [])
    facts = house.get(f"/v1/customers/{id}/facts")["facts"]
    assert ("promised", "2026-05-06") in {(one["sort"], one["due"]) for one in facts}


def test_a_very_long_text_is_read_at_its_beginning() -> None:
    texts = BROKEN + " " + "x" * 900_000, "x" * 900_000, "x@" * 450_000, "@" * 900_000, "1 " * 450_000
    seen = [Seen(event(MAIL, text=text, minute=place), "mail", "mail") for place, text in enumerate(texts)]
    found = findings(Dossier(seen, Unions([])), BY)
    assert found.issues[0].title.startswith("My router keeps dropping")
    assert max(len(one.statement.text) for issue in found.issues for one in issue.members) <= 5_000


def test_asking_for_what_is_on_record_is_evidence() -> None:
    told = [
        event(MAIL, text=BROKEN, conversation="first"),
        wrote("What is your order number?", 26 * HOUR),
        event(MAIL, text="My router keeps dropping it every evening.", minute=26 * HOUR + 1, conversation="c1"),
    ]
    seen = [Seen(one, one.conversation or one.id, "mail") for one in told]
    [again] = findings(Dossier(seen, Unions([])), BY).repeats[WINDOW]
    assert again.evidence == "asked for what was on record"


def test_a_message_tells_what_was_written_last_and_nothing_once_it_was_taken_back(house: House) -> None:
    changed = dict(data={"message": "one"}, type="message.edited", channel="chat")
    house.happened(event(MAIL, text="My routr", id="one"), event(MAIL, text=BROKEN, minute=1, **changed))
    id = house.id(MAIL)
    [issue] = house.get(f"/v1/customers/{id}/issues")["issues"]
    assert [(one["event"], one["text"]) for one in issue["members"]] == [("one", BROKEN)]
    assert [one["value"] for one in house.get(f"/v1/customers/{id}/facts")["facts"]] == ["48213"]
    house.happened(event(MAIL, text=None, minute=2, **{**changed, "type": "message.deleted"}))
    assert house.get(f"/v1/customers/{id}/issues")["issues"] == house.get(f"/v1/customers/{id}/facts")["facts"] == []


@given(st.permutations(["shop/mail", "shop/chat", "shop/desk"]))
def test_an_edit_is_of_its_own_source_s_message_before_another_of_the_same_system(sources: list[str]) -> None:
    seen = [Seen(event(MAIL, text=BROKEN, id="1", source=source), source, "mail") for source in sources]
    edit = event(
        MAIL, text="Edited", type="message.edited", data={"message": "1"}, minute=1, source="shop/chat", channel="chat"
    )
    stands = standing([*seen, Seen(edit, "edit", "mail")])
    assert {one.event.source: one.event.text for one in stands.values()} == dict.fromkeys(sources, BROKEN) | {
        "shop/chat": "Edited"
    }


def test_facts_of_a_deployment_s_own_kind_are_found_as_it_set_them() -> None:
    settings = Settings.model_validate({"fact_patterns": [{"kind": "meter", "expression": r"meter is at (\d+)"}]})
    seen = [Seen(event(MAIL, text="Hello, my meter is at 4711 now."), "mail", "mail")]
    found = findings(Dossier(seen, Unions([])), BY, patterns=Latest(settings.facts()).patterns)
    assert [(one.kind, one.value) for one in found.facts] == [("meter", "4711")]


def test_strangers_on_a_shared_phone_are_no_one_issue(house: House) -> None:
    house.happened(
        event("account:A-1", PHONE, text=BROKEN), event("account:B-1", PHONE, text=BROKEN, minute=HOUR),
        called(BROKEN, 2 * HOUR), called(BROKEN, 3 * HOUR),
    )  # fmt: skip
    for account in ("account:A-1", "account:B-1"):
        [issue] = house.get(f"/v1/customers/{house.id(account)}/issues")["issues"]
        assert (len(issue["members"]), issue["repeats"]) == (1, [])


def test_an_agents_word_moves_a_passage_and_another_word_takes_it_away_again(house: House) -> None:
    invoice = "The invoice for May is wrong, I was charged twice."
    house.happened(
        event(MAIL, text=BROKEN, id="router"), event(MAIL, text=invoice, id="invoice", minute=HOUR),
        event(MAIL, text="The charge is still there.", id="charge", minute=30 * HOUR),
    )  # fmt: skip
    id = house.id(MAIL)

    def said(name: str) -> dict[str, str]:
        return {"source": "shop", "event": name}

    moved = house.post(f"/v1/customers/{id}/issues/join", {"passages": [said("charge")], "with": said("router")})
    assert moved.json() == {"customer": id}
    found = house.get(f"/v1/customers/{id}/issues")
    assert together(found) == [{"router", "charge"}, {"invoice"}]
    [reason] = [one["reason"] for one in found["issues"][0]["members"] if one["event"] == "charge"]
    assert reason == "a person said so"
    house.post(f"/v1/customers/{id}/issues/part", {"passages": [said("charge")], "with": said("router")})
    assert {"router"} in together(house.get(f"/v1/customers/{id}/issues"))
    newest = house.get(f"/v1/customers/{id}/timeline", view="flat", limit=1)["items"][0]
    assert newest["summary"] == "agent said that two passages tell two issues"


def test_a_word_on_an_event_whose_id_passes_for_a_cards_number_is_kept_as_it_is(house: House) -> None:
    card = "4111111111111111"
    house.happened(event(MAIL, text=BROKEN, id=card), event(MAIL, text="Where is my refund?", id="r", minute=HOUR))
    id = house.id(MAIL)
    one, other = {"source": "shop", "event": card}, {"source": "shop", "event": "r"}
    house.post(f"/v1/customers/{id}/issues/join", {"passages": [one], "with": other})
    assert together(house.get(f"/v1/customers/{id}/issues")) == [{card, "r"}]


def test_who_was_only_listed_was_not_shown(house: House) -> None:
    now = datetime.now(UTC)
    told, again = (now - timedelta(hours=2), BROKEN), (now + timedelta(hours=2), AGAIN)
    house.happened(*(recorded(event(MAIL, text=text, occurred_at=at)) for at, text in (told, again)))
    with house.engine.begin() as conn:
        conn.exec_driver_sql("DELETE FROM reads")
    id = house.get("/v1/search", q="mari@example.com")["customers"][0]["id"]
    for expected in ("linked but not shown", "shown before"):  # the first look is one
        [issue] = house.get(f"/v1/customers/{id}/issues")["issues"]
        assert [one["context"] for one in issue["repeats"]] == [expected]


def test_a_passage_that_is_not_the_customers_is_refused_and_nothing_is_kept(house: House) -> None:
    house.happened(event(MAIL, text=BROKEN, id="router"), event(PHONE, text=BROKEN, id="another"))
    said = {"passages": [{"source": "shop", "event": "router"}], "with": {"source": "shop", "event": "another"}}
    refused = house.post(f"/v1/customers/{house.id(MAIL)}/issues/join", said)
    assert (refused.status_code, refused.json()["code"]) == (404, "no_passage")
    with house.engine.connect() as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM events WHERE source = 'tellonce'").scalar_one() == 0


def together(answer: dict[str, Any]) -> list[set[str]]:
    return [{one["event"] for one in issue["members"]} for issue in answer["issues"]]


texts = st.sampled_from(
    [BROKEN, AGAIN, "Any news?", "Thank you!", "I want to cancel my contract", "Order 7731 is late"]
)
told = st.lists(st.tuples(texts, st.integers(0, 40 * 24), st.sampled_from("abc")), max_size=10)


@given(told=told, random=st.randoms(use_true_random=False))
def test_any_order_gives_the_same(told: list[tuple[str, int, str]], random: Random) -> None:
    seen = [
        Seen(recorded(event(text=text, minute=hour * HOUR, id=str(number))), where, where)
        for number, (text, hour, where) in enumerate(told)
    ]
    links: list[tuple[datetime, str, str]] = [(at(100), "a", "b"), (at(9000), "b", "c")]
    shown = [at(200), at(12_000)]
    calm = findings(Dossier(seen, Unions(links), shown), BY)
    random.shuffle(seen), random.shuffle(links), random.shuffle(shown)
    assert findings(Dossier([*seen, *seen[:3]], Unions(links), shown), BY) == calm


def test_things_are_one_since_the_last_link_on_the_first_way_between_them() -> None:
    joined = Unions([(at(9), "a", "c"), (at(1), "a", "b"), (at(5), "b", "c"), (at(7), "x", "y")])
    assert [joined.since(*pair) for pair in ("ab", "bc", "ca", "ax")] == [at(1), at(5), at(5), None]
    assert joined.since("a", "a") < at(0)


@given(links=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)), max_size=20))
def test_any_links_make_two_one_at_the_first_moment_at_which_there_is_a_way(links: list[tuple[int, int, int]]) -> None:
    joined = Unions((at(minute), left, right) for minute, left, right in links)
    for one, other in combinations(range(10), 2):
        since = (at(minute) for minute in range(10) if other in _reached(one, links, minute))
        assert joined.since(one, other) == next(since, None)


def _reached(start: int, links: list[tuple[int, int, int]], minute: int) -> set[int]:
    """What can be reached by links up to a minute."""
    reached, before = {start}, set[int]()
    while reached != before:
        before = set(reached)
        reached.update(end for at, *ends in links if at <= minute and reached & {*ends} for end in ends)
    return reached
