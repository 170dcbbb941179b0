"""Registered names and arguments."""

from __future__ import annotations

import sys

import pytest

from ltkit.config import load_config
from ltkit.utils import ConfigError


def error_of(path, options=None) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(path, options)
    assert '\n' not in str(caught.value)
    return str(caught.value)


def child(write, text: str):
    return write('configs/x.py', f"_base_ = '../base.py'\n{text}\n")


def test_unknown_name_has_line_and_nearest(write, base):
    message = error_of(child(write, "\nmodel = dict(\n    head=dict(\n        loss=dict(type='ToyLos')))"))
    assert message.startswith("configs/x.py:5: 'ToyLos' is not a registered model; did you mean 'ToyLoss'")
    assert message.endswith('custom_imports')


@pytest.mark.parametrize(
    'text, kind',
    [
        ("train_dataloader = dict(sampler=dict(type='ToySamplr'))", 'data sampler'),
        ("train_dataloader = dict(dataset=dict(type='ToyDatset'))", 'dataset'),
        (
            "train_dataloader = dict(dataset=dict(_delete_=True, type='RepeatDataset', times=2, "
            "dataset=dict(type='ToyDatset', data_root='d')))",
            'dataset',
        ),
        ("train_dataloader = dict(dataset=dict(pipeline=[dict(type='ToyTransfrm')]))", 'transform'),
        ("train_dataloader = dict(collate_fn=dict(type='pseudo_colate'))", 'function'),
        ("optim_wrapper = dict(optimizer=dict(type='SDG'))", 'optimizer'),
        ("optim_wrapper = dict(type='OptimWraper')", 'optim_wrapper'),
        ("optim_wrapper = dict(constructor='DefaultOptimWraperConstructor')", 'constructor'),
        ("param_scheduler = [dict(type='MultiStepLr', milestones=[1])]", 'scheduler'),
        ("custom_hooks = [dict(type='ToyHok')]", 'hook'),
        ("default_hooks = dict(timer=dict(type='IterTimrHook'))", 'hook'),
        ("val_evaluator = dict(type='Acuracy')", 'metric'),
        ("visualizer = dict(vis_backends=[dict(type='LocalVisBackends')])", 'vis'),
        ("train_cfg = dict(_delete_=True, type='EpochBasedTrainLop', max_epochs=1)", 'loop'),
        ("model = dict(head=dict(init_cfg=dict(type='Kaimin')))", 'weight initializer'),
        ("model = dict(head=dict(norm_cfg=dict(type='BNN')))", 'model'),
        ("runner_type = 'Runer'", 'runner'),
    ],
)
def test_each_position_has_its_registry(write, base, text, kind):
    message = error_of(child(write, text))
    assert message.startswith('configs/x.py:2: ') and f'is not a registered {kind}' in message.replace(
        'optimizer wrapper constructor', 'constructor'
    ).replace('optim wrapper', 'optim_wrapper').replace('parameter scheduler', 'scheduler').replace(
        'optim_wrapper constructor', 'constructor'
    ).replace('visualizer backend', 'vis').replace('log processor', 'log_processor')


def test_unknown_argument_has_line_and_nearest(write, base):
    message = error_of(child(write, 'model = dict(head=dict(\n    loss=dict(max_margn=0.3)))'))
    assert message == "configs/x.py:3: ToyLoss has no argument 'max_margn'; did you mean 'max_margin'?"


def test_unknown_argument_without_a_neighbour_lists_all(write, base):
    message = error_of(child(write, 'model = dict(head=dict(loss=dict(zzz=1)))'))
    assert message.endswith("ToyLoss has no argument 'zzz' (it takes max_margin, drw)")


def test_error_in_a_base_points_at_the_base(write, base):
    base.write_text(base.read_text().replace('max_margin', 'max_margn'))
    assert error_of(child(write, "work_dir = 'w'")).startswith('base.py:8: ToyLoss has no argument')


def test_a_line_is_found_through_variables(write, base):
    base.write_text(base.read_text().replace('size=32', 'sizes=32'))
    assert error_of('base.py').startswith("base.py:3: ToyTransform has no argument 'sizes'")


@pytest.mark.parametrize(
    'text, argument',
    [
        ('train_cfg = dict(max_epoch=3)', 'max_epochs'),
        ("val_dataloader = dict(batchsize=3, dataset=dict(type='ToyDataset', data_root='d'))", 'batch_size'),
        ('optim_wrapper = dict(optimizer=dict(momentm=0.9))', 'momentum'),
        ('optim_wrapper = dict(clip_grads=dict(max_norm=1))', 'clip_grad'),
        ("param_scheduler = dict(type='CosineAnnealingLR', t_max=3)", 'T_max'),
        ("custom_hooks = [dict(type='ToyHook', perod=3)]", 'period'),
        ('model = dict(data_preprocesor=None)', 'data_preprocessor'),
        ('log_processor = dict(windw_size=3)', 'window_size'),
    ],
)
def test_slips_in_arguments_of_mmengine_parts(write, base, text, argument):
    message = error_of(child(write, text))
    assert message.startswith('configs/x.py:2: ') and f"'{argument}'" in message


