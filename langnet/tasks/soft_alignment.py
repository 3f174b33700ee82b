"""Two texts word by word: every word beside what of the other text it attends to, compared, and pooled.

Decomposable attention (Parikh et al. 2016) on the states of any encoder: attend, compare, aggregate. What differs: the
comparison sees the difference and the product too, and both the maximum and the mean are pooled, as in ESIM (Chen et
al. 2017); no recurrent network stands on top. Start and extract tokens take part, so that a word may attend to nothing.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SoftAlignment(nn.Module):
    """Two texts' states to a vector each.

    Args:
        dim: D, of the states.
        hidden: H, in which words attend and are compared.
        dropout: before both linear layers.

    Attributes:
        width: 2 H, the length of each vector.
    """

    def __init__(self, dim: int, hidden: int, dropout: float):
        super().__init__()
        self.project = nn.Linear(dim, hidden)
        self.compare = nn.Linear(4 * hidden, hidden)
        self.dropout = nn.Dropout(dropout)
        self.width = 2 * hidden

    def forward(self, first: Tensor, first_mask: Tensor, second: Tensor, second_mask: Tensor) -> tuple[Tensor, Tensor]:
        """One vector of each text.

        Args:
            first, second: (N, W, D) states; the texts' W may differ.
            first_mask, second_mask: (N, W) where there is a word; at least one in every text.

        Returns:
            (N, 2 H) twice.
        """
        a, b = (self.project(self.dropout(states)) for states in (first, second))  # (N, W, H)
        scores = a @ b.transpose(1, 2) / a.shape[-1] ** 0.5  # (N, Wa, Wb)
        for_first = _softmax(scores, second_mask[:, None, :], 2) @ b  # (N, Wa, H)
        for_second = _softmax(scores, first_mask[:, :, None], 1).transpose(1, 2) @ a  # (N, Wb, H)
        return self._pooled(a, for_first, first_mask), self._pooled(b, for_second, second_mask)

    def _pooled(self, own: Tensor, other: Tensor, mask: Tensor) -> Tensor:
        beside = torch.cat([own, other, (own - other).abs(), own * other], dim=2)  # (N, W, 4 H)
        compared = F.relu(self.compare(self.dropout(beside))) * mask[..., None]  # (N, W, H), 0 or more
        mean = compared.sum(1) / mask.sum(1, keepdim=True)  # (N, H)
        return torch.cat([compared.amax(1), mean], dim=1)  # (N, 2 H)


def _softmax(scores: Tensor, mask: Tensor, dim: int) -> Tensor:
    return scores.float().masked_fill(~mask, float("-inf")).softmax(dim)
