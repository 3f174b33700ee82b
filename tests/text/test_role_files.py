"""Files of roles: every format as it is written, back again letter by letter, and what is said of mistakes."""

import gzip
import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langnet.errors import LangnetError
from langnet.text.frames import Argument, Frame, arguments, base_role, flat_roles, is_core, role_tags
from langnet.text.role_columns import written_brackets
from langnet.text.role_files import overlapping, read_roles, split_words, write_roles
from langnet.text.tag_schemes import Span, spans

CONLL2012 = """\
#begin document (bc/x/00/x_0000); part 000
bc/x/00/x_0000   0   0    The   DT  (TOP(S(NP*     -    -   -   Sp#1   *   (ARG0*      *   (12
bc/x/00/x_0000   0   1    dog   NN           *)    -    -   -   Sp#1   *        *)     *   12)
bc/x/00/x_0000   0   2  wants  VBZ       (VP*   want   01   1   Sp#1   *      (V*)     *     -
bc/x/00/x_0000   0   3     to   TO     (S(VP*      -    -   -   Sp#1   *   (ARG1*      *     -
bc/x/00/x_0000   0   4    run   VB  (VP*))))))   run   02   1   Sp#1   *        *)   (V*)    -

bc/x/00/x_0000   0   0    Yes   UH     (TOP*)      -    -   -   Sp#1   *     -

#end document
"""
CONLL2005 = """\
The      DT  (S1(S(NP*     *   -          (A0*      (A1*
dog      NN          *)     *   -              *)        *)
wants    VBZ      (VP*      *   want        (V*)       *
to       TO    (S(VP*       *   -           (A1*       *
run      VB (VP*))))))      *   run             *)    (V*)

Yes      UH          *      *   -

"""
ENGLISH = """\
# sent_id = 1
# text = Ann saw him.
1\tAnn\tAnn\tPROPN\tNNP\t_\t2\tnsubj\t2:nsubj\t_\t_\tARG0\t_
2\tsaw\tsee\tVERB\tVBD\t_\t0\troot\t0:root\t_\tsee.01\tV\t_
2.1\tsleep\tsleep\tVERB\t_\t_\t_\t_\t2:x\t_\t_\t_\t_
3\thim\the\tPRON\tPRP\t_\t2\tobj\t2:obj\tSpaceAfter=No\t_\tARG1\tARG0
4\tleave\tleave\tVERB\tVB\t_\t2\txcomp\t2:x\t_\tleave.01\t_\tV

# sent_id = 2
1\tWhy\twhy\tADV\tWRB\t_\t0\troot\t0:root\t_\t_\t
2\t?\t?\tPUNCT\t.\t_\t1\tpunct\t1:punct\t_\t_\t

"""
GERMAN = """\
1\tIch\tich\tPRON\tPPER\t_\t2\tnsubj\t_\t_\tA0
2\tlese\tlesen\tVERB\tVVFIN\t_\t0\troot\tY\tread.01\t_
3-4\tzum\t_\t_\t_\t_\t_\t_\t_\t_\t_
3\tzu\tzu\tADP\tAPPR\t_\t5\tcase\t_\t_\t_
4\tdem\tder\tDET\tART\t_\t5\tdet\t_\t_\t_
5\tSpaß\tSpaß\tNOUN\tNN\t_\t2\tobl\t_\t_\tAM-PRP

1\tJa\tja\tINTJ\tITJ\t_\t0\troot\t_\t_

"""
LISTS = """\
# global.columns = ID FORM LEMMA UPOS XPOS FEATS HEAD DEPREL DEPS MISC UP:PRED UP:ARGHEADS UP:ARGSPANS
# sent_id = 1
1\tThe\tthe\tDET\t_\t_\t2\tdet\t_\t_\t_\t_\t_
2\tdog\tdog\tNOUN\t_\t_\t3\tnsubj\t_\t_\t_\t_\t_
3\tbarks\tbark\tVERB\t_\t_\t0\troot\t_\t_\tbark.01\tA0:2|AM-LOC:5\tA0:1-2|AM-LOC:4-5
4\tat\tat\tADP\t_\t_\t5\tcase\t_\t_\t_\t_\t_
5\thome\thome\tNOUN\t_\t_\t3\tobl\t_\t_\t_\t_\t_

"""
FILES = {
    "a.gold_conll": CONLL2012, "a.props": CONLL2005, "en.conllu": ENGLISH, "de.conllu": GERMAN, "a.conllup": LISTS,
}  # fmt: skip
WANT = [
    Frame(2, (Span("ARG0", 0, 2), Span("ARG1", 3, 5)), "01"),
    Frame(4, (), "02"),
]
READ = {
    "a.gold_conll": [WANT, []],
    "a.props": [
        [Frame(2, (Span("A0", 0, 2), Span("A1", 3, 5)), "want"), Frame(4, (Span("A1", 0, 2),), "run")],
        [],
    ],
    "en.conllu": [
        [Frame(1, (Span("ARG0", 0, 1), Span("ARG1", 2, 3)), "see.01"), Frame(3, (Span("ARG0", 2, 3),), "leave.01")],
        [],
    ],
    "de.conllu": [[Frame(1, (Span("A0", 0, 1), Span("AM-PRP", 4, 5)), "read.01")], []],
    "a.conllup": [[Frame(2, (Span("A0", 0, 2), Span("AM-LOC", 3, 5)), "bark.01")]],
}


