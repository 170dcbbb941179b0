"""What travels between pipeline, model and metric."""

from .data_sample import DataSample

__all__ = ['DataSample']
