r"""The survey's upper reference accuracy (UA) and relative accuracy (RA).

.. math:: A_u = \max(A_v, A_b), \qquad A_r = A_t / A_u

:math:`A_t` is the top-1 accuracy of a method trained on the long-tailed set,
:math:`A_b` that of the same method trained on a balanced set of equally many
images, and :math:`A_v` that of its backbone trained there with cross-entropy. RA
tells relief of imbalance from other gains, such as a larger network or stronger
augmentation. Zhang et al., TPAMI 2023, arXiv 2110.04596.
"""

from __future__ import annotations


def upper_reference_accuracy(backbone_accuracy: float, method_accuracy: float) -> float:
    r"""UA, :math:`A_u`.

    Args:
        backbone_accuracy (float): :math:`A_v`, cross-entropy on the balanced
            set, in percent.
        method_accuracy (float): :math:`A_b`, the method on the balanced set, in
            percent.

    Returns:
        float: The larger of the two, in percent.

    Raises:
        ValueError: One is not above 0 and at most 100.
    """
    return max(_percent(backbone_accuracy, 'backbone_accuracy'), _percent(method_accuracy, 'method_accuracy'))


def relative_accuracy(accuracy: float, upper_reference: float) -> float:
    r"""RA, :math:`100 A_t / A_u`, in percent; over 100 when the method beats its reference.

    Args:
        accuracy (float): :math:`A_t`, the method on the long-tailed set, in
            percent.
        upper_reference (float): :math:`A_u` of
            :func:`upper_reference_accuracy`, in percent.

    Raises:
        ValueError: ``accuracy`` is not in [0, 100] or ``upper_reference`` not
            in (0, 100].
    """
    if not 0 <= accuracy <= 100:
        raise ValueError(f'accuracy must be in percent, 0 to 100, but is {accuracy:g}')
    return 100 * accuracy / _percent(upper_reference, 'upper_reference')


def _percent(value: float, name: str) -> float:
    if not 0 < value <= 100:
        raise ValueError(f'{name} must be in percent, above 0 and at most 100, but is {value:g}')
    return float(value)
