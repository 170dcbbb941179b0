"""Backbones: images to feature maps, or to one map an expert.

``ResNet``, ``ResNeXt``, ``RIDEResNet`` and ``RIDEResNeXt`` (ImageNet sizes) build on mmpretrain
and are imported when a config names them.
"""

from ltkit.registry import MODELS

from .cifar_resnet import CIFARResNet, ResNet8, ResNet20, ResNet32, ResNet44, ResNet56
from .multi_expert import MultiExpertMixin
from .multi_expert_cifar_resnet import MultiExpertCIFARResNet, RIDEResNet8, RIDEResNet32

MODELS.register_lazily(
    ResNet='ltkit.models.backbones.resnet',
    ResNeXt='ltkit.models.backbones.resnet',
    RIDEResNet='ltkit.models.backbones.ride_resnet',
    RIDEResNeXt='ltkit.models.backbones.ride_resnet')

__all__ = [
    'CIFARResNet',
    'MultiExpertCIFARResNet',
    'MultiExpertMixin',
    'RIDEResNet32',
    'RIDEResNet8',
    'ResNet20',
    'ResNet32',
    'ResNet44',
    'ResNet56',
    'ResNet8',
]
