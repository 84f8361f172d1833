"""`make quality`: how good the decisions are on labelled data, as a table and as JSON.

python -m benchmarks.quality --identity FILE [--out FILE]
"""

import argparse
import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import identity

DATA = Path(__file__).parents[2] / "shared" / "datasets"
IDENTITY = DATA / "identity" / "identity_stream.dev.jsonl.gz"
# Measured once on other streams of the same form, for comparison: precision / recall of simpler rules.
BASELINES = {
    "connected parts, raw values": (0.19, 0.43),
    "normalised, placeholders blocked": (0.39, 0.46),
    "and at most one account a customer": (0.73, 0.45),
}


def main() -> None:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(description="Quality of identity on labelled data.")
    parser.add_argument("--identity", type=Path, default=IDENTITY, help="stream of events with the person of each")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    given = parser.parse_args()
    if not given.identity.exists():
        parser.error(f"there is no {given.identity}; name a file of that form: make quality IDENTITY=FILE")
    figures = {"identity": identity.measure(given.identity)}
    _show(figures["identity"])
    if given.out:
        given.out.write_text(json.dumps(figures, indent=2) + "\n")


def _show(figures: dict[str, float]) -> None:
    table = Table(title=f"Identity: {figures['events']:,} events of {figures['people']:,} people")
    for heading in ("rule", "precision", "recall", "most people in one customer"):
        table.add_column(heading, justify="left" if heading == "rule" else "right")
    for rule, (precision, recall) in BASELINES.items():
        table.add_row(rule, f"{precision:.2f}", f"{recall:.2f}", "")
    most = f"{figures['most_people_in_a_customer']:.0f}"
    table.add_row("tellonce", f"{figures['precision']:.4f}", f"{figures['recall']:.4f}", most, style="bold")
    Console().print(table)


if __name__ == "__main__":
    main()
