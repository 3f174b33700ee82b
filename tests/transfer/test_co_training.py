import numpy as np
import pytest

from langnet.encoders.document_vectors import DocumentVectorOptions, DocumentVectors
from langnet.encoders.word_classes import WordClasses, WordClassOptions
from langnet.errors import LangnetError
from langnet.transfer.co_training import WHOLE, CoTrainingOptions, Documents, choose_teachers, co_train

OPTIONS = WordClassOptions(levels=(2,), n_neighbours=8, embedding_dim=6, view_dim=4, least_count=1, smallest_class=5)
SLOTS = {"adjective": 5, "noun": 6}


def write(n: int, seed: int) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Documents of adjectives that lean to a mood and nouns of a topic, of 12 topics; their moods and topics.

    Each mood has favoured nouns too, but what nouns mostly tell is the topic.
    """
    generator = np.random.default_rng(seed)
    moods, topics = generator.integers(2, size=n), generator.integers(12, size=n)
    found = []
    for mood, topic in zip(moods, topics, strict=True):
        ids: list[int] = []
        for _ in range(10):
            leans = np.where(generator.random(2) < (0.7, 0.85), mood, 1 - mood)
            adjective = 10 + 100 * leans[0] + generator.integers(100)
            topical = 410 + 40 * topic + generator.integers(40)
            noun = topical if generator.random() < 0.5 else 210 + 100 * leans[1] + generator.integers(100)
            ids += [SLOTS["adjective"], adjective, SLOTS["noun"], noun]
        found.append(np.array(ids))
    return found, moods, topics


@pytest.fixture(scope="module")
def space() -> DocumentVectors:
    documents, _, _ = write(1500, 0)
    found = DocumentVectors.fit(documents, DocumentVectorOptions(dim=32, min_documents=1, idf_power=1.0))
    found.views = WordClasses.fit(documents, 900, OPTIONS)
    return found


def test_a_small_view_teaches_a_student_that_ends_above_it(space):
    labelled, moods, _ = write(40, 1)
    pool, _, _ = write(1500, 0)
    test, gold, _ = write(600, 2)
    read = Documents.read(labelled, space), Documents.read(pool, space)
    student = co_train(space, read[0], moods, 2, read[1], seed=0)
    assert space.views is not None
    assert space.views.member[0][10] in student.teachers  # the adjectives
    right = (student.probabilities(student.space.transform(test)).argmax(1) == gold).mean()
    teacher = choose_teachers(read[0], moods, 2, 0, CoTrainingOptions())[0][0]
    taught = (teacher.guess(read[0], moods, Documents.read(test, space)).argmax(1) == gold).mean()
    assert right > taught, (right, taught)


def test_where_no_view_suffices_the_whole_space_teaches_too(space):
    labelled, moods, topics = write(200, 1)
    classes = 2 * (topics >= 6) + moods  # nouns and adjectives are both needed
    _, whole = choose_teachers(Documents.read(labelled, space), classes, 4, 0, CoTrainingOptions())
    assert whole is not None


def test_scores_are_a_space_that_is_saved(space):
    labelled, moods, _ = write(40, 1)
    pool, _, _ = write(300, 3)
    documents = Documents.read(labelled, space)
    student = co_train(space, documents, moods, 2, Documents.read(pool, space), seed=0)
    scores = documents.terms @ student.space.vectors[:, 32:] + student.space.bias
    by_hand = np.concatenate([documents.whole, scores], axis=1)
    np.testing.assert_allclose(student.space.transform(labelled), by_hand, rtol=1e-4, atol=1e-5)
    again = DocumentVectors.from_tensors(student.space.tensors())
    np.testing.assert_allclose(again.transform(labelled), by_hand, atol=1e-2)
    assert student.guesses.shape == (300, 2)
    np.testing.assert_allclose(student.guesses.sum(1), 1, rtol=1e-5)


def test_the_same_seed_gives_the_same_student(space):
    labelled, moods, _ = write(40, 1)
    pool, _, _ = write(300, 3)
    read = Documents.read(labelled, space), Documents.read(pool, space)
    first, second = (co_train(space, read[0], moods, 2, read[1], seed=0) for _ in range(2))
    assert (first.space.vectors == second.space.vectors).all()


def test_a_class_with_one_document_leaves_no_choice(space):
    labelled, moods, _ = write(10, 1)
    classes = np.where(np.arange(10) == 0, 2, moods)
    views, whole = choose_teachers(Documents.read(labelled, space), classes, 3, 0, CoTrainingOptions())
    assert not views
    assert whole is not None
    assert whole.view == WHOLE


def test_a_space_without_views_says_what_to_do(space):
    with pytest.raises(LangnetError, match="pretrain it anew"):
        Documents.read([np.array([1])], DocumentVectors(space.buckets, space.weights, space.vectors))
