"""How fast figures over two years of contacts are told; the store is filled by SQL, its sums by the product's own."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa

from benchmarks import references
from benchmarks.asking import Asking
from benchmarks.figures import Figure, Line, Run
from benchmarks.growth import timed
from benchmarks.stands import Stand
from services.counts import BACK, COUNTS, DIMENSIONS, WINDOWS
from services.timeline.closings import add_up

DAYS, LAST = 730, date(2026, 10, 31)
FIRST = LAST - timedelta(days=DAYS - 1)
SEEN = 100  # of the asked for, since each takes much longer than a brief
TABLES = ("contacts", "repeats", "figures", "sums")
CHANNELS = "ARRAY['email','phone','chat','web','app','sms','social']"
# A queue belongs to a team, a source has two channels, an agent works in one team: as in real places, few of all
# combinations come up, and those unevenly. Three in twenty contacts are of nobody known; a quarter of the rest come
# back, most of them soon.
STORY = f"""
    CREATE UNLOGGED TABLE story AS
    SELECT n, DATE '{FIRST}' + (n * {DAYS}::bigint / :contacts)::int AS day,
        ({CHANNELS})[1 + (s + floor(2 * random() ^ 3)::int) % 7] AS channel,
        'source ' || s AS source, 'queue ' || q AS queue, 'team ' || q % 8 AS team,
        (ARRAY['et','lt','lv','ru','en','fi'])[1 + floor(6 * random() ^ 3)::int] AS language,
        'agent ' || (q % 8 * 25 + floor(25 * random())::int) AS agent,
        'group ' || floor(60 * random() ^ 1.5)::int AS grp,
        random() < .15 AS blind, random() < .05 AS asked, random() < .5 AS explained,
        (ARRAY['unrecorded','unlinked','unshown','shown'])[1 + floor(4 * random())::int] AS context,
        ({CHANNELS})[1 + floor(7 * random() ^ 2)::int] AS origin,
        CASE WHEN random() < .25 THEN 720 * random() ^ 3 END AS hours,
        CASE WHEN random() < .03 THEN floor(11 * random() ^ .5) END AS nps,
        CASE WHEN random() < .05 THEN 25 * floor(5 * random()) END AS csat
    FROM (SELECT n, q, (q + floor(2 * random())::int) % 8 AS s
        FROM (SELECT n, floor(20 * random() ^ 2)::int AS q FROM generate_series(0, :contacts - 1) n) a) b"""
ID = "(lpad(to_hex(n), 8, '0') || substr(md5(n::text), 1, 24))::uuid"
AT = "day + (n % 86400) * interval '1 second'"
CONTACTS = f"""
    INSERT INTO contacts SELECT {ID}, {ID}, {ID}, {AT}, source, 'event ' || n, day, channel, source, queue, team,
        language, agent, grp, blind, CASE WHEN asked THEN ARRAY['order'] ELSE '{{}}' END, nps, NULL, csat FROM story"""
REPEATS = f"""
    INSERT INTO repeats SELECT {ID}, {ID}, {ID}, days, {AT}, day, origin, explained, 'texts', context, .9, hours,
        source, 'event ' || n - 1, source, 'event ' || n
    FROM story, unnest(ARRAY[{", ".join(map(str, WINDOWS))}]) days WHERE hours <= days * 24 AND NOT blind"""
LABELS = {
    "all": ("''", "true"), "agent": ("agent", "true"), "group": ("grp", "true"), "asked": ("'order'", "asked"),
    "handover": ("origin || '>' || channel || '>' || floor(2 * log(2, greatest(hours, .017)::numeric))",
                 "hours IS NOT NULL AND NOT blind"),
    "score": ("CASE WHEN nps IS NULL THEN 'csat ' || csat ELSE 'nps ' || nps END", "coalesce(nps, csat) IS NOT NULL"),
}  # fmt: skip


def analytics(run: Run) -> Iterator[Line]:
    """Each call over HTTP, of a month and of two years."""
    contacts = run.scale.contacts
    with Stand(run) as stand:
        fill(stand, contacts)
        key = stand.tellonce("keys", "add", "lead", "--role", "admin")
        with stand.running("api"), references.bare_application(stand) as address:
            bare, ask = Asking(address), Asking(stand.address("api"), key)
            for what, path in calls().items():
                run.say(what)
                answer = ask(path)
                bare("/answer", json.loads(answer))
                times = min(run.scale.requests, SEEN)
                own, other = timed(lambda path=path: ask(path), times), timed(lambda: bare("/"), times)  # type: ignore[misc]
                own["answer kB"] = len(answer) / 1000
                beside = {"bare ASGI application, such an answer": [other]}
                yield Line(f"{what}, of {contacts:,} contacts", run.log, [own], beside)


def calls() -> dict[str, str]:
    """Addresses by what they ask for."""
    month = {"from": str(LAST - timedelta(days=29)), "to": str(LAST)}
    years = {"from": str(FIRST), "to": str(LAST)}

    def path(address: str = "", **asked: Any) -> str:
        return f"/v1/figures{address}?{urlencode(asked, doseq=True)}"

    found = {"two years": path(**years), "two years by week": path(**years, every="week")}
    for by in (*DIMENSIONS, "group"):
        found[f"two years by {by}"] = path(**years, by=by)
    found |= {
        "two years by month and group, one language": path(**years, by="group", every="month", language="et", limit=20),
        "two years by week and channel": path(**years, by="channel", every="week"),
        "two years by queue, one channel, one language": path(**years, by="queue", channel="phone", language="et"),
        "two years by group as of a day": path(**years, by="group", as_of="2026-03-31"),
        "a month by day and channel": path(**month, by="channel", every="day"),
        "a quarter by group, one channel, one team": path(
            **month | {"from": str(LAST - timedelta(days=91))}, by="group", channel="phone", team="team 1"
        ),
    }
    for address in ("handovers", "questions", "scores"):
        found[f"two years of {address}"] = path(f"/{address}", **years)
    evidence = {"of": "repeated_explanations", "limit": 50}
    found["evidence, a page"] = path("/evidence", **years, **evidence)
    found["evidence, rare"] = path("/evidence", **years, **evidence, queue="queue 19", language="fi", group="group 59")
    return found


def fill(stand: Stand, contacts: int) -> None:
    """Two years of contacts, with their figures, known on their day; all days but the last are closed."""
    with stand.engine.begin() as conn:
        keys = {name: _keys(conn, name) for name in TABLES}
        for name in TABLES:
            conn.exec_driver_sql(f"ALTER TABLE {name} SET UNLOGGED")
        conn.exec_driver_sql("SET LOCAL work_mem = '256MB'")
        for what, statement in {"contacts": STORY, "": CONTACTS, "repeats": REPEATS}.items():
            stand.run.say(f"filling: {what}")
            conn.execute(sa.text(statement.replace(":contacts", str(contacts))))
        for cut, (label, where) in LABELS.items():
            stand.run.say(f"filling: figures, {cut}")
            conn.exec_driver_sql(_counted(cut, label, where))
        conn.exec_driver_sql("DROP TABLE story")
        stand.run.say("filling: indexes")
        for name in ("figures", "contacts", "repeats"):
            _keyed(conn, keys[name])
        stand.run.say("closing days")
        add_up(conn, FIRST, LAST - timedelta(days=1))
        conn.exec_driver_sql("INSERT INTO closings SELECT DISTINCT known_on FROM sums WHERE cut = 'all' AND kept = ''")
        _keyed(conn, keys["sums"])
    with stand.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql(f"VACUUM ANALYZE {', '.join(TABLES)}")


def _counted(cut: str, label: str, where: str) -> str:
    back = {f"back_{days}": f"hours <= {days * 24} AND NOT blind" for days in WINDOWS}
    told = {f"{what}_{days}": f"{back[f'back_{days}']} AND explained AND context = '{what}'"
            for days in WINDOWS for what in BACK[1:]}  # fmt: skip
    ways = {"contacts": "false" if cut == "handover" else "true", "blind": "blind"} | back | told
    counts = ", ".join(f"count(*) FILTER (WHERE {ways[name]})" for name in COUNTS)
    groups = ", ".join(map(str, range(2, 9)))
    return f"""
        INSERT INTO figures SELECT '{cut}', day, {", ".join(DIMENSIONS)}, {label}, day, {counts} FROM story
        WHERE {where} GROUP BY {groups} ORDER BY 2"""


def _keys(conn: sa.Connection, table: str) -> list[str]:
    """What makes a table's keys and indexes again, after taking them away."""
    query = """
        SELECT conname AS name, 'ALTER TABLE ' || conrelid::regclass || ' ADD CONSTRAINT ' || conname || ' '
            || pg_get_constraintdef(oid) AS made, true AS is_key
        FROM pg_constraint WHERE conrelid = CAST(CAST(:name AS text) AS regclass) AND contype = 'p'
        UNION ALL SELECT indexname, indexdef, false FROM pg_indexes
        WHERE tablename = CAST(:name AS text) AND indexname NOT IN (SELECT conname FROM pg_constraint)"""
    rows = conn.execute(sa.text(query), {"name": table}).all()
    for row in rows:
        gone = f"ALTER TABLE {table} DROP CONSTRAINT {row.name}" if row.is_key else f"DROP INDEX {row.name}"
        conn.exec_driver_sql(gone)
    return [row.made for row in rows]


def _keyed(conn: sa.Connection, made: list[str]) -> None:
    for statement in made:
        conn.exec_driver_sql(statement)


FIGURES = (Figure("analytics", "figures over HTTP, of 10 million contacts of two years", analytics, ("postgres",)),)
