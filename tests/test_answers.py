"""What customers answer when asked whether it is about a known issue, and what agents say of how one stands."""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.event import Direction, Event
from services.access import Role
from services.identifiers import OWN_SOURCE
from services.settings import Settings
from services.timeline.findings import Dossier, Seen, findings
from services.timeline.interactions import conversation_id
from services.timeline.rebuild import rebuild
from services.timeline.similarity import shipped
from services.timeline.unions import Unions
from services.timeline.words import word
from tests.builders import event
from tests.house import MAIL, PHONE, House

BY = shipped()
ROUTER = "My router keeps dropping the connection every evening."
INVOICE = "The invoice for May is wrong, I was charged twice."
HOUR = 60


def says(text: str, minute: float, name: str, conversation: str | None = None, **changes: Any) -> Event:
    """What the customer said on the phone."""
    changes = {"type": "call.turn", "channel": "phone", "source": "calls", **changes}
    return event(MAIL, text=text, minute=minute, id=name, conversation=conversation, **changes)


def issues(house: House) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = house.get(f"/v1/customers/{house.id(MAIL)}/issues")["issues"]
    return found


def together(house: House) -> set[frozenset[str]]:
    return {frozenset(one["event"] for one in issue["members"]) for issue in issues(house)}


def answer(house: House, same: bool, issue: str | None = None, role: Role = Role.channel, **where: str) -> Any:
    """What a bot answers of the customer's first issue."""
    issue = issue or min(issues(house), key=lambda one: str(one["opened_at"]))["id"]
    body = {"source": "calls", "same": same, **where}
    return house.post(f"/v1/customers/{house.id(MAIL)}/issues/{issue}/answer", body, role)


def test_an_answer_threads_what_is_said_later_in_that_conversation(house: House) -> None:
    house.happened(event(MAIL, text=ROUTER, id="router"))
    assert answer(house, True, conversation="c1").json() == {"customer": house.id(MAIL)}
    house.happened(says("Yes.", HOUR, "yes", "c1"), says(INVOICE, HOUR + 1, "turn", "c1"))
    house.happened(says(INVOICE, HOUR + 2, "other", "c2", occurred_at=event(minute=60 * 24 * 40).occurred_at))
    assert together(house) == {frozenset({"router", "yes", "turn"}), frozenset({"other"})}
    assert {one["reason"] for one in issues(house)[1]["members"][1:]} == {"a person said so"}


def test_an_answer_that_it_is_something_else_keeps_it_apart(house: House) -> None:
    house.happened(event(MAIL, text=ROUTER, id="router"), says(ROUTER, HOUR, "again", "c1"))
    assert together(house) == {frozenset({"router", "again"})}
    answer(house, False, conversation="c1")
    assert together(house) == {frozenset({"router"}), frozenset({"again"})}
    answer(house, True, conversation="c1")  # the last word counts
    assert together(house) == {frozenset({"router", "again"})}


def test_an_answer_may_name_an_event_that_is_no_conversations(house: House) -> None:
    house.happened(event(MAIL, text=ROUTER, id="router"))
    answer(house, True, event="form-7")
    house.happened(says(INVOICE, HOUR, "form-7"), says(INVOICE, 50 * 24 * HOUR, "form-8"))
    assert together(house) == {frozenset({"router", "form-7"}), frozenset({"form-8"})}


def test_an_agents_word_on_a_passage_goes_before_an_earlier_answer(house: House) -> None:
    house.happened(event(MAIL, text=ROUTER, id="router"), says(ROUTER, HOUR, "again", "c1"))
    answer(house, True, conversation="c1")
    apart = {"passages": [{"source": "calls", "event": "again"}], "with": {"source": "shop", "event": "router"}}
    house.post(f"/v1/customers/{house.id(MAIL)}/issues/part", apart)
    assert together(house) == {frozenset({"router"}), frozenset({"again"})}


def test_an_issue_goes_by_its_id_though_an_earlier_passage_begins_it_now(house: House) -> None:
    house.happened(says(ROUTER, HOUR, "second"))
    [issue] = issues(house)
    house.happened(event(MAIL, text=ROUTER, id="first"))
    assert answer(house, True, issue["id"], conversation="c1").status_code == 200
    house.happened(says(INVOICE, 2 * HOUR, "turn", "c1"))
    assert together(house) == {frozenset({"first", "second", "turn"})}


