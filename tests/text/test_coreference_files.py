"""Documents with chains: every format read, written back the same, and mistakes named with their line."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langnet.errors import LangnetError
from langnet.text.chains import as_chains, read_brackets, write_brackets
from langnet.text.coreference_files import choose, read_documents, without_chains, write_documents

CONLL = """\
#begin document (bc/x); part 000
bc/x 0 0 Ann NNP (TOP* - - - A * (1)
bc/x 0 1 's POS * - - - A * -
bc/x 0 2 dog NN *) - - - A * (2

bc/x 0 0 of IN * - - - A * -
bc/x 0 1 her PRP$ * - - - A * (1)|2)
#end document
#begin document (bc/x); part 001
bc/x 1 0 Nothing NN * - - - A * -
#end document
"""
GUM = """\
# begin document GUM_a
1\tAnn\t(person-1-Ann_B
2\tB\tperson-1)
3\tand\t_
4\tshe\t(person-1(person-2)person-1)
"""
GAP = (
    "ID\tText\tPronoun\tPronoun-offset\tA\tA-offset\tA-coref\tB\tB-offset\tB-coref\tURL\n"
    "test-1\tAnn Lee met Eva when she sang.\tshe\t21\tAnn Lee\t0\tFALSE\tEva\t12\tTRUE\thttp://x\n"
)


def write(folder, name, text):
    (folder / name).write_text(text, encoding="utf8")
    return folder / name


def test_conll(tmp_path):
    first, second = read_documents([write(tmp_path, "a.conll", CONLL)])
    assert first.words == ("Ann", "'s", "dog", "of", "her")
    assert (first.sentences, first.name) == ((0, 3), "(bc/x); part 000")
    assert first.chains == (((0, 0), (4, 4)), ((2, 4),))
    assert second.chains == ()
    assert first.text((2, 4)) == "dog of her"
    assert write_documents([first, second], [first.chains, second.chains]).splitlines()[1].endswith("(0)")
    again = read_documents([write(tmp_path, "b.conll", write_documents([first, second], [first.chains, ()]))])
    assert [one.chains for one in again] == [first.chains, ()]
    assert again[0].words == first.words
    assert again[0].lines[2] == first.lines[2], "what is no bracket stays as it was"


def test_a_no_break_space_is_no_blank(tmp_path):
    text = CONLL.replace("Ann", "1\u00a0000").replace("dog", "\u3000")
    first, second = read_documents([write(tmp_path, "a.conll", text)])
    assert first.words == ("1\u00a0000", "'s", "\u3000", "of", "her")
    assert first.chains == (((0, 0), (4, 4)), ((2, 4),))
    written = write_documents([first, second], [first.chains, second.chains])
    (again, _) = read_documents([write(tmp_path, "b.conll", written)])
    assert (again.words, again.chains) == (first.words, first.chains)


def test_gum(tmp_path):
    (document,) = read_documents([write(tmp_path, "a.conll", GUM)])
    assert document.chains == (((0, 1), (3, 3)),), "two chains of the same words: the first has them"
    assert write_documents([document], [document.chains]).splitlines()[3] == "3\tand\t_"


def test_a_tab_behind_the_last_column(tmp_path):
    text = "#begin document (a); part 0\n" + "".join(f"a\t0\t{i}\t{w}\t_\t(0)\t\n" for i, w in enumerate("xyx"))
    (document,) = read_documents([write(tmp_path, "a.conll", text)])
    assert document.words == ("x", "y", "x")
    assert write_documents([document], [()]).splitlines()[1] == "a\t0\t0\tx\t_\t-\t"


def test_lists(tmp_path):
    row = {"doc_key": "d", "sentences": [["Ann", "sang"], ["she", "left"]], "clusters": [[[0, 0], [2, 2]]]}
    path = write(tmp_path, "a.jsonl", json.dumps(row) + "\n")
    (document,) = read_documents([path])
    assert (document.sentences, document.chains) == ((0, 2), (((0, 0), (2, 2)),))
    written = json.loads(write_documents([document], [(((0, 1),),)]))
    assert written == {**row, "predicted_clusters": [[[0, 1]]]}
    (unlabelled,) = read_documents([path], labelled=False)
    assert unlabelled.chains is None
    (document,) = read_documents([write(tmp_path, "b.jsonl", json.dumps({**row, "clusters": []}) + "\n")])
    written = json.loads(write_documents([document], [(((0, 1),),)]))  # that there are none was the truth
    assert (written["clusters"], written["predicted_clusters"]) == ([], [[[0, 1]]])


def test_text(tmp_path):
    path = write(tmp_path, "story.txt", "Ann sang. She left!")
    (document,) = read_documents([path], labelled=False)
    assert document.words == ("Ann", "sang", ".", "She", "left", "!")
    assert document.sentences == (0, 3)
    written = write_documents([document], [(((0, 0), (3, 3)),)])
    (again,) = read_documents([write(tmp_path, "b.conll", written)])
    assert (again.words, again.chains, again.sentences) == (document.words, (((0, 0), (3, 3)),), (0, 3))
    with pytest.raises(LangnetError, match="plain text and has no chains"):
        read_documents([path])


def test_gap(tmp_path):
    (document,) = read_documents([write(tmp_path, "gap.tsv", GAP)])
    asked = document.choice
    assert asked is not None
    assert [document.text(span) for span in (asked.pronoun, asked.a, asked.b)] == ["she", "Ann Lee", "Eva"]
    assert (asked.gold, asked.feminine) == ((False, True), True)
    assert document.chains == ((asked.b, asked.pronoun),)
    assert choose(asked, [(asked.a, asked.pronoun)]) == (True, False)
    assert choose(asked, [((1, 1), asked.pronoun)]) == (True, False), "a part that ends alike"
    assert choose(asked, [((2, 2), asked.pronoun), (asked.a, asked.b)]) == (False, False)
    assert write_documents([document], [document.chains]) == "test-1\tFALSE\tTRUE\n"
    assert without_chains(document).choice.gold is None
    (unlabelled,) = read_documents([tmp_path / "gap.tsv"], labelled=False)
    assert unlabelled.choice.gold is None


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.conll", CONLL.replace("(1)|2)", "(1)|3)"), r"line 7, column 12: '\(1\)\|3\)' closes chain 3"),
        ("a.conll", CONLL.replace("|2)", ""), "line 4, column 12: chain 2 is opened and never closed"),
        ("a.conll", CONLL.replace("(1)|2)", "(1)|what"), "line 7, column 12: .* is no bracket of a chain"),
        ("a.conll", CONLL + "bc/x 0\n", "line 12: 2 columns"),
        ("a.conll", CONLL + "bc/x 0 0 word -\n", "line 12: 5 columns, and 12 in line 10"),
        ("a.conll", "#begin document (a); part 0\n#end document\n", "line 1: the document has no words"),
        ("a.conll", "", "no documents found"),
        ("a.en", "A man sees a dog .\nIt barks .\n", "line 1: 'sees' stands before 'a', .* plain text is .txt"),
        ("a.jsonl", '{"sentences": "a b"}\n', "line 1: 'sentences' has to be a list of lists of words"),
        ("a.jsonl", '{"sentences": [["a"]], "clusters": [[[0, 1]]]}\n', r"no mention \[0, 1\] in 1 words"),
        ("a.jsonl", '{"sentences": [["a"]], "clusters": [["a"]]}\n', "a mention is .first word, last word., not \"a\""),
        ("a.jsonl", '{"sentences": [["a"]], "clusters": 3}\n', "line 1: 'clusters' has to be a list of chains"),
        ("a.jsonl", '{"sentences": [["a"]], "clusters": [3]}\n', "line 1: 'clusters' has to be a list of chains"),
        ("a.jsonl", '{"sentences": [["a"]]}\n', "there is no column 'clusters'"),
        ("a.tsv", GAP.replace("\t21\t", "\t20\t"), "line 2: 'she' does not stand at character 20"),
        ("a.tsv", GAP.replace("FALSE", "NO"), "line 2: A-coref and B-coref are TRUE or FALSE, not NO and TRUE"),
    ],
)  # fmt: skip
def test_mistakes(tmp_path, name, text, told):
    with pytest.raises(LangnetError, match=told):
        read_documents([write(tmp_path, name, text)])


def test_no_such_file(tmp_path):
    with pytest.raises(LangnetError, match="there is no file 'nowhere'"):
        read_documents(["nowhere"])
    with pytest.raises(LangnetError, match="is a folder"):
        read_documents([tmp_path])


nested = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3), st.integers(0, 4)), max_size=12)


@settings(max_examples=60, deadline=None)
@given(nested)
def test_brackets_come_back(drawn):
    """Any chains but those whose own mentions cross each other, which brackets cannot tell from nested ones."""
    named: dict[str, list[tuple[int, int]]] = {}
    for first, length, chain in drawn:
        span = (first, min(9, first + length))
        own = named.setdefault(str(chain), [])
        if all(span[1] < a or b < span[0] or (a <= span[0] and span[1] <= b) or (span[0] <= a and b <= span[1])
               for a, b in own):  # fmt: skip
            own.append(span)
    chains, _ = as_chains(named)
    cells = write_brackets(10, chains, "-")
    assert as_chains(read_brackets(cells, [str(i) for i in range(10)]))[0] == chains


def test_documents_without_words_keep_their_place(tmp_path):
    text = "#begin document (a);\n#end document\n#begin document (b);\nb\t0\t0\tword\t(0)\n#end document\n"
    text += "#begin document (c);\n#end document\n"
    (tmp_path / "x.conll").write_text(text)
    found = read_documents([tmp_path / "x.conll"])
    assert [(one.name, len(one.words), one.chains) for one in found] == [
        ("(a);", 0, ()), ("(b);", 1, (((0, 0),),)), ("(c);", 0, ()),
    ]  # fmt: skip
    assert write_documents(found, [(), (((0, 0),),), ()]) == text


def test_of_two_chains_with_one_mention_the_one_begun_first_has_it(tmp_path):
    """As the CoNLL scorer takes it: by a chain's first bracket, in one cell those of single words first."""
    rows = ["(0", "(1)", "(0)|(1)", "0)", "(3|(2)", "(2)|3)|(3)"]
    lines = "".join(f"d\t0\t{n}\tword\t{cell}\n" for n, cell in enumerate(rows))
    (tmp_path / "x.conll").write_text(f"#begin document (d);\n{lines}#end document\n")
    (one,) = read_documents([tmp_path / "x.conll"])
    assert one.chains == (((0, 3), (2, 2)), ((1, 1),), ((4, 4), (5, 5)), ((4, 5),))


