"""Identifiers: how values are normalised, which stand for nobody, how strong each type is. Pure."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import phonenumbers

from schemas.event import Event, Identifier, Verification

# Reserved: in this name only tellonce's own commands speak. Their events name the identifier they are about whole.
OWN_SOURCE = "tellonce"

# Names in the wild for the types we know; any other type keeps its own name.
ALIASES = {
    "mail": "email", "email_address": "email", "e_mail": "email",
    "tel": "phone", "telephone": "phone", "mobile": "phone", "phone_number": "phone", "msisdn": "phone",
    "customer": "account", "customer_id": "account", "account_id": "account", "user_id": "account",
    "anonymous": "device", "anonymous_id": "device", "device_id": "device", "cookie": "device",
}  # fmt: skip

# Strongest first: an event is attached to the first of these that it names.
STRENGTH = ("account", "email", "phone", "social")
WEAKEST = ("device", "conversation", "event")
OTHERS = len(STRENGTH)  # where all other types stand
RANKS = {type: place for place, type in enumerate((*STRENGTH, None, *WEAKEST)) if type}
# These mean the same whatever source names them; all others are the source's own and carry its name.
GLOBAL = frozenset({"account", "email", "phone", "social", "device"})

# How many of a type one customer may have before further links are refused; others: 10.
LIMITS = {"account": 1, "email": 5, "phone": 5, "social": 5, "device": 100, "conversation": 100_000, "event": 1}
OTHER_LIMIT = 10

REMEMBERED = 50_000  # identifiers lately read; the same ones come again and again

# Weakest first.
SURENESS = (Verification.observed, Verification.claimed, Verification.verified)

# What forms and systems write where they know nothing.
PLACEHOLDERS = {
    "null", "none", "nil", "undefined", "unknown", "anonymous", "guest", "n/a", "na", "nan", "test", "true", "false",
    "empty", "private", "restricted", "blocked", "unavailable", "withheld", "noemail", "no-email", "nobody",
}  # fmt: skip
PLACEHOLDER_PATTERNS = (
    r"-?[01]?",  # -1, 0, 1, nothing
    r"[0\s+().-]+",  # 0000000, +000, the zero UUID
    r"f{8}-f{4}-f{4}-f{4}-f{12}",
    r"(?P<word>na|none|null|test|no-?e?mail|noreply|unknown|example|asdf)@(?:(?P=word)|test|example|na|none)\.[a-z]{2,4}",
    r"\+?\d{0,4}(?P<digit>\d)(?P=digit){6,}",  # +3725555555
    r"\+?\d{0,4}0{5,}",
    r"1234567(89?0?)?",
)
PLACEHOLDER = re.compile("|".join(PLACEHOLDER_PATTERNS))


class Key(NamedTuple):
    """A normalised identifier; `scope` is the source's name for ids that only that source knows, else ''."""

    type: str
    scope: str
    value: str

    def __str__(self) -> str:
        return f"{self.type}:{self.scope}:{self.value}" if self.scope else f"{self.type}:{self.value}"


@dataclass(frozen=True, eq=False)  # hashed as it is, for what is remembered by it
class Rules:
    """How this deployment reads identifiers: default region, further placeholders, limits by type.

    `crowd`: links of one identifier from which on it is worth a look whether the next can be refused by itself.
    """

    region: str = "EE"
    placeholders: frozenset[str] = frozenset()
    patterns: tuple[str, ...] = ()
    limits: dict[str, int] = field(default_factory=dict)
    crowd: int = 200

    def limit(self, type: str) -> int:
        """How many identifiers of the type one customer may have."""
        return self.limits.get(type, LIMITS.get(type, OTHER_LIMIT))


def rank(type: str) -> int:
    """Strength of a type, 0 the strongest: account, email, phone, social, others, device, conversation."""
    return RANKS.get(type, OTHERS)


def verification(identifier: Identifier) -> Verification:
    """What the source said of it; left out, `observed` for a device and `claimed` for the rest."""
    if identifier.verification:
        return identifier.verification
    return Verification.observed if canonical_type(identifier.type) == "device" else Verification.claimed


def canonical_type(type: str) -> str:
    """The one name for types that go by several."""
    return ALIASES.get(type, type)


