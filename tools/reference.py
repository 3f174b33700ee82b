"""Write docs/reference/ from the code: every command's options, every options class's fields, the named sizes.

    python -m tools.reference          write the pages
    python -m tools.reference --check  exit with 1 where a page is not up to date

The pages follow the code: change a help text or a docstring there, then run this.
"""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer.models

import langnet.cli  # noqa: F401  (every verb adds itself to the application)
from langnet.cli.app import ORDER, app, examples
from langnet.encoders.awd_lstm import AWDLSTMConfig
from langnet.encoders.document_vectors import DocumentVectorOptions
from langnet.encoders.family import Recipe
from langnet.encoders.gpt import GPTConfig
from langnet.encoders.registry import FAMILIES
from langnet.encoders.word_classes import WordClassOptions
from langnet.estimators import (
    ConstituencyParser,
    CoreferenceResolver,
    QuestionAnswerer,
    RoleLabeler,
    SequenceTagger,
    TextChooser,
    TextClassifier,
    TextFeatures,
    TextMultiLabelClassifier,
    TextPairClassifier,
    TextPairRegressor,
    TextRegressor,
    Translator,
)
from langnet.evaluate.cache import CacheOptions
from langnet.recipes.explain import ExplainOptions
from langnet.recipes.finetune import FinetuneOptions
from langnet.recipes.kinds.kind import HeadOptions
from langnet.recipes.objectives import ObjectiveOptions
from langnet.recipes.pretrain import PretrainOptions, Run
from langnet.recipes.transfer import TransferOptions
from langnet.recipes.ulmfit import ULMFiTOptions
from langnet.recipes.word_vectors import WordVectorOptions
from langnet.recipes.zero_choices import ChoiceOptions
from langnet.recipes.zero_labels import Verbaliser, ZeroOptions
from langnet.study.methods import MethodOptions
from langnet.study.sample_efficiency import SampleEfficiencyOptions
from langnet.tasks.answer import AnswerConfig
from langnet.tasks.choose import ChooseConfig
from langnet.tasks.classify import ClassifyConfig
from langnet.tasks.corefer import CoreferConfig
from langnet.tasks.document_head import HeadShape
from langnet.tasks.label_roles import RoleConfig
from langnet.tasks.multilabel import MultiLabelConfig
from langnet.tasks.pairs import PairConfig
from langnet.tasks.parse import ParseConfig
from langnet.tasks.regress import RegressConfig
from langnet.text.corpus import CorpusOptions
from langnet.text.prepare import PrepareOptions
from langnet.training.budget import Budget
from langnet.training.loop import LoopConfig
from langnet.training.optimizer import OptimizerConfig
from langnet.transfer.alignment import AlignOptions
from langnet.transfer.co_training import CoTrainingOptions
from langnet.transfer.pseudo_labels import PseudoLabelOptions
from langnet.transfer.schedule import ScheduleConfig

FOLDER = Path(__file__).parent.parent / "docs" / "reference"
NOTE = "<!-- Written by `python -m tools.reference` from the code; do not edit. -->"
CLASSES: list[type] = [
    PretrainOptions, ObjectiveOptions, Run, PrepareOptions, CorpusOptions, DocumentVectorOptions, WordClassOptions,
    Recipe, GPTConfig, AWDLSTMConfig, FinetuneOptions, TransferOptions, HeadOptions, AnswerConfig, PairConfig,
    ChooseConfig, CoreferConfig, MultiLabelConfig, RegressConfig, HeadShape, RoleConfig, ParseConfig,
    PseudoLabelOptions, CoTrainingOptions, ScheduleConfig, ClassifyConfig, LoopConfig, OptimizerConfig, Budget,
    SampleEfficiencyOptions, MethodOptions, WordVectorOptions, AlignOptions, ULMFiTOptions, CacheOptions, Verbaliser,
    ZeroOptions, ChoiceOptions, ExplainOptions,
]  # fmt: skip
ESTIMATORS: list[type] = [
    TextClassifier, TextMultiLabelClassifier, TextRegressor, TextFeatures, TextPairClassifier, TextPairRegressor,
    TextChooser, SequenceTagger, RoleLabeler, QuestionAnswerer, CoreferenceResolver, ConstituencyParser, Translator,
]  # fmt: skip
LONGEST_VALUE = 400  # characters of a default; a longer one is left out
TITLE = examples()  # what stands above a verb's examples
SECTION = re.compile(r"^(Args|Attributes|Returns|Raises|Example):\s*$", re.MULTILINE)


