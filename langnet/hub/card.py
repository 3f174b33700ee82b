"""The model card: what a model is, how it was made and what was measured, written from its facts and nothing else.

What the facts do not say, the card calls not recorded or not measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langnet.evaluate.language_model import unknown_note
from langnet.hub.description import OBJECTIVE_LOSSES, forgetting_line, seeds_line

MARK = "<!-- written by langnet from config.json; a card without this line is kept as it is -->"
_MOST_LABELS = 40


@dataclass(frozen=True)
class CardFacts:
    """What a card is written from.

    Attributes:
        name: of the model's folder.
        family, size: of the encoder; the size may be unknown.
        architecture: names and values for a table, such as the number of layers.
        labels: of a classifier; None for a language model.
        max_tokens: the most tokens of a text that a classifier reads.
        task: name of the supervised task; None for a language model or word vectors.
        facts: what the recipes wrote down: `corpus`, `pretrain`, `vectors`, `validation`, `adapted_from`, `supervised`,
            `finetune`.
    """

    name: str
    family: str
    size: str | None
    architecture: Mapping[str, str]
    labels: Sequence[str] | None = None
    max_tokens: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    task: str | None = None

    @property
    def is_language_model(self) -> bool:
        """Whether no task was learned from labels."""
        return self.task is None


def write_card(card: CardFacts) -> str:
    """The card in Markdown."""
    kind = "set of word vectors" if _is_vectors(card) else "language model"
    if card.task:
        what = "text classifier" if card.task == "classify" else f"model for the task `{card.task}`"
        kind = f"{what} of {len(card.labels)} labels" if card.labels else what
    size = f", size {card.size}" if card.size else ""
    made = "read into" if card.facts.get("imported") else "made with"
    parts = [
        f"# {card.name}",
        f"A {kind} {made} langnet; its encoder is of the family {card.family}{size}.",
        "## What it is",
        "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in card.architecture.items())]),
        "## How it was made",
        *_made(card),
        "## What was measured",
        *_measured(card),
        "## Use and limits",
        _limits(card),
        "## How to load it",
        _loading(card),
        MARK,
    ]
    return "\n\n".join(parts) + "\n"


def is_own(card: str) -> bool:
    """Whether somebody wrote the card by hand, so that it is to be kept."""
    return bool(card.strip()) and MARK not in card


def _is_vectors(card: CardFacts) -> bool:
    return card.is_language_model and bool(card.facts.get("vectors"))


def _writes(card: CardFacts) -> bool:
    """Whether the model can go on with a text."""
    return (card.facts.get("pretrain") or {}).get("objective", "causal") in ("causal", "causal+masked")


def _made(card: CardFacts) -> list[str]:
    facts = card.facts
    parts, earlier = [], facts.get("adapted_from")
    if isinstance(earlier, Mapping):
        adapted = _training(facts) + _vocabulary(facts.get("new_vocabulary") or {})
        parts += ["**Pretraining.** " + _training(earlier), "**Adaptation to other text.** " + adapted]
    elif facts.get("vectors"):
        parts.append("**Word vectors.** " + _vectors(facts))
    elif facts.get("pretrain") or facts.get("imported"):
        parts.append("**Pretraining.** " + _training(facts))
    else:
        parts.append("**Pretraining.** Not recorded.")
    for before in facts.get("supervised") or []:
        what = f"{before['n_labels']} labels" if before.get("n_labels") else f"the task `{before.get('task')}`"
        parts.append(f"**Supervised pretraining on {what}.** " + _transfer(before))
    if not card.is_language_model:
        rounds = facts.get("unsupervised_translation")
        parts.append("**Transfer.** " + (_rounds(rounds) if rounds else _transfer(facts.get("finetune") or {})))
    if card.labels:
        parts.append(_labels(card))
    if facts.get("calibration"):
        parts.append(_calibration(facts["calibration"]))
    return parts


def _calibration(fitted: Mapping[str, Any]) -> str:
    """What was fitted on other texts after the training."""
    told = f"**Calibration.** Temperature {_short(fitted.get('temperature'))}, fitted on {_number(fitted, 'n')}"
    told += " other texts."
    limit = fitted.get("abstain") or {}
    if limit:
        told += f" To abstain below a probability of {_short(limit.get('below'))} was found for an accuracy of "
        told += f"{_short(limit.get('target'))}; it then answered {limit.get('coverage', 0.0):.0%} of them."
    return told


def _vectors(facts: Mapping[str, Any]) -> str:
    """Where word vectors come from."""
    made, sentences = facts["vectors"], _raw_text(facts)
    sentences.append(f"Languages: {facts.get('languages') or 'not recorded'}.")
    options = made.get("options") or {}
    sentences.append(f"{_number(made, 'words')} words, kind {made.get('kind', 'not recorded')}.")
    if made.get("source"):
        sentences.append(f"Read from {made['source']}; how they were trained is not recorded.")
    if options:
        window, epochs = (made.get(name, "not recorded") for name in ("window", "epochs"))
        sentences.append(
            f"Window {window}, {epochs} passes, over {_number(made, 'tokens')} words of text, words of fewer than "
            f"{options['min_count']} occurrences left out, in {made.get('minutes')} minutes, seed {options['seed']}, "
            f"on: {made.get('machine')}."
        )
    return " ".join(sentences)


def _raw_text(facts: Mapping[str, Any]) -> list[str]:
    corpus = facts.get("corpus")
    if not corpus:
        return []
    return [
        f"Raw text: {_number(corpus, 'documents')} documents, {_number(corpus, 'characters')} characters, "
        f"{_number(corpus, 'bytes')} bytes from {_number(corpus, 'files')} files; "
        f"{_number(corpus, 'duplicates')} duplicates and {_number(corpus, 'empty')} empty documents were dropped."
    ]


def _training(facts: Mapping[str, Any]) -> str:
    """What a stage of language modelling read, and how long it took."""
    run = facts.get("pretrain") or {}
    options = run.get("options") or {}
    sentences = _raw_text(facts)
    sentences.append(f"Languages: {facts.get('languages') or 'not recorded'}.")
    sentences += _imported(facts.get("imported") or {})
    if run:
        learned = run.get("summary") or "next-token prediction"
        sentences.append(
            f"{_capital(learned)} over {_number(run, 'tokens')} tokens in {_number(run, 'steps')} steps and "
            f"{run.get('minutes', 'an unknown number of')} minutes"
            + (f", seed {options['seed']}" if "seed" in options else "")
            + (f", on: {run['machine']}." if run.get("machine") else ".")
        )
    return " ".join(sentences)


def _vocabulary(overlap: Mapping[str, Any]) -> str:
    """What became of the vocabulary in an adaptation that learned a new one."""
    if not overlap:
        return ""
    matched, entries = _number(overlap, "matched"), _number(overlap, "entries")
    share = f"{overlap.get('token_share', 0):.1%} of the text's tokens"
    return f" The vocabulary was learned anew from it: {matched} of {entries} entries, {share}, kept their rows."


def _imported(source: Mapping[str, Any]) -> list[str]:
    """Which files of another program the model was read from."""
    if not source:
        return []
    files = [f"`{name}` (SHA-256 {entry['sha256'][:12]}…)" for name, entry in (source.get("files") or {}).items()]
    return [
        f"Read from the files of another program, where it was trained; nothing is known of that here. "
        f"`{source.get('report')}`. Files: {', '.join(files)}."
    ]


def _transfer(run: Mapping[str, Any]) -> str:
    if not run:
        return "Not recorded."
    options, choice = run.get("options") or {}, run.get("frozen_choice") or {}
    methods = {
        "frozen": "A linear head on frozen features",
        "finetune": "Fine-tuning" if run.get("learned_weights") else "Fine-tuning of all weights",
        "scratch": "Training from random weights: nothing of the pretraining is used",
    }
    method = methods.get(str(options.get("method")), "Transfer")
    sentences = [
        f"{method}, from {_number(run, 'examples')} labelled texts, seed {options.get('seed', 'not recorded')}."
    ]
    if options.get("layers") is not None:
        sentences.append(
            f"Of the pretrained encoder, its embeddings and lowest {options['layers']} layers were taken; those above "
            "were drawn anew."
        )
    if run.get("learned_weights"):
        learned = run["learned_weights"]
        sentences.append(
            f"Low-rank adapters of rank {options.get('adapters')} learned beside the encoder's weights, and were added "
            f"to them at the end: {_number(learned, 'n')} weights learned, {learned['share']:.1%} of the model's."
        )
    if run.get("seeds"):
        sentences.append(_capital(seeds_line({"finetune": run})) + ".")
    if run.get("pseudo_labelled"):
        sentences.append(f"{_number(run, 'pseudo_labelled')} further texts got their labels from the model itself.")
    if choice:
        values = ", ".join(f"{name.replace('_', ' ')} {_short(value)}" for name, value in choice.items())
        sentences.append(f"Chosen by cross-validation on the labelled texts: {values}.")
    if run.get("layer_weights"):
        weights = ", ".join(f"{weight:.3f}" for weight in run["layer_weights"])
        sentences.append(f"Share of each layer, embeddings first: {weights}.")
    return " ".join(sentences)


def _rounds(run: Mapping[str, Any]) -> str:
    own, other = run.get("sentences") or (0, 0)
    return (
        f"Back-translation between {own:,} and {other:,} sentences that are no translations of each other, round "
        f"{run.get('round', 'not recorded')}; held-out sentences come back from there and back with BLEU "
        f"{run.get('round_trip', float('nan')):.1f}."
    )


def _labels(card: CardFacts) -> str:
    labels = card.labels or []
    counts = ((card.facts.get("finetune") or {}).get("training_texts") or {}).get("labels") or {}
    shown = [f"`{label}`" + (f" ({counts[label]:,})" if label in counts else "") for label in labels[:_MOST_LABELS]]
    more = f" and {len(labels) - _MOST_LABELS} more" if len(labels) > _MOST_LABELS else ""
    title = "Labels and their training texts" if counts else "Labels"
    return f"**{title}.** {', '.join(shown)}{more}."


def _measured(card: CardFacts) -> list[str]:
    forgotten = forgetting_line(dict(card.facts))
    return [*_scores(card), *([f"What was forgotten: {forgotten}."] if forgotten else [])]


def _scores(card: CardFacts) -> list[str]:
    if not card.is_language_model:
        return [
            "Nothing on new texts: scores need a test set. "
            f"`langnet evaluate {card.name} test.csv` gives them with intervals, beside their neighbours."
        ]
    if _is_vectors(card):
        return [
            f"Nothing yet. `langnet vectors analogy {card.name} --questions questions-words.txt` and `langnet vectors "
            f"similarity {card.name} --pairs wordsim353.tsv` give scores with intervals."
        ]
    scores = card.facts.get("validation") or {}
    if not scores.get("n_bytes") and card.facts.get("imported"):
        return [f"Nothing yet. `langnet evaluate {card.name} text.txt` gives its bits per byte with an interval."]
    own = [name for name in OBJECTIVE_LOSSES if scores.get(f"{name}_tokens")]
    if not scores.get("n_bytes") and not own:
        return ["Nothing was held out of the corpus, so nothing is known."]
    return [*(_likelihood(scores) if scores.get("n_bytes") else []), *(_own_loss(scores, name) for name in own)]


def _own_loss(scores: Mapping[str, Any], name: str) -> str:
    """The held-out loss of an objective that gives texts no probability."""
    interval = scores.get(f"{name}_interval")
    within = f" (95 % interval {interval[0]:.3f} to {interval[1]:.3f} over documents)" if interval else ""
    return (
        f"{_capital(name.replace('_', ' '))} of {scores[name]:.3f} nats a token{within}, on "
        f"{_number(scores, f'{name}_tokens')} tokens held out of the corpus; it compares only between models of one "
        "tokenizer and one objective."
    )


def _likelihood(scores: Mapping[str, Any]) -> list[str]:
    interval = scores.get("interval")
    within = f" (95 % interval {interval[0]:.3f} to {interval[1]:.3f} over documents)" if interval else ""
    documents = f"{scores['n_documents']:,} documents, " if "n_documents" in scores else ""
    note = unknown_note(scores.get("n_unknown", 0), scores.get("n_tokens", 0))
    compare = f"bits per byte do neither here: {note}." if note else "bits per byte compare between all."
    return [
        f"{scores['bits_per_byte']:.3f} bits per byte{within}, perplexity {scores['perplexity']:,.1f} a token, on "
        f"{documents}{_number(scores, 'n_tokens')} tokens, {_number(scores, 'n_bytes')} bytes, held out of the corpus.",
        f"Perplexities compare only between models of one tokenizer; {compare}",
    ]


def _limits(card: CardFacts) -> str:
    lines = ["- Meant for texts of the kind, the language and the time that it learned from; on others, measure first."]
    if _is_vectors(card):
        lines.append(
            "- Meant as features, and as the neighbour that a language model has to beat. A word has one vector,"
        )
        lines[-1] += " whatever it means where it stands; unknown words have none. It writes no text."
    elif card.is_language_model:
        writes = " It writes what is probable, not what is true." if _writes(card) else " It writes no text."
        lines.append("- Meant as a start for classifiers." + writes)
    elif card.labels or card.task == "regress":
        if card.task == "multilabel":
            lines.append("- It answers with any number of its labels, perhaps none; it knows no others.")
        elif card.labels:
            lines.append(
                "- It always answers with one of its labels, also where none fits; its probabilities may be too sure."
            )
        if card.max_tokens:
            lines.append(f"- Of a text of more than {card.max_tokens:,} tokens the middle is not read.")
    lines.append("- Not examined: bias against groups of people, personal data in the training text, its licence.")
    return "\n".join(lines)


def _loading(card: CardFacts) -> str:
    name = card.name
    if _is_vectors(card):
        python = f'from langnet.recipes.word_vectors import load_word_space\n\nspace = load_word_space("{name}")'
        shell = f"langnet vectors nearest {name} good\nlangnet finetune {name} train.csv --output my-classifier"
        return f'```python\n{python}\nspace.nearest("good")\n```\n\n```sh\n{shell} --method frozen\n```'
    if card.is_language_model:
        python = f'model = langnet.load("{name}")' + ('\nmodel.generate("")' if _writes(card) else "")
        shell = f"langnet generate {name}\n" if _writes(card) else ""
        shell += f"langnet finetune {name} train.csv --output my-classifier"
    else:
        use = 'predict(["a text"])' if card.task == "classify" else "guess(items)"
        python = f'model = langnet.load("{name}")\nmodel.{use}'
        shell = f"langnet predict {name} new.csv\nlangnet evaluate {name} test.csv"
    return f"```python\nimport langnet\n\n{python}\n```\n\n```sh\n{shell}\n```"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _number(facts: Mapping[str, Any], key: str) -> str:
    value = facts.get(key)
    return f"{value:,}" if isinstance(value, int) else "an unrecorded number of"


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
