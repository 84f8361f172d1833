"""Pieces of English sentences: quotes, counts, lengths of time, money. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

QUOTE = 200  # characters quoted in one sentence
MINUTE, HOUR, DAY = 60, 3600, 86_400  # seconds
BY = {
    "email": "by mail", "phone": "by phone", "chat": "in a chat", "web": "on the web", "app": "in the app",
    "sms": "by text message", "social": "on social media", "in_person": "in person",
}  # fmt: skip


def shortened(text: str, width: int) -> str:
    """Text on one line of at most `width` characters, cut between words where there are any."""
    line = " ".join(text.split())
    if len(line) <= width:
        return line
    head = line[: width - 1]
    space = head.rfind(" ")
    return (head[:space] if space > width // 2 else head).rstrip(" ,;:.–-") + "…"


def unquoted(text: str) -> str:
    """A message without the lines it quotes; the whole where nothing else is in it."""
    own = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith(">")).strip()
    return own or text.strip()


def quoted(text: object, width: int = QUOTE) -> str:
    """Text in quotation marks, shortened."""
    return f"“{shortened(unquoted(str(text)), width)}”"


def joined(*parts: object) -> str:
    """Those parts that are there, with commas."""
    return ", ".join(str(part).strip() for part in parts if part)


def plain(name: object) -> str:
    """A name from a program as words: `in_transit` is in transit."""
    return str(name or "").replace("_", " ")


def counted(number: int, noun: str) -> str:
    """`2 files`; nothing for none."""
    return f"{number} {noun}{'' if number == 1 else 's'}" if number else ""


def lasting(seconds: object) -> str:
    """A length of time: `40 s`, `5 min`, `5 h`, `3 days`; nothing where it isn't known."""
    if not isinstance(seconds, int | float):
        return ""
    for unit, length, until in (("s", 1, 90), ("min", MINUTE, 2 * HOUR), ("h", HOUR, 2 * DAY)):
        if seconds < until:
            return f"{round(seconds / length)} {unit}"
    return counted(round(seconds / DAY), "day")


def by(channel: str) -> str:
    """The way on which something came."""
    return BY.get(channel, f"by {plain(channel)}")


def percent(share: float | None) -> str:
    """A share: with one digit behind the point below ten per cent."""
    if share is None:
        return "–"
    return f"{100 * share:.0f} %" if share >= 0.0995 or not share else f"{100 * share:.1f} %"


def changed(now: float | None, before: float | None) -> str:
    """How a share has changed, in points."""
    if now is None or before is None:
        return "nothing to compare with before"
    points = 100 * (now - before)
    if abs(points) < 0.05:
        return "as before"
    return f"{abs(points):.1f} points {'more' if points > 0 else 'less'} than before"


def ago(at: datetime, now: datetime) -> str:
    """How long ago: `5 min ago`, `3 h ago`, `2 days ago`, and from two weeks on the day."""
    minutes = int((now - at).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 120:
        return f"{minutes} min ago"
    if minutes < 48 * 60:
        return f"{minutes // 60} h ago"
    if minutes < 14 * 24 * 60:
        return f"{minutes // (24 * 60)} days ago"
    return f"on {at.day} {at:%b}" + ("" if at.year == now.year else f" {at.year}")


def path(url: object) -> str:
    """The path of an address, without host, query and whatever else may be private in it."""
    return (urlsplit(str(url)).path or "/") if url else ""


def money(data: Mapping[str, Any]) -> str:
    """An amount with its currency; nothing where there is none."""
    return f"{data['amount']} {data.get('currency') or ''}".rstrip() if data.get("amount") is not None else ""


def numbers(data: Mapping[str, Any]) -> str:
    """The references of an event: ` (order 1001)`."""
    named = [f"{one['type']} {one['value']}" for one in data.get("references") or ()]
    return f" ({', '.join(named[:3])})" if named else ""
