"""What vendors post, at their sources' addresses and at their own: proven, translated, and answered as they expect."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hmac import compare_digest
from typing import Any

from schemas.codec import Malformed
from services.access import NAME, Source, digest
from services.errors import Invalid, NotAllowed, NotFound, Problem, TooLarge, Unauthorized
from services.ingest import bodies, once
from services.ingest.acceptance import Judged
from services.ingest.endpoints import Posted
from services.ingest.errands import Errands
from services.ingest.posts import Posts
from services.ingest.sources.vendor import Document, Forged, Post, Reply, Vendor, in_json

SOURCES = "/v1/sources/"  # and a source's name, and whatever the vendor puts behind it
METHODS = frozenset({"POST", "GET", "HEAD"})


class Deliveries:
    """The endpoints that vendors post to; `known` are the vendors by name."""

    def __init__(self, posts: Posts, errands: Errands, known: Mapping[str, Vendor]) -> None:
        self._posts = posts
        self._errands = errands
        self._known = known
        self._settings = posts.settings
        self._ours = posts.settings.ours()

    async def deliver(self, request: Posted) -> dict[str, Any] | Reply:
        """Deliver what a vendor posts to its source's address, `/v1/sources/NAME`, in its own wire format."""
        if request.method == "HEAD":  # some ask first whether there is anything
            return {}
        name, _, path = request.path.removeprefix(SOURCES).partition("/")
        source, vendor = await self._vendor(name)
        return await self._answer(request, vendor, path, vendor.methods, source)

    def route(self, vendor: Vendor, methods: str) -> Callable[[Posted], Awaitable[Any]]:
        """What takes posts to an address of the vendor's own; their source is the one whose key they carry."""

        async def take(request: Posted) -> dict[str, Any] | Reply:
            return await self._answer(request, vendor, request.path, methods)

        return take

    async def _vendor(self, name: str) -> tuple[Source, Vendor]:
        """The source of this name, which is a vendor's. Raises NotFound."""
        source = await self._posts.keys.named(name) if NAME.fullmatch(name) else None
        vendor = self._known.get(source.kind) if source else None
        if source is None or vendor is None:
            hint = "Make it by `tellonce sources add NAME --kind VENDOR`; others post to /v1/events."
            raise NotFound(f"No vendor's source is named {name[:99]!r}.", code="unknown_source", hint=hint)
        return source, vendor

    async def _answer(
        self, request: Posted, vendor: Vendor, path: str, methods: str, source: Source | None = None
    ) -> dict[str, Any] | Reply:
        """The answer in the vendor's form, where it has one, or in ours. Raises Problem in ours."""
        post, limit = self._post(request, path), self._settings.max_mail if vendor.large else self._settings.max_body
        try:
            self._posts.acceptance.check()
            with bodies.Portion(self._posts.budget) as take:
                raw, content = await self._posts.body(request, take, limit)
                post = replace(post, raw=raw, content=content)
                judged = await self._judged(vendor, source, post, methods)
            if isinstance(judged, Reply):
                return judged
            answer = await self._posts.stored(judged)
        except Malformed as error:
            return self._refusal(vendor, post, Invalid(error.message, code=error.code))
        except Problem as problem:
            return self._refusal(vendor, post, problem)
        return vendor.answer(post, None) if vendor.answer else answer

    def _post(self, request: Posted, path: str) -> Post:
        origin = (self._settings.ingest_url or request.origin).rstrip("/")
        asked = request.method, path, request.target, origin
        most = self._settings.max_body
        return Post(b"", b"", request.headers, datetime.now(UTC), *asked, ours=self._ours, most=most)

    async def _judged(self, vendor: Vendor, source: Source | None, post: Post, methods: str) -> Judged | Reply:
        """What becomes of the post's events, or the reply to a handshake. Raises Problem, Malformed."""
        if source is None:
            source = await self._posts.keys.source_of(vendor.carried(post))
        try:
            reply = await self._handshake(vendor, source, post)
            found = [] if reply else await self._documents(vendor, source, post, methods)
        except Forged as forged:
            hint = f"Check the source's secret, {vendor.secret}: see `tellonce sources secret --help`."
            raise Unauthorized(forged.message, code=forged.code, hint=hint) from None
        return reply or await self._posts.acceptance.judged(source, found, post.received_at, len(post.content))

    async def _documents(
        self, vendor: Vendor, source: Source, post: Post, methods: str
    ) -> Iterable[Document | Malformed]:
        """What a post becomes. Raises NotAllowed, Malformed, Forged."""
        if post.method not in methods.split():
            raise NotAllowed(f"{vendor.title} does not {post.method} events.")
        found: Iterable[Document | Malformed] = vendor.documents(post, self._settings.max_depth)
        if vendor.once and source.secrets and (token := vendor.once(post)):
            found = await asyncio.to_thread(list, found)
            ids = [one.get("id") for one in found if isinstance(one, dict)]
            await once.check(self._posts.keys, f"{source.name} {token}", ids)
        return found

    async def _handshake(self, vendor: Vendor, source: Source, post: Post) -> Reply | None:
        """The reply to a handshake, if it is one; what it is, is proven. Raises Forged, Problem, Malformed."""
        shake = vendor.handshake or (lambda post, secrets: None)
        if post.method != "POST" and (reply := shake(post, source.secrets)):
            _prove_by_key(vendor, source, post)
            return reply
        if vendor.verify and source.secrets:
            vendor.verify(await self._with_certificate(vendor, post), source.secrets)
        else:
            _prove_by_key(vendor, source, post)
        reply = shake(post, source.secrets)
        if reply and reply.visit:
            await self._errands.visit(reply.visit, vendor.fetches)
        return reply

    async def _with_certificate(self, vendor: Vendor, post: Post) -> Post:
        address = vendor.certificate(post) if vendor.certificate else None
        if address is None:
            return post
        return replace(post, certificate=await self._errands.certificate(address, vendor.fetches))

    def _refusal(self, vendor: Vendor, post: Post, problem: Problem) -> Reply:
        """A refusal in the vendor's form. Raises the problem where it has none."""
        status = problem.status
        if vendor.drop and isinstance(problem, Invalid | TooLarge):
            status = vendor.drop
        if vendor.answer is None and status == problem.status:
            raise problem
        self._posts.measures.refused(problem)
        reply = vendor.answer(post, problem) if vendor.answer else in_json(problem.body)
        return replace(reply, status=status, headers=problem.headers)


def _prove_by_key(vendor: Vendor, source: Source, post: Post) -> None:
    """Raise Unauthorized unless a post carries the source's key or one of its secrets. Raises Malformed."""
    known = source.key_hash, *map(digest, source.secrets)
    if not any(compare_digest(one, other) for one in map(digest, vendor.carried(post)) for other in known):
        hint = "Put ?key=KEY behind the address, or give the source the vendor's secret: `tellonce sources secret`."
        raise Unauthorized("The request carries neither the source's key nor a signature to check.", hint=hint)