@pytest.fixture
def file(tmp_path):
    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf8", newline="")
        return path

    return write


@pytest.mark.parametrize("name", FILES)
def test_reads_and_writes_back(file, name):
    path = file(name, FILES[name])
    items = read_roles([path])
    assert [list(item.frames) for item in items] == READ[name]
    assert all(len(item.rows) == len(item.words) for item in items)
    assert write_roles(items, [item.frames for item in items]) == FILES[name]
    bare = read_roles([path], labelled=False)
    assert [[(f.predicate, f.roles) for f in item.frames] for item in bare] == [
        [(f.predicate, None) for f in own] for own in READ[name]
    ]
    assert write_roles(bare, [item.frames for item in items]) == FILES[name]


@pytest.mark.parametrize("name", FILES)
def test_windows_ends_of_lines_and_compression(tmp_path, name):
    text = FILES[name].replace("\n", "\r\n")
    path = tmp_path / f"{name}.gz"
    path.write_bytes(gzip.compress(text.encode()))
    items = read_roles([path])
    assert [list(item.frames) for item in items] == READ[name]
    assert write_roles(items, [item.frames for item in items]) == text


@pytest.mark.parametrize("name", FILES)
def test_other_roles_in_the_same_format(file, name):
    """Guesses written into a file, read from it again, are the guesses."""
    items = read_roles([file(name, FILES[name])])
    other = [[Frame(f.predicate, (Span("A1", 0, 1),) if f.predicate else (), f.sense) for f in i.frames] for i in items]
    again = read_roles([file(name, write_roles(items, other))])
    assert [list(item.frames) for item in again] == other
    assert [item.words for item in again] == [item.words for item in items]


@pytest.mark.parametrize("name", ["a.gold_conll", "a.props", "en.conllu", "de.conllu"])
def test_roles_into_a_file_that_has_predicates_alone(file, name):
    lines = []
    for line in FILES[name].split("\n"):
        cells = line.split("\t") if "\t" in line else line.split()
        size = {"a.props": 5, "a.gold_conll": 11, "en.conllu": 11, "de.conllu": 10}[name]
        kept = [*cells[:size], *(cells[-1:] if name == "a.gold_conll" else [])]
        lines.append(line if len(cells) < 5 or line.startswith("#") else ("\t" if "\t" in line else " ").join(kept))
    path = file(name, "\n".join(lines))
    bare = read_roles([path], labelled=False, predicates="5" if name == "a.props" else None)
    assert [[f.predicate for f in item.frames] for item in bare] == [[f.predicate for f in own] for own in READ[name]]
    again = read_roles([file("again-" + name, write_roles(bare, READ[name]))])
    assert [list(item.frames) for item in again] == READ[name]
    with pytest.raises(LangnetError, match=r"predicates? and 0 columns of roles|no roles in it"):
        read_roles([path])


