"""Files of tagged words: columns, CoNLL-U and lists read, written back with other tags and nothing else changed."""

import bz2
import gzip
import json
from typing import ClassVar

import pandas as pd
import pytest

from langnet.errors import LangnetError
from langnet.text.columns import feature_of, with_feature
from langnet.text.tagged import describe_faults, read_tagged, write_tagged
from langnet.text.tagged_sentences import Sentence

CONLL = """-DOCSTART- -X- O O

EU NNP B-NP B-ORG
rejects VBZ B-VP O
. . O O

-DOCSTART- -X- O O

# # O O
1 CD B-NP O

"""
CONLLU = """# newdoc id = d
# sent_id = 1
# text = I don't.
1\tI\tI\tPRON\tPRP\tCase=Nom|Number=Sing\t2\tnsubj\t_\t_
2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
2\tdo\tdo\tAUX\tVBP\t_\t0\troot\t_\t_
3\tn't\tnot\tPART\tRB\t_\t2\tadvmod\t_\t_
3.1\tgo\tgo\tVERB\tVB\t_\t_\t_\t2:ccomp\t_
4\t.\t.\tPUNCT\t.\t_\t2\tpunct\t_\t_

# sent_id = 2
1\t#\t#\tSYM\t#\tNumber=Plur\t0\troot\t_\t_

"""


@pytest.fixture
def file(tmp_path):
    def write(text, name="words.conll"):
        path = tmp_path / name
        path.write_text(text, encoding="utf8", newline="")
        return path

    return write


def words_and_tags(sentences):
    return [list(zip(s.words, s.tags or [None] * len(s.words), strict=True)) for s in sentences]


class TestColumns:
    def test_are_read_with_the_last_as_tags(self, file):
        first, second = read_tagged([file(CONLL)])
        assert first.words == ("EU", "rejects", ".")
        assert first.tags == ("B-ORG", "O", "O")
        assert first.source.endswith("words.conll:3")
        assert second.words == ("#", "1")  # a sign, no comment: it has as many columns

    @pytest.mark.parametrize(("column", "tags"), [("2", "NNP VBZ ."), ("-2", "B-NP B-VP O"), ("1", "")])
    def test_by_number(self, file, column, tags):
        if not tags:
            with pytest.raises(LangnetError, match="column 1 cannot hold both words and tags"):
                read_tagged([file(CONLL)], tags=column)
            return
        assert read_tagged([file(CONLL)], tags=column)[0].tags == tuple(tags.split())
        assert read_tagged([file(CONLL)], words="2", tags="3")[0].words == ("NNP", "VBZ", ".")

    def test_tabs_leave_blanks_in_words(self, file):
        text = "New York\tB-LOC\r\n\u00a0\u2028x\tO\r\n\t\r\n\t\r\nI\tO\r\n"
        found = read_tagged([file(text.replace("\u00a0\u2028x", "a\u00a0\u2028b"))])
        assert words_and_tags(found) == [[("New York", "B-LOC"), ("a\u00a0\u2028b", "O")], [("I", "O")]]

    def test_comments_stand_before_a_sentence(self, file):
        text = "# id 5239 domain=en\n# text = x\n#tag\tO\nx\tO\n\n# next\ny\tO\n"
        assert [s.words for s in read_tagged([file(text)])] == [("#tag", "x"), ("y",)]

    def test_a_comment_that_names_an_address(self, file):
        (sentence,) = read_tagged([file("#\thttp://de.org/\t[2009]\n1\tEr\tB-PER\n\n", "a.tsv")], words="2")
        assert (sentence.words, sentence.tags) == (("Er",), ("B-PER",))

    def test_guesses_stand_behind_or_in_place(self, file):
        path = file(CONLL)
        tags = [["B-X", "I-X", "O"], ["O", "O"]]
        behind = write_tagged(read_tagged([path]), tags).splitlines()
        assert behind[:5] == [
            "-DOCSTART- -X- O O O",
            "",
            "EU NNP B-NP B-ORG B-X",
            "rejects VBZ B-VP O I-X",
            ". . O O O",
        ]
        assert write_tagged(read_tagged([path], labelled=False), tags).splitlines() == behind
        replaced = write_tagged(read_tagged([path], tags="4", labelled=False), tags)
        assert replaced == CONLL.replace("B-ORG", "B-X").replace("B-VP O", "B-VP I-X")

    @pytest.mark.parametrize("end", ["", "\n", "\n\n", "\r\n"])
    def test_of_words_alone(self, file, end):
        path = file("a\nb" + end, "new.txt")
        (sentence,) = read_tagged([path], labelled=False)
        assert sentence.tags is None
        assert write_tagged([sentence], [["X", "Y"]]) == "a\tX\nb\tY" + end

    def test_blanks_between_columns_stay(self, file):
        text = "  a   O  \nb\tO\n"
        found = read_tagged([file(text)], tags="2", labelled=False)
        assert write_tagged(found, [["X", "Y"]]) == "  a   X  \nb\tY\n"

    def test_several_files_stay_apart(self, file):
        paths = [file("a O", "1.conll"), file("b O\n", "2.conll")]
        found = read_tagged(paths, tags="2", labelled=False)
        assert write_tagged(found, [["X"], ["Y"]]) == "a X\n\nb Y\n"

    @pytest.mark.parametrize(("suffix", "packed"), [(".gz", gzip.compress), (".bz2", bz2.compress)])
    def test_compressed(self, tmp_path, suffix, packed):
        path = tmp_path / f"x.conllu{suffix}"
        path.write_bytes(packed(CONLLU.encode()))
        assert len(read_tagged([path])) == 2

    @pytest.mark.parametrize(
        ("text", "options", "told"),
        [
            ("a O\nb\n", {}, "line 2: 1 column where line 1 has 2"),
            ("a O\n# b c\n", {}, "line 2: 3 columns where line 1 has 2"),
            ("a\nb\n", {}, "line 1: one column alone"),
            ("a\tO\nb\t\n", {}, "line 2, column 2: the tag is empty"),
            ("a\tO\n\tO\n", {}, "line 2, column 1: the word is empty"),
            ("a O\n", {"tags": "3"}, "there is no column 3; the rows have 2"),
            ("a O\n", {"tags": "0"}, "there is no column 0"),
            ("a O\n", {"tags": "ner"}, "'ner' is none of them; give a number from 1 to 2"),
            ("a O\n", {"words": "x"}, "'x' is none of them"),
            ("", {}, "no sentences found"),
        ],
    )
    def test_bad_rows_are_named(self, file, text, options, told):
        with pytest.raises(LangnetError, match=told):
            read_tagged([file(text)], **options)

    def test_other_bad_files(self, tmp_path, file):
        (tmp_path / "p.conll").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9)
        (tmp_path / "d.conll.gz").write_bytes(b"\x1f\x8b\x08\x00nonsense")
        for path, told in [
            (tmp_path / "p.conll", "is no plain text"),
            (tmp_path / "d.conll.gz", "cannot read"),
            (tmp_path / "none", "there is no file"),
            (tmp_path, "is a folder"),
        ]:
            with pytest.raises(LangnetError, match=told):
                read_tagged([path])


