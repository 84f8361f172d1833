"""From what somebody knows of a customer, an identifier or a name, to the customers it may be."""

import re
from collections.abc import Collection, Sequence
from uuid import UUID

import phonenumbers
import sqlalchemy as sa

from services.api.answers import Findings
from services.api.queries import LAST_SEEN, Rows, members, members_by_key, overviews
from services.errors import Invalid, NotFound
from services.identifiers import Key, Rules, normalise, parse

CANDIDATES = 10  # of one brief
FOUND = 20  # by one search
HIGHEST = "\U0010ffff"  # sorts behind everything that starts the same

BY_ID = sa.text("SELECT customer_id FROM identifiers WHERE id = :id")
BY_KEY = sa.text("SELECT id, customer_id, shared FROM identifiers WHERE type = :type AND value = :value")
# Whom a shared identifier was seen with.
SHARERS = sa.text("""
    SELECT DISTINCT other.customer_id FROM links l
    JOIN identifiers other ON other.id IN (l.left_id, l.right_id) AND other.id <> :id
    WHERE (l.left_id = :id OR l.right_id = :id) AND l.refused = 'shared'""")
# Types are few: they are stepped through by the index, and each searched for what starts so.
BY_START = sa.text("""
    WITH RECURSIVE types(type) AS (
        SELECT min(type) FROM identifiers
        UNION ALL SELECT (SELECT min(i.type) FROM identifiers i WHERE i.type > t.type) FROM types t
        WHERE t.type IS NOT NULL)
    SELECT found.customer_id FROM types t CROSS JOIN unnest(CAST(:starts AS text[])) start(value)
    CROSS JOIN LATERAL (
        SELECT i.customer_id, i.value FROM identifiers i
        WHERE i.type = t.type AND i.value ~>=~ start.value AND i.value ~<=~ (start.value || :highest)
        ORDER BY i.value USING ~<~ LIMIT :limit) found
    ORDER BY found.value <> start.value, found.value LIMIT :limit""")
BY_NAME = sa.text("""
    SELECT i.customer_id FROM names n JOIN identifiers i ON i.id = n.identifier_id
    WHERE to_tsvector('simple', n.name) @@ to_tsquery('simple', :words) ORDER BY n.seen_at DESC LIMIT :limit""")


def asked_for(words: Collection[str], rules: Rules) -> list[Key]:
    """`type:value` texts as keys. Raises Invalid: malformed (invalid_identifier), or standing for nobody
    (placeholder).

    A plus sign that was sent unescaped in an address arrives as a space; it is put back.
    """
    found = []
    for word in words:
        type, _, value = word.partition(":")
        if not type.strip() or not value.strip():
            hint = "Write it as type:value, such as phone:+37255512345."
            raise Invalid(f"{word!r} is no identifier.", code="invalid_identifier", hint=hint)
        key = parse([f"{type}:{re.sub('^ (?=[0-9])', '+', value)}"], rules)
        if not key:
            hint = "Ask by another identifier, or take it as a new customer."
            raise Invalid(f"{value.strip()!r} stands for nobody.", code="placeholder", hint=hint)
        found += key
    return found


def fitting(conn: sa.Connection, asked: Sequence[Key], customer: str | None = None) -> list[Rows]:
    """The identifiers of each customer that fits, most recently seen first. Raises NotFound.

    By one identifier they are mostly found in one round trip.
    """
    if len(asked) == 1 and not customer and (rows := members_by_key(conn, asked[0].type, asked[0].value)):
        return [rows]
    return [members(conn, id) for id in resolve(conn, asked, customer)]


def resolve(conn: sa.Connection, asked: Sequence[Key], customer: str | None = None) -> list[UUID]:
    """The customers that fit, most recently seen first. Raises NotFound.

    `customer` is a customer's id of any time, or else an account. Several identifiers narrow each other down: those
    who fit all; where nobody does, all who fit one. An identifier that several accounts share fits them all.
    """
    sets = [_with(conn, key) for key in asked]
    if customer:
        sets.append(_by_id(conn, customer) or _with(conn, Key("account", "", customer.strip())))
    known = [one for one in sets if one]
    if not known:
        hint = "Check the identifier, or take it as a new customer."
        raise NotFound("Nobody is known by this.", code="unknown_customer", hint=hint)
    fitting = set.intersection(*known) or set.union(*known)
    if len(fitting) == 1:
        return list(fitting)
    seen = {row.customer_id: row.last_at for row in conn.execute(LAST_SEEN, {"customers": list(fitting)})}
    return sorted(seen, key=lambda id: (seen[id], id), reverse=True)[:CANDIDATES] or sorted(fitting)[:CANDIDATES]


def search(conn: sa.Connection, query: str, rules: Rules) -> Findings:
    """Customers by an id of any time, an identifier or the start of one, or words of a name; at most 20."""
    found = dict.fromkeys(_by_id(conn, query))
    starts = _starts(query.strip(), rules)
    if starts:
        asked = {"starts": starts, "highest": HIGHEST, "limit": FOUND}
        found |= dict.fromkeys(conn.scalars(BY_START, asked))
    if words := re.findall(r"\w+", query):
        asked = {"words": " & ".join(f"'{word}':*" for word in words), "limit": FOUND}
        found |= dict.fromkeys(conn.scalars(BY_NAME, asked))
    return Findings(query=query, customers=overviews(conn, list(found)[:FOUND]))


def _by_id(conn: sa.Connection, text: str) -> set[UUID]:
    try:
        return set(conn.scalars(BY_ID, {"id": UUID(text.strip())}))
    except ValueError:
        return set()


def _with(conn: sa.Connection, key: Key) -> set[UUID]:
    """The customers who have an identifier, in any source's scope; of a shared one also those it was seen with."""
    rows = conn.execute(BY_KEY, {"type": key.type, "value": key.value}).all()
    found = {row.customer_id for row in rows}
    for row in rows:
        if row.shared:
            found |= set(conn.scalars(SHARERS, {"id": row.id}))
    return found


def _starts(query: str, rules: Rules) -> list[str]:
    """What identifiers that are meant may start with: as typed, normalised, with the country's own code."""
    if not query:
        return []
    whole = {key.value for type in ("email", "phone") if (key := normalise(type, query, "", rules))}
    typed = {key.value for key in parse([query], rules)}
    digits = re.sub(r"[\s()-]", "", query)
    if digits.isdigit():
        whole.add(f"+{phonenumbers.country_code_for_region(rules.region)}{digits.lstrip('0')}")
    return sorted({query, query.lower(), *whole, *typed})
