"""`make bench`: how fast it is, each figure beside references of the same run, as one table and as JSON.

python -m benchmarks.speed [--quick] [--only NAME …] [--log postgres|kafka|both] [--rounds N] [--sizes N …]
  [--out FILE] [--markdown FILE]
"""

import argparse
import json
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from benchmarks import acknowledging, analysing, analytics, briefing, growth, machine, seeing, stitching, translating
from benchmarks.figures import QUICK, Figure, Log, Run, Scale
from benchmarks.table import markdown, notes, table

FIGURES = {
    one.name: one
    for part in (acknowledging, translating, stitching, analysing, seeing, briefing, analytics, growth)
    for one in part.FIGURES
}
LOGS: dict[str, tuple[Log, ...]] = {"postgres": ("postgres",), "kafka": ("kafka",), "both": ("postgres", "kafka")}
EXAMPLES = """examples:
  make bench                                              everything, some 20 minutes
  make bench ONLY="stitch brief" LOG=postgres OUT=figures.json
  python -m benchmarks.speed --quick --only acknowledge   whether it works, not how fast

figures:
""" + "\n".join(f"  {figure.name:22}{figure.what}" for figure in FIGURES.values())


def main() -> None:
    """Measure what was asked for and print it."""
    given = _given()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended, and its data are removed
    told = {"rounds": given.rounds, "sizes": given.sizes and tuple(given.sizes)}
    scale = replace(QUICK if given.quick else Scale(), **{name: value for name, value in told.items() if value})
    wanted = [(FIGURES[name], log) for name in given.only or FIGURES for log in LOGS[given.log]]
    wanted = [(figure, log) for figure, log in wanted if log in figure.logs]
    lines, here = _others(given.out, wanted), machine.described()
    for line in _measured(wanted, scale):
        lines.append(line | {"machine": here, "scale": asdict(scale)})
        lines.sort(key=lambda line: list(FIGURES).index(line["figure"]))
        if given.out:  # what there is so far, for who ends it early
            given.out.write_text(json.dumps({"lines": lines}, indent=2) + "\n")
    console = Console(highlight=False)
    console = Console(highlight=False, width=max(console.width, 140))  # a file or a pipe has 80
    console.print(table(lines), *notes(lines), sep="\n")
    console.print(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in here.items()))
    if given.markdown:
        given.markdown.write_text(markdown(lines))


def _others(out: Path | None, wanted: Sequence[tuple[Figure, Log]]) -> list[dict[str, Any]]:
    """The lines of a file that are not measured anew."""
    lines = json.loads(out.read_text())["lines"] if out and out.exists() else []
    names = {(figure.name, log) for figure, log in wanted}
    return [line for line in lines if (line["figure"], line["log"]) not in names]


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed", description="How fast tellonce is on this machine, each figure beside "
        "references of the same run.", epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--only", nargs="+", choices=FIGURES, metavar="NAME", help="figures, by their names below")
    parser.add_argument("--log", choices=LOGS, default="both", help="the event log; both")
    parser.add_argument("--quick", action="store_true", help="a short form that shows that it works, not how fast")
    parser.add_argument("--rounds", type=int, help=f"of each measurement; {Scale.rounds}")
    parser.add_argument("--sizes", type=int, nargs="+", help="of the stores that grow, in events; 100000 1000000")
    parser.add_argument(
        "--out", type=Path, help="write the figures as JSON, beside those of others that it has already"
    )
    parser.add_argument("--markdown", type=Path, help="write the table as Markdown")
    return parser.parse_args()


def _measured(wanted: Sequence[tuple[Figure, Log]], scale: Scale) -> Iterator[dict[str, Any]]:
    """The lines of these figures, with a bar that says what is going on."""
    columns = SpinnerColumn(), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}")
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar, TemporaryDirectory() as folder:
        task = bar.add_task("", total=len(wanted))
        for figure, log in wanted:

            def say(what: str, where: str = f"{figure.name}, {log}") -> None:
                bar.update(task, description=f"{where}: {what}")

            for line in figure.measure(Run(log, scale, Path(folder), say)):
                yield {"figure": figure.name} | line.as_json()
            bar.advance(task)


if __name__ == "__main__":
    main()
