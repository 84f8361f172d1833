"""Which word is meant by one that is typed wrong."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.timeline.similarity import Rarity, Similarity, shipped
from services.timeline.spelling import Spelling, is_slip

WORDS = Spelling({"transfer": 90, "refund": 40, "refunds": 50, "change": 80, "charge": 60, "chaege": 2, "lamp": 70})


def test_a_letter_too_many_missing_or_other_or_two_swapped_is_a_slip() -> None:
    for typed in ("transffer", "trnsfer", "transgfer", "transfet", "rtansfer", "transfre"):
        assert WORDS.meant(typed) == "transfer"


def test_two_slips_are_another_word() -> None:
    assert WORDS.meant("tarnsfre") == "tarnsfre"


def test_of_two_that_may_be_meant_it_is_the_more_frequent_one() -> None:
    assert WORDS.meant("chaege") == "change"
    assert WORDS.meant("refundd") == "refunds"


def test_short_words_numbers_and_words_that_others_use_are_left_alone() -> None:
    assert [WORDS.meant(word) for word in ("lam", "lamb", "ref4nd", "charge")] == ["lam", "lamb", "ref4nd", "charge"]


def test_a_very_long_word_is_no_slip() -> None:
    endless = "transfer" * 600
    assert Spelling({endless: 90}).meant(endless + "s") == endless + "s"


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_a_slip_is_one_step_of_those_four_both_ways(one: str, other: str) -> None:
    assert is_slip(one, other) == is_slip(other, one) == (other in steps(one) or one == other)


def steps(word: str) -> set[str]:
    places = range(len(word))
    less = {word[:at] + word[at + 1 :] for at in places}
    another = {word[:at] + letter + word[at + 1 :] for at in places for letter in "abc"}
    more = {word[:at] + letter + word[at:] for at in range(len(word) + 1) for letter in "abc"}
    swapped = {word[:at] + word[other] + word[at] + word[other + 1 :] for at, other in pairwise(places)}
    return less | another | more | swapped


def test_texts_agree_though_words_are_typed_wrong() -> None:
    by = shipped()
    right, wrong = by.vector("cancel my transfer", "en"), by.vector("cancle my trnasfer", "en")
    assert wrong.words == right.words
    assert wrong.meaning == right.meaning
    assert by.compare(right, wrong, "en").words == ("cancel", "transfer")


def test_what_a_deployment_often_hears_is_learned_and_its_own_names_are_left_alone() -> None:
    rarity = Rarity()
    by = Similarity({"en": rarity}, shipped().models)
    for _ in range(12):
        by.learn("the qwertyphone is broken", "en")
    for _ in range(4):
        by.learn("the qwertyphona is broken", "en")
    assert set(by.vector("qwertyphome", "en").words) == {"qwertyphon"}
    assert set(by.vector("qwertyphona", "en").words) == {"qwertyphona"}
