"""A long short-term memory layer as a function of its weights, with the gradient written by hand.

Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000; the gates stand in PyTorch's order i, f, g, o:

    i, f, o = sigmoid(.)    g = tanh(.)    c = f c' + i g    h = o tanh(c)

The weights are arguments, so that a caller may drop some of them (DropConnect) without touching a module's parameters.
On a CPU the products with the inputs of all time steps are one, only those with the state go step by step, and the
gradient of the weights is again one product; autograd would build a small graph a step instead. On CUDA cuDNN does it.
`tests/encoders/test_lstm.py` holds both against the equations in numpy.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

State = tuple[Tensor, Tensor]  # h and c, each (B, H)


class LSTMWeights(NamedTuple):
    """What a layer computes with: inputs (4 H, I), hidden (4 H, H), bias (4 H,)."""

    inputs: Tensor
    hidden: Tensor
    bias: Tensor


sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input
tanh_backward = torch.ops.aten.tanh_backward.grad_input


def lstm(
    inputs: Tensor, weights: LSTMWeights, state: State | None = None, lengths: Tensor | None = None
) -> tuple[Tensor, State]:
    """Run a layer over time.

    Args:
        inputs: (T, B, I), time first.
        weights: of the layer.
        state: h and c to start from, (B, H) each; None starts from zero.
        lengths: (B,) how many steps of each row are real, at least one; None where all are.

    Returns:
        The hidden states (T, B, H), and the state after each row's last real step.
    """
    H = weights.hidden.shape[1]
    if state is None:
        zeros = inputs.new_zeros(inputs.shape[1], H, dtype=weights.hidden.dtype)  # (B, H)
        state = zeros, zeros
    if inputs.is_cuda:
        return library_lstm(inputs, weights, state, lengths)
    projected = F.linear(inputs, weights.inputs, weights.bias)  # (T, B, 4 H)
    hidden, cells = _Recurrence.apply(projected, weights.hidden, *state)  # (T, B, H) each
    if lengths is None:
        return hidden, (hidden[-1], cells[-1])
    last = lengths - 1, torch.arange(len(lengths), device=lengths.device)
    return hidden, (hidden[last], cells[last])


def library_lstm(inputs: Tensor, weights: LSTMWeights, state: State, lengths: Tensor | None) -> tuple[Tensor, State]:
    """The same by PyTorch's own functional LSTM, which is cuDNN's on CUDA; states behind a row's end are zero."""
    parameters = [weights.inputs, weights.hidden, weights.bias, torch.zeros_like(weights.bias)]
    first = [part.to(inputs.dtype)[None] for part in state]  # (1, B, H) each
    train = torch.is_grad_enabled()  # cuDNN keeps what a gradient needs only then; there is no dropout in it
    if lengths is None:
        hidden, h, c = torch._VF.lstm(inputs, first, parameters, True, 1, 0.0, train, False, False)
        return hidden, (h[0], c[0])
    packed = pack_padded_sequence(inputs, lengths.cpu(), enforce_sorted=False)
    assert packed.sorted_indices is not None, "rows of any order are sorted"
    first = [part.index_select(1, packed.sorted_indices) for part in first]
    data, h, c = torch._VF.lstm(packed.data, packed.batch_sizes, first, parameters, True, 1, 0.0, train, False)
    whole = PackedSequence(data, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices)
    hidden, _ = pad_packed_sequence(whole, total_length=len(inputs))  # (T, B, H)
    return hidden, (h[0, packed.unsorted_indices], c[0, packed.unsorted_indices])


class _Recurrence(torch.autograd.Function):
    """From what the inputs add to the gates, (T, B, 4 H), to hidden states and cells, (T, B, H) each.

    Products are in the dtype of `projected`; cells, gates and gradients between them are float32 or better.
    """

    @staticmethod
    def forward(ctx: Any, projected: Tensor, weight: Tensor, h0: Tensor, c0: Tensor) -> tuple[Tensor, Tensor]:
        T, B, width = projected.shape
        H, low = width // 4, projected.dtype
        exact = torch.promote_types(low, torch.float32)
        rounded = weight.to(low)  # (4 H, H)
        hidden = projected.new_empty(T + 1, B, H)
        cells = projected.new_empty(T + 1, B, H, dtype=exact)
        hidden[0], cells[0] = h0, c0
        kept = any(ctx.needs_input_grad)
        gates = projected.new_empty(T if kept else 1, B, width, dtype=exact)
        squashed = projected.new_empty(T if kept else 1, B, H, dtype=exact)
        sums = projected.new_empty(B, width)
        with torch.autocast(projected.device.type, enabled=False):
            for t in range(T):
                now = t if kept else 0
                torch.addmm(projected[t], hidden[t], rounded.T, out=sums)
                gates[now].copy_(sums)
                i, f, g, o = gates[now].view(B, 4, H).unbind(1)
                # tanh(x) = 2 sigmoid(2 x) - 1, since PyTorch's sigmoid on a CPU is five times as fast as its tanh.
                g.mul_(2)
                gates[now].sigmoid_()
                g.mul_(2).sub_(1)
                torch.mul(f, cells[t], out=cells[t + 1]).addcmul_(i, g)
                torch.mul(cells[t + 1], 2, out=squashed[now]).sigmoid_().mul_(2).sub_(1)
                torch.mul(o, squashed[now], out=hidden[t + 1])
        if kept:
            ctx.save_for_backward(rounded, hidden, cells, gates, squashed)
            ctx.dtypes = weight.dtype, h0.dtype, c0.dtype
        ctx.set_materialize_grads(False)
        return hidden[1:], cells[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, hidden_gradient: Tensor | None, cell_gradient: Tensor | None) -> tuple[Tensor | None, ...]:
        rounded, hidden, cells, gates, squashed = ctx.saved_tensors
        T, B, width = gates.shape
        H = width // 4
        d_projected = rounded.new_empty(T, B, width)
        d_gates = torch.empty_like(gates[0])  # (B, 4 H)
        di, df, dg, do = d_gates.view(B, 4, H).unbind(1)
        dh, dc = torch.zeros_like(cells[0]), torch.zeros_like(cells[0])  # (B, H)
        scratch = torch.empty_like(dh)
        turned = rounded.T.contiguous()  # (H, 4 H); the products below are quicker with it
        with torch.autocast(rounded.device.type, enabled=False):
            for t in range(T - 1, -1, -1):
                if hidden_gradient is not None:
                    dh += hidden_gradient[t]
                if cell_gradient is not None:
                    dc += cell_gradient[t]
                i, f, g, o = gates[t].view(B, 4, H).unbind(1)
                sigmoid_backward(torch.mul(dh, squashed[t], out=scratch), o, grad_input=do)
                torch.mul(dh, o, out=scratch)
                dc += tanh_backward(scratch, squashed[t], grad_input=scratch)
                sigmoid_backward(torch.mul(dc, g, out=scratch), i, grad_input=di)
                sigmoid_backward(torch.mul(dc, cells[t], out=scratch), f, grad_input=df)
                tanh_backward(torch.mul(dc, i, out=scratch), g, grad_input=dg)
                dc *= f
                d_projected[t].copy_(d_gates)
                dh = (d_projected[t] @ turned.T).to(dh.dtype)  # (B, H)
            weight_dtype, h_dtype, c_dtype = ctx.dtypes
            d_weight = None
            if ctx.needs_input_grad[1]:
                d_weight = d_projected.flatten(0, 1).T @ hidden[:-1].flatten(0, 1)  # (4 H, H)
                d_weight = d_weight.to(weight_dtype)
        return d_projected, d_weight, dh.to(h_dtype), dc.to(c_dtype)
