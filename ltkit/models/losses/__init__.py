"""Losses, called as ``loss(cls_score, target)``; see :class:`LongTailLoss`."""

from .balanced_softmax_loss import BalancedSoftmaxLoss
from .base import LongTailLoss
from .class_balanced_loss import ClassBalancedLoss
from .class_difficulty_balanced_loss import ClassDifficultyBalancedLoss
from .cosine_loss import CosineLoss
from .dot_regression_loss import DotRegressionLoss
from .feature_loss import FeatureLoss
from .gaussian_clouded_logit_loss import GaussianCloudedLogitLoss
from .generalized_reweight_loss import GeneralizedReweightLoss
from .influence_balanced_loss import InfluenceBalancedLoss
from .kps_loss import KPSLoss
from .label_aware_smoothing_loss import LabelAwareSmoothingLoss
from .lade_loss import LADELoss
from .ldam_loss import LDAMLoss
from .logit_adjusted_loss import LogitAdjustedLoss
from .meta_weight_net_loss import MetaWeightNetLoss
from .ride_loss import RIDELoss
from .softmax_equalization_loss import SoftmaxEqualizationLoss
from .softmax_focal_loss import SoftmaxFocalLoss
from .softmax_loss import SoftmaxLoss
from .vs_loss import VSLoss
from .weighted_softmax_loss import WeightedSoftmaxLoss

__all__ = [
    'BalancedSoftmaxLoss',
    'ClassBalancedLoss',
    'ClassDifficultyBalancedLoss',
    'CosineLoss',
    'DotRegressionLoss',
    'FeatureLoss',
    'GaussianCloudedLogitLoss',
    'GeneralizedReweightLoss',
    'InfluenceBalancedLoss',
    'KPSLoss',
    'LADELoss',
    'LDAMLoss',
    'LabelAwareSmoothingLoss',
    'LogitAdjustedLoss',
    'LongTailLoss',
    'MetaWeightNetLoss',
    'RIDELoss',
    'SoftmaxEqualizationLoss',
    'SoftmaxFocalLoss',
    'SoftmaxLoss',
    'VSLoss',
    'WeightedSoftmaxLoss',
]
