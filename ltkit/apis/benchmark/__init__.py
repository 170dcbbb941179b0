"""Benchmarks: methods x imbalance factors x seeds, by one command; see docs/benchmark.md."""

from .command import main
from .config import Benchmark, Method, load_benchmark
from .published import compare, published_figures, published_names
from .report import make_report, write_report
from .runs import Run, plan
from .scheduler import Outcome, Scheduler, slots

__all__ = [
    'Benchmark',
    'Method',
    'Outcome',
    'Run',
    'Scheduler',
    'compare',
    'load_benchmark',
    'main',
    'make_report',
    'plan',
    'published_figures',
    'published_names',
    'slots',
    'write_report',
]
