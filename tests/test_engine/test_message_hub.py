"""Tests of the message hub that does not slow a run down."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub

from ltkit.engine.message_hub import LazyMessageHub, ScalarHistory, make_lazy


def hubs(name) -> tuple[MessageHub, MessageHub]:
    return MessageHub(f'{name}_plain'), make_lazy(MessageHub(f'{name}_lazy'))


def test_the_same_history_as_mmengines():
    plain, lazy = hubs('same')
    values = torch.randn(300)
    for i, value in enumerate(values):
        for hub in (plain, lazy):
            hub.update_scalar('train/loss', value)
            hub.update_scalar('train/lr', 0.1 / (i + 1))
            hub.update_scalar('train/step', i)
            hub.update_scalar('train/acc', np.float32(i), count=2)
        if i % 70 == 0:
            assert lazy.get_scalar('train/loss').mean(10) == plain.get_scalar('train/loss').mean(10)
    for key, want in plain.log_scalars.items():
        got = lazy.get_scalar(key)
        for ours, theirs in zip(got.data, want.data):
            assert np.array_equal(ours, theirs) and ours.dtype == theirs.dtype, key
        assert got.current() == want.current() and got.max(7) == want.max(7) and got.min() == want.min()
        assert got.statistics('mean', 20) == want.statistics('mean', 20)


def test_a_tensor_is_read_once_somebody_looks(monkeypatch):
    lazy = make_lazy(MessageHub('reads'))
    reads = []
    for name in ('item', 'tolist', '__float__', 'cpu', 'numpy'):
        original = getattr(torch.Tensor, name)
        monkeypatch.setattr(torch.Tensor, name,
                            lambda self, *a, _f=original, **k: (reads.append(1), _f(self, *a, **k))[1])
    value = torch.tensor(1.0)
    for _ in range(50):
        lazy.update_scalar('train/loss', value)
        value.add_(1)  # a buffer that is used again
    assert not reads
    assert lazy.get_scalar('train/loss').data[0].tolist() == list(range(1, 51))
    assert len(reads) == 1
    for _ in range(600):
        lazy.update_scalar('train/loss', value)
    assert len(reads) == 2  # what waits is bounded


def test_the_latest_are_kept():
    history, plain = ScalarHistory(max_length=5), HistoryBuffer(max_length=5)
    for i in range(200):
        history.update(float(i), 1)
        plain.update(float(i), 1)
        assert np.array_equal(history.data[0], plain.data[0])
    assert history.data[1].tolist() == [1] * 5 and len(history._values) <= 64


def test_copies_are_plain_and_go_on():
    lazy = make_lazy(MessageHub('copies'))
    lazy.update_scalar('train/loss', torch.tensor(0.5))
    lazy.update_info('epoch', 3)
    state = lazy.state_dict()
    assert type(state['log_scalars']['train/loss']) is HistoryBuffer
    assert type(pickle.loads(pickle.dumps(lazy.get_scalar('train/loss')))) is HistoryBuffer
    other = make_lazy(MessageHub('resumed'))
    other.load_state_dict(copy.deepcopy(state))
    other.update_scalar('train/loss', torch.tensor(0.25))
    assert other.get_scalar('train/loss').data[0].tolist() == [0.5, 0.25] and other.get_info('epoch') == 3
    assert lazy.get_scalar('train/loss').data[0].tolist() == [0.5]


@pytest.mark.parametrize('value', ['0.5', torch.zeros(2), [1.0]])
def test_what_is_no_scalar_is_refused(value):
    with pytest.raises((TypeError, AssertionError)):
        make_lazy(MessageHub('refuses')).update_scalar('train/loss', value)


def test_the_runner_has_it(small_run):
    runner = small_run.runner('train_cfg = dict(max_epochs=1, val_interval=1)')
    assert isinstance(runner.message_hub, LazyMessageHub)
    assert MessageHub.get_instance(runner.experiment_name) is runner.message_hub
    runner.train()
    assert len(runner.message_hub.get_scalar('train/loss').data[0]) == 9
    assert isinstance(runner.message_hub.get_scalar('train/time'), ScalarHistory)
