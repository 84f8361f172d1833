"""vCon, the IETF's container for conversations: calls, messages and what was made of them, from any system. Pure.

Unsigned and signed (JWS in its three forms); an encrypted one is refused. A vCon that amends or redacts another
speaks of the same conversation, so its events have the ids of the first. Parties that are referred to and are not
there are passed over, and a dialog is refused that is of no others. What is of another kind than the draft says
(a duration in words) counts as missing, and what older drafts call otherwise is read (`mimetype`, `meta`, `email`).
Source: draft-ietf-vcon-vcon-core, draft-ietf-vcon-cc-extension; the server of vcon-dev for older keys and its API.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from schemas.codec import Malformed
from services.ingest import documents
from services.ingest.sources import transcripts
from services.ingest.sources.calls import happening, later, turn
from services.ingest.sources.fields import items, text
from services.ingest.sources.vcon_dialogs import Conversation, decoded, events
from services.ingest.sources.vendor import Document, Forged, Post, Vendor, check_key

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]


def verify(post: Post, secrets: Sequence[str]) -> None:
    """By a secret as the server's token, or else by the certificate or public key in PEM that a secret is.

    The token may as well be the source's key, which finds it and proves nothing. Raises Forged, Malformed.
    """
    signers = [secret for secret in secrets if "-----BEGIN" in secret]
    known = [secret for secret in secrets if secret not in signers]
    if not signers:
        return check_key(known, keys(post))
    with suppress(Forged):
        return check_key(known, keys(post))
    tokens = list(_signed(post))
    if not tokens:
        raise Forged("signature_missing", "The vCon is not signed.")
    if not any(_is_signed_by(secret, token) for secret in signers for token in tokens):
        raise Forged("signature_wrong", "The vCon is not signed by the source's certificate.")


def keys(post: Post) -> Iterable[str]:
    """The token as vcon-server's clients send it."""
    return filter(None, [post.headers.get("x-conserver-api-token")])


def translate(post: Post) -> Iterator[Document | Malformed]:
    """A vCon's events, in its order. Raises Malformed."""
    vcon = Conversation(_vcon(post))
    for index, dialog in enumerate(vcon.dialogs):
        yield from events(vcon, index, dialog)
    for index, analysis in enumerate(items(vcon.body, "analysis")):
        yield from _analysis(vcon, index, analysis)


def _analysis(vcon: Conversation, index: int, analysis: Document) -> Iterator[Document]:
    """The turns of a transcript, or its words where it does not say whose they are; a summary as a note."""
    kind, id = (text(analysis, "type") or "").lower(), f"{vcon.id}/analysis/{index}"
    body = transcripts.opened(analysis.get("body"), text(analysis, "encoding"))
    dialog = _about(vcon, analysis)
    at, customer = vcon.at(dialog), vcon.customer(vcon.seats(dialog))
    if at is None or not (words := transcripts.whole(body)):
        return
    if kind.startswith("summary"):
        author = {"role": "bot", "name": text(analysis, "vendor") or "analysis"}
        yield happening("note.written", id, vcon.id, at, customer, "internal", text=words, author=author)
    elif kind.startswith("transcript"):
        found = [(one, _speaker(vcon, one)) for one in transcripts.turns(body)]
        is_told = {role for _, role in found}
        if None in is_told or not is_told or (len(found) > 1 and len(is_told) == 1 and len(vcon.seats(dialog)) > 1):
            yield happening("call.transcribed", id, vcon.id, at, customer, "internal", text=words)
            return
        for place, (one, role) in enumerate(found):
            when = one.at or later(at, place / 1000 if one.offset is None else one.offset)
            more = {"text": one.text, "offset": one.offset, "confidence": one.confidence}
            yield turn(role or "", f"{id}/{place}", vcon.id, when, customer, **more)


def _about(vcon: Conversation, analysis: Document) -> Document:
    dialogs, index = vcon.dialogs, analysis.get("dialog")
    index = index[0] if isinstance(index, list) and index else index
    is_there = isinstance(index, int) and 0 <= index < len(dialogs)
    return dialogs[index] if is_there and isinstance(index, int) else (dialogs or [{}])[0]


def _speaker(vcon: Conversation, one: transcripts.Turn) -> str | None:
    if one.party is not None:
        return vcon.roles[one.party] if one.party < len(vcon.parties) else None
    return vcon.role_of(one.speaker)


def _vcon(post: Post) -> Document:
    """The vCon in a post, out of its signature where it is signed. Raises Malformed."""
    tokens = list(_signed(post))
    found = documents.parse(decoded(tokens[0].split(".")[1])) if tokens else post.object
    if not isinstance(found, dict):
        raise Malformed("not_an_object", "A vCon is a JSON object.")
    if "ciphertext" in found:
        raise Malformed("encrypted", "The vCon is encrypted: decrypt it before it is sent here.")
    return found


def _signed(post: Post) -> Iterator[str]:
    """The signatures of a signed vCon, each with what it is over as a compact JWS (RFC 7515). Raises Malformed."""
    raw = post.content.strip()
    if not raw.startswith((b"{", b"[")) and raw.count(b".") == 2:
        yield raw.decode("latin-1")
        return
    body = post.object
    if not isinstance(payload := body.get("payload"), str):
        return
    for one in items(body, "signatures") or [body]:
        protected, signature = text(one, "protected"), text(one, "signature")
        yield f"{protected or ''}.{payload}.{signature or ''}"


def _is_signed_by(pem: str, token: str) -> bool:
    """Whether a token is signed by a certificate or public key."""
    try:
        jwt.PyJWS().decode(token, _key(pem), algorithms=ALGORITHMS)
        return True
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        return False


def _key(pem: str) -> Any:
    """Raises ValueError."""
    raw = pem.replace("\\n", "\n").encode()
    return load_pem_x509_certificate(raw).public_key() if "BEGIN CERTIFICATE" in pem else load_pem_public_key(raw)


VENDORS = (
    Vendor(
        name="vcon",
        title="vCon",
        channel="phone",
        translate=translate,
        verify=verify,
        keys=keys,
        routes={"/vcon": "POST", "/vcon/external-ingress": "POST"},
        secret="the signer's certificate or public key, in PEM, or a token for `x-conserver-api-token`",
        reference="https://datatracker.ietf.org/doc/draft-ietf-vcon-vcon-core/",
        setup=(
            "Post vCons to `{url}`, or let a program that knows vcon-server post to ingest's `/vcon` with the source's "
            "key as `x-conserver-api-token`. Where vCons are signed (JWS), give the signer's certificate by "
            '`tellonce sources secret NAME "$(cat signer.pem)"`. An encrypted vCon has to be decrypted before.'
        ),
        becomes={
            "dialog `recording`": "call.started, call.held, call.menu_choice, call.recorded, call.ended",
            "dialog `text`": "message.received, message.sent (email, sms or chat)",
            "dialog `transfer`, `incomplete`": "call.transferred; call.ringing, call.ended",
            "analysis `transcript`": "call.turn, or call.transcribed where it does not say who spoke",
            "analysis `summary`": "note.written",
        },
    ),
)
