"""How alike two statements are."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.ranking import at, auc, average_precision
from services.timeline.meanings import near
from services.timeline.similarity import Agreement, Rarity, shipped

BY = shipped()


def alike(one: str, other: str, language: str = "en") -> Agreement:
    return BY.compare(BY.vector(one, language), BY.vector(other, language), language)


def test_the_same_matter_in_other_words_scores_above_another_matter() -> None:
    again = alike("my card is stuck inside the machine", "the cash machine swallowed my card, it is stuck")
    another = alike("my card is stuck inside the machine", "how do i change my delivery address")
    assert again.probability > BY.threshold("en") > another.probability


def test_a_score_says_which_words_and_references_agreed() -> None:
    found = alike("the lamp of order AB-48213 is broken", "broken lamps, order ab-48213")
    assert found.references == ("ab-48213",)
    assert {"lamp", "broken"} <= set(found.words)


def test_words_that_agreed_are_told_as_they_were_said_without_those_that_say_nothing() -> None:
    found = alike("the lamps were delivered, and they are broken", "the lamp is broken since they were delivering")
    assert found.words == ("lamp", "delivered", "broken")


def test_inflected_words_agree_in_estonian() -> None:
    one = alike("minu paki kättetoimetamine viibib", "pakkide kättetoimetamisega on viivitus", "et")
    assert one.probability > alike("minu paki kättetoimetamine viibib", "soovin muuta parooli", "et").probability


@given(st.text(), st.text())
def test_it_is_the_same_both_ways_and_a_probability(one: str, other: str) -> None:
    assert alike(one, other) == alike(other, one)
    assert 0 <= alike(one, other).probability <= 1


@given(st.permutations(["the lamp is broken", "a lamp", "where is my parcel", "the parcel is broken"]))
def test_rarity_is_the_same_in_any_order(texts: list[str]) -> None:
    one, other = Rarity(), Rarity()
    for text in texts:
        one.learn(text)
    for text in sorted(texts):
        other.learn(text)
    assert one == other


def test_ranking_is_measured_as_defined() -> None:
    scored = [(0.9, True), (0.8, False), (0.7, True), (0.1, False)]
    assert auc(scored) == 0.75
    assert average_precision(scored) == (1 + 2 / 3) / 2
    assert at(scored, 0.8) == (0.5, 0.5, 0.5)


def test_other_words_for_the_same_matter_agree_by_what_they_mean() -> None:
    again = alike("i want my money back", "please refund the purchase")
    another = alike("i want my money back", "please activate the card")
    assert not again.words
    assert again.probability > 2 * another.probability


def test_words_mean_the_same_across_languages() -> None:
    one, again = BY.vector("how do i update ubuntu", "en"), BY.vector("как обновить ubuntu", "ru")
    assert near(one.meaning, again.meaning) > near(one.meaning, BY.vector("как отключить принтер", "ru").meaning)


def test_words_that_the_table_does_not_know_mean_nothing() -> None:
    assert BY.vector("qwxzt", "en").meaning == BY.vector("card", None).meaning == ()
    known, half = (BY.vector(text, "en").meaning for text in ("card", "card qwxzt"))
    assert math.hypot(*half) < math.hypot(*known) == pytest.approx(1)


def test_a_score_says_which_other_words_mean_the_same() -> None:
    told = BY.meant(BY.vector("where is my parcel", "en"), BY.vector("the package was not delivered", "en"))
    assert told == ("parcel ~ package",)
