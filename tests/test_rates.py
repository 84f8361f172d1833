"""Shares, means and medians with what they leave open."""

import math
import random
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.rates import Z, mean, median, promoters, span, wilson
from services.timeline.tally import bucket


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # Newcombe, Statistics in Medicine 17 (1998), table I, method 3
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_intervals_are_those_that_were_published(count: int, of: int, low: float, high: float) -> None:
    found = wilson(count, of)
    assert found
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_the_interval_is_of_95_per_cent() -> None:
    assert pytest.approx(NormalDist().inv_cdf(0.975)) == Z


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_an_interval_holds_its_share_and_stays_between_none_and_all(one: int, other: int) -> None:
    count, of = sorted((one, other))
    found = wilson(count, of)
    if not of:
        assert found is None
        return
    assert found
    assert 0 <= found.low <= count / of <= found.high <= 1
    assert (found.low == 0) == (count == 0)
    assert (found.high == 1) == (count == of)


@given(st.integers(1, 1_000), st.integers(2, 50))
def test_the_more_there_is_the_surer_it_is(of: int, times: int) -> None:
    few, many = wilson(of // 3, of), wilson(of // 3 * times, of * times)
    assert few
    assert many
    assert of < 3 or many.high - many.low < few.high - few.low


def test_contacts_of_nobody_widen_what_a_share_may_be() -> None:
    assert span(10, 20, 100) == (0.1, 0.3)
    assert span(10, 95, 100) == (0.1, 1.0)  # some of the unknown ones are counted already
    assert span(0, 0, 0) is None


@given(st.lists(st.floats(0.02, 720), min_size=1, max_size=60))
def test_a_median_lies_in_the_bucket_that_is_told(hours: list[float]) -> None:
    counted: dict[int, int] = {}
    for one in hours:
        counted[bucket(one)] = counted.get(bucket(one), 0) + 1
    found, true = median(counted), sorted(hours)[(len(hours) - 1) // 2]
    assert found
    assert found.low <= found.hours <= found.high
    assert bucket(true) == round(2 * math.log2(found.low))


def test_of_even_hours_the_median_is_near() -> None:
    made = random.Random(1)
    hours = sorted(2 ** made.uniform(0, 8) for _ in range(2_001))
    counted: dict[int, int] = {}
    for one in hours:
        counted[bucket(one)] = counted.get(bucket(one), 0) + 1
    found = median(counted)
    assert found
    assert found.hours == pytest.approx(hours[1_000], rel=0.05)
    assert median({}) is None


def test_a_net_promoter_score_is_promoters_less_detractors() -> None:
    found = promoters({10: 30, 9: 20, 8: 25, 6: 15, 0: 10})
    assert (found.n, found.mean) == (100, 25)
    assert found.interval
    # Variance of a score of -1, 0 or 1: p + d - (p - d)²; here .75 - .0625.
    half = Z * 100 * math.sqrt((0.75 - 0.0625) / 99)
    assert (found.interval.high - found.interval.low) / 2 == pytest.approx(half)


def test_of_one_answer_nothing_is_sure_and_of_none_there_is_no_mean() -> None:
    assert mean({4: 1}) == (1, 4, None)
    assert mean({}) == (0, None, None)
