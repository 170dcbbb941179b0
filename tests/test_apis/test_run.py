"""Tests of training and testing by a config."""

from __future__ import annotations

import os

import pytest
import torch
from mmengine.config import Config

from ltkit.apis import default_work_dir, train, use_amp, use_compile
from ltkit.apis import test as run_test
from ltkit.utils.errors import CheckpointError, ConfigError

SHORT = 'train_cfg = dict(max_epochs=1, val_interval=1)\n'


def test_default_work_dir():
    expected = os.path.join('work_dirs', 'ride', 'r50_imagenet_lt')
    assert default_work_dir('configs/ride/r50_imagenet_lt.py') == expected


def test_train_and_test_give_the_same_figures(small_run):
    trained = train(small_run.load(SHORT))
    tested = run_test(small_run.load(SHORT), str(small_run.folder / 'run' / 'epoch_1.pth'))
    assert trained['metrics'] == tested['metrics'] and trained['epoch'] == tested['epoch'] == 1


def test_configs_that_lack_a_part(small_run):
    cfg = small_run.load(SHORT)
    cfg.train_dataloader = None
    with pytest.raises(ConfigError, match=r'small\.py has no train_dataloader'):
        train(cfg)
    cfg.test_dataloader = None
    with pytest.raises(ConfigError, match=r'small\.py has no test_dataloader'):
        run_test(cfg, 'any.pth')


def test_checkpoints_that_do_not_fit(small_run):
    with pytest.raises(CheckpointError, match=r'no checkpoint at none\.pth'):
        run_test(small_run.load(SHORT), 'none.pth')
    path = str(small_run.folder / 'other.pth')
    torch.save(torch.nn.Linear(2, 2).state_dict(), path)
    with pytest.raises(CheckpointError, match=r'other\.pth is of another model'):
        run_test(small_run.load(SHORT), path)


def test_nothing_to_resume_is_said_before_anything_starts(small_run):
    cfg = small_run.load(SHORT)
    cfg.resume = True
    with pytest.raises(CheckpointError, match='nothing to resume: no checkpoint in'):
        train(cfg)
    assert not os.path.exists(cfg.work_dir)


def test_a_run_without_a_stated_seed_resumes_with_its_own(small_run):
    def load(epochs: int, resume: bool = False) -> Config:
        cfg = small_run.load(SHORT, train_cfg__max_epochs=epochs)
        cfg.randomness, cfg.resume = dict(), resume
        cfg.randomness = dict(seed=None)
        return cfg

    first = train(load(1))
    second = train(load(2, resume=True))
    assert first['seed'] == second['seed'] and second['epoch'] == 2 and second['resumed']


def test_use_amp():
    wrapper = dict(optimizer=dict(type='SGD', lr=0.1))
    for given in (wrapper, dict(wrapper, type='OptimWrapper'), dict(wrapper, type='CPUAmpOptimWrapper')):
        cfg = Config(dict(optim_wrapper=given))
        use_amp(cfg)
        assert cfg.optim_wrapper.type in ('CPUAmpOptimWrapper', 'AmpOptimWrapper')
        assert cfg.optim_wrapper.optimizer.lr == 0.1
    with pytest.raises(ConfigError, match="but it is 'ApexOptimWrapper'"):
        use_amp(Config(dict(optim_wrapper=dict(wrapper, type='ApexOptimWrapper'))))
    with pytest.raises(ConfigError, match='no optim_wrapper'):
        use_amp(Config(dict()))


def test_use_amp_with_a_type(monkeypatch):
    wrapper = dict(optimizer=dict(type='SGD', lr=0.1))
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    cfg = Config(dict(optim_wrapper=wrapper))
    use_amp(cfg, 'bf16')
    assert cfg.optim_wrapper.type == 'CPUAmpOptimWrapper'
    with pytest.raises(ConfigError, match='--amp fp16 needs a GPU; use --amp bf16 on the CPU'):
        use_amp(cfg, 'fp16')
    with pytest.raises(ConfigError, match="--amp takes fp16 or bf16, but got 'fp8'"):
        use_amp(cfg, 'fp8')
    monkeypatch.setattr('torch.cuda.is_available', lambda: True)
    for given in (wrapper, dict(wrapper, type='AmpOptimWrapper')):
        for dtype, expected in ((None, 'absent'), ('fp16', 'float16'), ('bf16', 'bfloat16')):
            cfg = Config(dict(optim_wrapper=given))
            use_amp(cfg, dtype)
            assert cfg.optim_wrapper.type == 'AmpOptimWrapper'
            assert cfg.optim_wrapper.get('dtype', 'absent') == expected
            if dtype == 'bf16':
                assert cfg.optim_wrapper.loss_scale == dict(enabled=False)


def test_use_compile_keeps_options():
    for given, expected in (({}, True), (dict(compile=False), True), (dict(compile=True), True),
                            (dict(compile=dict(backend='eager')), dict(backend='eager'))):
        cfg = Config(given)
        use_compile(cfg)
        assert cfg.compile == expected


def test_a_compiled_run_equals_one_that_is_not(small_run):
    """And it is the loss of the model that runs compiled, without a second compilation."""
    calls, compilations = [], []

    def backend(graph, example_inputs):
        compilations.append(graph)

        def run(*args):
            calls.append(1)
            return graph.forward(*args)
        return run
    torch._dynamo.reset()
    plain = train(small_run.load(SHORT, work_dir='plain'))
    cfg = small_run.load(SHORT, work_dir='compiled')
    cfg._cfg_dict['compile'] = True
    from ltkit.engine import Runner
    original = torch.compile
    torch.compile = lambda function: original(function, backend=backend)
    try:
        runner = Runner.from_cfg(cfg)
        runner.train()
    finally:
        torch.compile = original
    assert len(calls) == 9 * len(compilations) and compilations
    a, b = (torch.load(small_run.folder / name / 'epoch_1.pth', weights_only=True)['state_dict']
            for name in ('plain', 'compiled'))
    assert a.keys() == b.keys() and all(torch.allclose(a[key], b[key], atol=1e-6) for key in a)
    assert plain['epoch'] == 1


def test_compile_that_is_no_option(small_run):
    with pytest.raises(ConfigError, match=r"compile must be True, False or a dict .*'eager'"):
        train(small_run.load(SHORT + "compile = 'eager'"))


def test_fused_optimizer(small_run):
    """One kernel for all parameters, on CPUs and GPUs; the same weights within rounding."""
    weights = []
    for fused in (False, True):
        train(small_run.load(SHORT, work_dir=f'fused{fused}', optim_wrapper__optimizer__fused=fused))
        stored = torch.load(small_run.folder / f'fused{fused}' / 'epoch_1.pth', weights_only=True)
        weights.append(stored['state_dict'])
        assert bool(stored['optimizer']['param_groups'][0]['fused']) == fused
    assert all(torch.allclose(value, weights[1][key], atol=1e-5) for key, value in weights[0].items())
