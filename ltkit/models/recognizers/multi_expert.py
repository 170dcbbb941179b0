"""Recognisers of several experts."""

from __future__ import annotations

from typing import Any

from ltkit.registry import MODELS
from ltkit.utils.errors import ConfigError

from .image import ImageRecognizer


@MODELS.register_module()
class MultiExpertRecognizer(ImageRecognizer):
    """An :class:`ImageRecognizer` whose backbone and head have E experts.

    Its mode ``'tensor'`` gives the logits of each expert, ``(E, N, C)``.

    Args:
        **kwargs: As for :class:`ImageRecognizer`.

    Raises:
        ConfigError: Backbone and head have different numbers of experts.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name, part, example in (('backbone', self.backbone, 'RIDEResNet32'),
                                    ('head', self.head, 'MultiExpertHead')):
            if part is not None and not hasattr(part, 'num_experts'):
                raise ConfigError(
                    f'MultiExpertRecognizer needs a {name} of several experts, but {type(part).__name__} has '
                    f'no num_experts; use {example} or alike')
        if self.with_head and self.backbone.num_experts != self.head.num_experts:
            raise ConfigError(
                f'num_experts is {self.backbone.num_experts} in the backbone, but {self.head.num_experts} in '
                'the head; give both the same')

    @property
    def num_experts(self) -> int:
        """E."""
        return self.backbone.num_experts
