"""Which of many statements agree most: the same as by comparing all of them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.timeline.comparisons import Comparisons
from services.timeline.outlines import bound, outline
from services.timeline.sentences import Sentences
from services.timeline.similarity import Similarity, shipped
from services.timeline.statements import Kind, Statement
from tests.test_sentences import Vector

BY = shipped()
AVERAGED = shipped(Sentences(lambda text: Vector((1.0, 0.0) if len(text) % 2 else (0.0, 1.0))))
WORDS = ("my", "card", "parcel", "is", "stuck", "the machine", "refund", "lamp", "pakk", "kadunud", "7731", "zzyzx")
texts = st.one_of(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join), st.text(max_size=40))
languages = st.sampled_from(["en", "et", None])
told = st.lists(st.tuples(texts, languages, st.integers(0, 3)), min_size=1, max_size=8)


def said(name: str, text: str, language: str | None, hours: int) -> Statement:
    at = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=hours)
    references = (("order", "7731"),) if "7731" in text else ()
    return Statement(name, name, at, "chat", text, text, Kind.explanation, language, references)


@given(texts, languages, texts, languages, languages)
def test_no_pair_agrees_more_than_its_bound(
    one: str, spoken: str | None, other: str, again: str | None, asked: str | None
) -> None:
    mine, theirs = BY.vector(one, spoken), BY.vector(other, again)
    assert bound(BY.model(asked), outline(mine), outline(theirs)) >= BY.probability(mine, theirs, asked)


@pytest.mark.parametrize("by", [BY, AVERAGED])
@given(told, told, st.sampled_from([0.0, 0.3, 0.99]), st.sampled_from([0.0, 0.99]))
def test_the_closest_pair_is_that_of_all_pairs(
    by: Similarity, before: list[tuple[str, str | None, int]], after: list[tuple[str, str | None, int]],
    least: float, floor: float,
) -> None:  # fmt: skip
    earlier = [said(f"a{at}", *one) for at, one in enumerate(before)]
    later = [said(f"b{at}", *one) for at, one in enumerate(after)]
    fresh = Comparisons(by)
    scores = [
        (max(fresh.agreement(one, two).probability, floor), one.at, one.event, two.event)
        for one in earlier for two in later
    ]  # fmt: skip
    best = max((score for score in scores if score[0] >= least), default=None)
    found = Comparisons(by).closest(earlier, later, least, floor)
    assert best == (found and (found.score, found.one.at, found.one.event, found.two.event))
