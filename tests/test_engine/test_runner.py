"""Tests of the Runner: batches, checkpoints, resuming, errors."""

from __future__ import annotations

import errno
import json

import pytest
import torch
from mmengine.hooks import Hook
from torch import nn

from ltkit.engine import Runner
from ltkit.engine.runner import DEFAULT_HOOKS
from ltkit.registry import MODELS
from ltkit.utils.errors import CheckpointError, ConfigError, DiskFullError, DistributionError, TrainingError

PLAIN_BACKBONE = "model = dict(backbone=dict(_delete_=True, type='FlatFeatures'))\n"
SHORT = 'train_cfg = dict(max_epochs=2, val_interval=2)\n'


@MODELS.register_module()
class FlatFeatures(nn.Module):
    """Pixels as features, in float64 and without batch normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.double()
        self.scale = nn.Parameter(torch.ones(64, 1, 1, dtype=torch.float64))

    def forward(self, inputs: torch.Tensor) -> tuple[torch.Tensor]:
        return (inputs.double().flatten(1)[:, :, None, None] * self.scale,)


class LoseFinite(Hook):
    """Make the loss NaN, at once."""

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: object = None) -> None:
        with torch.no_grad():
            next(runner.model.head.parameters()).fill_(torch.nan)


def _double(runner: Runner) -> Runner:
    runner.model.double()
    return runner


def _weights(runner: Runner) -> dict[str, torch.Tensor]:
    return {key: value.clone() for key, value in runner.model.state_dict().items()}


def _log(runner: Runner) -> str:
    return open(f'{runner._log_dir}/{runner.timestamp}.log', encoding='utf-8').read()


@MODELS.register_module()
class SynchronisedFeatures(FlatFeatures):
    """With a batch normalisation that one process turns into another kind."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.SyncBatchNorm(64)

    def forward(self, inputs: torch.Tensor) -> tuple[torch.Tensor]:
        return (self.norm(inputs.flatten(1))[:, :, None, None] * self.scale.float(),)


# -------------------------------------------------------------------- batches
def test_batch_of_one_step_is_printed(small_run):
    runner = small_run.runner(SHORT, train_cfg__max_epochs=1)
    runner.train()
    assert 'batch of one optimiser step: 32 = 1 process(es) x 32 samples x 1 accumulated step(s); ' \
        'learning rate 0.1' in _log(runner)


@pytest.mark.parametrize('batch_size, counts, fitting', [(32, 3, 33), (10, 4, 12), (1, 2, 2)])
def test_batch_that_cannot_be_shared_is_refused(small_run, batch_size, counts, fitting):
    runner = small_run.runner(SHORT, train_dataloader__batch_size=batch_size,
                              optim_wrapper__accumulative_counts=counts)
    with pytest.raises(ConfigError) as error:
        runner.train()
    message = str(error.value)
    assert f'batch_size is {batch_size}' in message and f'{counts} accumulated' in message
    assert f'multiple of {counts}' in message and f'example {fitting}' in message


@pytest.mark.parametrize('batch_size', [0, -4, '32', 1.5, None])
def test_batch_size_that_is_no_number_is_refused(small_run, batch_size):
    cfg = small_run.load(SHORT)
    cfg.train_dataloader.batch_size = batch_size
    with pytest.raises(ConfigError, match=r'train_dataloader\.batch_size must be a positive number'):
        Runner.from_cfg(cfg).train()


def test_accumulation_equals_the_large_batch(small_run):
    weights = []
    for counts in (1, 4):
        runner = _double(small_run.runner(PLAIN_BACKBONE + SHORT, work_dir=f'run{counts}',
                                          optim_wrapper__accumulative_counts=counts))
        runner.train()
        assert len(runner.train_dataloader) == 9 * counts
        weights.append(_weights(runner))
    for key, value in weights[0].items():
        assert torch.allclose(value, weights[1][key], rtol=0, atol=1e-12), key
    assert not torch.equal(weights[0]['head.classifier.weight'], torch.zeros(10, 64))


def test_sampler_of_mmengine_gets_its_share(small_run):
    runner = small_run.runner(SHORT + "train_dataloader = dict(sampler=dict(_delete_=True, "
                                      "type='DefaultSampler', "
                              'shuffle=True))', optim_wrapper__accumulative_counts=2, train_cfg__max_epochs=1)
    runner.train()
    assert runner.train_dataloader.batch_size == 16