def test_what_has_no_roles_gets_columns(file):
    plain = "".join("\t".join(line.split("\t")[:10]) + "\n" for line in ENGLISH.splitlines()) + "\n"
    text = file("t.txt", "The dog (a big one) barks.\n\nAnn's 3.5% won't do...\n电影很好。\n")
    columns = file("c.conll", "Ann NNP\nsings VBZ\n\nYes UH\n")
    for path, words in (
        (file("p.conllu", plain), [["Ann", "saw", "him", "leave"], ["Why", "?"]]),
        (text, [["The", "dog", "(", "a", "big", "one", ")", "barks", "."], ["Ann's", "3.5", "%", "won't", "do", "..."],
                ["电", "影", "很", "好", "。"]]),
        (columns, [["Ann", "sings"], ["Yes"]]),
    ):  # fmt: skip
        items = read_roles([path], labelled=False)
        assert [list(item.words) for item in items] == words
        assert all(item.frames is None for item in items)
        frames = [[Frame(1, (Span("A0", 0, 1),))] if len(item.words) > 1 else [] for item in items]
        again = read_roles(
            [file(path.stem + ("2.conllup" if path != columns else "2.conll"), write_roles(items, frames))]
        )
        assert [[(f.predicate, f.roles) for f in item.frames] for item in again] == [
            [(f.predicate, f.roles) for f in own] for own in frames
        ]
        assert [list(item.words) for item in again] == words
    # The lemma stands for the sense that nobody knows.
    items = read_roles([file("p.conllu", plain)], labelled=False)
    assert "\tsee\tA0:1\tA0:1-1\n" in write_roles(items, [[Frame(1, (Span("A0", 0, 1),))], []])


def test_rows_that_are_no_words_get_the_new_columns_too(file):
    """Ranges and empty nodes: in CoNLL-U Plus all rows have as many cells as there are columns."""
    rows = ("1-2\tdu", "1\tde", "2\tle", "2.1\tx")
    text = "# a comment\n" + "".join(row + "\t_" * 8 + "\n" for row in rows) + "\n"
    items = read_roles([file("a.conllu", text)], labelled=False)
    title, comment, *others = write_roles(items, [[Frame(1, (Span("A0", 0, 1),))]]).splitlines()[:-1]
    assert comment == "# a comment"
    assert {len(row.split("\t")) for row in others} == {len(title.split()) - 3} == {13}
    assert [row.split("\t", 10)[10] for row in others] == ["_\t_\t_", "_\t_\t_", "le\tA0:1\tA0:1-1", "_\t_\t_"]


def test_heads_instead_of_spans(file):
    items = read_roles([file("a.conllup", LISTS)], roles="up:argheads")
    assert items[0].frames[0].roles == (Span("A0", 1, 2), Span("AM-LOC", 4, 5))
    assert "A0:2|AM-LOC:5\tA0:2-2|AM-LOC:5-5" in write_roles(items, [items[0].frames])