@pytest.mark.parametrize("blank", [" ", "\t"])
@pytest.mark.parametrize("predicates", [(0, 2), (2, 0)])
def test_sentences_with_more_predicates_have_more_columns(tmp_path, blank, predicates):
    """CoNLL 2012 has a column of roles a predicate; the chains stand in the last one all the same."""
    lines = ["#begin document (x); part 000"]
    for n in predicates:
        for i, (word, cell) in enumerate((("Ann", "(0)"), ("'s", "-"), ("dog", "(1)"))):
            lines.append(blank.join(["x", "0", str(i), word, *"AB----*", *["*"] * n, cell]))
        lines.append("")
    text = "".join(line + "\n" for line in [*lines, "#end document"])
    (document,) = read_documents([write(tmp_path, "x.v4_gold_conll", text)])
    assert document.words == ("Ann", "'s", "dog") * 2
    assert document.chains == (((0, 0), (3, 3)), ((2, 2), (5, 5)))
    assert write_documents([document], [document.chains]) == text
    bare = write(tmp_path, "bare.conll", text.replace("(0)", "-").replace("(1)", "-"))
    assert write_documents(read_documents([bare]), [document.chains]) == text


def test_a_row_that_is_cut_off_is_told(tmp_path):
    short = CONLL.replace("A * (2\n", "A\n")
    with pytest.raises(LangnetError, match="line 4: 10 columns, and 12 in line 2"):
        read_documents([write(tmp_path, "x.conll", short)])


@pytest.mark.parametrize(
    "row",
    ["1\tAnn\tAnn\tPROPN\tNNP\t_\t2\tnsubj\t_\t_", "Ann NNP B-NP B-PER", "Ann\tNNP\t_"],
    ids=["ud", "2003", "three"],
)
def test_columns_that_do_not_number_their_words_are_refused(tmp_path, row):
    """Their tags were taken for words, and chains written over MISC."""
    path = write(tmp_path, "a.conllu", f"# text = Ann\n{row}\n\n")
    for labelled in (True, False):
        with pytest.raises(LangnetError, match=r"a\.conllu, line 2: '[A-Za-z]+' stands before '.*number, word, _"):
            read_documents([path], labelled)
