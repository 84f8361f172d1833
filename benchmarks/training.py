"""`make train`: make services/timeline/similarity.json anew from labelled pairs and timelines.

python -m benchmarks.training [--pairs FOLDER] [--timelines FILE] [--out FILE]

English and all other languages have a model each. Of English texts of the named open data a table of words with the
number of texts each is in is kept, where that is at least `SEEN`; no text and no rarer word is. Of these stems the
English model learns what it tells that both texts have one, or only one of them. It prints how well
models do on labels that they never saw (three parts of the labels; of a pair both labels are in the part left out).
Thresholds are where the lesser of precision and recall is greatest, English on timelines, others on pairs: half-way
between labels seen and never seen, since the table of meanings has seen all texts, so the latter comes out too high.
The same with a sentence model (`Model.averaged`): how its cosines become probabilities, and thresholds of the mean.
Needs scikit-learn and the sentence model, which `make train` installs; the latter takes some ten minutes of it.
"""

import argparse
import json
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression

from benchmarks import pairs, quality, repeated
from benchmarks.ranking import Scored, at, auc, average_precision
from services.timeline import sentences
from services.timeline.averaging import Averaged, Sentences
from services.timeline.similarity import SHIPPED, Model, Rarity, Similarity, Vector, features, start

NAMED = {
    "banking77, NLU++ (PolyAI)": "CC BY 4.0",
    "CLINC150": "CC BY 3.0",
    "MultiDoGO": "CDLA-Permissive-1.0",
    "TweetSumm": "CC0 1.0",
    "models only: Tilde NLU, Turku Paraphrase Corpus": "CC BY-SA 4.0",
    "models only: Bürokratt": "MIT",
}
SEEN = 12
PARTS = 3
FIRM = 0.02  # inverse strength of regularisation, chosen by labels never seen
USED = {"en": (0, 1, 2, 3, 4, 5, 6, 7, 8), "other": (0, 2, 7)}  # of the features; the others weigh nothing
LEVEL = {"other": 3.0}  # weight of each track's own level, which is left out: how alike texts are differs by language
ONE_DATA = {"bank77_xchan": "bank77", "xling": "tilde"}  # the same labels by another track


@dataclass(frozen=True, slots=True)
class Row:
    """A labelled pair."""

    one: Vector
    other: Vector
    truth: bool
    parts: tuple[int, int]
    language: str
    track: str
    cosine: float | None  # by the sentence model, in languages that it knows


def main() -> None:
    """Train and write."""
    parser = argparse.ArgumentParser(description="Train the comparison of texts.")
    parser.add_argument("--pairs", type=Path, default=quality.PAIRS)
    parser.add_argument("--timelines", type=Path, default=quality.TIMELINES)
    parser.add_argument("--out", type=Path, default=SHIPPED)
    given = parser.parse_args()
    table, said = _table(given.pairs), sentences.model(quality.KEPT)
    rows = _rows(given.pairs, Similarity(start(table.texts, table.words), {"other": Model((), 0.0, 0.5)}, None, said))
    models = {}
    for name in USED:
        some = [row for row in rows if (row.language == "en") == (name == "en")]
        kept = [_trained([row for row in some if part not in row.parts], name, 0.5) for part in range(PARTS)]
        model, thresholds = _trained(some, name, 0.5), []
        for with_sentences in (False, True):
            some = [row for row in some if row.cosine is not None or not with_sentences]
            unseen, seen = _unseen(some, kept, with_sentences), [_told(row, model, with_sentences) for row in some]
            print(f"{name}{', sentences' * with_sentences}: {len(some)} pairs, of labels never seen", end=" ")
            print(f"AUC {auc(unseen):.3f}")
            if name == "en":
                by = said if with_sentences else None
                seen, unseen = (_contacts(given.timelines, table, each, by) for each in ([model] * PARTS, kept))
                print(f"timelines: {len(unseen)} contacts of such, AP {average_precision(unseen):.3f}", end=", ")
                print("precision and recall {:.3f} / {:.3f}".format(*at(unseen, _best(unseen))))
            thresholds.append(round((_best(seen) + _best(unseen)) / 2, 3))
        averaged = replace(model.averaged, threshold=thresholds[1])
        models[name] = replace(model, threshold=thresholds[0], averaged=averaged)
    given.out.write_text(_written(table, models))


def _contacts(path: Path, table: Rarity, kept: Sequence[Model], said: Sentences | None) -> Scored:
    """The contacts of timelines, each by the model that never saw its label."""
    scored = list[tuple[float, bool]]()
    for part, model in enumerate(kept):
        by = Similarity(start(table.texts, table.words), {"en": model, "other": model}, None, said)
        scored += [
            (one.score, one.repeats) for one in repeated.contacts(path, by)
            if zlib.crc32(one.label.encode()) % PARTS == part
        ]  # fmt: skip
    return scored


def _table(folder: Path) -> Rarity:
    learned = Rarity()
    texts = {pair[side] for pair in pairs.read(folder) if pair["lang"] == "en" for side in "ab"}
    for text in texts:
        learned.learn(pairs.matter(text, "en"))
    words = {word: count for word, count in sorted(learned.words.items()) if count >= SEEN and word.isalpha()}
    return Rarity.of(learned.texts, words)


