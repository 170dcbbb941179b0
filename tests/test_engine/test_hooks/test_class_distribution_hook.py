"""Tests of handing out the class distribution."""

from __future__ import annotations

import json

import pytest
import torch
from mmengine.dataset import pseudo_collate
from torch import nn

from ltkit import ClassDistribution
from ltkit.apis import test as run_test
from ltkit.utils.errors import DistributionError

COUNTS = [100, 64, 41, 27, 17, 11, 7, 4, 3, 2]
BALANCED = "model = dict(head=dict(loss=dict(type='BalancedSoftmaxLoss'{})))\n"
ONE_EPOCH = 'train_cfg = dict(max_epochs=1, val_interval=1)\n'


def _loss(runner) -> nn.Module:
    return runner.model.head.loss_module


def test_parts_and_metrics_get_the_counts(small_run):
    runner = small_run.runner(ONE_EPOCH + BALANCED.format(''))
    assert not _loss(runner).has_class_counts
    runner.train()
    assert _loss(runner).class_counts.tolist() == COUNTS
    metric = runner.val_evaluator.metrics[0]
    assert metric.class_distribution.counts.tolist() == COUNTS
    assert metric.class_distribution.thresholds == 'many > 40, few < 10 training samples'


def test_counts_of_the_config_win(small_run):
    given = list(range(10, 0, -1))
    runner = small_run.runner(ONE_EPOCH + BALANCED.format(f', class_counts={given}'))
    runner.train()
    assert _loss(runner).class_counts.tolist() == given
    stored = torch.load(small_run.folder / 'run' / 'epoch_1.pth', weights_only=True)
    assert stored['meta']['class_distribution']['counts'] == COUNTS


def test_a_test_needs_no_training_data(small_run):
    small_run.runner(ONE_EPOCH + BALANCED.format('')).train()
    cfg = small_run.load(ONE_EPOCH + BALANCED.format(''))
    cfg.train_dataloader.dataset.type = 'NotThere'
    results = run_test(cfg, str(small_run.folder / 'run' / 'epoch_1.pth'))
    assert results['class_counts'] == COUNTS
    assert 'accuracy/few' in results['metrics']
    trained = json.loads((small_run.folder / 'run' / 'results.json').read_text())
    assert trained['metrics'] == results['metrics'] and trained['thresholds'] == results['thresholds']


def test_a_test_of_bare_weights_takes_the_counts_from_the_buffers(small_run):
    text = ONE_EPOCH + BALANCED.format('')
    small_run.runner(text).train()
    stored = torch.load(small_run.folder / 'run' / 'epoch_1.pth', weights_only=True)
    torch.save(stored['state_dict'], small_run.folder / 'bare.pth')
    results = run_test(small_run.load(text), str(small_run.folder / 'bare.pth'))
    assert results['class_counts'] == COUNTS


def test_moving_averages_train_with_counts(small_run):
    """EMAHook copies the model before training begins."""
    text = ONE_EPOCH + BALANCED.format('') + "custom_hooks = [dict(type='EMAHook', update_buffers=True)]"
    for kwargs in (dict(), dict(resume=True, train_cfg__max_epochs=2)):
        runner = small_run.runner(text, **kwargs)
        runner.train()
        assert _loss(runner).class_counts.tolist() == COUNTS


class Unlabelled(torch.utils.data.Dataset):
    """Samples of which nobody knows the class."""

    metainfo: dict = {}

    def __init__(self, dataset) -> None:
        self.inner = dataset

    def __len__(self) -> int:
        return len(self.inner)

    def __getitem__(self, index: int):
        return self.inner[index]


@pytest.mark.parametrize('metric, needed', [(dict(), True), (dict(groups=False, class_counts=COUNTS), False)])
def test_labels_are_asked_for_only_when_they_are_needed(small_run, metric, needed):
    from ltkit.registry import DATASETS
    cfg = small_run.load(ONE_EPOCH)
    inner = DATASETS.build(cfg.train_dataloader.dataset)
    cfg.val_evaluator.update(metric)
    if not needed:
        cfg.model.head.loss.class_counts = COUNTS
    from ltkit.engine import Runner
    runner = Runner.from_cfg(cfg)
    runner._train_dataloader = torch.utils.data.DataLoader(
        Unlabelled(inner), 32, collate_fn=pseudo_collate)
    if not needed:
        runner.train()
        assert runner.val_evaluator.metrics[0].class_counts.tolist() == COUNTS
        return
    with pytest.raises(DistributionError, match=r'Unlabelled does not tell its '
                                                r'labels.*model\.head\.loss_module.* needs'):
        runner.train()


def test_distribution_in_the_checkpoint_makes_an_equal_one(small_run):
    small_run.runner(ONE_EPOCH).train()
    stored = torch.load(small_run.folder / 'run' / 'epoch_1.pth', weights_only=True)
    assert ClassDistribution(**stored['meta']['class_distribution']).groups['few'].tolist() == [6, 7, 8, 9]
