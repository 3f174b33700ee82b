import numpy as np
import pytest
from scipy import sparse

from langnet.encoders.document_vectors import DocumentVectorOptions, DocumentVectors
from langnet.encoders.word_classes import WordClasses, WordClassOptions, _positive_information

OPTIONS = WordClassOptions(levels=(2,), n_neighbours=6, embedding_dim=4, view_dim=3, least_count=1, smallest_class=5)
NOUNS, ADJECTIVES = range(10, 20), range(20, 30)  # token ids; 5 precedes an adjective, 6 a noun, 7 ends


def documents(n: int = 400, seed: int = 0) -> list[np.ndarray]:
    """Sentences `5 adjective 6 noun 7`; a document's nouns come from one topic, its adjectives from one mood."""
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(n):
        topic, mood = generator.integers(2, size=2)
        ids = []
        for _ in range(8):
            adjective, noun = 20 + 5 * mood + generator.integers(5), 10 + 5 * topic + generator.integers(5)
            ids += [5, adjective, 6, noun, 7]
        found.append(np.array(ids))
    return found


def test_words_that_fill_the_same_slots_are_one_class():
    member = WordClasses.fit(documents(), 30, OPTIONS).member[0]
    assert len(set(member[list(NOUNS)])) == 1
    assert len(set(member[list(ADJECTIVES)])) == 1
    assert member[10] != member[20]
    assert (member[:5] == -1).all()  # tokens that never occur belong nowhere


def test_a_view_shows_what_its_words_say_and_nothing_else():
    classes = WordClasses.fit(documents(), 30, OPTIONS)
    dull, bright = np.array([5, 20, 6, 10, 7]), np.array([5, 27, 6, 10, 7])
    views = classes.transform([dull, bright, np.array([7])])  # (3, n_views, K)
    nouns, adjectives = classes.member[0][10], classes.member[0][20]
    np.testing.assert_allclose(views[0, nouns], views[1, nouns], atol=1e-6)
    assert views[0, adjectives] @ views[1, adjectives] < 0.5
    np.testing.assert_allclose(np.linalg.norm(views[:2], axis=2), 1, atol=1e-5)


def test_a_view_is_recomputed_by_hand():
    classes = WordClasses.fit(documents(), 30, OPTIONS)
    document = np.array([20, 20, 21, 10, 20])
    view = classes.member[0][20]
    wanted = (1 + np.log(3)) * classes.vectors[0, 20] + classes.vectors[0, 21]
    np.testing.assert_allclose(classes.transform([document])[0, view], wanted / np.linalg.norm(wanted), rtol=1e-5)


def test_pointwise_mutual_information():
    counts = np.array([[4.0, 0.0, 1.0], [1.0, 3.0, 1.0]])
    joint = counts / counts.sum()
    with np.errstate(divide="ignore"):
        wanted = np.log(joint / (joint.sum(1, keepdims=True) * joint.sum(0)))
    found = _positive_information(sparse.csr_matrix(counts)).toarray()
    np.testing.assert_allclose(found, np.maximum(wanted, 0), rtol=1e-6)


def test_same_corpus_same_views_and_they_travel_with_the_space():
    space = DocumentVectors.fit(documents(), DocumentVectorOptions(dim=4, min_documents=1))
    space.views = WordClasses.fit(documents(), 30, OPTIONS)
    again = DocumentVectors.from_tensors(space.tensors())
    assert again.views is not None
    assert (again.views.member == WordClasses.fit(documents(), 30, OPTIONS).member).all()
    np.testing.assert_allclose(again.views.transform(documents(5)), space.views.transform(documents(5)), atol=2e-3)


@pytest.mark.parametrize("corpus", [[np.array([7])], [np.array([], dtype=np.int64)], documents(3)])
def test_too_little_text_gives_no_views(corpus):
    classes = WordClasses.fit(corpus, 30, WordClassOptions())
    assert classes.n_views == 0
    assert classes.transform(corpus).shape[:2] == (len(corpus), 0)
