"""Neighbours: what a score has to be seen beside. Simple classifiers, tuned with the care that one's own model gets.

Each is fitted on raw text once, if it uses any, and then on any number of labelled sets. Every strength is chosen by
cross-validation inside the labelled set.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from langnet.evaluate.predictions import Predictions

STRENGTHS = (0.3, 1.0, 5.0, 20.0, 100.0)
RANKS = (20, 50, 100, 200)
FEW_DOCUMENTS = 20
_TOKENS = r"(?u)\b\w+\b"
MOST_ROTATED = 2000  # examples; the eigenvectors of more cost longer than the sparse features themselves


class Neighbour(Protocol):
    """What every neighbour can do."""

    name: str

    def fit(self, raw_texts: Sequence[str]) -> None:
        """Learn from raw text; nothing to do for most."""

    def fit_predict(self, texts: Sequence[str], labels: Sequence[str], test_texts: Sequence[str]) -> Predictions:
        """Learn from labelled texts and predict the test texts."""


class MajorityBaseline:
    """Always the most frequent class."""

    name = "majority"

    def fit(self, raw_texts: Sequence[str]) -> None:
        """Nothing to learn."""

    def fit_predict(self, texts: Sequence[str], labels: Sequence[str], test_texts: Sequence[str]) -> Predictions:
        """The most frequent label, the first by name among equals, for every text."""
        names = sorted(set(labels))
        counts = Counter(labels)
        shares = np.array([counts[name] / len(labels) for name in names])
        best = max(names, key=lambda name: counts[name])
        return Predictions([best] * len(test_texts), np.tile(shares, (len(test_texts), 1)), names)


class TfidfBaseline:
    """TF-IDF of words and word pairs with a logistic regression; sees labelled text only."""

    name = "TF-IDF"

    def fit(self, raw_texts: Sequence[str]) -> None:
        """Nothing to learn."""

    def fit_predict(self, texts: Sequence[str], labels: Sequence[str], test_texts: Sequence[str]) -> Predictions:
        """Vocabulary, weights and classifier from the labelled texts."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=_TOKENS)
        try:
            train = vectorizer.fit_transform(texts)
        except ValueError:  # no words at all
            return MajorityBaseline().fit_predict(texts, labels, test_texts)
        return tuned_logistic_regression([train], labels, [vectorizer.transform(test_texts)])


class SvdBaseline:
    """Latent semantic analysis: truncated SVD of the raw text's TF-IDF with a logistic regression.

    Words and pairs, rank and strength chosen by cross-validation on the labelled examples.
    """

    name = "SVD of TF-IDF"

    def __init__(self, max_features: int = 60_000, seed: int = 0):
        self.max_features, self.seed = max_features, seed
        self.svd: Any = None  # None where the raw text has nothing to decompose
        self._cache: dict[str, np.ndarray] = {}

    def fit(self, raw_texts: Sequence[str]) -> None:
        """Vocabulary and decomposition of the raw text."""
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer

        few = len(raw_texts) < FEW_DOCUMENTS  # too few for a term's frequency to say much
        self.vectorizer = TfidfVectorizer(
            ngram_range=(1, 2), sublinear_tf=True, min_df=1 if few else 3, max_df=1.0 if few else 0.5,
            max_features=self.max_features, token_pattern=_TOKENS, dtype=np.float32,
        )  # fmt: skip
        self._cache.clear()
        self.svd = None
        if len(raw_texts) < 2:
            return
        try:
            weighted = self.vectorizer.fit_transform(raw_texts)
        except ValueError:  # no words, or none in enough documents
            return
        rank = max(1, min(max(RANKS), min(weighted.shape) - 1))
        self.svd = TruncatedSVD(rank, random_state=self.seed).fit(weighted)

    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        """(N, rank), not normalised; remembered, since a study asks for the same texts again and again."""
        if self.svd is None:
            return np.zeros((len(texts), 1), dtype=np.float32)
        missing = list(dict.fromkeys(text for text in texts if text not in self._cache))
        if missing:
            rows = self.svd.transform(self.vectorizer.transform(missing)).astype(np.float32)
            self._cache.update(zip(missing, rows, strict=True))
        return np.stack([self._cache[text] for text in texts])

    def fit_predict(self, texts: Sequence[str], labels: Sequence[str], test_texts: Sequence[str]) -> Predictions:
        """Rank and strength by cross-validation, then all labelled texts."""
        from sklearn.preprocessing import normalize

        train, test = self.vectors(texts), self.vectors(test_texts)
        ranks = [rank for rank in RANKS if rank <= train.shape[1]] or [train.shape[1]]
        return tuned_logistic_regression(
            [normalize(train[:, :rank]) for rank in ranks], labels, [normalize(test[:, :rank]) for rank in ranks]
        )


