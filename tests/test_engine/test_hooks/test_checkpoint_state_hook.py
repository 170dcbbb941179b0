"""Tests of plain checkpoints."""

from __future__ import annotations

from collections import Counter

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from ltkit.engine.hooks import CheckpointStateHook


def test_what_is_written_needs_no_allow_list_and_comes_back(tmp_path):
    hook = CheckpointStateHook()
    weights = dict(weight=torch.ones(2))
    checkpoint = dict(
        meta=dict(epoch=np.int64(3), dataset_meta=dict(classes=('a', 'b'), counts=np.arange(2))),
        message_hub=dict(log_scalars={'train/loss': HistoryBuffer([1.5, 2.0], [1, 1])}),
        param_schedulers=[dict(milestones=Counter([2, 2]))],
        optimizer=dict(state={0: dict(step=np.float64(1))}),
        state_dict=weights)
    hook.before_save_checkpoint(None, checkpoint)
    assert checkpoint['state_dict'] is weights
    torch.save(checkpoint, tmp_path / 'a.pth')
    found = torch.load(tmp_path / 'a.pth', weights_only=True)
    hook.after_load_checkpoint(None, found)
    assert found['message_hub']['log_scalars']['train/loss'].mean() == 1.75
    assert found['meta']['epoch'] == 3 and found['meta']['dataset_meta']['classes'] == ('a', 'b')
    assert found['param_schedulers'] == [dict(milestones={2: 2})]


def test_a_bare_state_dict_is_left_alone():
    state = dict(weight=torch.ones(2))
    CheckpointStateHook().after_load_checkpoint(None, state)
    assert list(state) == ['weight']
