"""Running: the Runner, hooks, and the start of processes."""

from . import hooks, loops
from .launch import init_processes
from .optim_constructor import LTOptimWrapperConstructor
from .optim_wrapper import CPUAmpOptimWrapper
from .runner import Runner

__all__ = ['CPUAmpOptimWrapper', 'LTOptimWrapperConstructor', 'Runner', 'hooks', 'init_processes', 'loops']
