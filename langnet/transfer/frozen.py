"""Frozen features: every document is encoded once, and a linear head with a scalar mix learns on what was read.

The mean over positions and the mix over layers are both linear, so their order does not matter: pooling each layer
first gives the same features as Peters et al. 2018, and training takes seconds whatever the encoder's size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from langnet.encoders.encoder import Encoder
from langnet.tasks.document_head import DocumentHead
from langnet.tasks.examples import Example, collate, in_order
from langnet.tasks.pooling import pool
from langnet.transfer.cross_validation import best_temperature, held_out_scores, stratified_splits
from langnet.transfer.features import ScalarMix, as_wide, normalise_states

TOKENS_AT_ONCE = 8192
STRENGTHS = (0.5, 2.0, 8.0, 32.0, 128.0)
_SMALL = 2_000_000  # values in a table up to which a second thread costs more than it brings


@dataclass
class FeatureTable:
    """What was read of N documents.

    Attributes:
        layers: (N, L, D) mean states of each layer, normalised at every position, then padded to the width of a mix; L
            counts the embeddings.
        document: (N, K) features of the whole document; K may be 0.
    """

    layers: Tensor
    document: Tensor

    def rows(self, index: Sequence[int] | np.ndarray) -> FeatureTable:
        """The table of some documents."""
        chosen = torch.as_tensor(np.asarray(index), dtype=torch.long)
        return FeatureTable(self.layers[chosen], self.document[chosen])


@torch.no_grad()
def read_features(
    encoder: Encoder, examples: Sequence[Example], pad_id: int, progress: Callable[[float], None] | None = None
) -> FeatureTable:
    """Encode every document once; the encoder stays on the device where it is."""
    encoder.eval()
    device = next(encoder.parameters()).device
    layers = torch.zeros(len(examples), encoder.n_layers + 1, encoder.mixed_dim)
    done = 0
    for index, batch in in_order(examples, TOKENS_AT_ONCE, partial(collate, context=encoder.context, pad_id=pad_id)):
        batch = batch.to(device)
        encoding = encoder(batch.ids, batch.mask)
        pooled = [pool(normalise_states(layer.float()), batch, "mean") for layer in encoding.layers]
        layers[torch.from_numpy(index)] = torch.stack(as_wide(pooled), dim=1).cpu()  # (n, L, D)
        done += len(index)
        if progress:
            progress(done / len(examples))
    return FeatureTable(layers, _document_features(examples))


def without_states(encoder: Encoder, examples: Sequence[Example]) -> FeatureTable:
    """The table of a head that reads no states: document features, and states of zero that take no memory."""
    layers = torch.zeros(1).expand(len(examples), encoder.n_layers + 1, encoder.mixed_dim)
    return FeatureTable(layers, _document_features(examples))


def _document_features(examples: Sequence[Example]) -> Tensor:
    features = [example.features for example in examples if example.features is not None]
    return torch.from_numpy(np.stack(features)).float() if features else torch.zeros(len(examples), 0)  # (N, K)


class FrozenHead(nn.Module):
    """A scalar mix and a linear layer over cached features; states and document features are standardised first.

    Attributes:
        state_scale: factor on the standardised states; 0 leaves only the document features, and the other way round.
    """

    def __init__(self, table: FeatureTable, n_classes: int, state_weight: float, document: bool):
        super().__init__()
        _, n_layers, dim = table.layers.shape
        self.mix = ScalarMix(n_layers, normalise=False)  # `read_features` has normalised already
        # gamma has no penalty on it: free, it would grow, the weights shrink, and nothing be regularised.
        self.mix.gamma.requires_grad_(False)
        self.state_weight, self.document = state_weight, document
        self.layer_center = table.layers.mean(0)  # (L, D)
        # One scale for all states, not one a dimension: with few labels, small directions are mostly noise.
        spread = (table.layers - self.layer_center).pow(2).sum(2).mean().sqrt()
        # States that do not vary, as those of `without_states`, keep their scale: fine-tuning would see it.
        self.layer_scale = torch.where(spread > 1e-6, 1 / spread.clamp_min(1e-6), 1.0)
        self.linear = nn.Linear(dim + table.document.shape[1], n_classes)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def inputs(self, table: FeatureTable) -> Tensor:
        """Features of each document, (N, D + K)."""
        document = table.document * float(self.document)  # (N, K)
        if not self.state_weight:
            return torch.cat([document.new_zeros(len(document), table.layers.shape[2]), document], dim=1)  # (N, D + K)
        states = (table.layers - self.layer_center) * self.layer_scale * self.state_weight  # (N, L, D)
        return torch.cat([self.mix(list(states.unbind(1))), document], dim=1)  # (N, D + K)

    def forward(self, table: FeatureTable) -> Tensor:
        return self.linear(self.inputs(table))  # (N, C)

    def fit(
        self,
        table: FeatureTable,
        targets: Tensor,
        strength: float,
        unlabelled: FeatureTable | None = None,
        entropy_weight: float = 0.0,
        loss: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy,
    ) -> None:
        """Minimise the loss plus `|W|^2 / (2 strength n)` by L-BFGS; deterministic.

        With unlabelled documents, a second run goes on from there with `unlabelled_loss` beside it, which has many
        minima: which one is found is decided by the labelled documents.

        Args:
            table: features of n documents.
            targets: (n,) class ids, or what else the loss compares scores with.
            strength: inverse regularisation, as scikit-learn's C.
            unlabelled: features of m further documents; only beside class ids.
            entropy_weight: of `unlabelled_loss`; 0 leaves them out.
            loss: of scores (n, C) and targets, the mean over documents.
        """
        learned = [parameter for parameter in self.parameters() if parameter.requires_grad]
        if loss is F.cross_entropy and self.linear.out_features == 2:
            # Two rows of weights for one difference: half of the penalty would fall on it. Cross-validation, as
            # scikit-learn does it, has the one row of a logistic function.
            strength = strength / 2

        def penalised() -> Tensor:
            penalty = self.linear.weight.pow(2).sum() / (2 * strength * len(targets))
            return loss(self(table), targets) + penalty + 0.01 * self.mix.scalars.pow(2).sum()

        minimise(learned, penalised)
        if unlabelled is not None and entropy_weight:
            share = torch.bincount(targets, minlength=self.linear.out_features) / len(targets)  # (C,)
            minimise(learned, lambda: penalised() + entropy_weight * unlabelled_loss(self(unlabelled), share))


def unlabelled_loss(scores: Tensor, share: Tensor) -> Tensor:
    """Mean entropy of the guesses plus twice the divergence of their mean from the classes' proportions, in nats.

    Entropy minimisation (Grandvalet & Bengio 2005) puts the boundary where documents are few; the second term keeps
    one class from swallowing the others (Krause et al. 2010, whose proportions are even ones).

    Args:
        scores: (m, C) of unlabelled documents.
        share: (C,) proportions of the classes among the labelled ones.
    """
    guesses = scores.log_softmax(1)  # (m, C)
    entropy = -(guesses.exp() * guesses).sum(1).mean()
    mean = guesses.exp().mean(0)  # (C,)
    divergence = (mean * (mean.clamp_min(1e-9) / share.clamp_min(1e-9)).log()).sum()
    return entropy + 2 * divergence


def minimise(parameters: list[nn.Parameter], loss: Callable[[], Tensor], iterations: int = 80) -> None:
    """Run L-BFGS on all data at once."""
    optimizer = torch.optim.LBFGS(
        parameters, max_iter=iterations, tolerance_grad=1e-5, history_size=20, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(closure)


@dataclass(frozen=True)
class FrozenChoice:
    """What cross-validation on the labelled examples chose.

    Attributes:
        strength: inverse regularisation.
        state_weight: factor on the encoder's states.
        document: whether the document features are used.
        temperature: what the scores are divided by, so that held-out probabilities are calibrated.
        log_loss: on held-out examples at that temperature, in nats.
    """

    strength: float
    state_weight: float
    document: bool
    temperature: float = 1.0
    log_loss: float = float("nan")


def candidates(table: FeatureTable) -> list[tuple[float, bool]]:
    """Which mixtures of states and document features are tried: (state weight, whether the latter are used)."""
    if table.document.shape[1] == 0:
        return [(1.0, False)]
    if table.layers.shape[2] == 0:
        return [(0.0, True)]
    return [(1.0, False), (0.0, True), (0.3, True), (1.0, True)]


def choose(table: FeatureTable, labels: np.ndarray, n_classes: int, seed: int) -> FrozenChoice:
    """Choose features and strength by stratified cross-validation on the labelled examples alone.

    Each choice is judged at its own best temperature (Guo et al. 2017). Without it a weak penalty wins for the scale of
    its scores, where a strong one has the better directions.

    The mix is uniform here: with its shares fixed the problem is a logistic regression, far quicker to fit, and what is
    chosen does not hang on the shares that the last fit learns.
    """
    smallest = np.bincount(labels, minlength=n_classes).min()
    if smallest < 2:
        # Nothing to validate on: what is strong with few labels, which the states are not (LOG.md, 2026-11-24).
        has_document = table.document.shape[1] > 0
        return FrozenChoice(8.0, 0.0 if has_document else 1.0, has_document)
    splits = stratified_splits(labels, n_classes, seed)
    best: FrozenChoice | None = None
    for state_weight, document in candidates(table):
        with torch.no_grad():
            head = FrozenHead(table, n_classes, state_weight, document)
            features = head.inputs(table).cpu().double().numpy()  # (n, D + K)
        for strength in STRENGTHS:
            scores, gold = held_out_scores(features, labels, strength, splits)
            temperature, loss = best_temperature(scores, gold)
            if best is None or loss < best.log_loss:
                best = FrozenChoice(strength, state_weight, document, temperature, loss)
    assert best is not None
    return best


def fit_frozen(table: FeatureTable, labels: np.ndarray, n_classes: int, seed: int) -> tuple[FrozenHead, FrozenChoice]:
    """Choose, fit on all labelled examples, and calibrate."""
    size = table.layers[:, 0].numel() + table.document.numel()
    # Threads that wait for each other made the fit of a small table a hundred times slower.
    with threadpool_limits(1 if size < _SMALL else None):
        choice = choose(table, labels, n_classes, seed)
        head = FrozenHead(table, n_classes, choice.state_weight, choice.document)
        head.fit(table, torch.as_tensor(labels), choice.strength)
    with torch.no_grad():
        head.linear.weight.div_(choice.temperature)
        head.linear.bias.div_(choice.temperature)
    return head, choice


def document_head(table: FeatureTable, weight: np.ndarray, bias: np.ndarray) -> FrozenHead:
    """A head on document features alone, of a weight (C, K) and bias (C,) that are known; states get no weight."""
    head = FrozenHead(table, len(weight), 0.0, True)
    with torch.no_grad():
        head.linear.weight[:, -weight.shape[1] :] = torch.from_numpy(weight)
        head.linear.bias.copy_(torch.from_numpy(bias))
    return head


def install(head: FrozenHead, task: DocumentHead, mix: ScalarMix) -> None:
    """Make a task that predicts what a frozen head predicts: the start of fine-tuning, or the model to keep.

    Where the head reads no states, the task can still learn to: their weights are zero, not their scale.
    """
    dim = head.layer_center.shape[1]
    with torch.no_grad():
        mix.scalars.copy_(head.mix.scalars)
        mix.gamma.copy_(head.mix.gamma)
        shares = head.mix.weights()  # (L,)
        task.center.zero_()
        task.center[:dim] = head.mix.gamma * (shares @ head.layer_center)
        task.scale.fill_(1.0)
        task.scale[:dim] = head.layer_scale * (head.state_weight or 1.0)
        weight = head.linear.weight.clone()  # (C, D + K)
        weight[:, dim:] *= float(head.document)
        if not head.state_weight:
            weight[:, :dim] = 0.0
        task.output.weight.copy_(weight)
        task.output.bias.copy_(head.linear.bias)
