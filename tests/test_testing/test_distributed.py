from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import time

import pytest
import torch
import torch.distributed as dist
from mmengine.dist import get_dist_info
from torch.utils.data import DataLoader

from ltkit.testing.distributed import RemoteTraceback, run_distributed
from ltkit.utils.errors import ConfigError


class Awkward(Exception):
    """Cannot be unpickled: its arguments are not those of the constructor."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(f'{first} and {second}')


def add_ranks(rank, world_size, extra=0):
    total = torch.tensor([float(rank + extra)])
    dist.all_reduce(total)
    return get_dist_info(), total, os.environ['RANK'], torch.get_num_threads()


def gradient(rank, world_size):
    weight = torch.ones(3, requires_grad=True)
    (weight * rank).sum().backward()
    dist.all_reduce(weight.grad)
    return weight.grad


def fail_on(rank, world_size, failing, kind):
    if rank == failing:
        raise kind('the cause')
    dist.barrier()


def fail_awkwardly(rank, world_size):
    raise Awkward(1, 2)


def fail_to_return(rank, world_size):
    return lambda: None


def be_killed(rank, world_size):
    if rank == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    dist.barrier()


def leave_at_once(rank, world_size):
    os._exit(0)


def fail_while_the_other_sleeps(rank, world_size, folder):
    loader = iter(DataLoader(list(range(8)), num_workers=1))
    next(loader)
    workers = [worker.pid for worker in multiprocessing.active_children()]
    (folder / str(rank)).write_text(' '.join(map(str, [os.getpid(), *workers])))
    dist.barrier()
    if rank == 1:
        raise ConfigError('the cause')
    time.sleep(60)


def sleep(rank, world_size):
    time.sleep(60 if rank == 1 else 0)


def is_gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    with open(f'/proc/{pid}/stat') as stat:  # ended, but its parent has not asked yet
        return stat.read().rsplit(')', 1)[1].split()[0] == 'Z'


@pytest.mark.parametrize('world_size', [1, 3])
def test_results_by_rank(world_size):
    results = run_distributed(add_ranks, world_size, 1)
    assert [info for info, *_ in results] == [(rank, world_size) for rank in range(world_size)]
    expected = world_size * (world_size + 1) / 2
    assert all(total.item() == expected for _, total, *_ in results)
    assert [rank for *_, rank, _ in results] == [str(rank) for rank in range(world_size)]
    assert all(threads == 1 for *_, threads in results)
    assert not dist.is_initialized()
    assert 'RANK' not in os.environ


def test_autograd_after_a_backward_here():
    torch.ones(2, requires_grad=True).sum().backward()
    for grad in run_distributed(gradient, 2):
        assert grad.tolist() == [1, 1, 1]


@pytest.mark.parametrize('failing', [0, 1])
def test_error_keeps_its_class_and_traceback(failing):
    start = time.monotonic()
    with pytest.raises(ConfigError, match='the cause') as info:
        run_distributed(fail_on, 2, failing, ConfigError)
    assert time.monotonic() - start < 50  # the other one is not waited for
    assert isinstance(info.value.__cause__, RemoteTraceback)
    assert f'in process {failing} of 2' in str(info.value.__cause__)
    assert 'in fail_on' in str(info.value.__cause__)


def test_system_exit_is_seen():
    with pytest.raises(SystemExit):
        run_distributed(fail_on, 2, 0, SystemExit)


def test_what_cannot_be_pickled():
    with pytest.raises(RuntimeError, match='Awkward: 1 and 2'):
        run_distributed(fail_awkwardly, 2)
    with pytest.raises((AttributeError, pickle.PicklingError), match='lambda'):
        run_distributed(fail_to_return, 2)


def test_no_result():
    with pytest.raises(RuntimeError, match=r'process 1 of 2 ended without a result \(exit code -9'):
        run_distributed(be_killed, 2)
    with pytest.raises(RuntimeError, match='ended without a result'):
        run_distributed(leave_at_once, 1)
    with pytest.raises(ValueError, match='world_size'):
        run_distributed(add_ranks, 0)


@pytest.mark.skipif(not os.path.isdir('/proc/self'), reason='looks into /proc')
def test_leaves_no_process(tmp_path):
    with pytest.raises(ConfigError):
        run_distributed(fail_while_the_other_sleeps, 2, tmp_path)
    pids = [int(pid) for rank in '01' for pid in (tmp_path / rank).read_text().split()]
    assert len(pids) == 4
    deadline = time.monotonic() + 60
    while not all(map(is_gone, pids)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert all(map(is_gone, pids))
    assert not multiprocessing.active_children()


def test_time_limit():
    with pytest.raises(TimeoutError, match=r'2 processes of sleep took longer than 0\.3 s'):
        run_distributed(sleep, 2, timeout=0.3)
    assert not multiprocessing.active_children()


@pytest.mark.slow
def test_fork_server(monkeypatch):
    """The way that is taken where there is a GPU; the module is found by its file."""
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    assert [total.item() for _, total, *_ in run_distributed(add_ranks, 2, 1)] == [3, 3]
