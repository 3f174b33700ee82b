"""Our scores beside the programs that shared tasks were judged by: the digits that they print, on random inputs.

Each program is named by a variable of the environment, and its test is skipped without:

- `LANGNET_CONLL_SCORER`: scorer.pl of the reference coreference scorers (version 8.01), in its folder;
- `LANGNET_EVALB`: evalb, built, beside its COLLINS.prm;
- `LANGNET_CONLLEVAL`: conlleval.pl (2004-01-26);
- `LANGNET_SRLEVAL`: CoNLL-2005's srl-eval.pl, all its packages in one file or on perl's path;
- `LANGNET_GAP_SCORER`: gap_scorer.py of GAP, beside its constants.py.

`LANGNET_SCORER_CASES` says how many inputs each is given; `LANGNET_SCORER_SEED` where they begin.
"""

import os
import random
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from langnet.evaluate import bracket_scores as scoring
from langnet.evaluate.bracket_scores import BracketRules, bracket_scores, bracket_statistics
from langnet.evaluate.chain_scores import chain_scores, chain_statistics
from langnet.evaluate.role_scores import role_scores, role_statistics
from langnet.evaluate.tag_scores import span_scores, tag_statistics, type_scores
from langnet.recipes.kinds.corefer import Coreference
from langnet.tasks.corefer import CoreferGuess
from langnet.text.coreference_files import read_documents, write_documents
from langnet.text.role_files import read_roles
from langnet.text.tag_schemes import spans
from langnet.text.trees import parse_trees

pytestmark = pytest.mark.slow

CASES = int(os.environ.get("LANGNET_SCORER_CASES", "60"))
FIRST = int(os.environ.get("LANGNET_SCORER_SEED", "0"))
HALF = 0.00501  # what two printed digits may hide


def program(name):
    path = os.environ.get(name)
    if not path:
        pytest.skip(f"{name} names no program; see the head of this file")
    assert Path(path).is_file(), f"{name}: there is no file {path}"
    return Path(path)


def printed(*command, given=None):
    run = subprocess.run([*map(str, command)], capture_output=True, text=True, input=given, check=False)
    assert run.returncode == 0, f"{command[0]}: {run.stderr[:500]}"
    return run.stdout


def cases():
    for seed in range(FIRST, FIRST + CASES):
        yield seed, random.Random(seed)


# Chains


def random_spans(generator, n_words, count):
    """Any, so nested and crossing ones too; short ones more often."""
    found = set()
    for _ in range(count):
        first = generator.randrange(n_words)
        found.add((first, min(n_words - 1, first + int(generator.expovariate(0.7)))))
    return sorted(found)


