"""Tests of ltkit.models.fitted."""

from __future__ import annotations

from torch import nn

from ltkit.models.classifiers import LinearClassifier, NCMClassifier, OLTRClassifier
from ltkit.models.fitted import Fitted, begins_training, fitted_parts
from ltkit.models.posthoc import TemperatureScaling


class Half(nn.Module):
    """Has a method fit() of another kind."""

    def fit(self, features, labels):
        pass


def test_what_is_fitted():
    assert isinstance(NCMClassifier(3, 4), Fitted)
    assert not any(isinstance(part, Fitted) for part in (LinearClassifier(3, 4), TemperatureScaling(), Half()))


def test_what_is_trained_from_its_fit_on():
    assert begins_training(OLTRClassifier(3, 4))
    assert not any(begins_training(part) for part in (NCMClassifier(3, 4), LinearClassifier(3, 4), Half(), None))


def test_the_fitted_parts_of_a_model_by_their_names():
    head = nn.ModuleList([NCMClassifier(3, 4), Half(), OLTRClassifier(3, 4)])
    model = nn.ModuleDict(dict(backbone=nn.Linear(2, 4), head=head))
    assert fitted_parts(model) == {'head.0': model['head'][0]}
    assert fitted_parts(nn.Linear(2, 4)) == {}
