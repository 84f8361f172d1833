"""Mails as they travel, whole and broken."""

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.codec import Malformed
from schemas.event import Direction, Event, Role
from services import hypertext
from services.ingest.sources import mail
from services.ingest.sources.mail import Receipt
from services.ours import Ours

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
PLAIN = """\
From: Mari Maasikas <mari@example.com>
To: Help <help@shop.example>
Subject: Where is my parcel?
Date: Mon, 4 May 2026 10:00:00 +0300
Message-ID: <one@example.com>

It should have come on Friday.
"""


def read(text: str | bytes, own: tuple[str, ...] = ()) -> Event:
    raw = text if isinstance(text, bytes) else text.encode()
    return mail.event(raw, Receipt(NOW, Ours.of(own)), "mail")


def with_header(line: str, text: str = PLAIN) -> str:
    name = line.partition(":")[0]
    lines = [one for one in text.split("\n\n", 1)[0].split("\n") if one.partition(":")[0] != name]
    return "\n".join([*lines, line]) + "\n\n" + text.split("\n\n", 1)[1]


def with_parts(*parts: str, kind: str = "mixed") -> str:
    body = "".join(f"--edge\n{part}\n" for part in parts) + "--edge--\n"
    return with_header(f'Content-Type: multipart/{kind}; boundary="edge"', PLAIN).split("\n\n")[0] + "\n\n" + body


TEXT = "Content-Type: text/plain\n\nIt is blue."
HTML = "Content-Type: text/html\n\n<p>It is <b>blue</b>.</p>"


def test_a_mail_is_a_message_of_its_sender() -> None:
    event = read(PLAIN)
    assert event.id == "one@example.com"
    assert (event.type, event.channel, event.direction) == ("message.received", "email", Direction.inbound)
    assert event.occurred_at == datetime(2026, 5, 4, 7, 0, tzinfo=UTC)
    assert [(one.type, one.value) for one in event.identifiers] == [("email", "mari@example.com")]
    assert event.author
    assert (event.author.role, event.author.name) == (Role.customer, "Mari Maasikas")
    assert event.text == "It should have come on Friday."
    assert event.data["subject"] == "Where is my parcel?"
    assert event.data["to"] == ["help@shop.example"]


def test_the_same_mail_is_the_same_event() -> None:
    assert read(PLAIN) == read(PLAIN)


def test_a_mail_without_id_is_known_by_its_bytes() -> None:
    without = PLAIN.replace("Message-ID", "X-Nothing")
    assert read(without).id.startswith("sha256:")
    assert read(without).id == read(without).id != read(without + "!").id


def test_an_id_too_long_to_keep_counts_as_none() -> None:
    assert read(with_header(f"Message-ID: <{'x' * 600}@example.com>")).id.startswith("sha256:")


@pytest.mark.parametrize(
    ("header", "conversation"),
    [
        ("References: <first@a> <second@a>", "first@a"),
        ("In-Reply-To: Your mail of Monday <second@a>", "second@a"),
        ("References: nothing to see", "one@example.com"),
    ],
)
def test_a_conversation_is_known_by_its_first_mail(header: str, conversation: str) -> None:
    assert read(with_header(header)).conversation == conversation


@pytest.mark.parametrize(
    ("headers", "moment"),
    [
        (["Date: Mon, 4 May 2026 10:00:00"], datetime(2026, 5, 4, 10, tzinfo=UTC)),
        (["Date: Mon, 4 May 2026 10:00:00 -0000"], datetime(2026, 5, 4, 10, tzinfo=UTC)),
        (["Date: 4 May 26 10:00 EST"], datetime(2026, 5, 4, 10, tzinfo=timezone(timedelta(hours=-5)))),
        (["Date: yesterday", "Received: by mx; Mon, 4 May 2026 10:00:05 +0300"],
         datetime(2026, 5, 4, 7, 0, 5, tzinfo=UTC)),
        (["Date: yesterday"], NOW),
        (["Date: Mon, 4 May 99999 10:00:00 +0300"], NOW),
    ],
)  # fmt: skip
def test_the_time_is_the_best_that_is_known(headers: list[str], moment: datetime) -> None:
    text = PLAIN
    for header in headers:
        text = with_header(header, text)
    assert read(text).occurred_at == moment