def random_chains(generator, spans):
    """Spans as chains, many of them alone in theirs."""
    held = {}
    for span in spans:
        held.setdefault(generator.randrange(1 + len(spans)) // generator.choice((1, 2, 4)), []).append(span)
    return list(held.values())


def told_apart(chain):
    """The spans of a chain without those that cross others, for brackets do not say which begins where."""
    kept = []
    for first, last in chain:
        if not any(a < first <= b < last or first < a <= last < b for a, b in kept):
            kept.append((first, last))
    return kept


def changed_chains(generator, chains, n_words):
    """A response: chains with mentions lost, moved and made up, put together and cut; a few of the key's twice.

    Of a mention twice that the key has not, the scorer counts both, for it looks for repeated ones among the key's.
    """
    found = [[span for span in chain if generator.random() < 0.85] for chain in chains]
    flat = [span for chain in found for span in chain]
    fresh = [span for span in random_spans(generator, n_words, generator.randrange(4)) if span not in flat]
    for span in fresh:
        generator.choice(found).append(span) if found and generator.random() < 0.5 else found.append([span])
    if len(found) > 1 and generator.random() < 0.5:
        found[0] += found.pop()
    if found and len(found[-1]) > 1 and generator.random() < 0.5:
        half = len(found[-1]) // 2
        found[-1:] = [found[-1][:half], found[-1][half:]]
    if generator.random() < 0.3:
        for _ in range(generator.randrange(1, 3)):
            if flat and found:
                generator.choice(found).append(generator.choice(flat))
    generator.shuffle(found)
    return found


def chain_cells(generator, n_words, chains):
    """Brackets of a word in any order in which they are no mistake: what opens before what closes."""
    opened, closed = ([[] for _ in range(n_words)] for _ in range(2))
    numbers = generator.sample(range(100), len(chains))
    for number, chain in zip(numbers, chains, strict=True):
        for first, last in chain:
            if first == last:
                opened[first].append(f"({number})")
            else:
                opened[first].append(f"({number}")
                closed[last].append(f"{number})")
    for cells in opened:
        generator.shuffle(cells)
    return ["|".join([*one, *other]) or "-" for one, other in zip(opened, closed, strict=True)]


def conll_text(documents):
    lines = []
    for name, sizes, cells in documents:
        lines.append(f"#begin document ({name}); part 000")
        word = 0
        for size in sizes:
            lines += [f"{name}\t0\t{n}\tword\t{cells[word + n]}" for n in range(size)]
            word += size
            lines.append("")
        lines.append("#end document")
    return "\n".join([*lines, ""])


def random_documents(generator):
    """The texts of a key and of a response: documents of the same words, some without chains, some without words."""
    key, response = [], []
    for number in range(generator.randrange(1, 4)):
        sizes = [generator.randrange(1, 12) for _ in range(generator.randrange(1, 4))]
        if number and generator.random() < 0.2:
            sizes = []
        n_words = sum(sizes)
        spans = random_spans(generator, n_words, generator.randrange(12)) if n_words else []
        true = [told_apart(chain) for chain in random_chains(generator, spans)]
        made_up = random_spans(generator, n_words, 8) if n_words else []
        said = (
            changed_chains(generator, true, n_words)
            if n_words and generator.random() < 0.8
            else random_chains(generator, made_up)
        )
        said = [chain for chain in map(told_apart, said) if chain]
        for held, chains in ((key, true), (response, said)):
            held.append((f"d{number}", sizes, chain_cells(generator, n_words, chains)))
    return conll_text(key), conll_text(response)


def official_chains(scorer, key, response):
    """Recall's and precision's two numbers and their percentages, and F1, of mentions and of each measure."""
    found = {}
    for metric in ("muc", "bcub", "ceafe"):
        said = printed("perl", scorer, metric, key, response, "none")
        for name, label in (("mentions", "Identification of Mentions"), (metric, "Coreference")):
            share = r"\((\S+) / (\S+)\) (\S+)%"
            line = re.search(rf"{label}: Recall: {share}\tPrecision: {share}\tF1: (\S+)%", said)
            found[name] = [float(part) for part in line.groups()]
    return found


def own_chains(key, response):
    true, said = (read_documents([path]) for path in (key, response))
    assert [one.name for one in true] == [one.name for one in said]
    return sum(chain_statistics(a.chains, b.chains) for a, b in zip(true, said, strict=True))


def compare_chains(scorer, key, response):
    official, sums = official_chains(scorer, key, response), own_chains(key, response)
    f1 = chain_scores(sums)
    right, true, found = sums[12:]
    own = {"mentions": (right, true, right, found), "muc": sums[:4], "bcub": sums[4:8], "ceafe": sums[8:12]}
    names = {"mentions": "mentions", "muc": "MUC", "bcub": "B3", "ceafe": "CEAFe"}
    for name, (kept, of, good, said) in own.items():
        numbers = official[name]
        assert [kept, of, good, said] == pytest.approx([*numbers[:2], *numbers[3:5]], abs=1e-6), name
        shares = [100 * kept / max(of, 1), 100 * good / max(said, 1), 100 * float(f1[names[name]])]
        for value, cut in zip(shares, (numbers[2], numbers[5], numbers[6]), strict=True):
            assert -1e-9 < value - cut < 0.01 + 1e-9, f"{name}: {value} is printed as {cut}"


def test_chains(tmp_path):
    scorer = program("LANGNET_CONLL_SCORER")
    key, response = tmp_path / "key.conll", tmp_path / "response.conll"
    for seed, generator in cases():
        true, said = random_documents(generator)
        key.write_text(true)
        response.write_text(said)
        try:
            compare_chains(scorer, key, response)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}\n{true}\n{said}") from None


