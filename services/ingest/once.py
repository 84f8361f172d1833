"""What a signature was used for: one that does not cover the body must not bring other events than it first did.

Kept in the database, since a post may come to any process of ingest, and after a restart.
"""

from collections.abc import Sequence
from hashlib import blake2b

import sqlalchemy as sa

from services.ingest.keys import Keys
from services.ingest.sources.vendor import Forged

# Vendors post again for hours by the same signature, and by none that is older.
FORGET = sa.text("DELETE FROM signatures WHERE used_at < now() - interval '2 days'")
USE = sa.text("""
    INSERT INTO signatures AS known (signature, brought) VALUES (:signature, :brought)
    ON CONFLICT (signature) DO UPDATE SET brought = known.brought RETURNING brought""")


async def check(keys: Keys, use: str, ids: Sequence[object]) -> None:
    """Keep a signature's use, with the ids of the events that it brings; the same with the same ids is a retry.

    Raises Forged for one with others, Unavailable if the database does not answer.
    """
    row = {"signature": _digest(use), "brought": _digest("\0".join(map(str, ids)))}

    def first(conn: sa.Connection) -> bytes:
        conn.execute(FORGET)
        return bytes(conn.execute(USE, row).scalar_one())

    if await keys.ask(first) != row["brought"]:
        raise Forged("signature_used", "The signature was used before, for something else.")


def _digest(words: str) -> bytes:
    return blake2b(words.encode(errors="replace"), digest_size=16).digest()