def pages() -> dict[str, str]:
    """Every page of the reference by its file name."""
    return {"command-line.md": command_line(), "python.md": python()}


def command_line() -> str:
    """All verbs with their arguments and options, read off the functions behind them."""
    parts = [NOTE, "# The command line", "`langnet VERB --help` shows the same. A mistake is one line and exit code 2."]
    verbs = {name: found.callback for name, found in _commands()}
    epilogs = {found.callback: found.epilog or "" for _, found in _commands()}
    for name in sorted(verbs, key=lambda name: (_place(name), name)):
        text = inspect.cleandoc(verbs[name].__doc__ or "")
        example = epilogs[verbs[name]].removeprefix(TITLE)
        parts += [f"## langnet {name}", " ".join(text.split())]
        if example:
            lines = [line.strip() for line in example.strip().splitlines() if line.strip()]
            parts.append("```text\n" + "\n".join(lines) + "\n```")
        hints = get_type_hints(verbs[name], include_extras=True)
        rows = [_parameter(p, hints[p.name]) for p in inspect.signature(verbs[name]).parameters.values()]
        parts.append("\n".join(["| argument or option | default | |", "| --- | --- | --- |", *rows]))
    return "\n\n".join(parts) + "\n"


def _commands() -> list[tuple[str, Any]]:
    """Every verb and every verb of a group, by what is typed for it."""
    groups = [("", app), *((f"{group.name} ", group.typer_instance) for group in app.registered_groups)]
    return [
        (prefix + (found.name or found.callback.__name__.replace("_", "-")), found)
        for prefix, group in groups
        for found in group.registered_commands
        if found.callback and not found.hidden
    ]


def _place(name: str) -> int:
    first = name.split()[0]
    return ORDER.index(first) if first in ORDER else len(ORDER)


def _parameter(parameter: inspect.Parameter, hint: Any) -> str:
    """One row: `Annotated[type, typer.Option(...)] = default`."""
    kind, *extras = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    info = next((extra for extra in extras if hasattr(extra, "param_decls")), None)
    default = parameter.default
    if isinstance(info, typer.models.ArgumentInfo):
        name = f"`{parameter.name.upper()}`"
    else:
        # Within Annotated, typer takes an option's first name for the default of its own class.
        own = [text for text in (info.default, *(info.param_decls or ())) if str(text).startswith("-")] if info else []
        name = ", ".join(f"`{text}`" for text in own or [f"--{parameter.name.replace('_', '-')}"])
    choices = [
        str(choice) for part in (kind, *get_args(kind)) if get_origin(part) is Literal for choice in get_args(part)
    ]
    name += f" {', '.join(choices)}" if choices else ""
    shown = (
        "required"
        if default is inspect.Parameter.empty
        else ""
        if default is None or default is False
        else f"`{default}`"
    )
    return f"| {name} | {shown} | {_cell((info and info.help) or '')} |"


def python() -> str:
    """All options classes, the estimators and the named sizes."""
    parts = [NOTE, "# Options in Python", "Every switch of the library is a field of one of these frozen classes."]
    for cls in CLASSES:
        description, notes = _docstring(cls)
        rows = [_field(field, notes) for field in fields(cls)]
        parts += [f"## {cls.__name__}", f"`{cls.__module__}`. {description}"]
        parts.append("\n".join(["| field | type | default | |", "| --- | --- | --- | --- |", *rows]))
    for estimator in ESTIMATORS:
        description, notes = _docstring(estimator)[0], _inherited_notes(estimator)
        parameters = inspect.signature(estimator).parameters.values()
        rows = [f"| `{p.name}` | {_plain(p.default)} | {_cell(notes.get(p.name, ''))} |" for p in parameters]
        parts += [f"## {estimator.__name__}", f"`langnet.{estimator.__name__}`. {description}"]
        parts.append("\n".join(["| argument | default | |", "| --- | --- | --- |", *rows]))
    parts += _families()
    return "\n\n".join(parts) + "\n"


