"""Document vectors: equal to a dense decomposition, and the same after a folder."""

import numpy as np

from langnet.encoders.document_vectors import DocumentVectorOptions, DocumentVectors, _count, _weigh


def documents(n=60):
    generator = np.random.default_rng(0)
    return [generator.integers(5, 40, generator.integers(5, 30)) for _ in range(n)]


def test_spans_the_leading_directions_of_the_dense_decomposition():
    space = DocumentVectors.fit(documents(), DocumentVectorOptions(dim=4, spectrum_power=0.0))
    dense = _weigh(_count(documents(), space.buckets), space.weights).toarray()
    _, _, rows = np.linalg.svd(dense, full_matrices=False)
    overlap = np.linalg.svd(rows[:4] @ space.vectors, compute_uv=False)
    assert overlap[0] > 0.99
    assert np.linalg.norm(dense @ space.vectors) > 0.99 * np.linalg.norm(dense @ rows[:4].T)


def test_dimensions_are_scaled_by_their_singular_values():
    space = DocumentVectors.fit(documents(), DocumentVectorOptions(dim=4, spectrum_power=0.5))
    dense = _weigh(_count(documents(), space.buckets), space.weights).toarray()
    values = np.linalg.svd(dense, compute_uv=False)[:4]
    np.testing.assert_allclose(np.linalg.norm(space.vectors, axis=0), (values / values[0]) ** 0.5, rtol=0.01)


def test_vectors_survive_their_tensors():
    space = DocumentVectors.fit(documents(), DocumentVectorOptions(dim=6))
    again = DocumentVectors.from_tensors(space.tensors())
    np.testing.assert_allclose(again.transform(documents()), space.transform(documents()), atol=2e-3)
    assert space.transform([np.array([2, 4])]).shape == (1, 6)
