"""Cross-entropy of a large softmax without its (N, V) matrix of logits.

The logits of a batch are the largest tensor of a small language model: at 4,096 tokens and a vocabulary of 8,192 they
take 134 MB, and are written and read several times over. Here the product with the softmax matrix, the loss and both
gradients are computed chunk by chunk, each small enough to stay in the processor's cache.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

CHUNK = 512  # rows; 512 x 8,192 float32 logits are 16 MB


class _LinearCrossEntropy(torch.autograd.Function):
    """Sum of -log softmax(hidden @ weight.T)[target] over rows; gradients are made in the forward pass."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
        needs_gradient = hidden.requires_grad or weight.requires_grad
        total = hidden.new_zeros((), dtype=torch.float32)
        hidden_gradient = torch.empty_like(hidden) if needs_gradient else None
        weight_gradient = torch.zeros_like(weight) if needs_gradient else None
        for rows in torch.arange(len(targets), device=targets.device).split(CHUNK):
            part = slice(int(rows[0]), int(rows[-1]) + 1)
            logits = (hidden[part] @ weight.T).float()  # (n, V)
            picked = logits.gather(1, targets[part, None]).squeeze(1)  # (n,)
            normaliser = logits.logsumexp(1)  # (n,)
            total += (normaliser - picked).sum()
            if hidden_gradient is None or weight_gradient is None:
                continue
            error = logits.sub_(normaliser[:, None]).exp_()  # (n, V): softmax, then minus one at the target
            error[torch.arange(len(picked), device=error.device), targets[part]] -= 1
            error = error.to(weight.dtype)
            torch.mm(error, weight, out=hidden_gradient[part])
            weight_gradient.addmm_(error.T, hidden[part])
        ctx.save_for_backward(hidden_gradient, weight_gradient)
        return total

    @staticmethod
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor, Tensor, None]:
        hidden_gradient, weight_gradient = ctx.saved_tensors
        return hidden_gradient * scale, weight_gradient * scale, None


def linear_cross_entropy(hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy in nats of softmax(hidden @ weight.T) at `targets`.

    Args:
        hidden: (..., D) states.
        weight: (V, D) softmax matrix.
        targets: (...) int64 ids; -100 where there is nothing to predict.

    Returns:
        A scalar; zero, with zero gradient, when nothing is to be predicted.
    """
    hidden, targets = hidden.reshape(-1, hidden.shape[-1]), targets.reshape(-1)
    kept = targets != -100
    count = int(kept.sum())
    if count == 0:
        return hidden.sum() * 0.0
    if count < len(targets):
        hidden, targets = hidden[kept], targets[kept]
    if torch.is_autocast_enabled(hidden.device.type):
        precision = torch.get_autocast_dtype(hidden.device.type)
        hidden, weight = hidden.to(precision), weight.to(precision)
    else:
        weight = weight.to(hidden.dtype)
    loss: Tensor = _LinearCrossEntropy.apply(hidden, weight, targets)
    return loss / count


def token_losses(hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy in nats of every position by itself, without gradient: (N, D), (V, D), (N,) to (N,); 0 at -100."""
    parts = [
        F.cross_entropy((h @ weight.T).float(), t, ignore_index=-100, reduction="none")
        for h, t in zip(hidden.split(CHUNK), targets.split(CHUNK), strict=True)
    ]
    return torch.cat(parts) if parts else hidden.new_zeros(0)
