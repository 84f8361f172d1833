"""How well a mail is told from what it repeats: mails of public corpora with what their sender wrote.

A folder holds any of these, known by the files' names, as their makers keep them:
- `discourse/emails/X.txt` with `discourse/trimmed/X.txt`;
- `talon/X.eml` with `X_reply_text` beside it, else the reply is "Hello" (so says talon's own test);
- `talon_html/X.html`, whose reply is always the same;
- `crisp/email_X.txt`, many of which begin with the same reply; others are judged by quoted lines alone;
- `forwards/crisp/X_body.txt`, of which nothing is the sender's but the message that some begin with.

Exact: the same lines, but for blank ones. A leak: a line that should not be there. A loss: one that should and is not
(quoted lines that an expected reply keeps to show what is answered are none of the sender's).
"""

import email
import email.policy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from services import hypertext
from services.timeline.text import cleaned

TALON, TALON_HTML = "Hello", "Hi. I am fine.\n\nThanks,\nAlex"
CRISP = "Fusce bibendum, quam hendrerit sagittis tempor"  # how the reply begins that most of its mails share
CRISP_END = "adipiscing elit.", "nec nibh."
FORWARDED = "Praesent suscipit egestas hendrerit.\n\nAliquam eget dui dui."  # what its forwards say above, if anything


@dataclass(frozen=True)
class Mail:
    """A mail and what its sender wrote; none where only quoted lines can be judged."""

    corpus: str
    name: str
    text: str
    html: str | None
    expected: str | None


def mails(folder: Path) -> Iterator[Mail]:
    """All mails below a folder, by the forms above."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        place = path.parent.name
        if place == "emails" and (trimmed := path.parent.with_name("trimmed") / path.name).exists():
            yield Mail("discourse", path.name, _read(path), None, _read(trimmed))
        elif path.suffix == ".eml" and place in ("talon", "standard_replies"):
            beside = path.with_name(f"{path.stem}_reply_text")
            yield Mail("talon", path.name, *_parts(path), _read(beside) if beside.exists() else TALON)
        elif path.suffix == ".html":
            html = _read(path)
            yield Mail("talon_html", path.name, hypertext.text(html), html, TALON_HTML)
        elif path.suffix == ".txt" and "_body" in path.stem and place not in ("emails", "trimmed"):
            yield Mail("forwards", path.name, _read(path), None, _passed(_read(path)))
        elif path.suffix == ".txt" and path.stem.startswith("email_") and place not in ("emails", "trimmed"):
            yield Mail("crisp", path.name, _read(path), None, _crisp(_read(path)))


def _read(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n").lstrip("\ufeff")


def _parts(path: Path) -> tuple[str, str | None]:
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    text = plain.get_content().strip() if plain else ""
    return text or hypertext.text(html.get_content() if html else ""), html.get_content() if html else None


def _crisp(text: str) -> str | None:
    lines = text.split("\n")
    ends = [at for at, line in enumerate(lines) if line.rstrip().endswith(CRISP_END)]
    return "\n".join(lines[: ends[0] + 1]) if text.startswith(CRISP) and ends else None


def _passed(text: str) -> str:
    return FORWARDED if text.startswith(FORWARDED.split("\n")[0]) else ""


def measure(folder: Path) -> dict[str, Any]:
    """Figures of a folder: each corpus and all, with the names of mails that leak or lose."""
    found: list[tuple[Mail, str]] = [(mail, cleaned(mail.text, mail.html).reply) for mail in mails(folder)]
    corpora: dict[str, Counter[str]] = {}
    leaks, losses = list[str](), list[str]()
    for mail, reply in found:
        leaked, lost = leak(mail, reply), loss(mail, reply)
        leaks += [f"{mail.corpus}/{mail.name}"] * leaked
        losses += [f"{mail.corpus}/{mail.name}"] * lost
        exact = mail.expected is not None and _lines(reply) == _lines(mail.expected)
        told = {"mails": 1, "expected": mail.expected is not None, "exact": exact, "leaks": leaked, "losses": lost}
        for corpus in (mail.corpus, "all"):
            corpora.setdefault(corpus, Counter()).update({name: int(count) for name, count in told.items()})
    corpora["all"] = corpora.pop("all", Counter())
    return {"corpora": {name: dict(counts) for name, counts in corpora.items()}, "leaking": leaks, "losing": losses}


def leak(mail: Mail, reply: str) -> bool:
    """Whether a line is left that the sender did not write."""
    if mail.expected is None:
        return any(line.startswith(">") for line in _lines(reply))
    return bool(Counter(_lines(reply)) - Counter(_lines(mail.expected)))


def loss(mail: Mail, reply: str) -> bool:
    """Whether a line is gone that the sender wrote."""
    if mail.expected is None:
        return bool(_lines(mail.text)) and not _lines(reply)
    mine = Counter(line for line in _lines(mail.expected) if not line.startswith(">"))
    return bool(mine - Counter(_lines(reply)))


def _lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.split("\n") if line.strip()]