@pytest.mark.parametrize(
    ("header", "automatic"),
    [
        ("Auto-Submitted: auto-replied (vacation)", "reply"),
        ("Auto-Submitted: no", "none"),
        ("Precedence: auto_reply", "reply"),
        ("X-Autoreply: yes", "reply"),
        ("Return-Path: <>", "bounce"),
        ("Return-Path: <mari@example.com>", "none"),
        ("List-Id: <news.example.com>", "list"),
        ("List-Unsubscribe: <mailto:no@example.com>", "none"),
    ],
)
def test_a_machine_is_told_from_a_person(header: str, automatic: str) -> None:
    assert read(with_header(header)).data["automatic"] == automatic


def test_an_absence_note_that_leaves_no_return_path_is_a_reply_not_a_bounce() -> None:
    text = with_header("Return-Path: <>", with_header("Auto-Submitted: auto-replied"))
    assert read(text).data["automatic"] == "reply"


def test_a_bounce_makes_no_customer_of_the_mail_server() -> None:
    bounce = read(with_header("From: <MAILER-DAEMON@example.com>", with_parts(TEXT, kind="report")))
    assert bounce.data["automatic"] == "bounce"
    assert bounce.identifiers == ()
    assert bounce.author
    assert bounce.author.role is Role.system


@pytest.mark.parametrize("own", ["shop.example", "Help@shop.example"])
def test_our_own_answer_is_about_the_one_it_goes_to(own: str) -> None:
    answer = read(with_header("From: help@shop.example", with_header("To: mari@example.com, x@a.ee")), (own,))
    assert (answer.type, answer.direction) == ("message.sent", Direction.outbound)
    assert answer.author
    assert answer.author.role is Role.agent
    assert [one.value for one in answer.identifiers] == ["mari@example.com"]


def test_plain_text_goes_before_html() -> None:
    event = read(with_parts(TEXT, HTML, kind="alternative"))
    assert event.text == "It is blue."
    assert "html" not in event.data


def test_html_alone_is_read_as_text_and_kept() -> None:
    event = read(with_parts(HTML))
    assert event.text == "It is blue."
    assert event.data["html"] == "<p>It is <b>blue</b>.</p>"


def test_attachments_are_listed_not_kept() -> None:
    picture = (
        "Content-Type: image/png\nContent-Transfer-Encoding: base64\n"
        "Content-Disposition: attachment; filename*=utf-8''tee%C3%BCksus.png\n\naGVsbG8="
    )
    event = read(with_parts(TEXT, picture))
    assert event.data["attachments"] == [{"name": "teeüksus.png", "type": "image/png", "bytes": 5}]
    assert event.text == "It is blue."


def test_an_attached_mail_says_nothing_in_the_name_of_its_sender() -> None:
    event = read(with_parts(TEXT, "Content-Type: message/rfc822\n\nSubject: other\n\nIt is red."))
    assert event.text == "It is blue."
    assert event.data["attachments"] == [{"type": "message/rfc822"}]


@pytest.mark.parametrize(
    ("declared", "raw"),
    [
        ("utf-8", "tšekk ja õun".encode()),
        ("no-such-charset", "tšekk ja õun".encode()),
        ("us-ascii", "tšekk ja õun".encode()),
        ("iso-8859-13", "tšekk ja õun".encode("iso-8859-13")),
        ("utf-8", "tšekk ja õun".encode("cp1252")),
    ],
)
def test_words_are_read_in_what_they_are_in_when_it_says_otherwise_too(declared: str, raw: bytes) -> None:
    head = with_header(f"Content-Type: text/plain; charset={declared}").split("\n\n")[0]
    assert read(head.encode() + b"\n\n" + raw).text == "tšekk ja õun"


