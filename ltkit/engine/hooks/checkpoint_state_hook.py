"""Keep checkpoints plain, and the class distribution in them."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from ltkit.engine.launch import launch_id
from ltkit.registry import HOOKS
from ltkit.utils.checkpoint import from_plain, plain


@HOOKS.register_module()
class CheckpointStateHook(Hook):
    """Write what ``weights_only`` can read, and turn it back on loading.

    The launch that wrote a checkpoint stands in its ``meta``, and the state of a
    training loop that has one (``state_dict()``) in ``train_loop``.

    On by default, like all hooks of :data:`ltkit.engine.runner.DEFAULT_HOOKS`.
    """

    priority = 'VERY_LOW'

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        checkpoint['meta']['launch'] = launch_id()
        loop = getattr(runner, 'train_loop', None)
        if hasattr(loop, 'state_dict'):
            checkpoint['train_loop'] = loop.state_dict()
        for key in ('meta', 'message_hub', 'param_schedulers', 'optimizer', 'train_loop'):
            if key in checkpoint:
                checkpoint[key] = plain(checkpoint[key])

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        if 'message_hub' in checkpoint:
            checkpoint['message_hub'] = from_plain(checkpoint['message_hub'])