def test_missing_arguments_only_where_nobody_else_gives_them(write, base):
    base.write_text(base.read_text().replace(', depth=2', ''))
    assert error_of('base.py') == "base.py:7: ToyHead needs 'depth' (model.head.depth)"
    base.write_text(base.read_text().replace('num_classes=num_classes', 'depth=num_classes'))
    load_config('base.py')  # num_classes may be supplied
    base.write_text(base.read_text().replace("data_root='data', ", ''))
    assert (
        error_of('base.py') == "base.py:4: ToyDataset needs 'data_root' (train_dataloader.dataset.data_root)"
    )


def test_open_arguments_are_accepted(write, base):
    load_config(
        child(write, "model = dict(head=dict(loss=dict(_delete_=True, type='ToyOpenLoss', anything=1)))")
    )


def test_options_are_named(base):
    assert error_of(base, {'model.head.los.type': 'ToyLoss'}) == (
        "--cfg-options model.head.los.type: ToyHead has no argument 'los'; did you mean 'loss'?"
    )
    assert error_of(base, {'model.head.loss.type': 'ToyLos'}).startswith(
        "--cfg-options model.head.loss.type: 'ToyLos' is not a registered model"
    )
    assert error_of(base, {'model.head.loss': dict(max_margn=1)}).startswith(
        '--cfg-options model.head.loss: ToyLoss'
    )
    assert error_of(base, {'train_dataloader.dataset.pipeline.0.sze': 1}).startswith(
        '--cfg-options train_dataloader.dataset.pipeline.0.sze: ToyTransform has no'
    )
    assert error_of(base, {'train_dataloader.dataset.pipeline.3.size': 1}).startswith(
        '--cfg-options train_dataloader.dataset.pipeline.3.size: does not fit the config'
    )


def test_python_classes_as_types(write, base):
    text = base.read_text().replace("type='SGD', lr=0.1", 'type=SGD, lr=0.1')
    write('lazy.py', 'from torch.optim import SGD\n' + text)
    load_config('lazy.py')
    write('slip.py', 'from torch.optim import SGD\n' + text.replace('lr=0.1', 'lrr=0.1'))
    assert error_of('slip.py').startswith("slip.py:12: SGD has no argument 'lrr'; did you mean 'lr'?")
    write('gone.py', 'from torch.optim import SDG\n' + text.replace('type=SGD', 'type=SDG'))
    assert error_of('gone.py').startswith('gone.py:12: ')


def test_full_import_paths(write, base):
    load_config(
        child(write, "model = dict(head=dict(loss=dict(_delete_=True, type='torch.nn.CrossEntropyLoss')))")
    )


def test_scopes(write, base):
    assert "the package 'nowhere' is not installed" in error_of(
        child(write, "model = dict(head=dict(loss=dict(_delete_=True, type='nowhere.Loss')))")
    )
    assert error_of(child(write, "default_scope = 'ltkt'")).startswith("configs/x.py:2: default_scope 'ltkt'")


