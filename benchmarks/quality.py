"""`make quality`: how good the decisions are on labelled data, as tables and as JSON.

python -m benchmarks.quality [--identity FILE] [--replies FOLDER] [--out FILE]

What is named is measured; where nothing is, all whose data lie beside the repository.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import identity, replies

SHARED = Path(__file__).parents[2] / "shared"
IDENTITY = SHARED / "datasets" / "identity" / "identity_stream.dev.jsonl.gz"
REPLIES = SHARED / "fixtures" / "email"
# Measured once on other streams of the same form, for comparison: precision / recall of simpler rules.
BASELINES = {
    "connected parts, raw values": (0.19, 0.43),
    "normalised, placeholders blocked": (0.39, 0.46),
    "and at most one account a customer": (0.73, 0.45),
}
# Measured once on the 64 mails of discourse/email_reply_trimmer: exact, leaks, losses.
LIBRARIES = {
    "talon 1.4.4": (33, 27, 4),
    "quotequail 0.5.4": (31, 31, 2),
    "email-reply-parser 0.5.12": (28, 28, 7),
    "unquotemail 1.0.11": (25, 33, 6),
    "mail-parser-reply 1.36": (19, 43, 3),
}


def main() -> None:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(description="Quality of decisions on labelled data.")
    parser.add_argument("--identity", type=Path, help="stream of events with the person of each")
    parser.add_argument("--replies", type=Path, help="folder of mails with what their sender wrote")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    given = parser.parse_args()
    named = {"identity": given.identity, "replies": given.replies}
    paths = {name: path for name, path in named.items() if path}
    if missing := [path for path in paths.values() if not path.exists()]:
        parser.error(f"there is no {missing[0]}; name data of that form: make quality IDENTITY=FILE REPLIES=FOLDER")
    paths = paths or {name: path for name, path in (("identity", IDENTITY), ("replies", REPLIES)) if path.exists()}
    if not paths:
        parser.error("there are no labelled data here; name them: make quality IDENTITY=FILE REPLIES=FOLDER")
    figures = {name: {"identity": identity, "replies": replies}[name].measure(path) for name, path in paths.items()}
    if given.out:
        given.out.write_text(json.dumps(figures, indent=2) + "\n")
    for name in paths:
        {"identity": _show_identity, "replies": _show_replies}[name](figures[name])


def _show_identity(figures: dict[str, Any]) -> None:
    table = Table(title=f"Identity: {figures['events']:,} events of {figures['people']:,} people")
    for heading in ("rule", "precision", "recall", "most people in one customer"):
        table.add_column(heading, justify="left" if heading == "rule" else "right")
    for rule, (precision, recall) in BASELINES.items():
        table.add_row(rule, f"{precision:.2f}", f"{recall:.2f}", "")
    most = f"{figures['most_people_in_a_customer']:.0f}"
    table.add_row("tellonce", f"{figures['precision']:.4f}", f"{figures['recall']:.4f}", most, style="bold")
    Console().print(table)


def _show_replies(figures: dict[str, Any]) -> None:
    table = Table(title="Cleaned text: mails told from what they repeat")
    for heading in ("rule", "mails", "exact", "of", "leaks", "losses"):
        table.add_column(heading, justify="left" if heading == "rule" else "right")
    for library, (exact, leaks, losses) in LIBRARIES.items():
        table.add_row(f"{library} (all of discourse)", "64", *map(str, (exact, 64, leaks, losses)))
    for corpus, told in figures["corpora"].items():
        cells = [str(told[count]) for count in ("mails", "exact", "expected", "leaks", "losses")]
        table.add_row(f"tellonce, {corpus}", *cells, style="bold")
    Console().print(table)
    for kind in ("leaking", "losing"):
        if figures[kind]:
            print(f"{kind}: {', '.join(figures[kind])}")


if __name__ == "__main__":
    main()