def test_the_chain_scorers_own_examples(tmp_path):
    scorer = program("LANGNET_CONLL_SCORER")
    responses = sorted((scorer.parent / "test" / "DataFiles").glob("*.response"))
    if not responses:
        pytest.skip("the scorer has come without its examples")
    for response in responses:
        key = response.with_name(re.sub(r"-\d+\.response", ".key", response.name))
        for path, name in ((key, "key"), (response, "response")):
            (tmp_path / name).write_text(widened(path.read_text()))
        try:
            compare_chains(scorer, tmp_path / "key", tmp_path / "response")
        except AssertionError as error:
            raise AssertionError(f"{response.name}: {error}") from None


def widened(text):
    """Lines of any number of columns as lines of five, for some of the examples have but two."""
    cells = [line if line.startswith("#") else (line.split() or [""])[-1] for line in text.splitlines()]
    return "".join(f"{cell}\n" if not cell or cell[0] == "#" else f"d\t0\t0\tword\t{cell}\n" for cell in cells)


# Trees

LABELS = ["S", "NP", "VP", "ADVP", "PRT", "NP-SBJ", "NP=2", "ADVP-TMP-1", "PRT|ADVP", "X", "TOP", "ROOT", ""]
TAGS = ["NN", "DT", "VBD", "PRT", "ADVP", ",", ".", ":", "``", "''", "-NONE-", "-LRB-", "NN-TMP", "$"]


def random_tree(generator, words, tags):
    """A tree in brackets, with chains of brackets over the same words."""
    if len(words) == 1 and generator.random() < 0.7:
        return f"({tags[0]} {words[0]})"
    label = generator.choice(LABELS)
    if len(words) == 1 or generator.random() < 0.15:
        return f"({label} {random_tree(generator, words, tags)})"
    cuts = sorted(generator.sample(range(1, len(words)), generator.randrange(1, min(4, len(words)))))
    borders = pairwise([0, *cuts, len(words)])
    return f"({label} {' '.join(random_tree(generator, words[a:b], tags[a:b]) for a, b in borders)})"


def random_parse(generator):
    """A gold tree and a guess at it in brackets, each in its line."""
    size = generator.randrange(1, 14)
    words = [generator.choice(["a", "b", "c", "-LRB-", "1"]) for _ in range(size)]
    tags = [generator.choice(TAGS) for _ in range(size)]
    gold = f"({generator.choice(['TOP', 'ROOT', 'S', ''])} {random_tree(generator, words, tags)})"
    if generator.random() < 0.1:
        return gold, gold
    if generator.random() < 0.05:
        return gold, ""
    if generator.random() < 0.4:
        tags = [generator.choice(TAGS) if generator.random() < 0.1 else tag for tag in tags]
    if generator.random() < 0.1:
        words[generator.randrange(size)] = "other"
    if generator.random() < 0.1:
        words, tags = [*words, "more"], [*tags, generator.choice(TAGS)]
    return gold, f"({generator.choice(['TOP', 'ROOT', 'S', ''])} {random_tree(generator, words, tags)})"


def rules_of(parameters):
    """The rules of a file of EVALB's parameters."""
    pairs = [line.split(maxsplit=1) for line in parameters.read_text().splitlines() if line.strip(" #")]
    pairs = [pair for pair in pairs if not pair[0].startswith("#")]
    deleted = frozenset(value.strip() for name, value in pairs if name == "DELETE_LABEL")
    equal = {
        kind: dict(reversed(value.split()[:2]) for name, value in pairs if name == kind)
        for kind in ("EQ_LABEL", "EQ_WORD")
    }
    return BracketRules(deleted, deleted, equal["EQ_LABEL"], equal["EQ_WORD"], own_tags=True)


def official_trees(evalb, parameters, gold, test):
    """A row of numbers a sentence, and the summary's percentages."""
    said = printed(evalb, "-e", 100000, "-p", parameters, gold, test)
    table, _, summary = said.partition("=== Summary ===")
    rows = [line.split() for line in table.splitlines() if re.match(r"\s*\d+\s+\d+\s+[012]\s", line)]
    whole = summary.partition("-- len")[0]
    return rows, {name: value.split()[0] for name, value in re.findall(r"(\w[\w ]*?)\s+=\s+(\S+)", whole)}