IDIOMS = """\
_base_ = '../base.py'
model = dict(
    head=dict(
        init_cfg=[dict(type='Kaiming', layer='Conv2d'), dict(type='Constant', layer='Linear', val=1, bias=0,
                  override=dict(type='Normal', name='fc', std=0.01))],
        norm_cfg=dict(type='BN', requires_grad=True)),
    data_preprocessor=dict(type='ImgDataPreprocessor', mean=[0, 0, 0], std=[1, 1, 1]))
train_pipeline = [dict(type='LoadImageFromFile'), *_base_.train_pipeline]
train_dataloader = dict(
    num_workers=2, persistent_workers=True, pin_memory=True, drop_last=True, num_batch_per_epoch=3,
    dataset=dict(_delete_=True, type='ConcatDataset', datasets=[
        dict(type='RepeatDataset', times=2,
             dataset=dict(type='ToyDataset', data_root='a', pipeline=train_pipeline)),
        dict(type='ToyDataset', data_root='b')]),
    sampler=dict(_delete_=True, type='DefaultSampler', shuffle=True),
    batch_sampler=dict(type='AspectRatioBatchSampler') if False else None,
    collate_fn=dict(type='default_collate'))
val_dataloader = test_dataloader = dict(batch_size=1, dataset=dict(type='ToyDataset', data_root='c'),
                                        sampler=dict(type='DefaultSampler', shuffle=False))
val_evaluator = [dict(type='DumpResults', out_file_path='a.pkl')]
test_evaluator = dict(type='Evaluator', metrics=[dict(type='DumpResults', out_file_path='a.pkl')])
train_cfg = dict(_delete_=True, type='EpochBasedTrainLoop', max_epochs=3, val_interval=1,
                 dynamic_intervals=[(1, 2)])
val_cfg = dict()
test_cfg = None
optim_wrapper = dict(
    _delete_=True, type='AmpOptimWrapper', dtype='float16', loss_scale='dynamic', accumulative_counts=2,
    clip_grad=dict(max_norm=1, norm_type=2), constructor='DefaultOptimWrapperConstructor',
    paramwise_cfg=dict(custom_keys={'head': dict(lr_mult=10)}, norm_decay_mult=0),
    optimizer=dict(type='AdamW', lr=1e-3, betas=(0.9, 0.99), weight_decay=0.05))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=True, begin=0, end=5, convert_to_iter_based=True),
    dict(type='MultiStepLR', milestones=[2, 3], gamma=0.1),
    dict(type='CosineAnnealingLR', T_max=3, eta_min_ratio=0.1, by_epoch=True, begin=5)]
default_hooks = dict(
    logger=dict(type='LoggerHook', interval=10), param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', interval=1, max_keep_ckpts=2, save_best='auto'),
    sampler_seed=dict(type='DistSamplerSeedHook'), timer=None)
custom_hooks = [dict(type='EMAHook', momentum=1e-4, priority='ABOVE_NORMAL'), dict(type='EmptyCacheHook')]
env_cfg = dict(cudnn_benchmark=True, mp_cfg=dict(mp_start_method='fork'), dist_cfg=dict(backend='gloo'))
visualizer = dict(type='Visualizer', name='v', vis_backends=[dict(type='LocalVisBackend'),
                                                           dict(type='TensorboardVisBackend')])
log_processor = dict(type='LogProcessor', window_size=10, by_epoch=True)
randomness = dict(seed=0, diff_rank_seed=False, deterministic=True)
auto_scale_lr = dict(base_batch_size=256, enable=False)
model_wrapper_cfg = dict(type='MMDistributedDataParallel', find_unused_parameters=True)
log_level = 'INFO'
load_from, resume = None, False
launcher = 'none'
work_dir = './work_dirs/{{ fileBasenameNoExtension }}'
experiment_name = '{{$NO_SUCH_VARIABLE:name}}'
compile = dict(backend='eager')
find_unused_parameters = True
sync_bn = 'torch'
tta_model = dict(type='BaseTTAModel')
tta_pipeline = [dict(type='TestTimeAug', transforms=[[dict(type='ToyTransform', size=3)]])]
cudnn_benchmark = True
env_cfg['cudnn_benchmark'] = cudnn_benchmark
"""


def test_the_idioms_of_mmengine_load_clean(write, base):
    config = load_config(write('configs/x.py', IDIOMS))
    assert config.work_dir == './work_dirs/x' and config.experiment_name == 'name'
    assert '_delete_' not in config.pretty_text


def test_delete_with_nothing_to_delete(write, base):
    config = load_config(child(write, 'val_dataloader = dict(_delete_=True, batch_size=1)'))
    assert config.val_dataloader == dict(batch_size=1)


def test_mmpretrain_is_imported_only_when_it_is_named(base):
    import subprocess

    program = (
        'import sys; from ltkit.config.lookup import find_part; '
        "find_part('SGD', 'OPTIMIZERS', 'ltkit'); print('mmpretrain' in sys.modules)"
    )
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == 'False'


def test_names_of_mmpretrain(write):
    pytest.importorskip('mmpretrain')
    text = """\
        default_scope = 'ltkit'
        model = dict(
            type='mmpretrain.ImageClassifier',
            backbone=dict(type='mmpretrain.ResNet', depth=50, num_stages=4, norm_cfg=dict(type='SyncBN')),
            neck=dict(type='mmpretrain.GlobalAveragePooling'),
            head=dict(type='mmpretrain.LinearClsHead', num_classes=10, in_channels=2048,
                      loss=dict(type='ToyLoss')),
            train_cfg=dict(augments=[dict(type='BatchResize')]))
        """
    path = write('a.py', text.replace("augments=[dict(type='BatchResize')]", ''))
    load_config(path)
    assert error_of(write('b.py', text.replace('ResNet', 'ResNett'))).startswith(
        "b.py:4: 'mmpretrain.ResNett' is not a registered model; did you mean 'ResNet'"
    )
    assert error_of(write('c.py', text.replace('depth', 'dept'))).startswith(
        "c.py:4: ResNet has no argument 'dept'; did you mean 'depth'"
    )
    assert "'BatchResize' is not a registered model" in error_of(write('d.py', text))
