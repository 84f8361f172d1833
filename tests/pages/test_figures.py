"""The CX lead's page: what stands on it, for whom, and where there is nothing to tell."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from services.access import Role
from services.api.measured import Row, measure
from services.api.pages.charts import bars, trend
from services.api.phrases import changed, lasting, percent
from services.counts import COUNTS
from tests.counted import FIRST, World, contact, keep, within
from tests.pages.reading import drawn, sign_in, words

SPAN = {"from": str(FIRST), "to": str(FIRST + timedelta(days=29))}


def told(engine: sa.Engine) -> None:
    """Ten contacts, of which one is blind; two calls explain again, one of them could not have been avoided."""
    made = World([contact(number, number) for number in range(7)] + [contact(7, 7, blind=True)])
    again = [contact(number, number, channel="phone", group_id="g1") for number in (8, 9)]
    made.contacts += again
    made.repeats = within(again[0]) + within(again[1], 200, context="unlinked", from_channel="chat")
    keep(engine, made, FIRST)


@pytest.fixture
def lead(browser: TestClient, engine: sa.Engine) -> TestClient:
    """A browser in which an analyst is signed in."""
    sign_in(browser, engine, Role.analyst)
    return browser


def test_rates_stand_with_what_they_are_of(lead: TestClient, engine: sa.Engine) -> None:
    told(engine)
    cards = words(lead.get("/figures", params=SPAN), ".card")
    assert cards[0].startswith("Explained again 20 % 2 of 10 contacts, nothing to compare with before.")
    assert "5.7 % to 51 % with 95 % certainty; 20 % to 30 %, whoever the unknown ones are." in cards[0]
    assert cards[1].startswith("Could have been avoided 50 % 1 of 2 explained again")
    assert cards[3].startswith("Of nobody known 10 % 1 contacts")
    ranked = words(lead.get("/figures", params=SPAN), "section[aria-labelledby=channels] tbody tr")
    assert ranked == ["Phone 100 % 2 2 50 % 1", "Mail 0 % 0 8 – 0"]


def test_a_window_that_does_not_reach_back_counts_less(lead: TestClient, engine: sa.Engine) -> None:
    told(engine)
    answer = lead.get("/figures", params={**SPAN, "window": 7})
    assert words(answer, ".card")[0].startswith("Explained again 10 % 1 of 10")
    assert words(answer, "tr.chosen th") == ["7"]


def test_ways_between_channels_have_their_count_and_the_time_between(lead: TestClient, engine: sa.Engine) -> None:
    told(engine)
    answer = lead.get("/figures", params=SPAN)
    assert words(answer, ".heat thead th") == ["to phone"]
    assert [line.split()[:3] for line in words(answer, ".heat tbody tr")] == [
        ["from", "chat", "1"],
        ["from", "phone", "1"],
    ]
    assert words(answer, ".heat td.heat-5 .faint")[0].endswith("days")


@pytest.mark.parametrize(
    ("hours", "said"), [(0.01, "36 s"), (0.5, "30 min"), (1.9, "114 min"), (5.2, "5 h"), (47, "47 h"), (72, "3 days")]
)
def test_times_between_are_said_as_people_say_them(hours: float, said: str) -> None:
    assert lasting(3600 * hours) == said


def test_all_values_can_be_chosen_however_many(lead: TestClient, engine: sa.Engine) -> None:
    queues = [f"queue {number:02}" for number in range(20)]
    keep(engine, World([contact(number, queue=queue) for number, queue in enumerate(queues)]), FIRST)
    answer = lead.get("/figures", params=SPAN)
    assert words(answer, "select[name=queue] option") == ["all", *queues]


def test_a_filter_is_kept_in_the_form_and_in_links(lead: TestClient, engine: sa.Engine) -> None:
    told(engine)
    answer = lead.get("/figures", params={**SPAN, "channel": "phone", "queue": ""})
    assert words(answer, "select[name=channel] option[selected]") == ["Phone"]
    assert words(answer, ".card")[0].startswith("Explained again 100 % 2 of 2")
    links = [str(one["href"]) for one in drawn(answer).select("section[aria-labelledby=side] a")]
    assert links
    assert all("channel=phone" in one and "queue" not in one for one in links)


def test_where_nothing_was_said_it_says_how_figures_come_about(lead: TestClient) -> None:
    answer = lead.get("/figures")
    assert answer.status_code == 200
    assert "Figures appear once channels post" in words(answer, ".empty")[0]


def test_a_span_that_is_backwards_is_said_on_a_page(lead: TestClient) -> None:
    answer = lead.get("/figures", params={"from": "2026-05-09", "to": "2026-05-01"})
    assert answer.status_code == 400
    assert "before it begins" in words(answer, "h1")[0]


@pytest.mark.parametrize(
    ("since", "until", "status"),
    [("9999-12-01", "9999-12-31", 400), ("0001-01-01", "0001-01-05", 400), ("1990-01-01", "1990-02-01", 200),
     ("2199-12-01", "2199-12-31", 200)],
)  # fmt: skip
def test_days_that_no_clock_says_are_refused_and_the_first_and_last_are_not(
    lead: TestClient, since: str, until: str, status: int
) -> None:
    assert lead.get("/figures", params={"from": since, "to": until}).status_code == status


def test_the_worst_matter_stands_first_however_few_spoke_of_it_and_what_is_left_out_is_said(
    lead: TestClient, engine: sa.Engine
) -> None:
    quiet = [contact(number, group_id=f"quiet{number % 12}") for number in range(120)]
    worst = [contact(number, 3, group_id="worst") for number in range(120, 129)]
    keep(engine, World(quiet + worst, [one for known in worst for one in within(known)]), FIRST)
    answer = lead.get("/figures", params=SPAN)
    ranked = words(answer, "section[aria-labelledby=groups] tbody tr")
    assert ranked[0].startswith("worst 100 % 9 9")
    assert len(ranked) == 12
    assert words(answer, "section[aria-labelledby=groups] p") == ["1 more, with fewer explained again."]


def test_two_filters_over_many_months_leave_out_only_what_is_not_added_up(lead: TestClient, engine: sa.Engine) -> None:
    told(engine)
    asked = {"from": str(FIRST - timedelta(days=100)), "to": str(FIRST + timedelta(days=29)), "channel": "phone"}
    both = lead.get("/figures", params=asked | {"source": "shop"})
    assert words(both, ".card")[0].startswith("Explained again 100 % 2 of 2")
    assert words(both, "section[aria-labelledby=channels] tbody tr") == ["Phone 100 % 2 2 50 % 1"]
    assert "at most 92 days" in words(both, "section[aria-labelledby=groups] .empty")[0]
    assert not words(both, ".heat")
    one = lead.get("/figures", params=asked)
    assert words(one, ".heat")
    assert words(one, "section[aria-labelledby=groups] tbody tr") == ["g1 100 % 2 2 50 % 1"]


def test_who_reads_figures_is_led_to_them_and_who_does_not_is_told(browser: TestClient, engine: sa.Engine) -> None:
    sign_in(browser, engine, Role.agent)
    assert browser.get("/figures").status_code == 403
    sign_in(browser, engine, Role.analyst)
    assert browser.get("/", follow_redirects=False).headers["location"] == "/figures"


def row(contacts: int, told: int, day: int = 0) -> Row:
    counts = dict.fromkeys(COUNTS, 0) | {"contacts": contacts, "back_14": told, "unshown_14": told}
    at = FIRST + timedelta(days=day)
    return Row(since=at, until=at, value=None, label=None, **dict(measure(counts)))


def test_a_trend_is_parted_where_there_were_no_contacts() -> None:
    drawn = trend([row(10, 1), row(10, 2, 7), row(0, 0, 14), row(10, 3, 21)], 14)
    assert [len(line.split()) for line in drawn.lines] == [2, 1]
    assert [point.words for point in drawn.points][-1] == "25 May 2026: 30 %, 3 of 10 contacts"
    assert drawn.points[0].y > drawn.points[1].y > drawn.points[2].y


@pytest.mark.parametrize("told", [1, 12, 30, 80])
def test_a_trend_has_room_for_its_whole_band_and_is_parted_by_whole_hundredths(told: int) -> None:
    drawn = trend([row(100, told), row(20, told // 5, 7)], 14)
    ys = [float(corner.partition(",")[2]) for band in drawn.bands for corner in band.split()]
    assert len(set(ys)) == len(ys)  # none is cut off at the edge
    levels = [float(level.words.removesuffix(" %")) for level in drawn.levels]
    assert levels == [levels[-1] * part / 4 for part in range(5)]


def test_bars_share_a_scale_that_ends_at_the_widest_interval() -> None:
    one, other = bars([measured.windows[1].repeated_explanations for measured in (row(100, 50), row(10, 0))])
    assert (one.high, other.width) == (100, 0)
    assert one.low < one.width < 100


@pytest.mark.parametrize(
    ("share", "said"), [(None, "–"), (0.0, "0 %"), (0.001, "0.1 %"), (0.099, "9.9 %"), (0.0997, "10 %"), (1.0, "100 %")]
)
def test_shares_are_said_as_people_read_them(share: float | None, said: str) -> None:
    assert percent(share) == said


def test_changes_are_said_in_points() -> None:
    assert changed(0.25, 0.2) == "5.0 points more than before"
    assert changed(0.2, 0.2) == "as before"