def test_slicing_before_sampling_is_refused(small_run):
    cfg = small_run.load(SHORT)
    cfg.train_dataloader.num_batch_per_epoch = 2
    with pytest.raises(ConfigError, match='num_batch_per_epoch would cut the data set'):
        Runner.from_cfg(cfg).train()


# ---------------------------------------------------------------------- hooks
def test_default_hooks_are_there_and_can_be_left_out(small_run):
    cfg = small_run.load(SHORT)
    names = [type(hook).__name__ for hook in Runner.from_cfg(cfg).hooks]
    for hook in DEFAULT_HOOKS.values():
        assert names.count(hook['type'].split('.')[-1]) == 1
    cfg.default_hooks.results = None
    assert 'ResultsHook' not in [type(hook).__name__ for hook in Runner.from_cfg(cfg).hooks]


# ---------------------------------------------------------------- checkpoints
@pytest.fixture
def trained(small_run):
    """A finished run of two epochs."""
    runner = small_run.runner(SHORT + 'default_hooks = dict(checkpoint=dict(interval=1))')
    runner.train()
    return runner


def test_checkpoint_is_plain_and_whole(trained, small_run):
    folder = small_run.folder / 'run'
    stored = torch.load(folder / 'epoch_2.pth', weights_only=True)  # without an allow-list
    assert set(stored) >= {'state_dict', 'optimizer', 'param_schedulers', 'message_hub', 'meta'}
    assert stored['meta']['class_distribution']['counts'] == [100, 64, 41, 27, 17, 11, 7, 4, 3, 2]
    assert not list(folder.glob('*.part'))


def test_failed_write_leaves_nothing(trained, small_run):
    folder = small_run.folder / 'run'
    trained.message_hub.update_info('unpicklable', lambda: 0)
    trained.hooks[:] = [hook for hook in trained.hooks if type(hook).__name__ != 'CheckpointStateHook']
    before = {path.name for path in folder.iterdir()}
    with pytest.raises(Exception, match='pickle'):
        trained.save_checkpoint(str(folder), 'epoch_3.pth')
    assert {path.name for path in folder.iterdir()} == before


def test_nothing_to_resume(small_run):
    with pytest.raises(CheckpointError, match=r'nothing to resume: no checkpoint in .*run'):
        small_run.runner(SHORT, resume=True).train()


def test_resume_with_another_seed(trained, small_run):
    with pytest.raises(CheckpointError, match='seed 0, but this one has seed 5'):
        small_run.runner(SHORT, resume=True, randomness__seed=5).train()


@pytest.mark.parametrize('left_out', [('meta',), ('optimizer', 'param_schedulers')])
def test_resume_with_weights_only(trained, small_run, left_out):
    stored = torch.load(small_run.folder / 'run' / 'epoch_2.pth', weights_only=True)
    path = small_run.folder / 'weights.pth'
    torch.save({key: value for key, value in stored.items() if key not in left_out}, path)
    with pytest.raises(CheckpointError, match=r'weights\.pth has weights but no state .* use it with '
                                              r'load_from'):
        small_run.runner(SHORT, resume=True, load_from=str(path)).train()


def test_resume_of_another_model(trained, small_run):
    text = "model = dict(head=dict(classifier=dict(type='CosineClassifier')))"
    with pytest.raises(CheckpointError, match=r'epoch_2\.pth is of another model: .*classifier'):
        small_run.runner(SHORT + text, resume=True).train()


def test_damaged_checkpoint_is_passed_over(trained, small_run):
    folder = small_run.folder / 'run'
    expected = _weights(trained)
    (folder / 'epoch_2.pth').write_bytes((folder / 'epoch_2.pth').read_bytes()[:5000])
    runner = small_run.runner(SHORT, resume=True)
    runner.train()
    log = _log(runner)
    assert 'epoch_2.pth' in log and 'truncated' in log and 'weights loaded from' in log
    assert all(torch.equal(value, expected[key]) for key, value in _weights(runner).items())


