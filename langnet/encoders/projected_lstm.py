"""An LSTM whose output is projected to fewer dimensions, with cell and projection clipped; several run side by side.

Sak et al. 2014 ("Long Short-Term Memory Based Recurrent Neural Network Architectures"), with the clips of Peters et al.
2018. The fused LSTMs of PyTorch and cuDNN know no clips, so the recurrence is written out here: the products with the
inputs of all time steps are one product, only those with the state run step by step, and the gradient walks back over
the steps by hand, so that no graph is built and the weights' gradients are one product each.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


class _Recurrence(torch.autograd.Function):
    """The steps of N LSTMs; gates stand in the order input, forget, output, candidate."""

    @staticmethod
    def forward(
        ctx: Any,
        gates: Tensor,
        recurrent: Tensor,
        projection: Tensor | None,
        start: tuple[Tensor, Tensor],
        clips: tuple[float, float],
    ) -> tuple[Tensor, Tensor]:
        N, T, B, width = gates.shape
        H, precision = width // 4, gates.dtype
        recurrent = recurrent.to(precision)
        back = None if projection is None else projection.to(precision).mT  # (N, H, P)
        # Products round to the gates' precision; the cell, which sums over all steps, is float32 or better.
        exact = torch.promote_types(precision, torch.float32)
        hidden, cell = start[0].to(precision), start[1].to(exact)  # (N, B, P), (N, B, H)
        outputs = gates.new_empty(N, T, B, recurrent.shape[2])  # (N, T, B, P)
        cells = gates.new_empty(N, T, B, H, dtype=exact)  # (N, T, B, H)
        active = gates.new_empty(N, T, B, width)  # (N, T, B, 4 H)
        transposed = recurrent.mT  # (N, P, 4 H)
        for t in range(T):
            for n in range(N):  # quicker on a CPU than one batched product, and lands where it is kept
                torch.addmm(gates[n, t], hidden[n], transposed[n], out=active[n, t])  # (B, 4 H)
            z = active[:, t]  # (N, B, 4 H)
            z[..., : 3 * H].sigmoid_()
            z[..., 3 * H :].tanh_()
            admitted, kept, shown, candidate = z.split(H, dim=2)
            cell = torch.mul(kept, cell, out=cells[:, t])  # (N, B, H)
            cell.add_(admitted * candidate).clamp_(-clips[0], clips[0])
            hidden = (shown * cell.tanh()).to(precision)  # (N, B, H)
            if back is not None:
                hidden = torch.bmm(hidden, back).clamp_(-clips[1], clips[1])  # (N, B, P)
            outputs[:, t] = hidden
        ctx.clips = clips
        ctx.save_for_backward(active, cells, outputs, recurrent, projection, *start)
        ctx.mark_non_differentiable(cells)
        return outputs, cells

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        active, cells, outputs, recurrent, projection, first_hidden, first_cell = ctx.saved_tensors
        T, H, precision = active.shape[1], active.shape[3] // 4, active.dtype
        matrix = None if projection is None else projection.to(precision)  # (N, P, H)
        squashed = cells.tanh()  # (N, T, B, H)
        dz = torch.empty_like(active)  # (N, T, B, 4 H)
        dprojected = None if matrix is None else torch.empty_like(outputs)  # (N, T, B, P)
        dhidden, dcell = torch.zeros_like(outputs[:, 0]), torch.zeros_like(cells[:, 0])
        for t in range(T - 1, -1, -1):
            dhidden = dhidden + gradient[:, t]  # (N, B, P)
            if matrix is not None and dprojected is not None:
                dhidden = dhidden.masked_fill_(outputs[:, t].abs() >= ctx.clips[1], 0)
                dprojected[:, t] = dhidden
                dhidden = torch.bmm(dhidden, matrix)  # (N, B, H)
            admitted, kept, shown, candidate = active[:, t].split(H, dim=2)
            squash = squashed[:, t]
            dcell = dcell + dhidden * shown * (1 - squash * squash)  # (N, B, H)
            dcell.masked_fill_(cells[:, t].abs() >= ctx.clips[0], 0)
            before = cells[:, t - 1] if t else first_cell.to(cells.dtype)
            d = dz[:, t]
            d[..., :H] = dcell * candidate * admitted * (1 - admitted)
            d[..., H : 2 * H] = dcell * before * kept * (1 - kept)
            d[..., 2 * H : 3 * H] = dhidden * squash * shown * (1 - shown)
            d[..., 3 * H :] = dcell * admitted * (1 - candidate * candidate)
            dcell = dcell * kept
            dhidden = torch.stack([torch.mm(d[n], recurrent[n]) for n in range(len(d))])  # (N, B, P)
        earlier = torch.cat([first_hidden.to(precision)[:, None], outputs[:, :-1]], dim=1)  # (N, T, B, P)
        drecurrent = torch.bmm(dz.flatten(1, 2).mT, earlier.flatten(1, 2))  # (N, 4 H, P)
        dmatrix = None
        if dprojected is not None:
            unprojected = (active[..., 2 * H : 3 * H] * squashed).to(precision)  # (N, T, B, H)
            dmatrix = torch.bmm(dprojected.flatten(1, 2).mT, unprojected.flatten(1, 2))  # (N, P, H)
        return dz, drecurrent, dmatrix, None, None


class ProjectedLSTM(nn.Module):
    """N LSTMs of one size side by side, each over inputs of its own.

    c_t = clip(f_t c_{t-1} + i_t g_t), h_t = clip(W_p (o_t tanh c_t)); without a projection h_t = o_t tanh c_t.

    Args:
        n: N, how many.
        inputs: D, width of the inputs.
        units: H, width of the cell.
        projection: P, width of the output; equal to `units` for an LSTM without a projection.
        cell_clip: bound of the cell's values; None leaves them free.
        projection_clip: bound of the projected values; likewise.
    """

    def __init__(
        self,
        n: int,
        inputs: int,
        units: int,
        projection: int,
        cell_clip: float | None = None,
        projection_clip: float | None = None,
    ):
        super().__init__()
        self.clips = (cell_clip or math.inf, projection_clip or math.inf)
        self.input = nn.Parameter(torch.empty(n, 4 * units, inputs))
        self.bias = nn.Parameter(torch.zeros(n, 4 * units))
        self.recurrent = nn.Parameter(torch.empty(n, 4 * units, projection))
        self.projection = nn.Parameter(torch.empty(n, projection, units)) if projection != units else None
        for matrix in (self.input, self.recurrent, self.projection):
            if matrix is not None:
                nn.init.uniform_(matrix, -(matrix.shape[-1] ** -0.5), matrix.shape[-1] ** -0.5)
        with torch.no_grad():
            self.bias[:, units : 2 * units] = 1.0  # forget little at the start (Jozefowicz et al. 2015)

    def zero_state(self, rows: int) -> tuple[Tensor, Tensor]:
        """The state before anything is read: (N, B, P) and (N, B, H)."""
        n, width, projection = self.recurrent.shape
        return self.bias.new_zeros(n, rows, projection), self.bias.new_zeros(n, rows, width // 4)

    def forward(
        self, x: Tensor, lengths: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Read x.

        Args:
            x: (N, T, B, D); padding stands at the end of a sequence and alters nothing before it.
            lengths: (B,) int64, real steps of each sequence.
            state: where to go on from, (N, B, P) and (N, B, H); None starts from zero. No gradient reaches it.

        Returns:
            Outputs (N, T, B, P), of no meaning at padding, and the state after each sequence's last real step.
        """
        N, T, B, D = x.shape
        start = self.zero_state(B) if state is None else state
        # A product of autocast's precision where it is on; the recurrence goes on in what comes out.
        gates = torch.bmm(x.reshape(N, T * B, D), self.input.mT)  # (N, T B, 4 H)
        gates = (gates + self.bias.to(gates.dtype)[:, None]).view(N, T, B, -1)  # (N, T, B, 4 H)
        with torch.autocast(x.device.type, enabled=False):
            outputs, cells = _Recurrence.apply(gates, self.recurrent, self.projection, start, self.clips)
        with torch.no_grad():
            last, rows = (lengths - 1).clamp_min(0), torch.arange(B, device=x.device)
            read = (lengths > 0)[:, None]  # (B, 1)
            hidden = torch.where(read, outputs[:, last, rows], start[0].to(outputs.dtype))  # (N, B, P)
            cell = torch.where(read, cells[:, last, rows], start[1].to(cells.dtype))  # (N, B, H)
        return outputs, (hidden, cell)