def first_tree(line):
    """The trees of a line as one; None of an empty line."""
    found = list(parse_trees([f"({line})"], "trees")) if line.strip() else []
    return found[0][0] if found else None


def compare_trees(evalb, parameters, gold, test):
    rows, summary = official_trees(evalb, parameters, gold, test)
    true, said = ([first_tree(line) for line in path.read_text().splitlines()] for path in (gold, test))
    # What holds the trees of a line together here is no bracket of theirs.
    rules = rules_of(parameters)
    true, said = ([tree and outermost_gone(tree) for tree in trees] for trees in (true, said))
    (table,) = bracket_statistics(true, [said], rules)
    assert len(rows) == len(table)
    for number, (row, own) in enumerate(zip(rows, table, strict=True), 1):
        status = 1 if own[scoring.ERRORS] else 2 if own[scoring.SKIPPED] else 0
        kinds = [scoring.MATCHED, scoring.GOLD, scoring.GUESSED, scoring.CROSSING]
        assert int(row[2]) == status, f"sentence {number}: status"
        if not status:
            counted = [*own[kinds], own[scoring.WORDS], own[scoring.TAGS]]
            assert [int(part) for part in (*row[5:9], *row[9:11])] == counted, f"sentence {number}"
    sums = table.sum(0)
    scores = {name: 100 * float(value) for name, value in bracket_scores(sums).items()}
    valid = max(sums[scoring.VALID], 1)
    own = {
        "Bracketing Recall": scores["recall"], "Bracketing Precision": scores["precision"],
        "Bracketing FMeasure": scores["f1"], "Complete match": scores["exact_match"],
        "Average crossing": sums[scoring.CROSSING] / valid, "No crossing": 100 * sums[scoring.UNCROSSED] / valid,
        "Tagging accuracy": scores["tagging_accuracy"],
    }  # fmt: skip
    for name, value in own.items():
        number = float(summary[name])
        assert value == pytest.approx(0.0 if number != number else number, abs=HALF), name


def outermost_gone(tree):
    """The tree without the bracket that `first_tree` has put around it."""
    return type(tree)(tree.words, tree.tags, tree.brackets[1:])


def test_trees(tmp_path):
    evalb = program("LANGNET_EVALB")
    gold, test = tmp_path / "gold", tmp_path / "test"
    for seed, generator in cases():
        pairs = [random_parse(generator) for _ in range(generator.randrange(1, 8))]
        for path, side in ((gold, 0), (test, 1)):
            path.write_text("".join(pair[side] + "\n" for pair in pairs))
        try:
            compare_trees(evalb, evalb.with_name("COLLINS.prm"), gold, test)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}\n{gold.read_text()}\n{test.read_text()}") from None


def test_evalbs_own_examples():
    evalb = program("LANGNET_EVALB")
    sample = evalb.parent / "sample"
    if not sample.is_dir():
        pytest.skip("EVALB has come without its sample")
    compare_trees(evalb, sample / "sample.prm", sample / "sample.gld", sample / "sample.tst")


# Tags

TYPES = ["PER", "LOC", "A-B", "x", ""]


def random_tags(generator, size, letters):
    """A sequence of tags, whether it keeps its scheme or not."""
    types = generator.sample(TYPES, generator.randrange(1, 4))
    found = []
    for _ in range(size):
        letter, type = generator.choice(letters), generator.choice(types)
        found.append("O" if letter == "O" else f"{letter}-{type}" if type else letter)
    return found


