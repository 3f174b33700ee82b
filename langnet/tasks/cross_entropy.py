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

from langnet.encoders.fused import product_precision

CHUNK = 1024  # rows; 1,024 x 8,192 float32 logits are 32 MB
LEAST = 1e-37  # a smaller probability counts as this one, a loss of 85 nats; its gradient is exact all the same


class _LinearCrossEntropy(torch.autograd.Function):
    """Sum of -log softmax(hidden @ weight.T + bias)[target] over rows; gradients are made in the forward pass.

    The products are rounded to `precision`; losses and the sum of the weight's gradient are float32 or better.
    """

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor, precision: torch.dtype
    ) -> Tensor:
        total = hidden.new_zeros((), dtype=torch.float32)
        gradients = any(ctx.needs_input_grad)
        hidden_gradient = torch.empty_like(hidden) if gradients else None
        weight_gradient = torch.zeros_like(weight) if gradients else None
        bias_gradient = torch.zeros_like(bias) if gradients and bias is not None else None
        exact = torch.promote_types(precision, torch.float32)
        rounded = weight.to(precision)  # (V, D)
        offset = None if bias is None else bias.to(precision)  # (V,)
        with torch.autocast(hidden.device.type, enabled=False):
            for start in range(0, len(targets), CHUNK):
                part = slice(start, start + CHUNK)
                states, wanted = hidden[part].to(precision), targets[part, None]  # (n, D), (n, 1)
                logits = states @ rounded.T if offset is None else torch.addmm(offset, states, rounded.T)  # (n, V)
                shares = torch.softmax(logits, 1, dtype=exact)  # (n, V)
                hit = shares.gather(1, wanted)  # (n, 1)
                total -= hit.clamp_min(LEAST).log().sum()
                if hidden_gradient is None or weight_gradient is None:
                    continue
                # The derivative by the logits is the softmax, minus one at the target.
                error = shares.scatter_(1, wanted, hit - 1).to(precision)  # (n, V)
                hidden_gradient[part] = error @ rounded
                if precision == weight.dtype:
                    weight_gradient.addmm_(error.T, states)
                else:
                    weight_gradient += error.T @ states
                if bias_gradient is not None:
                    bias_gradient += error.sum(0)
        ctx.save_for_backward(hidden_gradient, weight_gradient, bias_gradient)
        return total

    @staticmethod
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor, Tensor, Tensor | None, None, None]:
        hidden_gradient, weight_gradient, bias_gradient = ctx.saved_tensors
        scaled = None if bias_gradient is None else bias_gradient * scale
        return hidden_gradient * scale, weight_gradient * scale, scaled, None, None


def linear_cross_entropy(hidden: Tensor, weight: Tensor, targets: Tensor, bias: Tensor | None = None) -> Tensor:
    """Mean cross-entropy in nats of softmax(hidden @ weight.T + bias) at `targets`.

    Args:
        hidden: (..., D) states.
        weight: (V, D) softmax matrix.
        targets: (...) int64 ids; -100 where there is nothing to predict.
        bias: (V,), or None for none.

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
    loss: Tensor = _LinearCrossEntropy.apply(hidden, weight, bias, targets, product_precision(hidden))
    return loss / count


def token_losses(hidden: Tensor, weight: Tensor, targets: Tensor, bias: Tensor | None = None) -> Tensor:
    """Cross-entropy in nats of every position by itself, without gradient: (N, D), (V, D), (N,) to (N,); 0 at -100."""
    parts = [
        F.cross_entropy(F.linear(h, weight, bias).float(), t, ignore_index=-100, reduction="none")
        for h, t in zip(hidden.split(CHUNK), targets.split(CHUNK), strict=True)
    ]
    return torch.cat(parts) if parts else hidden.new_zeros(0)
