"""Pictures and tables of results; matplotlib is imported when a picture is drawn."""

from .class_size_plot import plot_accuracy_by_class_size
from .table import results_row, results_table

__all__ = ['plot_accuracy_by_class_size', 'results_row', 'results_table']