def test_resume_in_the_middle_of_an_epoch(small_run):
    """Checkpoints by iteration are resumed exactly too."""
    text = 'train_cfg = dict(max_epochs=3, val_interval=3)\n' \
        'default_hooks = dict(checkpoint=dict(by_epoch=False, interval=13, max_keep_ckpts=-1))'
    straight = small_run.runner(text)
    straight.train()
    again = small_run.runner(text, work_dir='again', resume=True,
                             load_from=str(small_run.folder / 'run' / 'iter_13.pth'))
    again.train()
    assert again.iter == straight.iter == 27
    assert all(torch.equal(value, _weights(again)[key]) for key, value in _weights(straight).items())
    with pytest.raises(CheckpointError, match=r'iter_13\.pth was written after iteration 13 and epoch 1 of '
                                              r'a run'):
        small_run.runner(text, work_dir='other', resume=True, train_dataloader__batch_size=138,
                         load_from=str(small_run.folder / 'run' / 'iter_13.pth')).train()


def test_sampler_that_cannot_begin_in_the_middle_of_an_epoch(small_run):
    text = 'train_cfg = dict(max_epochs=2)\ndefault_hooks = dict(checkpoint=dict(by_epoch=False, interval=13))\n' \
        "train_dataloader = dict(sampler=dict(_delete_=True, type='DefaultSampler', shuffle=True))"
    small_run.runner(text).train()
    with pytest.raises(CheckpointError, match='iteration 13, in the middle of an epoch of 9, where DefaultSampler '
                                              'cannot begin; resume from a checkpoint of the end of an epoch'):
        small_run.runner(text, work_dir='other', resume=True,
                         load_from=str(small_run.folder / 'run' / 'iter_13.pth')).train()


def test_loop_by_iterations_resumes_exactly(small_run, monkeypatch):
    monkeypatch.setattr('mmengine.runner.loops.time.sleep', lambda seconds: None)
    text = "train_cfg = dict(_delete_=True, type='IterBasedTrainLoop', max_iters=20, val_interval=20)\n" \
        'default_hooks = dict(checkpoint=dict(by_epoch=False, interval=6, max_keep_ckpts=-1))\n' \
        'param_scheduler = None'
    straight = small_run.runner(text)
    straight.train()
    again = small_run.runner(text, work_dir='again', resume=True,
                             load_from=str(small_run.folder / 'run' / 'iter_12.pth'))
    again.train()
    assert all(torch.equal(value, _weights(again)[key]) for key, value in _weights(straight).items())


def test_finished_run_resumed_keeps_its_results(trained, small_run):
    path = small_run.folder / 'run' / 'results.json'
    before = json.loads(path.read_text())
    path.unlink()  # killed between the last checkpoint and the evaluation
    for _ in range(2):
        small_run.runner(SHORT, resume=True).train()
        after = json.loads(path.read_text())
        assert after['metrics'] == before['metrics'] and after['epoch'] == 2 and after['resumed']


def test_load_from_takes_weights_alone(trained, small_run):
    """Fine-tuning: the counts are those of the new training set, not of the checkpoint."""
    path = str(small_run.folder / 'run' / 'epoch_2.pth')
    runner = small_run.runner(
        SHORT + "model = dict(head=dict(loss=dict(type='BalancedSoftmaxLoss')))", work_dir='second',
        load_from=path, train_dataloader__dataset__imbalance_factor=10, train_cfg__max_epochs=1)
    runner.train()
    assert runner.model.head.loss_module.class_counts.tolist()[-1] == 10
    assert 'weights loaded from' in _log(runner)


def test_test_leaves_the_config_of_the_training_in_place(trained, small_run):
    from ltkit.apis import test
    config = small_run.folder / 'run' / 'small.py'
    before = config.read_text()
    results = test(small_run.load(SHORT), str(small_run.folder / 'run' / 'epoch_2.pth'))
    assert config.read_text() == before and 'train_dataloader' in before
    assert results['epoch'] == 2 and results['checkpoint'].endswith('epoch_2.pth')


# --------------------------------------------------------------------- errors
def test_number_of_classes_that_differs(small_run):
    with pytest.raises(DistributionError) as error:
        small_run.runner(SHORT, model__head__num_classes=7).train()
    assert str(error.value) == ('model.head.num_classes is 7, but the training set DigitsLT has 10 classes; '
                                'set num_classes=10')