class TestCoNLLU:
    @pytest.mark.parametrize("name", ["x.conllu", "x.txt"])
    def test_words_and_their_parts_of_speech(self, file, name):
        first, second = read_tagged([file(CONLLU, name)])
        assert words_and_tags([first]) == [[("I", "PRON"), ("do", "AUX"), ("n't", "PART"), (".", "PUNCT")]]
        assert second.words == ("#",)

    @pytest.mark.parametrize(
        ("column", "tags"),
        [
            ("xpos", "PRP VBP RB ."),
            ("LEMMA", "I do not ."),
            ("4", "PRON AUX PART PUNCT"),
            ("FEATS.Number", "Sing _ _ _"),
            ("feats.Case", "Nom _ _ _"),
            ("misc.X", "_ _ _ _"),
        ],
    )
    def test_other_columns_and_features(self, file, column, tags):
        assert read_tagged([file(CONLLU, "x.conllu")], tags=column)[0].tags == tuple(tags.split())

    @pytest.mark.parametrize("column", ["upos", "xpos", "FEATS.Number", "FEATS", None])
    def test_come_back_as_they_were(self, file, column):
        path = file(CONLLU, "x.conllu")
        tags = [sentence.tags for sentence in read_tagged([path], tags=column)]
        name = {"upos": "UPOS", "xpos": "XPOS", None: "UPOS"}.get(column, column)
        text = write_tagged(read_tagged([path], tags=column, labelled=False), tags)
        # The first row of the file is that of the ID 1; what stands before it are comments.
        assert text.replace(f"# langnet predicted {name}\n1\tI", "1\tI") == CONLLU
        assert text.count("# langnet predicted ") == 1

    def test_guesses(self, file):
        path, tags = file(CONLLU, "x.conllu"), [["A", "B", "C", "D"], ["E"]]
        lines = write_tagged(read_tagged([path], labelled=False), tags).splitlines()
        assert lines.pop(3) == "# langnet predicted UPOS"
        assert lines[3].split("\t")[3] == "A"
        assert lines[4] == CONLLU.splitlines()[4]  # a range of words is none
        assert lines[7] == CONLLU.splitlines()[7]  # nor is an empty node
        beside = write_tagged(read_tagged([path]), tags).splitlines()
        assert beside[3].endswith("PRP\tCase=Nom|Number=Sing\t2\tnsubj\t_\tPredicted=A")

    def test_plus_names_its_columns(self, file):
        text = "# global.columns = ID FORM UPOS NER\n1\ta\tX\tB-y\n2\tb\tX\tO\n"
        assert read_tagged([file(text, "x.conllup")], tags="NER")[0].tags == ("B-y", "O")
        assert read_tagged([file(text, "x.conllup")])[0].tags == ("X", "X")

    def test_mistakes(self, file):
        path = file(CONLLU, "x.conllu")
        with pytest.raises(LangnetError, match="there is no column 'NER'; the columns are ID, FORM"):
            read_tagged([path], tags="NER")
        with pytest.raises(LangnetError, match="line 1: 2 columns, cut at tabs, where the format has 10"):
            read_tagged([file("1\ta\n", "y.conllu")])

    def test_features(self):
        assert feature_of("Case=Nom|Number=Sing", "Number") == "Sing"
        assert feature_of("_", "Number") == "_"
        assert with_feature("Case=Nom|abc=1", "Aa", "x") == "Aa=x|abc=1|Case=Nom"
        assert with_feature("_", "A", "x") == "A=x"
        assert with_feature("A=x", "A", "_") == "_"