def _rows(folder: Path, by: Similarity) -> list[Row]:
    told = [pair for pair in pairs.read(folder) if pair["track"] not in ("smalltalk", "quoted")]
    assert by.sentences
    near = by.sentences.near
    return [
        Row(
            one, other, bool(pair["y"]), (_part(pair, "la"), _part(pair, "lb")), pair["lang"], pair["track"],
            near(one.sentence, other.sentence) if one.sentence and other.sentence else None,
        )
        for pair, one, other in pairs.vectors(told, by)
    ]  # fmt: skip


def _part(pair: dict[str, Any], side: str) -> int:
    track = pair["track"].partition("_")[0] if pair["track"].startswith("tilde") else pair["track"]
    return zlib.crc32(f"{ONE_DATA.get(track, track)} {pair[side] or pair['a']}".encode()) % PARTS


def _trained(rows: Sequence[Row], name: str, threshold: float) -> Model:
    """A logistic model of the features, and in English of stems, each of features brought to one scale."""
    found = np.array([features(row.one, row.other) for row in rows])
    scale = np.array([1 / (found[:, at].std() or 1.0) if at in USED[name] else 0.0 for at in range(found.shape[1])])
    stems = _stems(rows) if name == "en" else []
    tracks = sorted({row.track for row in rows}) if name in LEVEL else []
    levels = csr_matrix([[LEVEL.get(name, 0.0) * (row.track == track) for track in tracks] for row in rows])
    cells = hstack([csr_matrix((found - found.mean(0)) * scale), *_said(rows, stems), levels]).tocsr()
    fitted = LogisticRegression(C=FIRM if stems else 1.0, max_iter=2000).fit(cells, [row.truth for row in rows])
    learned = [round(float(one), 3) for one in fitted.coef_[0]]
    both, alone = learned[len(scale) : len(scale) + len(stems)], learned[len(scale) + len(stems) :]
    told = {one: pair for one, *pair in zip(stems, both, alone, strict=False) if any(pair)}
    weights = fitted.coef_[0][: len(scale)] * scale
    bias = fitted.intercept_[0] - weights @ found.mean(0)
    if tracks:  # without the levels it is no probability: brought back to one
        again = LogisticRegression().fit((found @ weights)[:, None], [row.truth for row in rows])
        weights, bias = weights * again.coef_[0][0], again.intercept_[0]
    averaged = _averaged(rows)
    return Model(tuple(round(float(one), 3) for one in weights), round(float(bias), 3), threshold, told, averaged)


def _averaged(rows: Sequence[Row]) -> Averaged:
    """How cosines become probabilities."""
    asked = [row for row in rows if row.cosine is not None]
    fitted = LogisticRegression(C=1e6).fit([[row.cosine] for row in asked], [row.truth for row in asked])
    return Averaged(round(float(fitted.coef_[0][0]), 3), round(float(fitted.intercept_[0]), 3), 0.5)


def _stems(rows: Sequence[Row]) -> list[str]:
    texts = {id(vector): vector for row in rows for vector in (row.one, row.other)}
    counts = Counter(stem for vector in texts.values() for stem in vector.words)
    return sorted(stem for stem, count in counts.items() if count >= SEEN and stem.isalpha())


def _said(rows: Sequence[Row], stems: Sequence[str]) -> list[csr_matrix]:
    """Which stems both texts of a pair have, and which only one of them."""
    column = {stem: at for at, stem in enumerate(stems)}
    made = []
    for which in (set.__and__, set.__xor__):
        cells = [
            (at, column[stem]) for at, row in enumerate(rows)
            for stem in which(set(row.one.words), set(row.other.words)) if stem in column
        ]  # fmt: skip
        lines, columns = zip(*cells, strict=True) if cells else ((), ())
        made.append(csr_matrix((np.ones(len(cells)), (lines, columns)), (len(rows), len(stems))))
    return made


def _unseen(rows: Sequence[Row], kept: Sequence[Model], with_sentences: bool) -> Scored:
    """The pairs of which both labels are in the part that a model did not see."""
    return [
        _told(row, model, with_sentences)
        for part, model in enumerate(kept) for row in rows if set(row.parts) == {part}
    ]  # fmt: skip


def _told(row: Row, model: Model, with_sentences: bool) -> tuple[float, bool]:
    told = model.probability(_by(row.one, model), _by(row.other, model))
    return model.averaged.with_model(told, row.cosine) if with_sentences and row.cosine else told, row.truth


def _by(one: Vector, model: Model) -> Vector:
    return replace(one, alone=model.alone(one.words))


def _best(scored: Scored) -> float:
    """Where the lesser of precision and recall is greatest."""
    return max((step / 100 for step in range(5, 95)), key=lambda threshold: min(at(scored, threshold)[:2]))


def _written(table: Rarity, models: dict[str, Model]) -> str:
    told = {
        name: {"weights": one.weights, "bias": one.bias, "threshold": one.threshold, "stems": one.stems,
               "averaged": astuple(one.averaged)}
        for name, one in models.items()
    }  # fmt: skip
    made = {"made_by": "make train", "made_from": NAMED, "models": told, "texts": table.texts, "words": table.words}
    lines = json.dumps(made, ensure_ascii=False, indent=1)
    return re.sub(r"\[\s+(\S+),\s+(\S+)\s+\]", r"[\1, \2]", lines) + "\n"  # pairs on one line


if __name__ == "__main__":
    main()
