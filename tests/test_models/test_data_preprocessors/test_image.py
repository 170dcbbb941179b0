"""Tests of ltkit.models.data_preprocessors.image."""

from __future__ import annotations

import pytest
import torch

from ltkit.registry import MODELS
from ltkit.structures import DataSample
from ltkit.utils.errors import ConfigError, DataError


def build(**kwargs):
    return MODELS.build(dict(type='ImageDataPreprocessor', **kwargs))


def batch(n=4, channels=3, size=5, labels=None):
    images = [torch.randint(0, 256, (channels, size, size), dtype=torch.uint8) for _ in range(n)]
    return dict(inputs=images, data_samples=[DataSample().set_gt_label(i) for i in labels or range(n)])


def swap(inputs, scores):
    """A batch augment by which each image half becomes the next one."""
    return (inputs + inputs.roll(1, 0)) / 2, (scores + scores.roll(1, 0)) / 2


def test_normalised_against_a_plain_reference():
    data = batch()
    mean, std = [10.0, 20.0, 30.0], [2.0, 4.0, 8.0]
    out = build(mean=mean, std=std)(data)['inputs']
    assert out.dtype == torch.float32 and out.shape == (4, 3, 5, 5)
    for n in range(4):
        for c in range(3):
            want = (data['inputs'][n][c].double() - mean[c]) / std[c]
            assert torch.allclose(out[n, c].double(), want, atol=1e-5)


def test_a_stacked_batch_and_no_samples_are_taken_too():
    data = batch()
    pre = build(mean=[1, 2, 3], std=[1, 2, 3])
    stacked = pre(dict(inputs=torch.stack(data['inputs'])))
    assert torch.equal(stacked['inputs'], pre(data)['inputs']) and stacked['data_samples'] is None


def test_without_mean_the_values_are_kept():
    data = batch()
    out = build()(data)['inputs']
    assert out.dtype == torch.float32 and torch.equal(out, torch.stack(data['inputs']).float())


def test_the_input_is_not_written_to():
    images = torch.rand(2, 1, 3, 3)
    before = images.clone()
    build(mean=[0.5], std=[0.1])(dict(inputs=images))
    assert torch.equal(images, before)


@pytest.mark.parametrize('dtype', [torch.uint8, torch.float32, torch.float64])
def test_the_dtype_is_the_models(dtype):
    pre = build(mean=[0.0], std=[2.0])
    images = dict(inputs=torch.ones(2, 1, 3, 3).to(dtype))
    assert pre(images)['inputs'].dtype == torch.float32
    assert pre.double()(images)['inputs'].dtype == torch.float64
    assert build().double()(images)['inputs'].dtype == torch.float64


def test_channels_last():
    out = build(mean=[0, 0, 0], std=[1, 1, 1], channels_last=True)(batch())['inputs']
    assert out.is_contiguous(memory_format=torch.channels_last) and not out.is_contiguous()


def test_batch_augments_mix_images_and_labels_in_training_alone():
    pre = build(mean=[0.0] * 3, std=[1.0] * 3, num_classes=4, batch_augments=dict(augments=[swap]))
    data = batch()
    plain = pre(data, False)
    assert not hasattr(plain['data_samples'][0], 'gt_score')
    mixed = pre(data, True)
    assert torch.equal(mixed['inputs'], (plain['inputs'] + plain['inputs'].roll(1, 0)) / 2)
    scores = torch.stack([s.gt_score for s in mixed['data_samples']])
    assert torch.equal(scores, (torch.eye(4) + torch.eye(4).roll(1, 0)) / 2)


def test_labels_are_kept_in_training():
    data = build(num_classes=9)(batch(labels=[5, 0, 8, 5]), True)
    assert [s.gt_label.tolist() for s in data['data_samples']] == [[5], [0], [8], [5]]
    assert data['data_samples'][0].gt_label.dtype == torch.int64


def test_the_buffers_stay_out_of_the_checkpoint():
    assert build(mean=[1.0], std=[1.0]).state_dict() == {}


@pytest.mark.parametrize('kwargs,message', [
    (dict(mean=[1.0]), 'both mean and std'),
    (dict(mean=[1.0], std=[1.0, 2.0]), 'mean has 1 values, but std 2'),
    (dict(mean=[1.0], std=[0.0]), 'above 0'),
])
def test_wrong_arguments(kwargs, message):
    with pytest.raises(ConfigError, match=message):
        build(**kwargs)


def test_mean_of_another_number_of_channels():
    with pytest.raises(ConfigError, match='mean and std have 3 values, but the images 1 channels'):
        build(mean=[1, 2, 3], std=[1, 2, 3])(batch(channels=1))


def test_images_of_different_sizes():
    images = [torch.zeros(1, 4, 4, dtype=torch.uint8), torch.zeros(1, 4, 5, dtype=torch.uint8)]
    with pytest.raises(DataError, match=r'\(1, 4, 4\), \(1, 4, 5\); resize or crop'):
        build()(dict(inputs=images))


def test_label_out_of_range():
    with pytest.raises(DataError, match=r'label 3 is out of range 0 \.\. 2'):
        build(num_classes=3)(batch(), True)


def test_batch_augments_without_number_of_classes():
    with pytest.raises(ConfigError, match='num_classes'):
        build(batch_augments=dict(augments=[swap]))(batch(), True)
