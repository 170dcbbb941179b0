"""Random numbers for the samples of a batch."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor

from ltkit.utils.dist import world_size


def uniform_rows(cls_score: Tensor) -> Tensor:
    """Draw a number for each sample and class: this process's rows of those of the whole batch.

    The numbers of a sample depend on its place in the whole batch, not on the
    number of processes, if all of these have the same seed.

    Args:
        cls_score (Tensor): Logits of this process, shape ``(N, C)``.

    Returns:
        Tensor: In [0, 1), float32 on the device of ``cls_score``, shape ``(N, C)``.
    """
    processes = world_size()
    rank = dist.get_rank() if processes > 1 else 0
    shape = (len(cls_score) * processes, cls_score.size(1))
    return torch.rand(shape, device=cls_score.device, dtype=torch.float32)[rank::processes]