def test_who_answers_is_told_on_the_timeline(house: House) -> None:
    house.happened(event(MAIL, text=ROUTER, id="router"))
    answer(house, True, conversation="c1")
    answer(house, False, role=Role.agent, conversation="c1")
    told = house.get(f"/v1/customers/{house.id(MAIL)}/timeline", view="flat", limit=2)["items"]
    assert [one["summary"] for one in told] == [
        "Customer told agent that it is about another issue than was thought",
        "Customer told channel that it is about an issue that is known",
    ]


@pytest.mark.parametrize("where", [{}, {"conversation": "c1", "event": "e1"}])
def test_an_answer_says_where_the_customer_is_in_one_way(house: House, where: dict[str, str]) -> None:
    house.happened(event(MAIL, text=ROUTER))
    assert answer(house, True, **where).status_code == 400


def test_an_issue_of_somebody_else_is_refused_and_nothing_is_kept(house: House) -> None:
    house.happened(event(MAIL, text=ROUTER), event(PHONE, text=INVOICE))
    [theirs] = house.get(f"/v1/customers/{house.id(PHONE)}/issues")["issues"]
    refused = answer(house, True, theirs["id"], conversation="c1")
    assert (refused.status_code, refused.json()["code"]) == (404, "no_issue")
    with house.engine.connect() as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM events WHERE source = 'tellonce'").scalar_one() == 0


def test_an_agent_says_how_an_issue_stands_and_a_rebuild_keeps_it(house: House, database_url: str) -> None:
    house.happened(event(MAIL, text=ROUTER, id="router"))
    [issue] = issues(house)
    address = f"/v1/customers/{house.id(MAIL)}/issues/{issue['id']}/state"
    for state in ("waiting", "resolved"):
        assert house.post(address, {"state": state, "reason": "New router sent."}).status_code == 200
        assert [one["state"] for one in issues(house)] == [state]
    answer(house, True, conversation="c1")
    rebuild(database_url, Settings().rules())
    assert [one["state"] for one in issues(house)] == ["resolved"]
    house.happened(says(INVOICE, HOUR, "turn", "c1", occurred_at=event(minute=60 * 24 * 365 * 3).occurred_at))
    assert together(house) == {frozenset({"router", "turn"})}
    assert house.post(address, {"state": "done"}).status_code == 400
    assert house.post(address, {"state": "open"}, Role.channel).status_code == 403


texts = st.sampled_from([ROUTER, INVOICE, "Any news?", "Thank you!", "hello"])
told = st.lists(st.tuples(texts, st.integers(0, 900), st.sampled_from(["c1", "c2", None])), min_size=1, max_size=8)
places = st.sampled_from([{"source": "calls", "conversation": "c1"}, {"source": "calls/5", "event": "e1"}])
words = st.lists(
    st.tuples(
        st.sampled_from(["issue.answered", "issue.stated", "issue.joined", "issue.parted"]), st.integers(0, 900),
        st.integers(0, 7), st.booleans(), places, st.sampled_from(["open", "resolved"]),
    ), max_size=5,
)  # fmt: skip


def passage(number: int) -> dict[str, str]:
    return {"source": "calls", "event": f"e{number}"}


@settings(deadline=None)
@given(told=told, words=words, random=st.randoms(use_true_random=False))
def test_any_order_of_what_happened_and_what_was_said_of_it_gives_the_same(
    told: list[tuple[str, int, str | None]], words: list[tuple[Any, ...]], random: Random
) -> None:
    happened = [says(text, minute, f"e{number}", talk) for number, (text, minute, talk) in enumerate(told)]
    seen = [
        Seen(one, conversation_id("calls", one.conversation).hex() if one.conversation else one.id, "mail")
        for one in happened
    ]
    said = [
        word(event(
            type=type, minute=minute, source=OWN_SOURCE, channel="other", direction=Direction.internal,
            data={
                "issue": passage(number), "one": passage(number), "other": passage(7 - number), "same": same,
                "where": where, "state": state,
            },
        ))
        for type, minute, number, same, where, state in words
    ]  # fmt: skip
    calm = findings(Dossier(seen, Unions([]), words=said), BY)
    random.shuffle(seen), random.shuffle(said)
    assert findings(Dossier(seen, Unions([]), words=[*said, *said[:2]]), BY) == calm
