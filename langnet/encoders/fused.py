"""The parts of a GPT block between its matrix products, in few passes over memory, with gradients written by hand.

On a CPU a small model spends as long on the many small operations that autograd makes of a norm, a rotation or a
softmax as on its matrix products. Each function here equals a plain expression, named in its docstring, up to rounding;
`tests/encoders/test_fused.py` holds them together. Elsewhere (CUDA, MPS) PyTorch's own fused kernels serve better, so
`encoders/gpt.py` calls these for tensors on a CPU only. None of them can be differentiated twice.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

QUERIES = 64  # rows of the attention matrix at a time: their keys to the right are never touched
LONGEST = 1024  # tokens; the attention weights are kept for the gradient, which for more takes too much memory


def serves(x: Tensor) -> bool:
    """Whether these functions are the ones to call for x: on a CPU, and not while a graph is written for elsewhere."""
    return x.device.type == "cpu" and not torch.compiler.is_exporting()


def product_precision(x: Tensor) -> torch.dtype:
    """What matrix products of x are computed in: autocast's type where it is on, else x's own."""
    device = x.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype


class _RMSNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, precision: torch.dtype) -> Tensor:
        scale = _inverse_rms(x, torch.finfo(x.dtype).eps)  # (..., 1)
        y = (x * scale).to(precision)  # (..., D)
        ctx.save_for_backward(y, scale)
        ctx.precision = x.dtype
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        y, scale = ctx.saved_tensors
        return _norm_gradient(gradient.to(ctx.precision), y, scale), None


def rms_norm(x: Tensor, precision: torch.dtype) -> Tensor:
    """`F.rms_norm(x, x.shape[-1:]).to(precision)`."""
    result: Tensor = _RMSNorm.apply(x, precision)
    return result


def _inverse_rms(x: Tensor, epsilon: float) -> Tensor:
    """1 / sqrt(mean(x^2) + epsilon) over the last dimension, (..., 1)."""
    lengths = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return lengths.square_().div_(x.shape[-1]).add_(epsilon).rsqrt_()


def _norm_gradient(gradient: Tensor, y: Tensor, scale: Tensor) -> Tensor:
    """(g - y mean(g y)) scale: what comes back through y = x scale."""
    mean = (gradient * y).mean(-1, keepdim=True)
    return torch.addcmul(gradient, y.to(gradient.dtype), mean, value=-1).mul_(scale)


class _SquaredRelu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        positive = x.relu()
        ctx.save_for_backward(positive)
        return positive * positive

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (positive,) = ctx.saved_tensors
        return (gradient * positive).mul_(2)


def squared_relu(x: Tensor) -> Tensor:
    """`F.relu(x).square()`."""
    result: Tensor = _SquaredRelu.apply(x)
    return result


class _Heads(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, qkv: Tensor, n_heads: int, cosines: Tensor, sines: Tensor) -> Tensor:
        B, T, width = qkv.shape[0], qkv.shape[1], qkv.shape[2] // (3 * n_heads)
        heads = qkv.view(B, T, 3, n_heads, width).permute(2, 0, 3, 1, 4)  # (3, B, H, T, width)
        out = qkv.new_empty(3, B, n_heads, T, width)
        both = _exact(heads[:2])  # (2, B, H, T, width)
        scale = _inverse_rms(both, torch.finfo(qkv.dtype).eps)  # (2, B, H, T, 1)
        out[:2] = _rotate(both * scale, cosines, sines)
        out[2] = heads[2]
        ctx.save_for_backward(out, scale, cosines, sines)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        out, scale, cosines, sines = ctx.saved_tensors
        _, B, H, T, width = out.shape
        back = gradient.new_empty(B, T, 3, H, width)
        view = back.permute(2, 0, 3, 1, 4)  # (3, B, H, T, width)
        # A rotation keeps lengths and angles, so the norm's gradient can be taken first and rotated back afterwards.
        normed = _norm_gradient(_exact(gradient[:2]), _exact(out[:2]), scale)  # (2, B, H, T, width)
        view[:2] = _rotate(normed, cosines, -sines)
        view[2] = gradient[2]
        return back.view(B, T, 3 * H * width), None, None, None


def normalised_heads(qkv: Tensor, n_heads: int, cosines: Tensor, sines: Tensor) -> Tensor:
    """Split (B, T, 3 D) into heads (3, B, H, T, width), queries and keys normalised by `F.rms_norm` and rotated.

    Args:
        qkv: queries, keys and values beside each other.
        n_heads: H.
        cosines: (T, width / 2) of the positions' angles.
        sines: likewise.
    """
    result: Tensor = _Heads.apply(qkv, n_heads, cosines, sines)
    return result


def _exact(x: Tensor) -> Tensor:
    """The tensor in float32 or better, in one piece: many short operations on strides cost more than a copy."""
    return x.to(torch.promote_types(x.dtype, torch.float32)).contiguous()


def _rotate(x: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """The rotation of x (..., T, width) by the angles of (T, width / 2) cosines and sines."""
    first, second = x.chunk(2, dim=-1)
    across = torch.cat([second, first], dim=-1)  # (..., T, width)
    return (x * torch.cat([cosines, cosines], dim=-1)).addcmul_(across, torch.cat([-sines, sines], dim=-1))


class _CausalAttention(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        T = q.shape[1]
        scaled = q * q.shape[-1] ** -0.5
        out, shares = torch.empty_like(q), []
        later = torch.ones(QUERIES, QUERIES, dtype=torch.bool).triu(1)
        with torch.autocast("cpu", enabled=False):
            for start in range(0, T, QUERIES):
                end = min(start + QUERIES, T)
                scores = torch.bmm(scaled[:, start:end], k[:, :end].mT)  # (N, rows, end)
                scores[:, :, start:].masked_fill_(later[: end - start, : end - start], float("-inf"))
                shares.append(scores.softmax(-1))
                out[:, start:end] = torch.bmm(shares[-1], v[:, :end])
        ctx.save_for_backward(scaled, k, v, *shares)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v, *shares = ctx.saved_tensors
        dq, dk, dv = torch.empty_like(q), torch.zeros_like(k), torch.zeros_like(v)
        for index, share in enumerate(shares):
            start = index * QUERIES
            end = start + share.shape[1]
            rows = gradient[:, start:end]  # (N, rows, width)
            dv[:, :end] += torch.bmm(share.mT, rows)
            inner = torch.bmm(rows, v[:, :end].mT)  # (N, rows, end)
            inner = torch.ops.aten._softmax_backward_data(inner, share, -1, share.dtype)
            dq[:, start:end] = torch.bmm(inner, k[:, :end])
            dk[:, :end] += torch.bmm(inner.mT, q[:, start:end])
        return dq.mul_(q.shape[-1] ** -0.5), dk, dv


def causal_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """`F.scaled_dot_product_attention(q, k, v, is_causal=True)` of (B, H, T, width)."""
    result: Tensor = _CausalAttention.apply(q.flatten(0, 1), k.flatten(0, 1), v.flatten(0, 1))
    return result.view_as(q)
