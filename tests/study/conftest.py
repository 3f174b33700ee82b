"""A small study of generated reviews, computed once."""

import pytest

from langnet.recipes.finetune import FinetuneOptions
from langnet.study.methods import MethodOptions
from langnet.study.sample_efficiency import SampleEfficiencyOptions, study_sample_efficiency

QUICK = MethodOptions(
    finetune=FinetuneOptions(epochs=1, least_steps=2, max_tokens=64, device="cpu"),
    frozen_max_tokens=64,
    word_vector_dim=8,
    word_vector_epochs=1,
    workers=1,
)


@pytest.fixture(scope="session")
def quick_options():
    return SampleEfficiencyOptions(
        sizes=(10, 20), draws=2, further_sizes=(40,), slow_sizes=(20,), slow_draws=1, n_test=60, settings=QUICK
    )


@pytest.fixture(scope="session")
def parts(tiny_labelled):
    return tiny_labelled.rows(range(300)), tiny_labelled.rows(range(300, 400))


@pytest.fixture(scope="session")
def study(tiny_model, parts, quick_options):
    train, test = parts
    return study_sample_efficiency(tiny_model, train.texts, train, test, quick_options)