@lru_cache(maxsize=REMEMBERED)
def normalise(type: str, value: str, source: str, rules: Rules) -> Key | None:
    """The key under which an identifier is matched, or None for a placeholder that stands for nobody.

    Mail: lower case, IDNA domain (RFC 5890). Phone: E.164 by libphonenumber with the default region.
    Types that only their source knows carry the source's name as scope.
    """
    type = canonical_type(type)
    value = _value(type, value.strip(), rules.region)
    if _is_placeholder(value.lower(), rules):
        return None
    return Key(type, "" if type in GLOBAL else source, value)


def named(event: Event, rules: Rules) -> dict[Key, Verification]:
    """Whom an event names: normalised, strongest first, each with its best verification; never empty.

    An event that names nobody is known by its conversation, or else by itself.
    """
    if event.source == OWN_SOURCE:
        about = event.data.get("about")
        if isinstance(about, dict) and about.keys() == set(Key._fields):
            return {Key(**about): Verification.observed}
    found: dict[Key, Verification] = {}
    for identifier in event.identifiers:
        key = normalise(identifier.type, identifier.value, event.system, rules)
        if key:
            sure = verification(identifier)
            found[key] = max(found[key], sure, key=SURENESS.index) if key in found else sure
    if len(found) > 1:
        return dict(sorted(found.items(), key=lambda one: (rank(one[0].type), one[0])))
    if found:
        return found
    stand_in = conversation_key(event) if event.conversation else Key("event", event.source, event.id)
    return {stand_in: Verification.observed}


def keys(event: Event, rules: Rules) -> list[Key]:
    """Whom an event names, strongest first: the first decides its place in the log and on whom it stays."""
    return list(named(event, rules))


def strongest(found: Iterable[tuple[str, str]], system: str, rules: Rules) -> Key | None:
    """The first of `named`, of identifiers as types and values; those that can't be it are not normalised."""
    ranked = [(RANKS.get(ALIASES.get(type, type), OTHERS), type, value) for type, value in found]
    ranked.sort()
    best, reached = None, 0
    for place, type, value in ranked:
        if best and place > reached:
            break
        key = normalise(type, value, system, rules)
        if key and (best is None or key < best):
            best, reached = key, place
    return best


def conversation_key(event: Event) -> Key:
    """The stand-in for the customer of a conversation none of whose parties is named in the event."""
    return Key("conversation", event.system, event.conversation or "")


@lru_cache(maxsize=REMEMBERED)
def identifier_id(key: Key, secret: bytes) -> bytes:
    """The id of an identifier, 16 bytes: a keyed hash, so that it tells nothing and is the same after every replay.

    Every customer's id is the id of its oldest identifier, hence old ids keep resolving.
    """
    hashed = _keyed(secret).copy()
    hashed.update("\x1f".join(key).encode())
    return hashed.digest()[:16]


@lru_cache(maxsize=16)
def _keyed(secret: bytes) -> hmac.HMAC:
    """To be copied for each message: `hmac.digest` takes half as long again, and gives Python's lock away each time."""
    return hmac.new(secret, digestmod="sha256")


def event_key(source: str, id: str) -> bytes:
    """What two deliveries of one event share: a hash of source and id, 16 bytes."""
    return hashlib.blake2b(f"{source}\x1f{id}".encode(), digest_size=16).digest()


def parse(words: Iterable[str], rules: Rules) -> list[Key]:
    """`type:value` texts as keys (scope left empty: any), placeholders left out."""
    pairs = (word.partition(":") for word in words)
    found = (normalise(type.strip().lower(), value, "", rules) for type, _, value in pairs if value)
    return [key for key in found if key]


def _value(type: str, value: str, region: str) -> str:
    if type == "email":
        return _email(value)
    if type == "phone":
        return _phone(value, region)
    if type == "social":
        return value.lower()
    return value


def _email(value: str) -> str:
    local, _, domain = value.removeprefix("mailto:").strip("<> ").rpartition("@")
    try:
        domain = domain.rstrip(".").lower().encode("idna").decode()
    except UnicodeError:
        domain = domain.lower()
    return f"{local.lower()}@{domain}" if local else domain


def _phone(value: str, region: str) -> str:
    value = value.removeprefix("tel:").removeprefix("whatsapp:")
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return value
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _is_placeholder(value: str, rules: Rules) -> bool:
    if value in PLACEHOLDERS or value in rules.placeholders or PLACEHOLDER.fullmatch(value):
        return True
    return any(re.fullmatch(pattern, value) for pattern in rules.patterns)
