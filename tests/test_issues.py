"""Statements threaded into issues, and which contacts repeat earlier ones."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.timeline.comparisons import Comparisons
from services.timeline.issues import Correction, Issue, Mark, Reason, State, issues
from services.timeline.repeats import Context, Evidence, Known, Repeat, repeats
from services.timeline.similarity import shipped
from services.timeline.statements import Statement, classify, essence, told_before

BY = shipped()
THEN = datetime(2026, 3, 2, 9, tzinfo=UTC)
CARD = "My card is stuck inside the ATM"
AGAIN = "The ATM kept my card, it is stuck"
OTHER = "How do I change my delivery address?"


def said(text: str, hours: int = 0, interaction: str = "", **more: Any) -> Statement:
    matter, references = essence(text, "en"), more.get("references", ())
    kind = classify(matter, "en", bool(references))
    name = f"{hours:05} {text}"
    return Statement(
        name,
        interaction or name,
        THEN + timedelta(hours=hours),
        more.get("channel", "email"),
        text,
        matter,
        kind,
        "en",
        references,
        told_before(text, "en"),
    )


def issues_of(told: Iterable[Statement], **more: Any) -> list[Issue]:
    return issues(told, Comparisons(BY), **more)


def threaded(*told: Statement, **more: Any) -> list[list[str]]:
    return [[one.statement.text for one in issue.members] for issue in issues_of(told, **more)]


def repeated(*told: Statement, known: Known | None = None, days: int = 14, **more: Any) -> list[Repeat]:
    record = {one.event: one.at for one in told}
    known = known or Known(record, lambda *_: THEN - timedelta(days=1))
    [found] = repeats(issues_of(told), Comparisons(BY), known, [timedelta(days=days)], **more)
    return found


def test_what_agreed_is_told_also_where_it_is_other_words() -> None:
    told = said(CARD), said("the atm swallowed my card", 9)
    (issue,), (repeat,) = issues_of(told), repeated(*told)
    assert {"card", "stuck ~ swallowed"} <= set(issue.members[1].agreed)
    assert "stuck ~ swallowed" in repeat.words


def test_one_matter_is_one_issue_and_another_is_another() -> None:
    assert threaded(said(CARD), said(OTHER, 5), said(AGAIN, 9)) == [[CARD, AGAIN], [OTHER]]


def test_a_shared_reference_joins_what_reads_differently() -> None:
    order = (("order", "48213"),)
    told = issues_of([said("It never came", references=order), said("I was charged twice", 3, references=order)])
    assert [one.reason for one in told[0].members] == [Reason.first, Reason.reference]
    assert told[0].members[1].agreed == ("order 48213",)


def test_a_reference_is_shared_with_who_names_it_in_words() -> None:
    order = (("order", "T-48213"),)
    told = [said(CARD), said("Parcel t-48213 never came", 3), said(OTHER, 5), said("Any news?", 9, references=order)]
    assert threaded(*told) == [[CARD], ["Parcel t-48213 never came", "Any news?"], [OTHER]]
    charged = said("I was charged twice", 9, references=order)
    found = issues_of([*told[:3], charged])[1].members[1]
    assert (found.statement, found.reason, found.agreed) == (charged, Reason.reference, ("order T-48213",))
    assert len(issues_of([said(CARD, references=(("order", "7"),)), said("I was charged 7 euros", 3)])) == 2


def test_any_news_belongs_to_the_latest_issue() -> None:
    assert threaded(said(CARD), said(OTHER, 5), said("Any news?", 9)) == [[CARD], [OTHER, "Any news?"]]


def test_what_is_long_past_is_another_issue() -> None:
    assert len(threaded(said(CARD), said(CARD, 24 * 31))) == 2


def test_peoples_word_counts_and_the_later_one_most() -> None:
    one, other = said(CARD), said(OTHER, 5)
    same, apart = (
        Correction(THEN, one.event, other.event, True),
        Correction(THEN + timedelta(hours=1), other.event, one.event, False),
    )
    assert len(threaded(one, other, corrections=[same])) == 1
    assert len(threaded(one, other, corrections=[apart, same])) == 2


def test_what_a_customer_answers_counts_for_all_they_say_in_that_conversation() -> None:
    told = said(CARD), said("hello", 3, "call"), said(OTHER, 4, "call"), said(AGAIN, 9)
    same, another = (Correction(THEN + timedelta(hours=2), "call", told[0].event, word) for word in (True, False))
    assert threaded(*told, corrections=[same]) == [[CARD, "hello", OTHER, AGAIN]]
    assert threaded(*told, corrections=[another]) == [[CARD, AGAIN], ["hello", OTHER]]
    moved = Correction(THEN + timedelta(hours=10), told[2].event, told[0].event, False)
    assert threaded(*told, corrections=[moved, same]) == [[CARD, "hello", AGAIN], [OTHER]]


def test_how_an_issue_stands_is_what_a_person_said_until_more_happens() -> None:
    told = [said(CARD, interaction="a"), said(OTHER, 1)]
    done = Mark(THEN + timedelta(hours=2), told[0].event, State.resolved)
    again = Mark(THEN + timedelta(hours=3), told[0].event, State.open)
    assert [one.state for one in issues_of(told, marks=[done])] == [State.resolved, State.open]
    assert [one.state for one in issues_of(told, marks=[again, done])] == [State.open, State.open]
    assert issues_of([*told, said(AGAIN, 9)], marks=[done])[0].state == State.reopened


def test_an_issue_is_told_in_the_customers_words_and_has_a_state() -> None:
    told = [said(CARD, interaction="a"), said("Thanks, that solved it!", 2, interaction="a")]
    assert (issues_of(told)[0].title, issues_of(told)[0].state) == (CARD, State.resolved)
    assert issues_of([*told, said("Any news?", 9)])[0].state == State.reopened
    waits = Mark(THEN + timedelta(hours=1), "a", State.waiting)
    assert issues_of(told[:1], marks=[waits])[0].state == State.waiting


def test_explaining_again_is_told_from_asking_on() -> None:
    news, again = repeated(said(CARD), said("Any news?", 5, channel="chat"), said(AGAIN, 9, channel="phone"))
    assert not news.explained
    assert again.explained
    assert (again.earlier.text, again.later.text, again.evidence) == (CARD, AGAIN, Evidence.texts)
    assert (again.between, again.channels) == (timedelta(hours=9), ("email", "phone"))
    assert {"card", "stuck"} <= set(again.words)


def test_more_of_the_same_contact_is_no_repeat() -> None:
    assert not repeated(said(CARD, interaction="a"), said(AGAIN, 1, interaction="a"))


def test_windows_are_kept() -> None:
    told = said(CARD), said(AGAIN, 24 * 10)
    assert (len(repeated(*told, days=7)), len(repeated(*told, days=14))) == (0, 1)


def test_what_was_said_later_in_an_earlier_contact_is_not_what_was_explained_before() -> None:
    mail, call = said(CARD, interaction="mail"), said(AGAIN, 24, channel="phone")
    on = said("The ATM still keeps my card, it is stuck", 48, interaction="mail")
    (found,) = repeated(mail, call, on)
    assert (found.earlier, found.later) == (mail, call)
    late = said(AGAIN, 24 * 20, channel="phone")
    assert not repeated(mail, late, said(AGAIN, 24 * 21, interaction="mail"))


def test_who_says_that_they_told_before_is_believed() -> None:
    found = repeated(said(CARD), said("As I told your colleague, the ATM kept my card, it is stuck", 5))
    assert [one.evidence for one in found] == [Evidence.told]
    assert [one.evidence for one in repeated(said(CARD), said(AGAIN, 5, "call"), asked={"call": "x"})] == [
        Evidence.asked
    ]


def test_what_could_have_been_known_is_told() -> None:
    one, two = said(CARD), said(AGAIN, 9)
    early, late = THEN + timedelta(hours=1), THEN + timedelta(hours=10)
    contexts = {
        Context.unrecorded: Known({one.event: late}, lambda *_: late),
        Context.unlinked: Known({one.event: early}, lambda *_: late, [early]),
        Context.unshown: Known({one.event: early}, lambda *_: early, [THEN, late]),
        Context.shown: Known({one.event: early}, lambda *_: early, [early]),
    }
    for context, known in contexts.items():
        found = repeated(one, two, known=known)
        assert [(again.context, again.avoidable) for again in found] == [
            (context, context in (Context.unshown, Context.shown))
        ]


WORDS = st.sampled_from(
    [CARD, AGAIN, OTHER, "Any news?", "Thanks a lot!", "As I said before, my card is stuck", "hello"]
)
STORIES = st.lists(
    st.tuples(WORDS, st.integers(0, 1000), st.sampled_from(["a", "b", ""])), max_size=8, unique_by=lambda one: one[:2]
)


@settings(deadline=None)
@given(STORIES, st.data())
def test_any_order_and_repetition_give_the_same(story: list[tuple[str, int, str]], data: st.DataObject) -> None:
    told = [said(text, hours, interaction) for text, hours, interaction in story]
    events = [one.event for one in told] or ["none"]
    pairs = st.tuples(st.sampled_from([*events, "a", "b"]), st.sampled_from(events), st.booleans())
    words = [
        Correction(THEN + timedelta(hours=at), *word) for at, word in enumerate(data.draw(st.lists(pairs, max_size=3)))
    ]
    marks = [Mark(THEN + timedelta(hours=at), "a", State.waiting) for at in (3, 700)]
    stated = st.tuples(st.integers(0, 1000), st.sampled_from(events), st.sampled_from(State))
    marks += [Mark(THEN + timedelta(hours=at), *one) for at, *one in data.draw(st.lists(stated, max_size=2))]
    shuffled = data.draw(st.permutations(told))

    def all_of(
        some: list[Statement], corrections: list[Correction], marked: list[Mark]
    ) -> tuple[list[Issue], list[Repeat]]:
        by = Comparisons(BY)
        found = issues(some, by, corrections, marked)
        return found, repeats(found, by, Known({}, lambda *_: None), [timedelta(days=14)])

    assert all_of(told, words, marks) == all_of([*shuffled, *told[:2]], words[::-1], marks[::-1])
    assert (
        sorted(one.statement.event for issue in issues_of(told) for one in issue.members) == sorted(events) or not told
    )


@settings(deadline=None)
@given(STORIES)
def test_what_repeats_comes_after_what_it_repeats(story: list[tuple[str, int, str]]) -> None:
    assert all(one.between >= timedelta() for one in repeated(*(said(*told) for told in story), days=40))


@settings(deadline=None)
@given(STORIES, st.integers(0, 8))
def test_what_comes_later_leaves_earlier_memberships_alone(story: list[tuple[str, int, str]], cut: int) -> None:
    told = sorted((said(*one) for one in story), key=lambda one: (one.at, one.event))
    first = {one.statement.event: one for issue in issues_of(told[:cut]) for one in issue.members}
    whole = {one.statement.event: one for issue in issues_of(told) for one in issue.members}
    assert first.items() <= whole.items()


def test_of_passages_those_stand_side_by_side_that_tell_more_than_a_number() -> None:
    told = said(CARD, 0, "mail"), said("It is TL-20210.", 1, "mail")
    [again] = repeated(*told, said("TL-20210", 9, "call"), said(AGAIN, 9, "call"))
    assert (again.earlier.text, again.later.text) == (CARD, AGAIN)