def test_tags():
    script = program("LANGNET_CONLLEVAL")
    for seed, generator in cases():
        letters = generator.choice(["BIO", "BIIOO", "IO", "IEO"])
        gold, said = [], []
        for _ in range(generator.randrange(1, 6)):
            tags = random_tags(generator, generator.randrange(1, 12), letters)
            other = random_tags(generator, len(tags), letters)
            gold.append(tags)
            said.append([a if generator.random() < 0.7 else b for a, b in zip(tags, other, strict=True)])
        lines = [
            "".join(f"word {a} {b}\n" for a, b in zip(tags, own, strict=True))
            for tags, own in zip(gold, said, strict=True)
        ]
        told = printed("perl", script, given="\n".join(lines))
        (table,), types = tag_statistics(gold, [said], spans)
        sums = table.sum(0)
        counts = [int(part) for part in re.findall(r"\d+", told.splitlines()[0])]
        own = [sums[kind:-2:3].sum() for kind in (2, 1, 0)]
        assert counts == [sums[-1], *own], f"seed {seed}"
        line = [float(part) for part in re.findall(r"[\d.]+(?=%|$)", told.splitlines()[1])]
        scores = {name: 100 * float(value) for name, value in span_scores(sums).items()}
        expected = [scores[name] for name in ("accuracy", "precision", "recall", "f1")]
        assert line == pytest.approx(expected, abs=HALF), f"seed {seed}"
        rows = [row.rsplit(": precision", 1) for row in told.splitlines()[2:]]
        official = {name.strip(): [float(part) for part in re.findall(r"\s([\d.]+)", rest)] for name, rest in rows}
        ours = {
            "" if row.type == "_" else row.type: [100 * row.precision, 100 * row.recall, 100 * row.f1, row.predicted]
            for row in type_scores(sums[:-2], types)
        }
        assert official.keys() == ours.keys(), f"seed {seed}"
        for name, values in ours.items():
            assert values == pytest.approx(official[name], abs=HALF), f"seed {seed}: {name}"


# Roles

ROLES = ["A0", "A1", "A2", "AM-TMP", "AM-LOC", "R-A0", "C-A0", "C-A1", "C-AM-TMP", "C-V", "R-V", "C-C-A0", "V"]


def random_roles(generator, size, predicate):
    """Cells of a column: phrases side by side, and the predicate's own; the task knows none within others."""
    opened, closed = ([""] * size for _ in range(2))
    borders = sorted(generator.sample(range(size + 1), generator.randrange(0, size + 1)))
    found = [(a, b) for a, b in pairwise(borders) if generator.random() < 0.6]
    for a, b in found:
        if a <= predicate < b:
            continue
        opened[a] += f"({generator.choice(ROLES)}"
        closed[b - 1] += ")"
    opened[predicate] += "(V"
    closed[predicate] = ")" + closed[predicate]
    return [f"{one}*{other}" for one, other in zip(opened, closed, strict=True)]


def changed_roles(generator, cells, size, predicate):
    """A guess at a column: the same, another one, or the same phrases under other names."""
    if generator.random() < 0.25:
        return cells
    if generator.random() < 0.3:
        return random_roles(generator, size, predicate)

    def other(found):
        return "(" + (found[1] if found[1] == "V" or generator.random() < 0.7 else generator.choice(ROLES))

    return [re.sub(r"\(([^()*]+)", other, cell) for cell in cells]


def random_propositions(generator):
    """The texts of gold and predicted propositions; predicates are those of gold, but that some are missing."""
    gold, said = [], []
    for _ in range(generator.randrange(1, 6)):
        size = generator.randrange(1, 12)
        places = sorted(generator.sample(range(size), generator.randrange(0, min(3, size) + 1)))
        columns = [random_roles(generator, size, place) for place in places]
        guesses = [changed_roles(generator, own, size, place) for own, place in zip(columns, places, strict=True)]
        kept = [n for n in range(len(places)) if generator.random() < 0.9]
        for held, own, mine in ((gold, columns, places), (said, [guesses[n] for n in kept], [places[n] for n in kept])):
            verbs = ["v" if n in mine else "-" for n in range(size)]
            held.append("".join(" ".join(row) + "\n" for row in zip(verbs, *own, strict=True)))
    return "\n".join(gold), "\n".join(said)


