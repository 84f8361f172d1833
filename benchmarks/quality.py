"""`make quality`: how good the decisions are on labelled data, as tables and as JSON.

python -m benchmarks.quality [--identity FILE] [--replies FOLDER] [--timelines FILE] [--pairs FOLDER] [--groups FOLDER]
                             [--out FILE] [--embeddings]

What is named is measured; where nothing is, all whose data lie beside the repository.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import grouping, identity, pairs, repeated, replies
from benchmarks.labelled import Unreadable
from services.timeline import sentences

SHARED = Path(__file__).parents[2] / "shared"
IDENTITY = SHARED / "datasets" / "identity" / "identity_stream.dev.jsonl.gz"
REPLIES = SHARED / "fixtures" / "email"
TIMELINES = SHARED / "datasets" / "repeats" / "timelines.dev.jsonl.gz"
PAIRS = SHARED / "datasets" / "repeats"
MEASURED = {"identity": identity, "replies": replies, "timelines": repeated, "pairs": pairs, "groups": grouping}
SENTENCES = ("timelines", "pairs")  # what a sentence model has a say in
KEPT = 100_000  # texts whose vectors are kept
DEFAULTS = {"identity": IDENTITY, "replies": REPLIES, "timelines": TIMELINES, "pairs": PAIRS, "groups": PAIRS}
HINT = "make quality IDENTITY=FILE REPLIES=FOLDER TIMELINES=FILE PAIRS=FOLDER GROUPS=FOLDER"
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
# Measured once on other timelines of the same form: AP, precision, recall.
TEXTS = {
    "character TF-IDF, raw text": (".42", "", ""),
    "the same, cleaned, two content words or more": (".77", ".75", ".76"),
    "sentence vectors (MiniLM), the same": (".80", ".80", ".78"),
}
# Measured once on such texts: k-means of stems by TF-IDF, as many groups as topics: V-measure, Rand, purity.
STEMS = {
    "bank77_xchan": (".62", ".29", ".51"),
    "clinc": (".80", ".50", ".67"),
    "multidogo_conv": (".91", ".85", ".94"),
    "tilde": (".08", "-.03", ".49"),
    "buerokratt_et": (".56", ".22", ".62"),
    "all": (".67", ".37", ".49"),
}


def main() -> None:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(description="Quality of decisions on labelled data.")
    parser.add_argument("--identity", type=Path, help="stream of events with the person of each")
    parser.add_argument("--replies", type=Path, help="folder of mails with what their sender wrote")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    parser.add_argument("--timelines", type=Path, help="customers' events with which contact repeats which")
    parser.add_argument("--pairs", type=Path, help="folder of pairs of texts that tell the same matter or do not")
    parser.add_argument("--groups", type=Path, help="folder of such pairs with the topic of each text")
    parser.add_argument("--embeddings", action="store_true", help="ask the sentence model of tellonce[embeddings] too")
    given = parser.parse_args()
    paths = {name: path for name in MEASURED if (path := getattr(given, name))}
    if missing := [path for path in paths.values() if not path.exists()]:
        parser.error(f"there is no {missing[0]}; name data of that form: {HINT}")
    if not paths:
        paths = {name: path for name, path in DEFAULTS.items() if path.exists()}
        for name in (name for name in DEFAULTS if name not in paths):
            print(f"{name}: skipped, its labelled data are not here")
    if not paths:
        parser.error(f"there are no labelled data here; name them: {HINT}")
    if given.out and not given.out.parent.is_dir():
        parser.error(f"there is no {given.out.parent} to write {given.out.name} into")
    said = {"said": sentences.model(KEPT)} if given.embeddings else {}
    try:
        figures = {
            name: MEASURED[name].measure(path, **(said if name in SENTENCES else {})) for name, path in paths.items()
        }
    except Unreadable as error:
        parser.exit(1, f"{error}\n")
    if given.out:
        given.out.write_text(json.dumps(figures, indent=2) + "\n")
    shown = {"identity": _show_identity, "replies": _show_replies, "timelines": _show_timelines, "pairs": _show_pairs}
    shown["groups"] = _show_groups
    for name in paths:
        shown[name](figures[name])


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


def _show_timelines(figures: dict[str, Any]) -> None:
    table = Table(title=f"Explained again: {figures['repetitions']} of {figures['contacts']} contacts, 14 days")
    for heading in ("rule", "AP", "precision", "recall", "F1", "right thread"):
        table.add_column(heading, justify="left" if heading == "rule" else "right")
    for rule, cells in TEXTS.items():
        table.add_row(rule, *cells)
    names = ("average_precision", "precision", "recall", "f1", "right_thread")
    table.add_row("tellonce", *(_figure(figures[name]) for name in names), style="bold")
    Console().print(table)
    print("false alarms:", ", ".join(f"{kind} {share:.1%}" for kind, share in figures["false_alarms"].items()))
    for kind, taken in figures["kinds"].items():
        print(f"{kind} taken for:", ", ".join(f"{found} {count}" for found, count in taken.items()))


def _show_pairs(figures: dict[str, Any]) -> None:
    table = Table(title="Do two texts tell the same matter?")
    for heading in ("track", "pairs", "AUC", "AP"):
        table.add_column(heading, justify="left" if heading == "track" else "right")
    for name, told in figures["tracks"].items():
        table.add_row(name, str(told["pairs"]), _figure(told["auc"]), _figure(told["ap"]))
    Console().print(table)
    print("false alarms:", ", ".join(f"{kind} {share:.1%}" for kind, share in figures["false_alarms"].items()))


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _show_groups(figures: dict[str, Any]) -> None:
    table = Table(title="Issue groups: half of the texts learned from, the other half against its topics")
    for heading in ("track", "texts", "topics", "groups", "grouped", "V", "Rand", "purity", "by stems"):
        table.add_column(heading, justify="left" if heading == "track" else "right", no_wrap=True)
    for name, told in figures["tracks"].items():
        counts = [str(told[count]) for count in ("texts", "topics", "groups")]
        found = [f"{told[figure]:.3f}" for figure in ("v_measure", "rand", "purity")]
        table.add_row(name, *counts, f"{told['grouped']:.0%}", *found, " ".join(STEMS.get(name, ())))
    Console().print(table)
    for group in next(reversed(figures["tracks"].values()))["shown"]:
        print(f"{group['size']} {group['label']}: {' | '.join(text[:80] for text in group['texts'])}")


if __name__ == "__main__":
    main()