class WordVectorsBaseline:
    """word2vec (Mikolov et al. 2013) of the raw text, averaged by idf, with a logistic regression."""

    name = "averaged word2vec"

    def __init__(self, dim: int = 200, epochs: int = 5, workers: int = 2, seed: int = 0):
        self.dim, self.epochs, self.workers, self.seed = dim, epochs, workers, seed
        self._cache: dict[str, np.ndarray] = {}

    def fit(self, raw_texts: Sequence[str]) -> None:
        """Train skip-gram vectors with negative sampling."""
        from gensim.models import Word2Vec
        from sklearn.feature_extraction.text import TfidfVectorizer

        self.analyse = TfidfVectorizer(token_pattern=_TOKENS).build_analyzer()
        sentences = [self.analyse(text) for text in raw_texts]
        counts = Counter(word for words in sentences for word in words)
        least = 3 if any(count >= 3 for count in counts.values()) else 1
        self.word_vectors: Any = {}
        if counts:
            self.word_vectors = Word2Vec(
                sentences, vector_size=self.dim, window=5, min_count=least, sg=1, negative=5, sample=1e-4,
                epochs=self.epochs, workers=self.workers, seed=self.seed,
            ).wv  # fmt: skip
        frequency = Counter(word for words in sentences for word in set(words))
        self.idf = {word: float(np.log(len(sentences) / count)) for word, count in frequency.items()}
        self._cache.clear()

    def _vector(self, text: str) -> np.ndarray:
        words = [word for word in self.analyse(text) if word in self.word_vectors]
        if not words:
            return np.zeros(self.dim, dtype=np.float32)
        weights = np.array([self.idf.get(word, 0.0) for word in words], dtype=np.float32)
        total = (weights[:, None] * self.word_vectors[words]).sum(axis=0)
        return np.asarray(total / max(float(weights.sum()), 1e-9), dtype=np.float32)

    def fit_predict(self, texts: Sequence[str], labels: Sequence[str], test_texts: Sequence[str]) -> Predictions:
        """Average, standardise by the training texts' scale, classify."""
        for text in (*texts, *test_texts):
            if text not in self._cache:
                self._cache[text] = self._vector(text)
        train, test = (np.stack([self._cache[text] for text in part]) for part in (texts, test_texts))
        center, scale = train.mean(axis=0), train.std(axis=0).mean() + 1e-9
        return tuned_logistic_regression([(train - center) / scale / 10], labels, [(test - center) / scale / 10])


class SentenceEncoderBaseline:
    """A frozen sentence encoder from a folder in transformers' format, mean over tokens, with a logistic regression."""

    name = "frozen sentence encoder"

    def __init__(self, folder: str, batch_size: int = 32):
        self.folder, self.batch_size = folder, batch_size
        self._cache: dict[str, np.ndarray] = {}

    def fit(self, raw_texts: Sequence[str]) -> None:
        """Load the encoder; it learns nothing from the raw text."""
        from transformers import AutoModel, AutoTokenizer

        self.tokenizer: Any = AutoTokenizer.from_pretrained(self.folder, local_files_only=True)
        self.model: Any = AutoModel.from_pretrained(self.folder, local_files_only=True).eval()

    def _encode(self, texts: Sequence[str]) -> None:
        import torch
        from sklearn.preprocessing import normalize

        missing = sorted({text for text in texts if text not in self._cache}, key=len)
        for start in range(0, len(missing), self.batch_size):
            part = missing[start : start + self.batch_size]
            inputs = self.tokenizer(part, return_tensors="pt", padding=True, truncation=True, max_length=256)
            with torch.no_grad():
                states = self.model(**inputs).last_hidden_state  # (B, T, D)
            mask = inputs["attention_mask"][..., None]
            means = ((states * mask).sum(1) / mask.sum(1)).numpy()
            self._cache.update(zip(part, normalize(means), strict=True))

    def fit_predict(self, texts: Sequence[str], labels: Sequence[str], test_texts: Sequence[str]) -> Predictions:
        """Encode what is new, then classify."""
        self._encode([*texts, *test_texts])
        train, test = (np.stack([self._cache[text] for text in part]) for part in (texts, test_texts))
        return tuned_logistic_regression([train], labels, [test])


