"""No body of any kind breaks a vendor: each becomes events or is refused in words."""

import ast
import inspect
import json
import sys
from dataclasses import replace
from time import process_time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.codec import Malformed
from services.ingest.sources import vendors
from services.ingest.sources.vendor import Forged, Post, Vendor
from services.ingest.trial import trial
from tests.sources.chats import post
from tests.sources.samples import posts

FEW = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from([1e308, -1, 0, 2**63, "2026-05-04T09:00:00Z", "1777886000", "9" * 400, "x" * 600, "\ud800", "\0"])
)  # fmt: skip


def vocabulary(vendor: Vendor) -> list[str]:
    """The words that a vendor's translator looks for: its fields and their values."""
    own = sys.modules[vendor.translate.__module__]
    others = [one for one in vars(own).values() if inspect.ismodule(one) and "sources" in one.__name__]
    nodes = [node for module in (own, *others) for node in ast.walk(ast.parse(inspect.getsource(module)))]
    words = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return sorted(word for word in words if 0 < len(word) < 40)


def values(words: list[str]) -> st.SearchStrategy[Any]:
    """JSON of the vendor's own words."""
    leaves = LEAVES | st.sampled_from(words)
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(words), inner, max_size=5)
    )  # fmt: skip


def changed(draw: st.DrawFn, node: Any, other: st.SearchStrategy[Any]) -> Any:
    """A document with one value somewhere in it replaced, or a field more."""
    if isinstance(node, dict) and node and draw(st.integers(0, 5)):
        name = draw(st.sampled_from(sorted(node)))
        return node | {name: changed(draw, node[name], other)}
    if isinstance(node, list) and node and draw(st.integers(0, 5)):
        place = draw(st.integers(0, len(node) - 1))
        return [*node[:place], changed(draw, node[place], other), *node[place + 1 :]]
    return draw(other)


@st.composite
def broken(draw: st.DrawFn, vendor: Vendor) -> Post:
    """A post of any bytes; or one like the vendor's, with up to three values of another kind, or bytes amiss."""
    samples = posts(vendor.name)
    sample = draw(st.sampled_from(samples)) if samples else post(b"")
    if not draw(st.integers(0, 5)):
        return _with(sample, draw(st.binary(max_size=200)))
    other = values(vocabulary(vendor))
    try:
        document = json.loads(sample.content) if draw(st.booleans()) else draw(other)
    except ValueError:  # a form, a mail, XML, or packed
        place = draw(st.integers(0, len(sample.content)))
        end = draw(st.sampled_from([place, place + 1, len(sample.content)]))
        return _with(sample, sample.content[:place] + draw(st.binary(max_size=9)) + sample.content[end:])
    for _ in range(draw(st.integers(0, 3))):
        document = changed(draw, document, other)
    return _with(sample, json.dumps(document).encode())  # half pairs, NaN and numbers of any size among it


def _with(sample: Post, body: bytes) -> Post:
    return replace(sample, raw=body, content=body)


ALL = sorted(vendors())


@pytest.mark.parametrize("name", ALL)
def test_any_body_becomes_events_or_is_refused_in_words(name: str) -> None:
    vendor = vendors()[name]

    @FEW
    @given(broken(vendor))
    def holds(posted: Post) -> None:
        for one in trial(vendor, posted):
            assert "refused" in one or "handshake" in one or (one["id"] and one["time"] and one["channel"])
            assert "refused" not in one or one["message"]

    holds()


@pytest.mark.parametrize("name", ALL)
def test_any_proof_passes_or_is_refused_in_words(name: str) -> None:
    vendor = vendors()[name]
    headers = st.dictionaries(
        st.sampled_from([word.lower() for word in vocabulary(vendor)] + ["content-type", "authorization"]),
        st.text(st.characters(max_codepoint=255), max_size=40),
    )

    refused: set[bool] = set()

    @FEW
    @given(st.binary(max_size=50), headers, st.text(max_size=20))
    def holds(body: bytes, said: dict[str, str], target: str) -> None:
        made = Post(body, body, said, post(b"").received_at, target="/?" + target, origin="https://x")
        try:
            if vendor.verify:
                vendor.verify(made, ["s3cret"])
            else:
                assert "s3cret" not in list(vendor.keys(made)) or "s3cret" in said.values()
        except (Forged, Malformed) as forged:
            refused.add(bool(forged.code and forged.message))

    holds()
    assert refused <= {True}


LARGE = 1_000_000
FILLINGS = (b"[", b'{"a":', b'"', b"x", b"\xff", b"=&", b"[{},", b"{}\n", b"%41", b"\r\n", b"<a>", b"AAAA", b"<a@b> ")


@pytest.mark.parametrize("name", ALL)
def test_a_large_body_of_anything_is_judged_soon(name: str) -> None:
    """In a second, and here five times that, for what grows with the square of a body takes minutes."""
    vendor, heads = vendors()[name], [sample for sample in posts(name) if len(sample.content) < 20_000]
    for filling in FILLINGS:
        for head in heads or [post(b"")]:
            half = len(head.content) // 2
            for before in (b"", head.content[:half]):
                body = (before + filling * (LARGE // len(filling)))[:LARGE]
                began = process_time()
                trial(vendor, _with(head, body))
                assert process_time() - began < 5, (filling, before)
