"""The figures as one table and what else is worth knowing of them: for the terminal, and in Markdown for a page."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table

UNITS = ("/s", "p50 ms", "p99 ms")
HEADINGS = {"": "left", "log": "left", "a second": "right", "p50 ms": "right", "p99 ms": "right", "ratio": "right"}


def table(lines: Sequence[dict[str, Any]]) -> Table:
    """Median and (min to max) of each line and of its references; how many times theirs ours is, unit by unit."""
    made = Table(title="Median (min–max) of the rounds; ratio: ours to the reference's", title_justify="left")
    for heading, side in HEADINGS.items():
        made.add_column(heading, justify=side)  # type: ignore[arg-type]
    for line in lines:
        made.add_section()
        for number, cells in enumerate(_rows(line)):
            made.add_row(*cells, style="" if number else "bold")
    return made


def notes(lines: Sequence[dict[str, Any]]) -> list[str]:
    """The medians of what is in no column, such as lag and processors, a line each."""
    more = {
        f"{line['what']}, {line['log']}": [
            f"{unit} {_number(value['median'])}" for unit, value in line["values"].items() if unit not in UNITS
        ]
        for line in lines
    }
    return [f"{what}: {', '.join(values)}" for what, values in more.items() if values]


def markdown(lines: Sequence[dict[str, Any]]) -> str:
    """Both in Markdown."""
    ruler = ["---:" if side == "right" else "---" for side in HEADINGS.values()]
    rows = [HEADINGS, ruler, *(cells for line in lines for cells in _rows(line))]
    made = [f"| {' | '.join(cells)} |" for cells in rows]
    return "\n".join([*made, "", *(f"- {note}" for note in notes(lines))]) + "\n"


def _rows(line: dict[str, Any]) -> Iterator[list[str]]:
    yield [line["what"], line["log"], *_cells(line["values"]), ""]
    for name, reference in line["beside"].items():
        ratios = [_number(reference["ratio"][unit]) for unit in UNITS if reference["ratio"].get(unit) is not None]
        yield [f"— {name}", "", *_cells(reference["values"]), " / ".join(ratios)]


def _cells(values: dict[str, Any]) -> list[str]:
    return [_cell(values[unit]) if unit in values else "" for unit in UNITS]


def _cell(value: dict[str, Any]) -> str:
    low, middle, high = (_number(value[name]) for name in ("min", "median", "max"))
    return middle if low == high else f"{middle} ({low}–{high})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