def test_objects(file):
    rows = [
        {
            "id": 7,
            "tokens": ["Ann", "sings"],
            "frames": [{"predicate": 1, "sense": "sing.01", "roles": [["A0", 0, 1]]}],
        },
        {"tokens": ["Yes"], "frames": []},
    ]
    path = file("a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    items = read_roles([path])
    assert [item.frames for item in items] == [(Frame(1, (Span("A0", 0, 1),), "sing.01"),), ()]
    said = [json.loads(line) for line in write_roles(items, [items[0].frames, ()]).splitlines()]
    assert [row["predicted_frames"] for row in said] == [row["frames"] for row in rows]
    assert said[0]["id"] == 7
    bare = read_roles([file("b.jsonl", '{"words": ["Ann", "sings"]}\n')], labelled=False)
    assert bare[0].frames is None
    assert json.loads(write_roles(bare, [[Frame(1, ())]]))["predicted_frames"] == [{"predicate": 1, "roles": []}]


MISTAKES = [
    ("a.props", CONLL2005.replace("*)        *)", "*)        *))"), "line 2, column 7: a bracket is closed"),
    ("a.props", CONLL2005.replace("(A1*       *\n", "(A1*       x\n"), r"line 4, column 7: expected brackets .* 'x'"),
    ("a.props", CONLL2005.replace("run             *)", "run             *"), r"line 4, column 6: the .* \(A1"),
    ("a.props", CONLL2005.replace("run             *)    (V*)", "run             *)"), "line 5: 6 .* 1, has 7"),
    ("a.props", CONLL2005.replace("  run ", "  -   "), "line 1, column 5: 1 predicate and 2 columns of roles"),
    ("a.props", "-  (A0*)\nsing (V*)\n", "line 1: column 1 has predicates or roles where a column of words is"),
    ("a.gold_conll", CONLL2012.replace("(V*)    -", "*    -"), r"line 2, column 13: no predicate \(V\*\)"),
    ("en.conllu", ENGLISH.replace("\tARG1\tARG0", "\t\tARG0"), "line 6, column 12: an empty cell; write '_'"),
    ("en.conllu", ENGLISH.replace("leave.01", "_"), "line 3, column 11: 1 predicate and 2 columns of roles"),
    ("en.conllu", ENGLISH.replace("1\tAnn\t", "1\t \t"), "line 3, column 2: the word is empty"),
    ("a.conllup", LISTS.replace("A0:1-2|", "A0-1|"), r"line 5, column 13: expected roles as A0:1-2 .* 'A0-1'"),
    ("a.conllup", LISTS.replace("A0:1-2|", "A0:1-9|"), "line 5, column 13: 'A0:1-9' names the word 9, which the"),
    ("a.conllup", LISTS.replace("A0:1-2|", "A0:2-1|"), "line 5, column 13: 'A0:2-1' ends before it begins"),
    ("a.conllup", LISTS.replace("\t_\t_\t_\n2\t", "\n2\t"), "line 3: 10 columns, cut at tabs, where the format has"),
    ("a.conllup", LISTS.replace(" FORM", " FOM"), "no column FORM, so the words are missing"),
    ("a.conllup", LISTS.replace("UP:ARGHEADS UP:ARGSPANS", "A B"), "a column UP:PRED, but neither"),
    ("a.jsonl", '{"tokens": ["a"], "frames": [{"predicate": 1, "roles": []}]}', "frame 1: 'predicate' has to be the"),
    ("a.jsonl", '{"tokens": ["a"], "frames": [{"predicate": 0}]}', "frame 1: 'roles' has to be a list"),
    ("a.jsonl", '{"tokens": ["a"], "frames": [{"predicate": 0, "roles": [["A0", 0, 2]]}]}', "expected a role as"),
    ("a.jsonl", '{"tokens": "a"}', "'tokens' has to be a list of words"),
    ("a.jsonl", '{"tokens": ["a"], "frames": 3}', "'frames' has to be a list of frames"),
    ("a.txt", "Ann sings.\n", "no roles in it; they are read from"),
    ("a.conllu", "\n\n", "no sentences found"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "message"), MISTAKES)
def test_mistakes_are_told_with_their_place(file, name, text, message):
    with pytest.raises(LangnetError, match=message):
        read_roles([file(name, text)])


def test_columns_that_are_none(file):
    path = file("a.props", CONLL2005)
    with pytest.raises(LangnetError, match="there is no column 9; its first row has 7"):
        read_roles([path], words="9")
    with pytest.raises(LangnetError, match="'x' is no column of a file of roles"):
        read_roles([path], words="x")
    with pytest.raises(LangnetError, match="no column 'ROLES' of roles; it has UP:ARGHEADS, UP:ARGSPANS"):
        read_roles([file("a.conllup", LISTS)], roles="ROLES")
    assert read_roles([path], words="2")[0].words == ("DT", "NN", "VBZ", "TO", "VB")
    with pytest.raises(LangnetError, match="no file"):
        read_roles(["nowhere.conllu"])
    with pytest.raises(LangnetError, match="is a folder"):
        read_roles([path.parent])


NAMES = st.sampled_from(["A0", "A1", "AM-TMP", "C-A1", "R-A0", "V"])


@st.composite
def framed(draw):
    """Words, and for some of them roles that do not overlap each other nor the predicate."""
    length = draw(st.integers(1, 7))
    words = [f"w{n}" for n in range(length)]
    frames = []
    for place in sorted(draw(st.sets(st.integers(0, length - 1)))):
        cuts = sorted(draw(st.sets(st.integers(0, length), max_size=6)))
        roles = tuple(Span(draw(NAMES), a, b) for a, b in pairwise(cuts) if draw(st.booleans()) and not a <= place < b)
        frames.append(Frame(place, roles, "x.01"))
    return words, frames


@settings(max_examples=60, deadline=None)
@given(st.lists(framed(), min_size=1, max_size=3))
def test_any_roles_in_columns_and_back(tmp_path_factory, drawn):
    folder = tmp_path_factory.mktemp("roles")
    # As CoNLL-2005, with a first sentence that settles the columns.
    rows = [(["a", "b"], [Frame(1, (Span("A0", 0, 1),), "x.01")]), *drawn]
    text = ""
    for words, frames in rows:
        columns = [written_brackets([*f.roles, Span("V", f.predicate, f.predicate + 1)], len(words)) for f in frames]
        marks = ["x.01" if any(f.predicate == n for f in frames) else "-" for n in range(len(words))]
        lines = [" ".join(cells) for cells in zip(words, marks, *columns, strict=True)]
        text += "\n".join(lines) + "\n\n"
    path = folder / "a.props"
    path.write_text(text, encoding="utf8")
    items = read_roles([path])
    assert [(list(item.words), list(item.frames)) for item in items] == rows
    assert write_roles(items, [item.frames for item in items]) == text
    # And as lists, from plain words.
    (folder / "a.txt").write_text("".join(" ".join(words) + "\n" for words, _ in rows), encoding="utf8")
    plain = read_roles([folder / "a.txt"], labelled=False)
    (folder / "b.conllup").write_text(write_roles(plain, [frames for _, frames in rows]), encoding="utf8")
    again = read_roles([folder / "b.conllup"])
    assert [(list(item.words), list(item.frames)) for item in again] == rows


def test_arguments_join_their_continuations():
    roles = (Span("C-A1", 0, 1), Span("A0", 1, 2), Span("C-A0", 3, 4), Span("A0", 4, 5), Span("C-A0", 6, 7),
             Span("C-V", 7, 8), Span("R-A0", 8, 9), Span("C-R-A0", 9, 10), Span("C-A1", 10, 11))  # fmt: skip
    assert arguments(Frame(2, roles)) == [
        Argument("A1", 2, ((0, 1), (10, 11))),
        Argument("A0", 2, ((1, 2), (3, 4))),
        Argument("A0", 2, ((4, 5), (6, 7))),
        Argument("R-A0", 2, ((8, 9), (9, 10))),
    ]


def test_names_of_roles():
    assert [base_role(name) for name in ("A0", "C-A1", "R-AM-TMP", "C-R-A0")] == ["A0", "A1", "AM-TMP", "A0"]
    assert [name for name in ("A0", "ARG5", "AA", "ARGA", "AM-TMP", "C-A0", "A10", "ARG1-DSP") if is_core(name)] == [
        "A0", "ARG5", "AA", "ARGA",
    ]  # fmt: skip


def test_roles_that_overlap_are_thinned_out_and_told(file):
    roles = (Span("A0", 0, 2), Span("A1", 1, 5), Span("A2", 2, 3), Span("A3", 5, 6))
    assert flat_roles(roles) == [Span("A1", 1, 5), Span("A3", 5, 6)]
    assert spans(role_tags(Frame(5, roles), 6)) == [Span("A1", 1, 5), Span("A3", 5, 6)]
    items = read_roles([file("a.conllup", LISTS.replace("A0:1-2|", "A0:1-4|"))])
    assert "1 predicates have roles that overlap" in (overlapping(items) or "")
    assert overlapping(read_roles([file("b.conllup", LISTS)])) is None


def test_words_of_a_line():
    assert split_words("«Qué?» —dijo") == ["«", "Qué", "?", "»", "—", "dijo"]
    assert split_words("a.b, U.S.") == ["a.b", ",", "U.S", "."]
    assert split_words(" \t ") == []
