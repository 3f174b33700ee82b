"""docs/reference/ says what the code says, and nothing there is left without an explanation."""

import pytest

from langnet.recipes.pretrain import PretrainOptions
from tools import reference


@pytest.mark.parametrize("name", list(reference.pages()))
def test_pages_are_up_to_date(name):
    held = (reference.FOLDER / name).read_text(encoding="utf8")
    assert held == reference.pages()[name], "run: python -m tools.reference"


def test_every_option_in_python_is_explained():
    assert not reference.undocumented()


def test_what_a_row_says():
    page = reference.command_line()
    assert "| `--output`, `-o` | required | Folder of the new model. |" in page
    assert "| `--seed` | `0` | Seed of everything random. |" in page
    assert "| `--documents` file, line, paragraph | `file` |" in page
    assert "| `size` | `str` | `'small'` |" in reference.python()


def test_docstrings_are_taken_apart():
    description, notes = reference._docstring(PretrainOptions)
    assert description == "How a model is pretrained on raw text."
    assert notes["tokens"] == notes["minutes"]
    assert "an update" in notes["batch_tokens"]
