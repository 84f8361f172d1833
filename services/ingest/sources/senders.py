"""Whether a mail's sender is who they claim to be: domains that a receiving host attests. Pure.

Source: RFC 8601 (Authentication-Results), RFC 7489 (DMARC), section 3.1, for what aligns with a sender's domain.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from services.ingest.sources.mailheaders import Headers

COMMENT = re.compile(r"\([^()]*\)")
RESULT = re.compile(r"\s*([a-z0-9-]+)(?:\s*/\s*\d+)?\s*=\s*([a-z]+)", re.IGNORECASE)
PROPERTY = re.compile(r'([a-z]+\.[a-z0-9_-]+)\s*=\s*("[^"]*"|\S+)', re.IGNORECASE)
DEEPEST = 3  # comments within comments
MOST = 20  # headers of results that are looked at
# What a method that passed attests: the property with the domain.
ATTESTED = {"dkim": ("header.d", "header.i"), "spf": ("smtp.mailfrom",), "dmarc": ("header.from",)}


class Said(NamedTuple):
    """What a host found by a method, such as dkim: pass, for a domain."""

    method: str
    result: str
    domain: str


def attested(headers: Headers, hosts: Collection[str]) -> frozenset[str]:
    """The domains in whose name a mail was sent, by what trusted hosts say in it; none where one says DMARC fails."""
    said = [one for value in headers.all("Authentication-Results")[:MOST] for one in _said(value, hosts)]
    if any(one.method == "dmarc" and one.result == "fail" for one in said):
        return frozenset()
    return frozenset(one.domain for one in said if one.result == "pass" and one.domain)


def is_attested(address: str, domains: Iterable[str]) -> bool:
    """Whether an address belongs to one of these domains, or the one below the other (relaxed alignment)."""
    own = domain(address)
    known = (one for one in domains if own and "." in one)
    return any(own == one or own.endswith(f".{one}") or one.endswith(f".{own}") for one in known)


def domain(address: str) -> str:
    """An address's domain, in lower case."""
    return address.rpartition("@")[2].strip("<> ").rstrip(".").lower()


def signed_domains(headers: Headers) -> list[str]:
    """The domains that signed a mail, whether their signatures hold or not."""
    tags = (re.search(r"(?:^|;)\s*d\s*=\s*([^;\s]+)", value) for value in headers.all("DKIM-Signature"))
    return [found[1].lower() for found in tags if found]


def _said(value: str, hosts: Collection[str]) -> Iterator[Said]:
    """The results of one header: `mx.example; dkim=pass header.d=example.ee; spf=fail smtp.mailfrom=x@y.z`."""
    for _ in range(DEEPEST):
        value = COMMENT.sub("", value)
    host, *results = value.split(";")
    if not host.split() or host.split()[0].strip('"').lower() not in hosts:
        return
    for one in results:
        if found := RESULT.match(one):
            method = found[1].lower()
            properties = {name.lower(): word.strip('"') for name, word in PROPERTY.findall(one)}
            named = next((properties[name] for name in ATTESTED.get(method, ()) if name in properties), "")
            yield Said(method, found[2].lower(), domain(named))
