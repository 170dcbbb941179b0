"""Backbones: images to feature maps, or to one map an expert or branch.

``ResNet``, ``ResNeXt``, ``RIDEResNet``, ``RIDEResNeXt``, ``BBNResNet`` and ``BBNResNeXt`` (ImageNet sizes)
build on mmpretrain and are imported when a config names them.
"""

from ltkit.registry import MODELS

from .bilateral_branch import BilateralBranchMixin
from .bilateral_branch_cifar_resnet import BBNResNet8, BBNResNet32, BilateralBranchCIFARResNet
from .cifar_resnet import CIFARResNet, ResNet8, ResNet20, ResNet32, ResNet44, ResNet56
from .multi_expert import MultiExpertMixin
from .multi_expert_cifar_resnet import MultiExpertCIFARResNet, RIDEResNet8, RIDEResNet32

MODELS.register_lazily(
    ResNet='ltkit.models.backbones.resnet',
    ResNeXt='ltkit.models.backbones.resnet',
    RIDEResNet='ltkit.models.backbones.ride_resnet',
    RIDEResNeXt='ltkit.models.backbones.ride_resnet',
    BBNResNet='ltkit.models.backbones.bbn_resnet',
    BBNResNeXt='ltkit.models.backbones.bbn_resnet')

__all__ = [
    'BBNResNet32',
    'BBNResNet8',
    'BilateralBranchCIFARResNet',
    'BilateralBranchMixin',
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
