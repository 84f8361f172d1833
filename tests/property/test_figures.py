"""Figures by the API are what a slow recount of contacts and repeats gives, whatever was closed and restated."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.access import Role
from services.api.spans import start
from services.counts import DIMENSIONS, WINDOWS
from tests.counted import FIRST, World, forget, keep, recount, world
from tests.house import House
from tests.property.test_laws import law

KNOWN = [FIRST + timedelta(days=days) for days in (20, 50)]
BYS = (None, *DIMENSIONS, "group")
COLUMNS = {"agent": "agent", "group": "group_id"}


def question(random: Random) -> dict[str, Any]:
    first, last = sorted(FIRST + timedelta(days=random.randrange(-2, 48)) for _ in range(2))
    asked: dict[str, Any] = {"from": str(first), "to": str(last), "limit": 100}
    asked |= {"by": by} if (by := random.choice(BYS)) else {}
    asked |= {"every": every} if (every := random.choice([None, "day", "week", "month"])) else {}
    asked |= {"as_of": str(as_of)} if (as_of := random.choice([None, *KNOWN])) else {}
    for name, values in {"channel": ["email", "phone", ""], "language": ["a", "b"], "queue": ["billing", ""]}.items():
        if random.random() < 0.3:
            asked[name] = random.sample(values, random.randint(1, len(values)))
    if random.random() < 0.2 and asked.get("by") in (None, "group", "channel"):
        asked["group"] = ["g1"]
    return asked


def expected(known: World, asked: dict[str, Any]) -> dict[tuple[str, str], dict[str, int]]:
    """Counts by the first day of the stretch and the value; those of nothing are left out."""
    first, last = date.fromisoformat(asked["from"]), date.fromisoformat(asked["to"])
    found: dict[tuple[str, str], list[Any]] = {}
    for one in chosen(known, asked):
        at = max(start(one.day, asked["every"]), first) if "every" in asked else first
        value = getattr(one, COLUMNS.get(asked.get("by", ""), asked.get("by", "")), "") if "by" in asked else ""
        if value or asked.get("by") not in COLUMNS:
            found.setdefault((str(at), value), []).append(one)
    assert all(first <= one.day <= last for rows in found.values() for one in rows)
    return {place: recount(known, rows) for place, rows in found.items()}


def chosen(known: World, asked: dict[str, Any]) -> list[Any]:
    names = {name: COLUMNS.get(name, name) for name in (*DIMENSIONS, *COLUMNS) if name in asked}
    return [
        one for one in known.contacts
        if asked["from"] <= str(one.day) <= asked["to"]
        and all(getattr(one, column) in asked[name] for name, column in names.items())
    ]  # fmt: skip


def counts(measure: dict[str, Any]) -> dict[str, int]:
    """The counts that an answer tells, by the names that they are kept under."""
    told = {"contacts": measure["contacts"], "blind": measure["blind"]["count"]}
    for one in measure["windows"]:
        told[f"back_{one['days']}"] = one["repeat_contacts"]["count"]
        told |= {f"{context}_{one['days']}": count for context, count in one["contexts"].items()}
        explained = one["repeated_explanations"]
        assert explained["count"] == sum(one["contexts"].values()) == one["avoidable"]["of"]
        assert one["avoidable"]["count"] == one["contexts"]["unshown"] + one["contexts"]["shown"]
        for share in (one["repeat_contacts"], explained):
            assert share["of"] == measure["contacts"]
    assert [one["days"] for one in measure["windows"]] == list(WINDOWS)
    return told


@settings(law, max_examples=20)
@given(random=st.randoms(use_true_random=False))
def test_figures_equal_a_slow_recount(house: House, random: Random) -> None:
    forget(house.engine)
    before, after = world(random), world(random)
    closed = random.choice([None, *(datetime.combine(day + timedelta(days=1), time(2), UTC) for day in KNOWN)])
    keep(house.engine, before, KNOWN[0])
    keep(house.engine, after, KNOWN[1], before, closed)
    for _ in range(4):
        asked = question(random)
        known = before if asked.get("as_of") == str(KNOWN[0]) else after
        told = house.get("/v1/figures", Role.analyst, **asked)
        assert counts(told["total"]) == recount(known, chosen(known, asked))
        rows = {(row["from"], row["value"] or ""): counts(row) for row in told["rows"]}
        parted = "by" in asked or "every" in asked
        wanted = expected(known, asked) if parted else {}
        assert {place: row for place, row in rows.items() if any(row.values())} == wanted
