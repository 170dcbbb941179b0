"""Regularisers: terms of the loss made of features, logits and labels."""

from .base import Regularizer

__all__ = ['Regularizer']
