"""The table of encoders: parameters as they are when built, and a measured rate only where there is time for it."""

import pytest

from langnet.encoders.registry import FAMILIES, build_encoder
from langnet.encoders.sizes import encoder_sizes, measure
from langnet.errors import LangnetError


def test_every_family_and_size() -> None:
    found = encoder_sizes(300)
    assert [(s.family, s.size) for s in found] == [(f.name, size) for f in FAMILIES.values() for size in f.sizes]
    for size in found:
        if size.size == "tiny":
            built = build_encoder(size.family, "tiny", 300, seed=0)
            assert (size.parameters, size.layers, size.width) == (built.n_parameters, built.n_layers, built.dim)


def test_gpt_2_has_the_published_sizes() -> None:
    counts = {s.size: s.parameters for s in encoder_sizes(50257, "gpt-2")}
    assert counts["124m"] == 124_439_808  # what transformers counts for "gpt2"
    assert round(counts["1558m"] / 1e6) == 1558


def test_measuring_is_bounded() -> None:
    (tiny, *_, largest) = encoder_sizes(300, "gpt")
    measured = measure(tiny, 300, seconds=0.05, speed=1e12)
    assert measured.tokens_per_second is not None
    assert measured.tokens_per_second > 0
    assert measure(largest, 300, seconds=0.1, speed=1e9).note == "over 0.1 s a step"
    with pytest.raises(LangnetError, match="no encoder 'bert'"):
        encoder_sizes(300, "bert")
