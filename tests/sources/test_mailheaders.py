"""What a mail's bytes say, whatever it says that they are in."""

import pytest

from services.ingest.sources.mailheaders import characters


@pytest.mark.parametrize(
    ("declared", "raw", "words"),
    [
        ("utf-8", "Tere! Küsimus: kus pakk on?".encode() + b" Caf\xe9", "Tere! Küsimus: kus pakk on? Caf\ufffd"),
        ("us-ascii", "Küsimus, jälle".encode() + b"\xe4", "Küsimus, jälle\ufffd"),
        (None, "õun, ja poolik õ".encode()[:-1], "õun, ja poolik \ufffd"),
        ("iso-8859-7", "Πού είναι".encode("iso-8859-7") + b"\xff", "Πού είναι\ufffd"),
        ("big5", "包裹在哪裡".encode("big5") + b"\xff", "包裹在哪裡\ufffd"),
    ],
)
def test_a_wrong_byte_costs_no_other_letters(declared: str | None, raw: bytes, words: str) -> None:
    assert characters(raw, declared) == words


@pytest.mark.parametrize(
    ("declared", "raw", "words"),
    [
        ("iso-8859-1", b"I don\x92t pay 5 \x80", "I don’t pay 5 €"),
        ("ISO-8859-9", b"\x93K\xfdrm\xfdz\xfd\x94", "“Kırmızı”"),
        ("tis-620", b"\x93\xe4\xb7\xc2\x94", "“ไทย”"),
        ("gb2312", "朱镕基的包裹".encode("gbk"), "朱镕基的包裹"),
        ("gbk", "𠮷的包裹".encode("gb18030"), "𠮷的包裹"),
        ("ks_c_5601-1987", "똠방각하".encode("cp949"), "똠방각하"),
        ("shift_jis", "荷物①".encode("cp932"), "荷物①"),
    ],
)
def test_a_charset_is_what_programs_mean_by_its_name(declared: str, raw: bytes, words: str) -> None:
    assert characters(raw, declared) == words


@pytest.mark.parametrize("declared", ["iso-8859-1", "utf-8", "us-ascii", "base64", "no\0name", "x" * 9_000, "", None])
def test_any_bytes_are_read(declared: str | None) -> None:
    assert characters(bytes(range(256)), declared).startswith("\0\1\2")
