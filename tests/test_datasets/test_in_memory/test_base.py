"""Which per-sample transforms have a batched form."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ltkit.datasets.in_memory import base
from ltkit.datasets.in_memory.base import BatchedTransform, batched_twin, on_device, rows_where, twin_of
from ltkit.registry import TRANSFORMS
from ltkit.utils.errors import ConfigError


def test_a_transform_finds_its_twin_by_its_registered_name():
    flip = TRANSFORMS.build(dict(type='torchvision/RandomHorizontalFlip', p=0.25))
    assert twin_of(flip).name == 'torchvision/RandomHorizontalFlip'


def test_a_transform_without_a_twin_is_named_with_those_that_have_one():
    jitter = TRANSFORMS.build(dict(type='torchvision/ColorJitter', brightness=0.4))
    with pytest.raises(ConfigError, match=r"'torchvision/ColorJitter' has no batched form.*Cutout"):
        twin_of(jitter)


def test_a_class_of_the_same_name_is_not_taken_for_the_registered_one():
    class Cutout:
        pass

    with pytest.raises(ConfigError, match="'Cutout' has no batched form"):
        twin_of(Cutout())


def test_a_twin_of_your_own(monkeypatch):
    monkeypatch.setattr(base, 'TWINS', dict(base.TWINS))

    class Invert:
        pass

    monkeypatch.setitem(TRANSFORMS._module_dict, 'Invert', Invert)

    @batched_twin('Invert')
    class BatchedInvert(BatchedTransform):
        def __call__(self, images, draws):
            return 255 - images

    twin = twin_of(Invert())
    assert twin.name == 'Invert' and isinstance(twin, BatchedInvert)
    assert twin(torch.zeros(1, 1, 1, 1, dtype=torch.uint8), None).item() == 255
    assert 'Invert with p=2 has no batched form (p=1 has one)' in str(twin.refuse('p=2', 'p=1'))


def test_a_twin_must_say_what_it_does():
    with pytest.raises(NotImplementedError, match='must define __call__'):
        BatchedTransform(None)(torch.zeros(1, 1, 1, 1), None)


def test_arrays_become_tensors_where_the_images_are():
    like = torch.zeros(1)
    assert torch.equal(on_device(np.arange(6)[::2], like), torch.tensor([0, 2, 4]))
    assert rows_where(np.array([False, True, True]), like).tolist() == [1, 2]
