"""Anonymous visits join the customer at login, those before it too, whichever tracker tells of them."""

from datetime import datetime
from typing import Any

import pytest

from schemas.codec import Malformed, from_wire
from services.ingest.sources import vendors
from tests.house import House
from tests.sources.posting import post
from tests.sources.test_posthog import VISITOR

TIMES = [f"2026-05-{day:02}T09:{minute:02}:00Z" for day in (4, 18) for minute in range(0, 20, 2)]
SEEN_LATER = "2026-05-20T09:00:00Z"


def segment(at: str, n: int, account: str | None = None) -> Any:
    call: dict[str, Any] = {"messageId": f"m{n}", "anonymousId": VISITOR, "timestamp": at, "type": "page"}
    return call | ({"type": "identify", "userId": account, "traits": {"name": "Mari"}} if account else {})


def posthog(at: str, n: int, account: str | None = None) -> Any:
    known = {"$device_id": VISITOR, "$current_url": "https://shop.example/"}
    call = {"uuid": f"m{n}", "event": "$pageview", "distinct_id": VISITOR, "timestamp": at, "properties": known}
    if not account:
        return {"batch": [call]}
    joins = {"event": "$identify", "distinct_id": account, "properties": {"$anon_distinct_id": VISITOR}}
    return {"batch": [call | joins | {"$set": {"name": "Mari"}}]}


def posthog_alias(at: str, n: int, account: str | None = None) -> Any:
    """Ids that a server made up, which nothing tells from accounts."""
    call = {"uuid": f"m{n}", "event": "$pageview", "distinct_id": "f00-ba4", "timestamp": at}
    joins = {"event": "$create_alias", "distinct_id": account, "properties": {"alias": "f00-ba4"}}
    return {"batch": [call | joins if account else call]}


def snowplow(at: str, n: int, account: str | None = None) -> Any:
    seen = {"e": "pv", "eid": f"m{n}", "ttm": at, "duid": VISITOR, "url": "https://shop.example/"}
    return {"data": [seen | ({"uid": account} if account else {})]}


def ga4(at: str, n: int, account: str | None = None) -> Any:
    micros = datetime.fromisoformat(at).timestamp() * 1e6
    seen = {"client_id": VISITOR, "timestamp_micros": micros, "events": [{"name": "page_view", "params": {"n": n}}]}
    return seen | ({"user_id": account} if account else {})


TRACKERS = {"segment": segment, "posthog": posthog, "alias": posthog_alias, "snowplow": snowplow, "ga4": ga4}


def happened(house: House, name: str, *bodies: Any) -> None:
    vendor = vendors()["posthog" if name == "alias" else name]
    for posted in map(post, bodies):
        for one in vendor.documents(posted, 32):
            assert not isinstance(one, Malformed), one
            house.happened(from_wire(one, source="shop", received_at=posted.received_at))


@pytest.mark.parametrize("late", [False, True], ids=["as it happened", "the login before the visits"])
@pytest.mark.parametrize("name", TRACKERS)
def test_visits_before_the_login_are_the_customers_and_each_is_one_interaction(
    house: House, name: str, late: bool
) -> None:
    tracker = TRACKERS[name]
    visits = [tracker(at, n) for n, at in enumerate(TIMES)]
    login = tracker(SEEN_LATER, 99, "8812")
    happened(house, name, *([login, *visits] if late else [*visits, login]))
    customer = house.id("account:8812")
    shown = house.get(f"/v1/customers/{customer}/timeline", view="flat", limit=100)["items"]
    pages = [one for one in shown if one["event"]["type"] == "page.viewed"]
    assert len(pages) >= len(TIMES)
    before = [one for one in house.get(f"/v1/customers/{customer}/timeline")["items"] if "Visit" in one["summary"]]
    assert len(before) <= 3  # two before, and maybe the login's own
    assert sum("10 pages" in one["summary"] for one in before) == 2, [one["summary"] for one in before]