@pytest.mark.parametrize(
    ("subject", "read_as"),
    [
        (b"=?utf-8?q?t=C5=A1ekk?= =?utf-8?b?w7V1bg==?=", "tšekkõun"),
        ("tšekk".encode(), "tšekk"),
        (b"=?utf-8?b?not base64?=", "=?utf-8?b?not base64?="),
        (b"=?klingon?q?nuqneH?=", "nuqneH"),
        (b"in two\n lines", "in two lines"),
    ],
)
def test_subjects_are_decoded(subject: bytes, read_as: str) -> None:
    raw = PLAIN.encode().replace(b"Where is my parcel?", subject)
    assert read(raw).data["subject"] == read_as


def test_nuls_are_left_out() -> None:
    event = read(PLAIN.replace("Friday", "Fri\0day").replace("parcel", "par\0cel"))
    assert event.text == "It should have come on Friday."
    assert event.data["subject"] == "Where is my parcel?"


def test_what_is_no_mail_is_refused() -> None:
    with pytest.raises(Malformed, match="no header"):
        read("only words\n")


def test_parts_nested_without_end_are_refused() -> None:
    nested = "".join(f"Content-Type: multipart/mixed; boundary=e{n}\n\n--e{n}\n" for n in range(5000))
    with pytest.raises(Malformed, match="nested too deep"):
        read("From: a@b.ee\n" + nested)


def test_comments_within_comments_without_end_are_read() -> None:
    event = read(with_header("To: help@shop.example " + "(" * 9_000))
    assert event.data["to"] == ["help@shop.example"]


def test_a_header_of_a_megabyte_holds_up_nothing() -> None:
    event = read(with_header("Content-Type: text/plain; " + "".join(f"a*{n}=b; " for n in range(80_000))))
    assert event.text == "It should have come on Friday."


WORDS = rb"""From: |Date: |Received: ;|Subject: |Message-ID: <|References: <a> <b|Mon, 31 Feb 0000 99:99 +9999
Content-Type: multipart/mixed; boundary=edge|Content-Type: message/rfc822|Content-Type: ;;=|--edge|--edge--|
Content-Transfer-Encoding: base64|Content-Transfer-Encoding: x-uuencode|Content-Disposition: attachment; name|
filename*=|filename*0*=utf-8''%|charset=|a@b.ee, |=?utf-8?q?|=?utf-8?b?aa?=|?=|<|>|@|(|[|:|;|"| |"""
pieces = st.sampled_from([b"\n", b"\n\n", b"\0", b"\xff", *re.split(rb"[|\n]", WORDS)])


@given(st.lists(pieces | st.binary(max_size=8), max_size=40).map(b"".join))
@example(b"From: \xff\xfe <\xff@\xff>\nContent-Type: text/plain; charset*=\xff''x\n\n\xff")
def test_no_mail_is_too_broken(raw: bytes) -> None:
    event = read(b"From: mari@example.com\n" + raw)
    assert event.type == "message.received"
    assert event == read(b"From: mari@example.com\n" + raw)


def test_real_mails_are_read(shared: Path) -> None:
    files = [
        *shared.glob("fixtures/email/raw-mime/*.eml"),
        *shared.glob("fixtures/email/reply-quotes/talon/*.eml"),
    ]
    assert len(files) >= 10
    for file in files:
        event = read(file.read_bytes())
        assert event.identifiers, file.name
        assert event.text, file.name


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<style>p {}</style>Hello<br>there", "Hello\nthere"),
        ("<head><title>x</title><p>lost", ""),
        ("<head><title>x<body><p>found", "found"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\n\nc"),
        ("a  \n b&nbsp;&amp; <b>c</b>", "a b & c"),
        ("<pre>one\ntwo</pre>", "one\ntwo"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<!-- hidden --><p>seen", "seen"),
    ],
)
def test_html_reads_as_it_is_seen(html: str, text: str) -> None:
    assert hypertext.text(html) == text
