"""Groups of issues over all customers: what they hold, what they are called, and that they last."""

import json
import random
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.grouping import agreement
from services.timeline.groups import Grouping, Text, learned
from services.timeline.phrases import SAID, labels, phrases

MATTERS = {
    "parcel": (["parcel", "package", "delivery"], ["has not arrived", "is late", "was never delivered", "is lost"]),
    "password": (["password", "login", "passcode"], ["is forgotten", "must be reset", "does not work", "is refused"]),
    "refund": (["refund", "money back", "reimbursement"], ["is missing", "was promised", "is not on my account"]),
}
ENDS = ("", " since monday", " for a week", " again")
RUSSIAN = [
    f"{what} {how}"
    for what in ("принтер", "новый принтер", "мой принтер", "сетевой принтер")
    for how in ("не установить", "как установить", "нужно установить", "не удаётся установить")
]
OTHER = [
    f"{what} vanta {how}"
    for what in ("zorbl", "zorbl krix")
    for how in ("mur", "lopi", "sil", "oru", "pel", "dran", "fesk", "ulm", "brin", "tov", "gash", "wek")
]


def texts(name: str) -> list[Text]:
    whats, hows = MATTERS[name]
    return [(f"my {what} {how}{end}", "en") for what in whats for how in hows for end in ENDS]


def everything() -> list[Text]:
    known = [text for name in MATTERS for text in texts(name)]
    return known + [(text, "ru") for text in RUSSIAN] + [(text, None) for text in OTHER]


@cache
def grouping() -> Grouping:
    return learned(everything())


def ids(some: list[Text], by: Grouping) -> list[str | None]:
    return [by.assign(*text)[0] for text in some]


def test_a_matter_is_mostly_in_groups_of_its_own() -> None:
    found = {name: set(ids(texts(name), grouping())) - {None} for name in MATTERS}
    assert all(found.values())
    assert not found["parcel"] & found["password"]
    assert not found["parcel"] & found["refund"]


def test_a_text_that_was_not_learned_from_goes_where_its_like_are() -> None:
    group, sure = grouping().assign("the courier has lost our package", "en")
    assert group in ids(texts("parcel"), grouping())
    assert 0 < sure <= 1


def test_languages_without_a_table_of_meanings_have_groups_by_their_words() -> None:
    found = set(ids([(text, None) for text in OTHER], grouping()))
    assert found - {None}
    assert not found & set(ids(texts("parcel"), grouping())) - {None}


def test_what_is_like_nothing_belongs_to_no_group() -> None:
    assert grouping().assign("qwxzt", "en") == (None, 0.0)
    assert grouping().assign("", None) == (None, 0.0)


def test_a_label_is_in_customers_words() -> None:
    for group in grouping().groups:
        told = [text for text, language in everything() if grouping().assign(text, language)[0] == group.id]
        for phrase in group.label.split(" · "):
            assert phrase
            assert sum(phrase in text for text in told) >= SAID


@settings(max_examples=5, deadline=None)
@given(st.integers())
def test_any_order_of_texts_gives_the_same_groups(seed: int) -> None:
    some = everything()
    random.Random(seed).shuffle(some)
    assert learned(some).dump() == grouping().dump()


@given(st.text(), st.sampled_from(["en", "ru", "xx", None]))
def test_a_snapshot_that_was_stored_assigns_the_same(text: str, language: str | None) -> None:
    stored = Grouping.load(json.loads(json.dumps(grouping().dump())))
    assert stored.groups == grouping().groups
    assert stored.assign(text, language) == grouping().assign(text, language)


def test_a_snapshot_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="learn them anew"):
        Grouping.load(grouping().dump() | {"version": 0})


def test_groups_that_are_still_the_same_keep_their_ids_when_more_is_told() -> None:
    more = [(f"the printer {how}{end}", "en") for how in ("jams", "is out of ink", "prints nothing") for end in ENDS]
    again = learned(everything() + more, grouping())
    kept = {group.id for group in grouping().groups} & {group.id for group in again.groups}
    assert len(kept) >= 0.8 * len(grouping().groups)
    before, after = (ids(everything(), by) for by in (grouping(), again))
    assert sum(one == other for one, other in zip(before, after, strict=True)) >= 0.75 * len(before)
    assert len({group.id for group in again.groups}) == len(again.groups)


def test_too_few_texts_make_no_groups() -> None:
    assert learned([]).groups == learned(texts("parcel")[:3]).groups == ()


def test_what_fewer_say_is_in_no_label() -> None:
    said = [("my order of maria kask is lost", "en")] * (SAID - 1) + [("my order is lost", "en")] * SAID
    ((language, label),) = labels([said])
    assert language == "en"
    assert "order" in label
    assert "maria" not in label


def test_a_phrase_begins_and_ends_with_words_that_tell_something() -> None:
    told = phrases("the status of my claim 123456 please", "en")
    assert set(told.values()) == {"status", "status of my claim", "claim"}


def test_agreement_with_topics_is_measured_as_defined() -> None:
    same, crossed = agreement([("a", "1"), ("a", "1"), ("b", "2")]), agreement([("a", "1"), ("b", "1")])
    assert same == {"v_measure": 1.0, "rand": 1.0, "purity": 1.0}
    assert crossed["purity"] == 0.5
    assert crossed["rand"] == 0