class TestLists:
    ROWS: ClassVar = [{"id": 7, "tokens": ["Ann", "sings"], "tags": ["B-n", "O"]}, {"id": 8, "tokens": [], "tags": []}]

    def test_are_read_and_written(self, file):
        path = file("".join(json.dumps(row) + "\n" for row in self.ROWS), "x.jsonl")
        found = read_tagged([path])
        assert words_and_tags(found) == [[("Ann", "B-n"), ("sings", "O")], []]
        rows = [json.loads(line) for line in write_tagged(found, [["O", "O"], []]).splitlines()]
        assert rows[0] == {**self.ROWS[0], "predicted_tags": ["O", "O"]}
        rows = [json.loads(s) for s in write_tagged(read_tagged([path], labelled=False), [["X", "Y"], []]).splitlines()]
        assert rows == [{**self.ROWS[0], "predicted_tags": ["X", "Y"]}, {**self.ROWS[1], "predicted_tags": []}]

    def test_in_parquet_and_json(self, tmp_path, file):
        pd.DataFrame(self.ROWS).to_parquet(tmp_path / "x.parquet")
        path = file(json.dumps(self.ROWS), "x.json")
        assert [s.tags for s in read_tagged([tmp_path / "x.parquet", path])] == 2 * [("B-n", "O"), ()]

    @pytest.mark.parametrize(
        ("row", "told"),
        [
            ({"tokens": ["a"]}, "there is no column 'tags'"),
            ({"tokens": ["a"], "tags": ["O", "O"]}, "2 tags in 'tags' for 1 words"),
            ({"tokens": "a", "tags": ["O"]}, "'tokens' holds text where a list is expected"),
            ({"tokens": ["a"], "tags": None}, "'tags' holds NoneType where a list"),
            ({"tokens": [1], "tags": ["O"]}, "word 1: expected text, found 1"),
            ({"tokens": ["a"], "tags": [""]}, "tag 1: the tag is empty"),
            ({"tokens": ["a"], "tags": [3]}, "the tag 3 is a number, and nothing says what it stands for"),
        ],
    )
    def test_bad_rows_are_named(self, file, row, told):
        with pytest.raises(LangnetError, match=f"x.jsonl, line 1.*{told}"):
            read_tagged([file(json.dumps(row), "x.jsonl")])

    def test_numbers_with_names(self, file):
        path = file(json.dumps({"tokens": ["a", "b"], "ner_tags": [1, 0]}), "x.jsonl")
        assert read_tagged([path], names=["O", "B-x"])[0].tags == ("B-x", "O")
        with pytest.raises(LangnetError, match="the tag 1 has no name; there are 1 names"):
            read_tagged([path], names=["O"])


def test_sentences_of_no_file():
    assert write_tagged([Sentence(("a", "b")), Sentence(())], [["X", "Y"], []]) == "a\tX\nb\tY\n\n\n"


def test_faults_are_described():
    assert describe_faults([Sentence(("a",), ("B-x",))], "iob2") is None
    told = describe_faults([Sentence(("a", "b"), ("O", "I-x"), "f:3")], "iob2")
    assert told is not None
    assert "1 tags break the scheme IOB2" in told
    assert "f:3: 'I-x' where IOB2 has 'B-x', word 2, 'b'" in told