def tuned_logistic_regression(train: list[Any], labels: Sequence[str], test: list[Any], seed: int = 0) -> Predictions:
    """A logistic regression on the best of several feature sets, at the best strength.

    Args:
        train: alternatives, each (n, width), dense or sparse.
        labels: n labels.
        test: the same alternatives for the test texts.
        seed: of the folds.
    """
    from sklearn.linear_model import LogisticRegression

    names = sorted(set(labels))
    gold = np.array(labels, dtype=object).astype(str)
    if len(names) == 1:
        return Predictions([names[0]] * test[0].shape[0], None, names)
    few = len(gold) <= MOST_ROTATED
    pairs = [rotate(own, other) if few else (own, other) for own, other in zip(train, test, strict=True)]
    with threadpool_limits(1):  # of matrices this small, a second thread only waits for the first
        which, strength = _choose([own for own, _ in pairs], gold, seed)
        classifier = LogisticRegression(C=strength, max_iter=2000).fit(pairs[which][0], gold)
        probabilities = classifier.predict_proba(pairs[which][1])
    return Predictions.from_probabilities(probabilities, [str(c) for c in classifier.classes_])


def rotate(train: Any, test: Any) -> tuple[np.ndarray, np.ndarray]:
    """The same problem in as many dimensions as there are training examples, where that is fewer.

    The weights of a classifier with an L2 penalty are a sum of training examples (the representer theorem), so nothing
    is lost when all examples are projected on the space that the training ones span: with X = U S V', the rows of X
    become U S and those of the test matrix T become T V. U and S come from the n x n products of the examples.

    Args:
        train: (n, width), dense or sparse.
        test: (m, width), likewise.

    Returns:
        (n, r) and (m, r), dense float64, r the rank or the width.
    """
    n, width = train.shape
    if width <= n:
        return _dense(train), _dense(test)
    values, vectors = np.linalg.eigh(_dense(train @ train.T))  # (n,), (n, n)
    kept = values > 1e-10 * values[-1]
    if not kept.any():  # no example has any feature
        return np.zeros((n, 1)), np.zeros((test.shape[0], 1))
    lengths, vectors = np.sqrt(values[kept]), vectors[:, kept]  # (r,), (n, r)
    return vectors * lengths, _dense(test @ train.T) @ (vectors / lengths)


def _dense(matrix: Any) -> np.ndarray:
    return np.asarray(matrix.toarray() if sparse.issparse(matrix) else matrix, dtype=np.float64)


def _choose(alternatives: list[Any], gold: np.ndarray, seed: int) -> tuple[int, float]:
    """The feature set and strength with the least log-loss in stratified cross-validation."""
    from sklearn.model_selection import StratifiedKFold

    smallest = min(Counter(gold).values())
    if smallest < 2:
        return min(1, len(alternatives) - 1), 5.0
    folds = StratifiedKFold(min(5, smallest), shuffle=True, random_state=seed)
    splits = list(folds.split(gold, gold))
    best, choice = np.inf, (0, 5.0)
    for index, features in enumerate(alternatives):
        for strength in STRENGTHS:
            loss = float(np.mean([_held_out_loss(features, gold, strength, split) for split in splits]))
            if loss < best:
                best, choice = loss, (index, strength)
    return choice


def _held_out_loss(features: Any, gold: np.ndarray, strength: float, split: tuple[np.ndarray, np.ndarray]) -> float:
    """Log-loss on one fold, every class of which is in the training part too."""
    from sklearn.linear_model import LogisticRegression

    train, held_out = split
    model = LogisticRegression(C=strength, max_iter=1000).fit(features[train], gold[train])
    columns = np.searchsorted(model.classes_, gold[held_out])
    probabilities = model.predict_proba(features[held_out])[np.arange(len(held_out)), columns]
    return float(-np.log(np.maximum(probabilities, 1e-15)).mean())
