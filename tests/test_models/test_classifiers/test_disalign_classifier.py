"""Tests of ltkit.models.classifiers.disalign_classifier."""

from __future__ import annotations

import pytest
import torch

from ltkit.models.classifiers import DisAlignClassifier, LinearClassifier
from ltkit.registry import CLASSIFIERS
from ltkit.utils.errors import ConfigError


def parts_of(x, p):
    """z and the confidence of each sample, in elementary steps."""
    z = torch.stack([torch.stack([sum(a * b for a, b in zip(row, w)) + b_c for w, b_c in zip(p.weight, p.bias)])
                     for row in x])
    score = torch.stack([sum(a * b for a, b in zip(row, p.confidence_weight[0])) for row in x]) + p.confidence_bias
    return z, (1 / (1 + (-score).exp()))[:, None]


def of_the_paper(x, p):
    z, sigma = parts_of(x, p)
    return sigma * (p.alpha * z + p.beta) + (1 - sigma) * z


def of_cvpods(x, p):
    z, sigma = parts_of(x, p)
    return (1 + sigma * p.alpha) * z + sigma * p.beta


@pytest.mark.parametrize('form, equation', [('paper', of_the_paper), ('cvpods', of_cvpods)])
def test_equation_and_gradients(form, equation, features, drawn, same):
    classifier = CLASSIFIERS.build(dict(type='DisAlignClassifier', num_classes=5, in_channels=7, form=form))
    same(drawn(classifier), equation, features)
    expected = classifier(features)
    assert (classifier.float()(features.float()).double() - expected).abs().max() < 2e-5


@pytest.mark.parametrize('bias', [True, False])
def test_the_paper_s_form_starts_as_the_linear_layer_whose_weights_it_takes(bias, features, drawn):
    linear = drawn(LinearClassifier(5, 7, bias=bias))
    classifier = DisAlignClassifier(5, 7, bias=bias).double()
    state = classifier.load_state_dict(linear.state_dict(), strict=False)
    assert state.missing_keys == ['alpha', 'beta', 'confidence.weight', 'confidence.bias']
    assert not state.unexpected_keys
    assert torch.equal(classifier(features), linear(features))


def test_the_form_of_cvpods_is_the_paper_s_with_alpha_one_larger(features, drawn):
    paper, cvpods = drawn(DisAlignClassifier(5, 7)), DisAlignClassifier(5, 7, form='cvpods').double()
    cvpods.load_state_dict({**paper.state_dict(), 'alpha': paper.alpha - 1})
    assert torch.allclose(cvpods(features), paper(features), atol=1e-12)


def test_initial_values():
    classifier = DisAlignClassifier(5, 7)
    assert classifier.alpha.tolist() == [1] * 5 and classifier.beta.tolist() == [0] * 5
    assert classifier.confidence.weight.tolist() == [[pytest.approx(0.1)] * 7]


def test_a_sure_and_an_unsure_sample(drawn):
    """The confidence chooses between the aligned and the plain logits."""
    classifier = drawn(DisAlignClassifier(5, 7))
    x = torch.randn(1, 7, dtype=torch.float64)
    plain = classifier.linear(x)
    with torch.no_grad():
        classifier.confidence.bias.fill_(1e4)
        assert torch.allclose(classifier(x), classifier.alpha * plain + classifier.beta)
        classifier.confidence.bias.fill_(-1e4)
        assert torch.equal(classifier(x), plain)


def test_unknown_form():
    with pytest.raises(ConfigError, match="form must be one of paper, cvpods, but is 'cvpod'; did you mean 'cvpods'"):
        DisAlignClassifier(5, 7, form='cvpod')
    assert "form='paper'" in repr(DisAlignClassifier(5, 7))
