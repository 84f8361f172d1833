"""Forms as bytes: every field with its own headers, and nothing that a charset could corrupt."""

import pytest

from schemas.codec import Malformed
from services.ingest.sources.form import MOST, Field, fields

MULTIPART = "multipart/form-data; boundary=xYzZY"
BODY = (
    b"--xYzZY\r\nContent-Disposition: form-data; name=\"subject\"\r\n\r\n\xe4\xf6 & +\r\n"
    b"--xYzZY\r\nContent-Disposition: form-data; name=\"file1\"; filename=\"\xc3\xa4.txt\"\r\n"
    b"Content-Type: text/plain\r\n\r\n--xYz\r\n\r\n--xYzZY--\r\n"
)  # fmt: skip


def test_a_multipart_form_keeps_each_parts_bytes_and_headers() -> None:
    subject, file = fields(BODY, MULTIPART)
    assert (subject.name, subject.content, subject.filename) == ("subject", b"\xe4\xf6 & +", None)
    assert (file.name, file.filename, file.content) == ("file1", "ä.txt", b"--xYz\r\n")
    assert file.headers["content-type"] == "text/plain"


def test_an_urlencoded_form_keeps_order_doubles_and_blanks() -> None:
    found = fields(b"To=%2B372+5&Body=%E4&To=b&x&=y", "application/x-www-form-urlencoded; charset=UTF-8")
    assert [(one.name, one.content) for one in found] == [
        ("To", b"+372 5"), ("Body", b"\xe4"), ("To", b"b"), ("x", b""), ("", b"y"),
    ]  # fmt: skip
    assert fields(b"a=%C3%A4\n", "")[0].text == "ä"


@pytest.mark.parametrize(
    ("body", "type"),
    [
        (BODY[:-12], MULTIPART),
        (b"", MULTIPART),
        (BODY, "multipart/form-data"),
        (BODY, "multipart/form-data; boundary=" + "x" * 500),
        (BODY, "multipart/form-data; boundary=õ\u2028"),
        (b"--xYzZY\r\nno header\r\n\r\n", MULTIPART),
    ],
)
def test_what_is_no_form_says_so(body: bytes, type: str) -> None:
    with pytest.raises(Malformed, match="form"):
        fields(body, type)


def test_a_form_has_an_end() -> None:
    part = b'--xYzZY\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n'
    for body, type in ((b"a&" * MOST + b"a", ""), (part * (MOST + 1) + b"--xYzZY--", MULTIPART)):
        with pytest.raises(Malformed) as refused:
            fields(body, type)
        assert refused.value.code == "too_many_fields"


def test_a_field_is_utf8_unless_its_translator_knows_better() -> None:
    assert Field("a", b"\xe4").text == "\ufffd"