def test_loss_that_is_not_finite_stops_and_keeps_the_last_checkpoint(small_run):
    text = SHORT + 'default_hooks = dict(checkpoint=dict(interval=1))\n' \
        "param_scheduler = [dict(type='MultiStepLR', milestones=[1], gamma=1e30)]"
    with pytest.raises(TrainingError) as error:
        small_run.runner(text).train()
    message = str(error.value)
    for word in ('at iteration 1', '(epoch 2)', 'loss=', 'learning rate 1e+29', 'epoch_1.pth', 'clip_grad'):
        assert word in message, message
    assert '\n' not in message
    folder = small_run.folder / 'run'
    assert [path.name for path in folder.glob('*.pth')] == ['epoch_1.pth']
    weights = torch.load(folder / 'epoch_1.pth', weights_only=True)['state_dict']
    assert all(torch.isfinite(value).all() for value in weights.values())
    assert not (folder / 'results.json').exists()


@pytest.mark.parametrize('resume, named', [(False, 'there is no checkpoint of this run yet'),
                                           (True, 'the last good checkpoint is {folder}/epoch_2.pth')])
def test_a_checkpoint_of_an_earlier_run_is_not_called_the_last_good_one(trained, small_run, resume, named):
    folder = small_run.folder / 'run'
    text = 'train_cfg = dict(max_epochs=3)\nparam_scheduler = None\ndefault_hooks = dict(checkpoint=dict(interval=1))'
    runner = small_run.runner(text, resume=resume)
    runner.register_hook(LoseFinite())
    with pytest.raises(TrainingError) as error:
        runner.train()
    assert named.format(folder=folder) in str(error.value)


def test_the_checkpoint_that_is_named_is_there_and_can_be_resumed(trained, small_run):
    folder = small_run.folder / 'run'
    assert trained.last_own_checkpoint() == str(folder / 'epoch_2.pth')
    trained.save_checkpoint(str(folder), 'best_accuracy_top1_epoch_2.pth')  # which --resume passes over
    assert trained.last_own_checkpoint() == str(folder / 'epoch_2.pth')
    (folder / 'epoch_2.pth').unlink()
    assert trained.last_own_checkpoint() == str(folder / 'epoch_1.pth')


def test_the_disk_is_full_beside_a_checkpoint_of_an_earlier_run(trained, small_run, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, 'No space left on device')
    monkeypatch.setattr('mmengine.runner.Runner.save_checkpoint', full)
    runner = small_run.runner(SHORT + 'default_hooks = dict(checkpoint=dict(interval=1))')
    with pytest.raises(DiskFullError, match='there is no checkpoint of this run yet'):
        runner.train()


@pytest.mark.parametrize('text, message', [
    ("param_scheduler = [dict(type='LinearLR', start_factor=-3)]", 'param_scheduler: LinearLR: Starting'),
    ("optim_wrapper = dict(optimizer=dict(type='AdamW', _delete_=True, betas=(2, 3)))",
     'optim_wrapper: AdamW: Invalid'),
    ('val_dataloader = None', 'config: .*val_dataloader, val_cfg, and val_evaluator'),
    ("model = dict(head=dict(loss=dict(type='LDAMLoss', max_margin='wide')))", "config: LDAMLoss: '>='"),
])
def test_what_a_part_refuses_is_a_config_error(small_run, text, message):
    with pytest.raises(ConfigError, match=f'^{message}'):
        small_run.runner(text).train()


def test_statistics_stay_frozen_where_another_batch_normalisation_takes_the_place(small_run):
    text = "model = dict(backbone=dict(_delete_=True, type='SynchronisedFeatures'))\n" + SHORT
    moved, kept = (small_run.runner(text, frozen__statistics=names, load_from=None) for names in ([], ['backbone']))
    for runner in (moved, kept):
        norm = runner.model.backbone.norm
        assert type(norm) is not nn.SyncBatchNorm
        runner.train()
        assert torch.equal(norm.running_mean, torch.zeros(64)) == (runner is kept)
        assert norm.num_batches_tracked == (0 if runner is kept else runner.iter)
