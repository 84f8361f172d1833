"""Coverage-guided fuzzing of one vendor's parser, by atheris (libFuzzer). `make fuzz VENDOR=name SECONDS=60`

Whatever is posted becomes events or is refused in words, in a second for a megabyte. Inputs that lead somewhere new are
kept in `.cache/fuzz/NAME` for the next time; what breaks the parser is left there as `crash-…`, `timeout-…`, `oom-…`.
"""

import sys
from dataclasses import replace
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["services", "schemas"]):
    from services.ingest.sources import vendors
    from services.ingest.trial import trial

    vendors()  # which imports the parsers: nothing guides through what is imported outside

from tests.sources.chats import post
from tests.sources.samples import posts

LARGEST = 1_000_000


def main(name: str, seconds: str) -> None:
    """Fuzz for so many seconds; 0 for ever. The process ends at the first input that breaks it."""
    if name not in vendors():
        sys.exit(f"VENDOR={name} is none of {', '.join(sorted(vendors()))}.")
    vendor, known = vendors()[name], posts(name) or [post(b"")]
    folder = Path(".cache/fuzz", name)
    folder.mkdir(parents=True, exist_ok=True)
    for number, sample in enumerate(known):
        (folder / f"sample-{number}").write_bytes(bytes([number]) + sample.content)

    def judged(data: bytes) -> None:
        """The first byte chooses whose headers the body comes with."""
        sample = known[data[0] % len(known)] if data else known[0]
        trial(vendor, replace(sample, raw=data[1:], content=data[1:]))

    limits = [f"-max_len={LARGEST}", "-timeout=1", "-rss_limit_mb=512", f"-max_total_time={seconds}"]
    atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={folder}/", str(folder)], judged)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
