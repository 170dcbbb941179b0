"""Start of the processes of a distributed run, on GPUs or on CPUs."""

from __future__ import annotations

import datetime
import os

import torch
import torch.distributed as torch_dist
from mmengine.dist import is_distributed

from ltkit.utils.errors import ConfigError


def init_processes(launcher: str, timeout: float | None = None) -> None:
    """Join the process group of a launched run.

    GPUs use NCCL. A machine without one uses gloo on its CPUs, and says so.
    ``launcher='none'`` does nothing.

    Args:
        launcher (str): ``'none'``, ``'pytorch'`` (torchrun) or ``'slurm'``.
        timeout (float, optional): Seconds that a collective may take.

    Raises:
        ConfigError: The environment of the launcher is missing, or more
            processes than GPUs were started on this machine.
    """
    if launcher == 'none' or is_distributed():
        return
    if launcher == 'slurm':
        _environment_of_slurm()
    elif launcher != 'pytorch':
        raise ConfigError(f"launcher '{launcher}' is unknown; use none, pytorch or slurm")
    absent = [name for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR', 'MASTER_PORT')
              if name not in os.environ]
    if absent:
        raise ConfigError(f"--launcher pytorch needs {', '.join(absent)} in the environment; start the run "
                          'with tools/dist_train.sh CONFIG GPUS, or torchrun')
    options = {} if timeout is None else dict(timeout=datetime.timedelta(seconds=timeout))
    if restarts() and os.environ.get('TORCHELASTIC_USE_AGENT_STORE') == 'True':
        options.update(store=_fresh_store(), rank=int(os.environ['RANK']), world_size=int(os.environ['WORLD_SIZE']))
    local_rank = int(os.environ['LOCAL_RANK'])
    if torch.cuda.is_available():
        local_size = int(os.environ.get('LOCAL_WORLD_SIZE', local_rank + 1))
        if local_size > torch.cuda.device_count():
            raise ConfigError(f'{local_size} processes were started on a machine with '
                              f'{torch.cuda.device_count()} '
                              f'GPU(s); use at most {torch.cuda.device_count()}')
        torch.cuda.set_device(local_rank)
        torch_dist.init_process_group('nccl', **options)
    else:
        torch_dist.init_process_group('gloo', **options)
        if torch_dist.get_rank() == 0:
            print(f'no GPU found: {torch_dist.get_world_size()} processes on the CPU, connected by '
                  'gloo', flush=True)


def launch_id() -> str | None:
    """What the processes of one launch share, restarts included; None where there is no launcher."""
    given = os.environ.get('LTKIT_LAUNCH_ID') or os.environ.get('TORCHELASTIC_RUN_ID')
    return None if given == 'none' else given  # torchrun's word for an id that was not given


def restarts() -> int:
    """How often torchrun has started this run again after a process died."""
    return int(os.environ.get('TORCHELASTIC_RESTART_COUNT', '0'))


def _fresh_store() -> torch_dist.Store:
    """A part of torchrun's store for this restart alone: the other has the addresses of the dead processes."""
    store = torch_dist.TCPStore(os.environ['MASTER_ADDR'], int(os.environ['MASTER_PORT']), is_master=False)
    return torch_dist.PrefixStore(f'restart_{restarts()}', store)


def _environment_of_slurm() -> None:
    """Translate what srun sets into what torch reads."""
    if 'SLURM_PROCID' not in os.environ:
        raise ConfigError('--launcher slurm needs SLURM_PROCID in the environment; start the run with srun '
                          '(tools/slurm_train.sh)')
    env = os.environ
    env['RANK'], env['WORLD_SIZE'] = env['SLURM_PROCID'], env['SLURM_NTASKS']
    env['LOCAL_RANK'] = env.get('SLURM_LOCALID', '0')
    env.setdefault('LOCAL_WORLD_SIZE', env.get('SLURM_NTASKS_PER_NODE', str(int(env['LOCAL_RANK']) + 1)))
    nodes = env.get('SLURM_STEP_NODELIST', env.get('SLURM_NODELIST', '127.0.0.1'))
    env.setdefault('MASTER_ADDR', _first_node(nodes))
    env.setdefault('MASTER_PORT', env.get('PORT', '29500'))


def _first_node(nodes: str) -> str:
    """The first host of a Slurm list such as ``gpu[03-05,9],login``."""
    name, bracket, rest = nodes.partition('[')
    if not bracket:
        return nodes.split(',')[0]
    if ',' in name:
        return name.split(',')[0]
    return name + rest.partition(']')[0].split(',')[0].split('-')[0]
