"""What the multi-expert backbones share."""

from __future__ import annotations

from torch import Tensor, nn

from ltkit.utils.errors import ConfigError


class MultiExpertMixin:
    """A shared trunk and E experts on top of it.

    A backbone derives from it and from its single-expert base, calls
    :meth:`init_experts` with the experts once the trunk stands, and defines
    ``forward_shared``. Every expert sees the same map of the trunk, which is
    computed once.
    """

    experts: nn.ModuleList
    num_experts: int

    def init_experts(self, experts: list[nn.Module]) -> None:
        """Keep the experts.

        Raises:
            ConfigError: There is none.
        """
        if not experts:
            raise ConfigError('num_experts must be at least 1, but is 0')
        self.num_experts = len(experts)
        self.experts = nn.ModuleList(experts)

    def forward_shared(self, x: Tensor) -> Tensor:
        """Images ``(N, C, H, W)`` to the map that all experts start from."""
        raise NotImplementedError(f'{type(self).__name__} must define forward_shared')

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Images to one feature map an expert.

        Args:
            x (Tensor): Shape ``(N, in_channels, H, W)``.

        Returns:
            tuple[Tensor]: E maps, each ``(N, out_channels, H', W')``.
        """
        shared = self.forward_shared(x)
        return tuple(expert(shared) for expert in self.experts)

    def forward_expert(self, shared: Tensor, expert: int) -> Tensor:
        """The map of one expert; routing evaluates them one after the other."""
        return self.experts[expert](shared)


def reduced(channels: int, reduce_dimension: bool) -> int:
    """Three quarters of ``channels`` for a reduced expert, else all of them.

    Source: Wang et al., *RIDE*, ICLR 2021, arXiv 2010.01809, section 3.1: with
    it, three experts cost about what one full network costs.
    """
    return channels * 3 // 4 if reduce_dimension else channels


def check_num_experts(num_experts: int) -> int:
    """``num_experts``, when it is a whole number from 1 on.

    Raises:
        ConfigError: It is not.
    """
    if not isinstance(num_experts, int) or isinstance(num_experts, bool) or num_experts < 1:
        raise ConfigError(f'num_experts must be a whole number from 1 on, but is {num_experts!r}')
    return num_experts


def drop_path_rates(rate: float, depth: int) -> list[float]:
    """Stochastic depth: rates of the blocks, from 0 rising linearly to ``rate``."""
    return [rate * block / max(depth - 1, 1) for block in range(depth)]