def compare_roles(script, gold, said):
    told = printed("perl", script, gold, said)
    read = [read_roles([path.with_suffix(".words")], "1", None, "2") for path in (gold, said)]
    true, mine = ([one.frames or () for one in sentences] for sentences in read)
    (table,), types = role_statistics(true, [mine])
    sums = table.sum(0)
    found, predicted, right = (int(sums[kind:-2:3].sum()) for kind in range(3))
    overall = re.search(r"Overall\s+(\d+)\s+(\d+)\s+(\d+)\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)", told)
    assert [int(overall[n]) for n in (1, 2, 3)] == [found, predicted - found, right - found]
    scores = {name: 100 * float(value) for name, value in role_scores(sums).items()}
    expected = [scores["precision"], scores["recall"], scores["f1"]]
    assert [float(overall[n]) for n in (4, 5, 6)] == pytest.approx(expected, abs=HALF)
    assert float(re.search(r"perfect props :\s+([\d.]+)", told)[1]) == pytest.approx(scores["whole"], abs=HALF)
    for row in type_scores(sums[:-2], types):
        line = re.search(rf"^\s*{re.escape(row.type)}\s+\d+\s+\d+\s+\d+\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)$", told, re.M)
        values = [100 * row.precision, 100 * row.recall, 100 * row.f1]
        assert [float(part) for part in line.groups()] == pytest.approx(values, abs=HALF), row.type


def test_roles(tmp_path):
    script = program("LANGNET_SRLEVAL")
    gold, said = tmp_path / "gold.props", tmp_path / "said.props"
    for seed, generator in cases():
        texts = random_propositions(generator)
        for path, text in zip((gold, said), texts, strict=True):
            path.write_text(text)
            path.with_suffix(".words").write_text(re.sub(r"^(?=.)", "word ", text, flags=re.MULTILINE))
        try:
            compare_roles(script, gold, said)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}\n{texts[0]}\n{texts[1]}") from None


# Pronouns

PRONOUNS = ("she", "her", "hers", "he", "him", "his")
QUESTION = ["ID", "Text", "Pronoun", "Pronoun-offset", "A", "A-offset", "A-coref", "B", "B-offset", "B-coref", "URL"]


def random_question(generator, number):
    """A row of GAP: two names and a pronoun in some order, with words between them."""
    order = generator.sample(["Ann Lee", "Eve", generator.choice(PRONOUNS)], 3)
    words = [word for name in order for word in (name, *["so"] * generator.randrange(4))]
    text = " ".join(words)
    pronoun = next(word for word in order if word in PRONOUNS)
    at = [text.index(name) for name in ("Ann Lee", "Eve")]
    says = [generator.choice(("TRUE", "FALSE")) for _ in range(2)]
    place = re.search(rf"(?<!\w){pronoun}(?!\w)", text).start()
    return [f"q-{number}", text, pronoun, place, "Ann Lee", at[0], says[0], "Eve", at[1], says[1], "http://nowhere"]


def test_pronouns(tmp_path):
    told_by = program("LANGNET_GAP_SCORER")
    script = tmp_path / "gap_scorer.py"  # as Python 3 runs it
    script.write_text(told_by.read_text().replace("'rU'", "'r'").replace("iteritems", "items"))
    (tmp_path / "constants.py").write_text((told_by.parent / "constants.py").read_text())
    gold, said, kind = tmp_path / "gold.tsv", tmp_path / "said.tsv", Coreference()
    for seed, generator in cases():
        rows = [random_question(generator, number) for number in range(generator.randrange(1, 30))]
        gold.write_text("".join("\t".join(map(str, row)) + "\n" for row in [QUESTION, *rows]))
        items = read_documents([gold])
        names = [[name for name in (i.choice.a, i.choice.b) if generator.random() < 0.5] for i in items]
        chains = [(tuple(sorted([i.choice.pronoun, *own])),) for i, own in zip(items, names, strict=True)]
        said.write_text(write_documents(items, chains))
        told = printed(sys.executable, script, "--gold_tsv", gold, "--system_tsv", said)
        sums = kind.statistics(items, [[CoreferGuess(own) for own in chains]])[0].sum(0)
        scores = [100 * float(value) for value in kind.scores(sums).values()][:3]
        assert [float(value) for value in re.findall(r"f1: ([\d.]+)", told)] == pytest.approx(scores, abs=0.0501), seed