def _families() -> list[str]:
    """What each family of encoders is, how it is pretrained, and its sizes; families that share a table share it."""
    rows = [f"| `{f.name}` | {_cell(f.summary)} | {_plain(f.recipe)} |" for f in FAMILIES.values()]
    parts = ["## Families of encoders", "\n".join(["| family | | recipe |", "| --- | --- | --- |", *rows])]
    for sizes in {id(f.sizes): f.sizes for f in FAMILIES.values()}.values():
        names = list(next(iter(sizes.values())))
        rows = [f"| {size} | {' | '.join(str(held[name]) for name in names)} |" for size, held in sizes.items()]
        parts += [f"### Sizes of {' and '.join(f.name for f in FAMILIES.values() if f.sizes is sizes)}"]
        parts.append("\n".join([f"| size | {' | '.join(names)} |", "| --- " * (len(names) + 1) + "|", *rows]))
    return parts


def _field(field: Field[Any], notes: dict[str, str]) -> str:
    if field.default is not MISSING:
        default = _plain(field.default)
    else:
        default = _plain(field.default_factory()) if field.default_factory is not MISSING else "required"
    return f"| `{field.name}` | `{_cell(str(field.type))}` | {default} | {_cell(notes.get(field.name, ''))} |"


def _plain(value: object) -> str:
    if value is inspect.Parameter.empty:
        return "required"
    if is_dataclass(value):
        changed = [
            f"{f.name}={getattr(value, f.name)!r}" for f in fields(value) if getattr(value, f.name) != _default(f)
        ]
        shown = ", ".join(changed) if len(", ".join(changed)) < LONGEST_VALUE else "..."
        return f"`{type(value).__name__}({shown})`"
    return f"`{value!r}`"


def _default(field: Field[Any]) -> object:
    return field.default_factory() if field.default_factory is not MISSING else field.default


def _docstring(cls: type) -> tuple[str, dict[str, str]]:
    """What a class is, in one paragraph, and what its docstring says of each name."""
    text = inspect.getdoc(cls) or ""
    pieces = SECTION.split(text)
    notes: dict[str, str] = {}
    for title, body in zip(pieces[1::2], pieces[2::2], strict=True):
        if title in ("Args", "Attributes"):
            notes |= _names(textwrap.dedent(body))
    return " ".join(pieces[0].split()), notes


def _inherited_notes(cls: type) -> dict[str, str]:
    """What its docstring and those of langnet's classes above it say of each name."""
    notes: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if base.__module__.startswith("langnet."):
            notes |= _docstring(base)[1]
    return notes


def _names(body: str) -> dict[str, str]:
    """`name: text` and `one, two: text`, continued on indented lines."""
    notes: dict[str, str] = {}
    for entry in re.split(r"\n(?=\S)", body.strip("\n")):
        names, _, text = entry.partition(":")
        notes |= {name.strip(): " ".join(text.split()) for name in names.split(",")}
    return notes


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def undocumented() -> list[str]:
    """Fields and options without a word of explanation."""
    found = []
    for cls in CLASSES:
        notes = _docstring(cls)[1]
        found += [f"{cls.__name__}.{field.name}" for field in fields(cls) if not notes.get(field.name)]
    for estimator in ESTIMATORS:
        notes = _inherited_notes(estimator)
        found += [f"{estimator.__name__}.{p}" for p in inspect.signature(estimator).parameters if not notes.get(p)]
    return found


def main(check: bool) -> None:
    """Write the pages, or say which are not up to date."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    stale = []
    for name, text in pages().items():
        path = FOLDER / name
        if not path.exists() or path.read_text(encoding="utf8") != text:
            stale.append(path.name)
            if not check:
                path.write_text(text, encoding="utf8")
    if check and stale:
        sys.exit(f"docs/reference: {', '.join(stale)} not up to date; run: python -m tools.reference")
    print(f"docs/reference: {', '.join(stale) if stale else 'nothing'} written")


if __name__ == "__main__":
    main("--check" in sys.argv[1:])
