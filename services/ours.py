"""Which mail addresses are ours, and whose word on senders counts. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Ours:
    """`addresses`: our own and our domains, in lower case; mails they write are answers. `hosts`: the names under which
    our receiving mail servers say whether a sender is who they claim to be (authserv-ids, RFC 8601), in lower case."""

    addresses: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, addresses: Iterable[str] = (), hosts: Iterable[str] = ()) -> "Ours":
        """From words as people write them."""
        return cls(frozenset(map(str.lower, addresses)), frozenset(map(str.lower, hosts)))

    def has(self, address: str) -> bool:
        """Whether an address is ours, by itself or by its domain."""
        address = address.lower()
        return address in self.addresses or address.rpartition("@")[2] in self.addresses
