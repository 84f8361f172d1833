"""`python -m services.ingest.guide` writes docs/sources.md: for each vendor what to paste where, what becomes what."""

from pathlib import Path

from services.ingest.sources import vendors
from services.ingest.sources.vendor import Vendor

FILE = Path(__file__).parents[2] / "docs" / "sources.md"
START = """# Connecting channel systems

This page is written by `make schemas` from the code of each source.

Every vendor below posts unchanged. Register it, and paste the address that is printed where its section says:

```sh
tellonce sources add support-chat --kind chatwoot   # prints the key; the address is /v1/sources/support-chat
tellonce sources secret support-chat SECRET         # the vendor's secret for its signatures, where it signs
tellonce sources try chatwoot payload.json          # shows what a payload would become; nothing is stored
```

Without a secret, the source's key has to be in the request: `?key=KEY` behind the address, or as
Basic or Bearer. While a secret is being replaced, give both: `tellonce sources secret NAME NEW OLD`.

A post that somebody replays with its signature changes nothing: its events have the ids they had the first time.
Behind a proxy say under which address vendors reach ingest (`TELLONCE_INGEST_URL`), or let the proxy set
`X-Forwarded-Proto` and `X-Forwarded-Host`: some vendors sign the address too.
"""


def guide() -> str:
    """The page, in Markdown."""
    return START + "".join(map(_section, sorted(vendors().values(), key=lambda one: one.title.lower())))


def _section(vendor: Vendor) -> str:
    where = vendor.setup.replace("{url}", "https://INGEST/v1/sources/NAME")
    rows = "".join(f"| {theirs} | {ours} |\n" for theirs, ours in vendor.becomes.items())
    return (
        f"\n## {vendor.title}\n\n`--kind {vendor.name}`. {_proof(vendor)} "
        f"Described by its vendor: {vendor.reference}\n\n{where}\n\n{_routes(vendor)}"
        f"| what it sends | what it becomes |\n|---|---|\n{rows}"
    )


def _proof(vendor: Vendor) -> str:
    if vendor.verify:
        return f"Signed with {vendor.secret}."
    return f"Not signed; let in by the source's key{f' or by {vendor.secret}' if vendor.secret else ''}."


def _routes(vendor: Vendor) -> str:
    if not vendor.routes:
        return ""
    addresses = ", ".join(f"`{path}`" for path in vendor.routes)
    return f"Clients that can't be told an address may post to {addresses}, by the source's key.\n\n"


def main(file: Path = FILE) -> None:
    """Write the page."""
    file.write_text(guide())


if __name__ == "__main__":
    main()
