"""Coreference: spans and links by hand, parts of long documents as the whole, and a rule that is learned."""

import numpy as np
import pytest
import torch

from langnet.errors import LangnetError
from langnet.evaluate.chain_baselines import MentionRules
from langnet.evaluate.chain_scores import N_STATISTICS
from langnet.evaluate.scoring import scores_with_intervals
from langnet.recipes.finetune_options import FinetuneOptions
from langnet.recipes.kinds.corefer import Coreference
from langnet.recipes.kinds.kind import HeadOptions
from langnet.recipes.pretrain import PretrainOptions, pretrain
from langnet.recipes.transfer import TransferOptions, evaluate_task, transfer
from langnet.tasks import antecedents, mentions
from langnet.tasks.antecedents import AntecedentScorer, Links, SpanFacts, antecedent_loss, bucket
from langnet.tasks.corefer import Corefer, CoreferConfig, segments
from langnet.tasks.mentions import MentionScorer, Spans, possible_spans
from langnet.text.chains import Document, PronounChoice
from langnet.text.coreference_files import read_documents, write_documents

W, D, H, L = 9, 5, 6, 4


@pytest.fixture
def scorer():
    torch.manual_seed(0)
    return MentionScorer(D, H, L, 0.0).double().eval()


@pytest.fixture
def words():
    return torch.randn(W, D, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


class TestMentions:
    def test_spans_by_hand(self, scorer, words):
        states, scores = scorer(words)
        first, last, head = scorer.ends(words).chunk(3, dim=1)
        logits = mentions._SHARPEST * torch.tanh(scorer.attention(words)[:, 0] / mentions._SHARPEST)
        for a in range(W):
            for length in range(min(L, W - a)):
                inside = slice(a, a + length + 1)
                mean = logits[inside].softmax(0) @ head[inside]
                expected = (first[a] + last[a + length] + mean + scorer.width.weight[length]).relu()
                torch.testing.assert_close(states[a, length], expected)
                torch.testing.assert_close(scores[a, length], scorer.scores(expected).float())

    def test_possible_spans(self):
        found = possible_spans(torch.tensor([0, 2, 6]), W, L)
        sentence = [0, 0, 1, 1, 1, 1, 2, 2, 2]
        for a in range(W):
            for length in range(L):
                expected = a + length < W and sentence[a] == sentence[a + length]
                assert bool(found[a, length]) == expected
        assert possible_spans(torch.tensor([0]), 0, L).shape == (0, L)

    def test_parts_of_a_document_are_the_whole(self, scorer, words, monkeypatch):
        possible = possible_spans(torch.tensor([0, 5]), W, L)
        forced = torch.zeros_like(possible)
        forced[2, 3] = forced[8, 0] = True
        whole = scorer.kept(words, possible, 6, forced)
        monkeypatch.setattr(mentions, "WORDS_AT_ONCE", 2)
        parts = scorer.kept(words, possible, 6, forced)
        for name in ("first", "last", "states", "link", "mention"):
            torch.testing.assert_close(getattr(parts, name), getattr(whole, name))
        kept = set(zip(whole.first.tolist(), whole.last.tolist(), strict=True))
        assert {(2, 5), (8, 8)} <= kept
        values = scorer(words)[1][..., 0][possible].sort(descending=True).values
        assert whole.mention.sort(descending=True).values[:3].min() >= values[5]


class TestAntecedents:
    def make(self, n, matches=True, count=3):
        torch.manual_seed(2)
        scorer = AntecedentScorer(H, count, matches, 0.0).double().eval()
        for weight in scorer.parameters():
            torch.nn.init.normal_(weight, std=0.5)
        states = torch.randn(n, H, dtype=torch.float64)
        place = torch.arange(n)
        spans = Spans(place, place, states, torch.randn(n, dtype=torch.float64), torch.zeros(n))
        return scorer, spans, SpanFacts(place // 3, place % 4, place % 2)

    def test_what_is_asked_of_is_kept_in_the_shortest_document(self, scorer, words):
        possible = possible_spans(torch.tensor([0]), W, L)
        wanted = torch.zeros_like(possible)
        wanted[[0, 3, 7], 0] = True
        for count, left in ((1, 3), (3, 3), (4, 4)):
            spans = scorer.kept(words, possible, count, wanted)
            assert len(spans) == left
            assert {0, 3, 7} <= set(spans.first[spans.first == spans.last].tolist())

    def test_pairs_by_hand(self):
        scorer, spans, facts = self.make(7)
        links = scorer(spans, facts)
        for i in range(7):
            pairs = []
            for j in range(i):
                x, y = spans.states[i], spans.states[j]
                match = 2 if facts.words[i] == facts.words[j] else int(facts.last[i] == facts.last[j])
                distance, apart = bucket(torch.tensor(i - j)), bucket(facts.sentence[i] - facts.sentence[j])
                coarse = y @ scorer.coarse(x) + spans.link[i] + spans.link[j]
                coarse = coarse + scorer.coarse_distance.weight[distance, 0] + scorer.coarse_same.weight[match, 0]
                fine = scorer.mine(x) + scorer.other(y) + scorer.both(x * y) + scorer.same.weight[match]
                fine = fine + scorer.mentions_between.weight[distance] + scorer.sentences_between.weight[apart]
                pairs.append((coarse.item(), (coarse + scorer.output(fine.relu())[0]).item(), j))
            expected = {j: score for _, score, j in sorted(pairs, reverse=True)[:3]}
            found = {
                j: s for j, s in zip(links.antecedents[i].tolist(), links.scores[i, 1:].tolist(), strict=True) if j >= 0
            }
            assert found == pytest.approx(expected, rel=1e-5)
            assert links.scores[i, 0] == 0

    def test_blocks_are_the_whole(self, monkeypatch):
        scorer, spans, facts = self.make(11)
        whole = scorer(spans, facts)
        monkeypatch.setattr(antecedents, "BLOCK", 4)
        parts = scorer(spans, facts)
        assert torch.equal(parts.antecedents.sort(1).values, whole.antecedents.sort(1).values)
        torch.testing.assert_close(parts.scores.logsumexp(1), whole.scores.logsumexp(1))
        monkeypatch.setattr(antecedents, "REACH", 2)
        assert all(
            row[row >= 0].min() >= max(0, i // 4 * 4 - 2) for i, row in enumerate(scorer(spans, facts).antecedents) if i
        )

    def test_buckets(self):
        distances = [0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 31, 32, 10_000]
        assert [int(bucket(torch.tensor(d))) for d in distances] == [0, 1, 2, 3, 4, 5, 5, 6, 6, 7, 7, 8, 11]

    def test_loss_by_hand(self):
        scores = torch.tensor([[0.0, -np.inf, -np.inf], [0.0, 1.0, -np.inf], [0.0, 2.0, 0.5], [0.0, -1.0, 0.3]])
        links = Links(torch.tensor([[-1, -1], [0, -1], [1, 0], [2, 1]]), scores)
        chain = torch.tensor([5, -1, 5, -1])
        shares = scores.softmax(1)
        expected = [0.0, -shares[1, 0].log(), -shares[2, 2].log(), -shares[3, 0].log()]
        assert antecedent_loss(links, chain) == pytest.approx(float(sum(expected)) / 4, rel=1e-6)
        counted = torch.tensor([False, False, True, False])
        assert antecedent_loss(links, chain, counted) == pytest.approx(float(expected[2]), rel=1e-6)
        assert antecedent_loss(links, chain, torch.zeros(4, dtype=torch.bool)) == 0

    def test_gradients_are_finite(self):
        scorer, spans, facts = self.make(5)
        states = spans.states.requires_grad_()
        antecedent_loss(scorer(spans, facts), torch.tensor([0, 0, -1, 0, -1])).backward()
        assert torch.isfinite(states.grad).all()
        assert all(torch.isfinite(p.grad).all() for p in scorer.parameters())


def test_segments():
    document = Document(tuple("abcdefghij"), (0, 3, 5, 9), (((0, 0), (4, 4), (6, 6)), ((2, 3),)))
    parts = segments(document, 5)
    assert [part.words for part in parts] == [tuple("abcde"), tuple("fghij")]
    assert [part.sentences for part in parts] == [(0, 3), (0, 4)]
    assert parts[0].chains == (((0, 0), (4, 4)), ((2, 3),))
    assert parts[1].chains == (((1, 1),),)
    assert [part.words for part in segments(document, 2)][:2] == [("a", "b"), ("c",)]
    assert segments(document, 10) == [document]


NAMES = {"Ann": "she", "Eve": "she", "Tom": "he", "Max": "he"}


def stories(n, seed):
    """Two people, a woman and a man, and then one of them by a pronoun."""
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(n):
        woman, man = generator.choice(["Ann", "Eve"]), generator.choice(["Tom", "Max"])
        two = [woman, man] if generator.random() < 0.5 else [man, woman]
        meant = int(generator.integers(2))
        words = (two[0], "met", two[1], "at", "home", ".", NAMES[two[meant]], "sang", ".")
        found.append(
            Document(tuple(words), (0, 6), tuple(sorted([((2 * meant, 2 * meant), (6, 6)), ((2 - 2 * meant,) * 2,)])))
        )
    return found


@pytest.fixture(scope="module")
def story_model():
    raw = [" ".join(story.words) for story in stories(60, 9)]
    options = PretrainOptions("gpt", "tiny", context=32, steps=5, batch_tokens=256, document_vectors=False)
    return pretrain(raw, options, texts=True)


def test_a_rule_is_learned(story_model):
    options = TransferOptions(FinetuneOptions("scratch", epochs=8, batch_size=8), HeadOptions(0.0, 16, {"width": 32}))
    kind, test = Coreference(), stories(40, 2)
    model = transfer(story_model, kind, stories(120, 1), options)
    report, guesses = evaluate_task(model, kind, test, stories(120, 1))
    scores = {row.name: row.scores["CoNLL_F1"].value for row in report.rows}
    assert scores["this model"] > 0.95
    assert scores["nearest mention"] < 0.9
    assert scores["no chains"] == 0
    assert all(0.5 < share <= 1 for guess in guesses for _, _, share in guess.links)


def test_pronouns_of_gap(story_model):
    def asked(story):
        pronoun, a, b = (6, 6), (0, 0), (2, 2)
        linked = {span for chain in story.chains if pronoun in chain for span in chain}
        choice = PronounChoice(pronoun, a, b, (a in linked, b in linked), story.words[6] == "she")
        return Document(story.words, story.sentences, tuple(c for c in story.chains if pronoun in c), choice=choice)

    items, kind = [asked(story) for story in stories(160, 3)], Coreference()
    options = TransferOptions(FinetuneOptions("scratch", epochs=5, batch_size=8), HeadOptions(0.0, 16, {"width": 32}))
    model = transfer(story_model, kind, items[:120], options)
    report, _ = evaluate_task(model, kind, items[120:], items[:120])
    scores = report.rows[0].scores
    assert set(scores) == {"F1", "masculine_F1", "feminine_F1", "bias"}
    assert scores["F1"].value > 0.9
    assert kind.written(items[:1], model.guess(items[:1])).count("\t") == 2


@pytest.mark.parametrize(
    ("asked", "counted"),
    [(None, [1, 2, 3]), (PronounChoice((2, 2), (0, 0), (1, 1)), [2]), (PronounChoice((2, 2), (0, 0), (3, 3)), [2, 3])],
)
def test_how_sure_a_document_is(asked, counted):
    """The mean of the greatest shares: of what is a mention or linked, here not the first; of what a question asks."""
    task = Corefer(CoreferConfig(), D)
    at, mention = torch.arange(4), torch.tensor([-1.0, 2.0, -1.0, 1.0])
    spans = Spans(at, at, torch.zeros(4, H), torch.zeros(4), mention)
    scores = torch.tensor([[0, -99.0, -99.0], [0, -1.0, -99.0], [0, 0.5, -1.0], [0, -3.0, 2.0]])
    guess = task._guess(spans, Links(torch.tensor([[-1, -1], [0, -1], [1, 0], [2, 1]]), scores), asked)
    shares = np.exp(scores.numpy()).max(1) / np.exp(scores.numpy()).sum(1)
    assert guess.sure == pytest.approx(shares[counted].mean(), rel=1e-5)
    assert [(mention, other) for mention, other, _ in guess.links] == [((2, 2), (1, 1)), ((3, 3), (1, 1))]
    assert task._guess(spans.take(at[:1]), Links(torch.tensor([[-1]]), torch.zeros(1, 2)), None).sure == 0


class TestRules:
    def test_what_was_a_mention_is_one(self):
        rules = MentionRules(stories(50, 0))
        (story,) = stories(1, 4)
        assert rules.mentions(story) == [(0, 0), (2, 2), (6, 6)]
        assert rules.pronouns == {"she", "he"}
        nearest = rules.nearest(story, singletons=False)
        assert nearest == (((2, 2), (6, 6)),)
        assert rules.same_words(story, singletons=False) == ()
        assert len(rules.same_words(story, singletons=True)) == 3


class TestSettings:
    @pytest.mark.parametrize(
        ("settings", "told"),
        [
            ({"depth": "2"}, "has no setting 'depth'"),
            ({"matches": "maybe"}, "matches is 'maybe'; the task 'corefer' knows on, off"),
            ({"width": "wide"}, "width is 'wide'; the task 'corefer' takes a whole number there"),
            ({"width": "0"}, "width must be 1 or more"),
            ({"share": "0"}, "the share of mentions a word must be above 0"),
        ],
    )
    def test_refused(self, tiny_model, settings, told):
        with pytest.raises(LangnetError, match=told):
            Coreference().head(stories(3, 0), tiny_model.encoder, HeadOptions(settings=settings))

    def test_nothing_to_learn(self, tiny_model):
        with pytest.raises(LangnetError, match="no two mentions"):
            Coreference().head([Document(("a",), chains=(((0, 0),),))], tiny_model.encoder, HeadOptions())
        assert CoreferConfig().share == 0.4


def test_mentions_of_one_chain_do_not_cross(tmp_path):
    """Brackets that cross within a chain are read back as other mentions, so the second is linked to none."""
    places = torch.tensor([[0, 0], [0, 2], [1, 3], [3, 3]])
    spans = Spans(*places.T, torch.zeros(4, H), torch.zeros(4), torch.ones(4))
    every = torch.tensor([[-1, -1], [0, -1], [1, 0], [2, 1]])
    links = Links(every, torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]]))
    task = Corefer(CoreferConfig(hidden=H, singletons=True), D)
    guess = task._guess(spans, links, None)
    assert guess.chains == (((0, 0), (0, 2), (3, 3)), ((1, 3),))
    assert [(mention, other) for mention, other, _ in guess.links] == [((0, 2), (0, 0)), ((3, 3), (0, 2))]
    document = Document(tuple("abcd"))
    (tmp_path / "a.conll").write_text(write_documents([document], [guess.chains]))
    assert read_documents([tmp_path / "a.conll"])[0].chains == guess.chains


def test_no_ratio_to_masculine_pronouns_of_which_none_is_right():
    """It was 10**12 times the F1 of feminine ones, or an interval up to there."""
    none, right, wrong = [0] * 3, [1, 0, 0], [0, 1, 1]
    rows = np.array([[*[0] * N_STATISTICS, *masculine, *right] for masculine in (none, wrong, right)])
    scores = Coreference().scores(rows)
    np.testing.assert_array_equal(scores["bias"], [np.nan, np.nan, 1.0])
    found = scores_with_intervals(rows, Coreference().scores)["bias"]
    assert found.interval.high < 10
    assert np.isnan(scores_with_intervals(rows[[1, 1]], Coreference().scores)["bias"].interval.low)
