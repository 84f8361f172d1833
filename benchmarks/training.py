"""`make train`: make services/timeline/similarity.json anew from labelled pairs and timelines.

python -m benchmarks.training [--pairs FOLDER] [--timelines FILE] [--out FILE]

English and all other languages have a model each. Of English texts of the named open data a table of words with the
number of texts each is in is kept, where that is at least `SEEN`; no text and no rarer word is. Thresholds, where the
lesser of precision and recall is greatest: English on timelines, others on pairs. Before, it prints the AUC of models
that never saw a pair's labels (five parts of the labels; a model learns from pairs with both labels in other parts).
Needs scikit-learn, which `make train` installs.
"""

import argparse
import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sklearn.linear_model import LogisticRegression

from benchmarks import pairs, quality, repeated
from benchmarks.ranking import Scored, at, auc
from services.timeline.similarity import SHIPPED, Model, Rarity, Similarity, features, start

NAMED = {
    "banking77, NLU++ (PolyAI)": "CC BY 4.0",
    "CLINC150": "CC BY 3.0",
    "MultiDoGO": "CDLA-Permissive-1.0",
    "TweetSumm": "CC0 1.0",
    "models only: Tilde NLU, Turku Paraphrase Corpus": "CC BY-SA 4.0",
    "models only: Bürokratt": "MIT",
}
SEEN = 12
PARTS = 5
Row = tuple[tuple[float, ...], bool, set[int], str]


def main() -> None:
    """Train and write."""
    parser = argparse.ArgumentParser(description="Train the comparison of texts.")
    parser.add_argument("--pairs", type=Path, default=quality.PAIRS)
    parser.add_argument("--timelines", type=Path, default=quality.TIMELINES)
    parser.add_argument("--out", type=Path, default=SHIPPED)
    given = parser.parse_args()
    table = _table(given.pairs)
    rows = _rows(given.pairs, Similarity(start(table.texts, table.words), {}))
    models = {}
    for name in ("en", "other"):
        some = [row for row in rows if (row[3] == "en") == (name == "en")]
        unseen = _unseen(some)
        print(f"{name}: {len(some)} pairs, AUC of pairs whose labels the model never saw {auc(unseen):.3f}")
        models[name] = _trained(some, _best(unseen))
    by = Similarity(start(table.texts, table.words), models)
    scored = [(one.score, one.repeats) for one in repeated.contacts(given.timelines, by)]
    english = models["en"]
    models["en"] = Model(english.weights, english.bias, _best(scored))
    given.out.write_text(_written(table, models))


def _table(folder: Path) -> Rarity:
    learned = Rarity()
    texts = {pair[side] for pair in pairs.read(folder) if pair["lang"] == "en" for side in "ab"}
    for text in texts:
        learned.learn(pairs.matter(text, "en"))
    words = {word: count for word, count in sorted(learned.words.items()) if count >= SEEN and word.isalpha()}
    return Rarity.of(learned.texts, words)


def _rows(folder: Path, by: Similarity) -> list[Row]:
    told = [pair for pair in pairs.read(folder) if pair["track"] not in ("smalltalk", "quoted")]
    return [
        (features(one, other), bool(pair["y"]), {_part(pair, "la"), _part(pair, "lb")}, pair["lang"])
        for pair, one, other in pairs.vectors(told, by)
    ]


def _part(pair: dict[str, Any], side: str) -> int:
    return zlib.crc32(f"{pair['track']} {pair[side]}".encode()) % PARTS


def _trained(rows: Sequence[Row], threshold: float) -> Model:
    fitted = LogisticRegression(max_iter=2000).fit([row[0] for row in rows], [row[1] for row in rows])
    return Model(
        tuple(round(float(one), 3) for one in fitted.coef_[0]), round(float(fitted.intercept_[0]), 3), threshold
    )


def _unseen(rows: Sequence[Row]) -> Scored:
    scored = list[tuple[float, bool]]()
    for part in range(PARTS):
        model = _trained([row for row in rows if part not in row[2]], 0.5)
        for found, truth, _, _ in (row for row in rows if min(row[2]) == part):
            scored.append((model.probability(found), truth))
    return scored


def _best(scored: Scored) -> float:
    """Where the lesser of precision and recall is greatest."""
    return max((step / 100 for step in range(5, 95)), key=lambda threshold: min(at(scored, threshold)[:2]))


def _written(table: Rarity, models: dict[str, Model]) -> str:
    told = {
        name: {"weights": one.weights, "bias": one.bias, "threshold": one.threshold} for name, one in models.items()
    }
    made = {"made_by": "make train", "made_from": NAMED, "models": told, "texts": table.texts, "words": table.words}
    return json.dumps(made, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    main()
