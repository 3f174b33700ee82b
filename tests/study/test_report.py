"""The report has all its parts, escapes what texts bring along, and loads nothing."""

import html.parser
import re
from dataclasses import replace
from itertools import pairwise

import pytest

from langnet.study.charts import Frame, Mark, Series, end_labels, nice_ticks, spread
from langnet.study.examples import contrast, shortened
from langnet.study.figures import training_curves
from langnet.study.html import Markup, escape, markup, table, tag
from langnet.study.methods import KINDS
from langnet.study.report import ReportFacts, report_html, write_report
from langnet.study.report_texts import rivals

FACTS = ReportFacts("made-up <reviews>", ["langnet study 'a b' --draws 2"], {"pretrain": 61.0}, ["One note."])
VOID = {"meta", "br", "hr", "col", "link", "img", "input"}


class Reader(html.parser.HTMLParser):
    """Checks that elements close in order, and collects what a page holds."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(page):
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def page(study, tiny_model):
    return report_html(study, tiny_model, FACTS)


def test_all_parts_are_there(page, study):
    text = "".join(read(page).text)
    assert study.headline in text
    for part in (
        "What pretraining bought: made-up <reviews>", "Before you believe it", "Accuracy against the number of labels",
        "What the labels are worth", "langnet beside its neighbours", "The language model", "bits a byte",
        "Which layers are read", "Class by class", "Confusions", "Text by text", "The reverse", "All scores",
        "How this was made", "langnet study 'a b' --draws 2", "machine", "One note.", "pretrain", "1:01",
        "All settings",
    ):  # fmt: skip
        assert part in text, part
    for method in study.methods:
        assert KINDS[method].name in text
    for p in study.points:
        assert f"{p.accuracy:.3f}" in text
        assert str(p.interval) in text
    assert all(warning in text for warning in study.warnings)


def test_it_loads_nothing(page):
    reader = read(page)
    assert not {"script", "link", "img", "iframe", "object", "embed", "base", "form"} & set(reader.tags)
    loading = [a for a in reader.attributes if a[1] in ("src", "href", "srcset", "xlink:href", "data", "action")]
    assert loading == []
    assert not [a for a in reader.attributes if a[1].startswith("on")]
    style = re.search(r"<style>(.*?)</style>", page, re.S).group(1)
    assert "url(" not in style
    assert "@import" not in style
    assert "default-src &#x27;none&#x27;" in page


def test_pictures_have_names_and_tables(page):
    reader = read(page)
    pictures = [a for a in reader.attributes if a[0] == "svg" and a[1] == "role"]
    described = [a for a in reader.attributes if a[0] == "svg" and a[1] == "aria-label" and len(a[2]) > 20]
    assert len(pictures) == len(described) >= 5
    assert reader.tags.count("table") >= 6
    assert ("html", "lang", "en") in reader.attributes


def test_texts_are_escaped(study, tiny_model):
    evil = "<script>alert('x')</script> <img src=x onerror=alert(1)> & \"quotes\" \x00\x1b \ud800"
    texts = [evil + text for text in study.test.texts]
    changed = replace(study, test=replace(study.test, texts=texts, sources=[evil] * len(texts)))
    facts = replace(FACTS, data=evil, commands=[evil], notes=[evil])
    page = report_html(changed, tiny_model, facts)
    reader = read(page)
    assert "script" not in reader.tags
    assert "img" not in reader.tags
    assert "<script>alert('x')</script>" in "".join(reader.text)
    page.encode("utf8")
    assert "\x00" not in page


def test_class_names_are_escaped(study, tiny_model):
    names = ["<b>neg</b>", '"pos"&']
    number = dict(zip(study.class_names, names, strict=True))
    test = replace(study.test, labels=[number[label] for label in study.test.labels])
    reader = read(report_html(replace(study, class_names=names, test=test), tiny_model, FACTS))
    assert "<b>neg</b>" in "".join(reader.text)


def test_written_whole_and_again(tmp_path, study, tiny_model, page):
    path = write_report(tmp_path / "deep er" / "réport.html", study, tiny_model, FACTS)
    write_report(path, study, tiny_model, FACTS)
    assert path.read_text(encoding="utf8") == page
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_study_without_langnet_or_history(study, tiny_model):
    cells = [cell for cell in study.cells if cell.method in ("majority", "tfidf")]
    bare = replace(study, cells=cells)
    assert "nothing to say about pretraining" in report_html(bare, replace(tiny_model, history=[], facts={}), FACTS)
    read(report_html(replace(study, cells=[]), tiny_model, FACTS))


def test_examples_are_what_they_are_said_to_be(study):
    ours, theirs, n_labels = rivals(study)
    found = contrast(study, ours, theirs, n_labels, 4, 2)
    assert sum(found.counts) == len(study.test)
    assert len(found.first_only) == min(4, found.counts[1])
    assert len(found.second_only) == min(2, found.counts[2])
    assert all(shown.first == shown.gold != shown.second for shown in found.first_only)
    assert all(shown.second == shown.gold != shown.first for shown in found.second_only)
    assert contrast(study, "finetune", "scratch", 999, 1, 1) is None


def test_long_texts_are_shortened():
    assert shortened(" a b ") == "a b"
    short = shortened("word " * 500, 100)
    assert short.endswith("word […]")
    assert len(short) <= 105
    assert len(shortened("x" * 5000, 100)) == 104


class TestMarkup:
    def test_escaping_is_the_default(self):
        assert tag("p", "a < b", title='"') == '<p title="&quot;">a &lt; b</p>'
        assert tag("p", Markup("<b>x</b>"), None, [1, ["&"]]) == "<p><b>x</b>1&amp;</p>"
        assert escape(escape("<")) == "&lt;"
        assert markup(None) == ""

    def test_attributes(self):
        assert tag("meta", http_equiv="x", class_="y", id=None) == '<meta http-equiv="x" class="y">'
        assert tag("line", x1=1.0, x2=2.345) == '<line x1="1" x2="2.35"></line>'

    def test_tables_have_scopes(self):
        made = table(("a", "b"), [["x", "1"]], caption="c")
        assert '<th scope="row">x</th><td class="number">1</td>' in made
        assert "<caption>c</caption>" in made


class TestCharts:
    @pytest.mark.parametrize(
        ("low", "high"), [(0, 1), (0.2, 0.93), (1.9, 2.6), (0, 12345678), (5, 5), (5.3, 5.3), (0, 0)]
    )
    def test_ticks_hold_the_values(self, low, high):
        ticks = nice_ticks(low, high)
        assert len(ticks) >= 2
        assert ticks[0] <= low + 1e-9
        assert ticks[-1] >= high - 1e-9
        assert len(ticks) <= 8

    @pytest.mark.parametrize("value", [5.3, 2.0, 1.2345])
    def test_a_run_of_one_record_is_drawn(self, value):
        place = {"tokens": 100, "minutes": 0.01}
        records = [{"loss": value, **place}, {"validation_bits_per_byte": 2.0, **place}]
        assert f": {value:.3f}" in (training_curves(records) or "")

    def test_names_are_pushed_apart_and_stay_inside(self):
        assert spread([10, 100], 15, 0, 200) == [10, 100]
        assert spread([50, 50], 15, 0, 200) == pytest.approx([42.5, 57.5])
        places = spread([95, 96, 97, 98], 15, 0, 100)
        assert places[-1] <= 100
        assert all(b - a >= 15 - 1e-9 for a, b in pairwise(places))

    def test_scales(self):
        frame = Frame(400, 300, left=50, right=50)
        x, y = frame.x(10, 1000, log=True), frame.y(0, 1)
        assert (x(10), x(100), x(1000)) == pytest.approx((50, 200, 350))
        assert y(1) < y(0)

    def test_lines_that_end_close_together_share_a_column(self):
        frame = Frame(860, 400, right=200)
        x, y = frame.x(50, 1600, log=True), frame.y(0, 1)
        series = [
            Series("frozen", "a rather long name", [Mark(n, v, v, v, "")])
            for n, v in ((1600, 0.8), (800, 0.8), (50, 0.8))
        ]
        labels = "".join(end_labels(frame, series, x, y))
        starts = re.findall(r'<text class="label[^"]*" x="([\d.]+)"', labels)
        assert len(set(starts)) == 2
