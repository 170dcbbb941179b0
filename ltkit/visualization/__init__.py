"""Pictures and tables of results; matplotlib is imported when a picture is drawn."""

from .class_size_plot import plot_accuracy_by_class_size
from .neural_collapse_plot import plot_neural_collapse
from .reliability_plot import plot_reliability
from .sweep_plot import plot_sweep
from .table import results_row, results_table

__all__ = ['plot_accuracy_by_class_size', 'plot_neural_collapse', 'plot_reliability', 'plot_sweep', 'results_row',
           'results_table']
