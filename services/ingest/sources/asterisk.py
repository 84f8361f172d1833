"""Asterisk: call detail records (CDR), channel events (CEL) and the manager's events (AMI), as CSV, JSON or text. Pure.

Channels of one call share its linkedid, which is the conversation; the channel that has it for its own id is the
caller's. Calls between extensions are nobody's and become nothing. Keys that are pressed are not taken, for they may be
a card's number: a dialplan says itself where a caller is, by `CELGenUserEvent(menu,…)` or `UserEvent(Menu,…)`.
Source: Asterisk's CDR and CEL specifications, cdr_csv, cdr_custom.conf and cel_custom.conf samples, its AMI events.
"""

import csv
import io
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from schemas.codec import Malformed
from services.ingest import documents
from services.ingest.sources import asterisk_calls
from services.ingest.sources.asterisk_calls import CDR_ENDS, EVENTS
from services.ingest.sources.fields import text
from services.ingest.sources.vendor import Document, Post, Vendor

CDR_CSV = [
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer",
    "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "userfield", "linkedid", "sequence",
]  # fmt: skip
CDR_CUSTOM = [
    "clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer", "end",
    "duration", "billsec", "disposition", "amaflags", "accountcode", "uniqueid", "userfield", "sequence",
]  # fmt: skip
CEL = [
    "eventtype", "eventtime", "cidname", "cidnum", "cidani", "cidrdnis", "ciddnid", "exten", "context", "channame",
    "appname", "appdata", "amaflags", "accountcode", "uniqueid", "linkedid", "peer", "userfield", "userdeftype",
    "extra",
]  # fmt: skip
# What the manager and ODBC call what CSV calls otherwise; names are in lower case, without underscores.
NAMES = {
    "eventname": "eventtype", "calleridnum": "cidnum", "calleridname": "cidname", "calleridani": "cidani",
    "channel": "channel", "application": "appname", "eventextra": "extra", "bridgepeer": "peer",
    "source": "src", "destination": "dst", "destinationcontext": "dcontext", "callerid": "clid",
    "destinationchannel": "dstchannel", "lastapplication": "lastapp", "starttime": "start", "answertime": "answer",
    "endtime": "end", "billableseconds": "billsec",
}  # fmt: skip
MANAGER = re.compile(rb"\s*(Event|Response|Action|Asterisk Call Manager/[\d.]+)(:|\r?\n)")
BLOCKS = re.compile(r"(?:\r?\n[ \t]*){2,}")


def translate(post: Post) -> Iterator[Document | Malformed]:
    """The events of all records in a post. `?timezone=Europe/Tallinn` says in which zone its times are, if not UTC.

    Raises Malformed.
    """
    zone = _zone(post.query_params.get("timezone"))
    known = 0
    for row in _rows(post):
        if isinstance(row, Malformed):
            yield row
        elif tell := _kind(row):
            known += 1
            yield from tell(row, zone, post.received_at)
    if not known and not MANAGER.match(post.content):
        raise Malformed("no_record", "There is no CDR, CEL record or manager event in it.")


def _kind(row: Document) -> Any:
    """What tells a record's events: by its columns, or the manager's name of it."""
    if (text(row, "event") or "").lower() not in ("", "cel", "cdr"):
        return asterisk_calls.managed
    if text(row, "eventtype"):
        return asterisk_calls.channel_event
    return asterisk_calls.detail_record if text(row, "disposition") and text(row, "uniqueid") else None


def _rows(post: Post) -> Iterator[Document | Malformed]:
    raw = post.content.lstrip()
    if raw[:1] in (b"{", b"["):
        for one in documents.split(raw, post.headers.get("content-type", "")):
            if isinstance(one, dict):
                yield _renamed(one)
            elif isinstance(one, Malformed):
                yield one
    elif MANAGER.match(raw):
        for block in BLOCKS.split(raw.decode("utf-8", "replace")):
            pairs = (line.partition(":") for line in block.splitlines() if ":" in line)
            yield _renamed({name.strip(): value.strip() for name, _, value in pairs})
    else:
        yield from _csv(raw.decode("utf-8", "replace"))


def _csv(words: str) -> Iterator[Document]:
    """Rows of CSV, by the names in the first if that has any, or else by what stands where. Raises Malformed."""
    try:
        rows = [row for row in csv.reader(io.StringIO(words, newline="")) if row]
    except csv.Error as error:
        raise Malformed("not_csv", f"The body is no CSV: {error}.") from None
    names = [_name(one) for one in rows[0]] if rows else []
    if {"uniqueid", "linkedid"} & set(names):
        for row in islice(rows, 1, None):
            yield dict(zip(names, row, strict=False))
        return
    for row in rows:
        yield dict(zip(_columns(row), row, strict=False))


def _columns(row: list[str]) -> list[str]:
    if row[0].upper() in EVENTS:
        return CEL
    custom = len(row) > 13 and row[13].upper() in CDR_ENDS
    return CDR_CUSTOM if custom else CDR_CSV


def _renamed(row: Document) -> Document:
    return {NAMES.get(_name(name), _name(name)): value for name, value in row.items()}


def _name(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def _zone(name: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ValueError, OSError, KeyError):
        raise Malformed(
            "unknown_timezone", f"There is no time zone {name!r}: write one such as Europe/Tallinn."
        ) from None


VENDORS = (
    Vendor(
        name="asterisk",
        title="Asterisk",
        channel="phone",
        translate=translate,
        reference="https://docs.asterisk.org/Configuration/Reporting/Channel-Event-Logging-CEL/CEL-Specification/",
        setup=(
            "*As it happens*: `tellonce ami HOST --user USER --to '{url}?key=KEY'` logs in to the manager (AMI), which "
            "needs `read = call,cdr,agent,user` there and, best, CEL for it (`cel.conf`: `apps=queue,voicemail`, "
            "`events=ALL`, `[manager] enabled=yes`). *Afterwards*: post the lines of `Master.csv` (CDR) or of a CEL "
            "file, or the same as JSON, to `{url}?key=KEY&timezone=Europe/Tallinn`. Say in the dialplan what callers "
            "choose: `same => n,UserEvent(Menu,Linkedid: ${CHANNEL(linkedid)},Path: main/orders,Reason: repair)`."
        ),
        becomes={
            "CHAN_START, Newchannel; Queue": "call.ringing",
            "ANSWER of who was called, AgentConnect": "call.started",
            "USER_DEFINED menu, UserEvent Menu": "call.menu_choice",
            "transfers; parking, Hold": "call.transferred; call.held",
            "HANGUP, Hangup, AgentComplete, QueueCallerAbandon": "call.ended",
            "a CDR": "call.ringing, call.started, call.ended",
        },
    ),
)
