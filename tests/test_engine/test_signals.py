"""Signals are noted while a run trains, and by no other process."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from ltkit.engine.signals import StopSignals, careful_workers
from ltkit.utils.errors import Interrupted


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGUSR1])
def test_noted_within_and_as_before_after(number):
    before = signal.getsignal(number)
    with StopSignals() as signals:
        assert signals.received is None
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), signal.SIGTERM)
        assert signals.received == number.name  # the first one
    assert signal.getsignal(number) is before
    with signals:
        assert signals.received is None


def test_one_within_another():
    """The inner one takes what came before it, and hands on what comes."""
    with StopSignals() as outer:
        with StopSignals() as inner:
            os.kill(os.getpid(), signal.SIGUSR1)
        assert inner.received == outer.received == 'SIGUSR1'
        with StopSignals() as later:
            assert later.received == 'SIGUSR1'
        os.kill(os.getpid(), signal.SIGTERM)  # the outer one is there again
        assert outer.received == 'SIGUSR1'


@pytest.mark.parametrize('distributed, error, ignored', [
    (True, Interrupted, True), (False, Interrupted, False), (True, KeyError, False)])
def test_a_stopped_process_of_several_ends_with_its_own_status(monkeypatch, distributed, error, ignored):
    """torchrun sends SIGTERM to the others as soon as the first has ended."""
    monkeypatch.setattr('ltkit.engine.signals.is_distributed', lambda: distributed)
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGUSR1)]
    try:
        with pytest.raises(error), StopSignals():
            raise error('stopped')
        found = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGUSR1)]
    finally:
        for number, handler in zip((signal.SIGTERM, signal.SIGUSR1), before):
            signal.signal(number, handler)
    assert found == ([signal.SIG_IGN] * 2 if ignored else before)


def test_a_forked_child_dies_of_it():
    with StopSignals():
        child = os.fork()
        if child == 0:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM


def test_another_thread_changes_nothing():
    before, found = signal.getsignal(signal.SIGTERM), []

    def enter() -> None:
        with StopSignals():
            found.append(signal.getsignal(signal.SIGTERM))
    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert found == [before]


class Pids(Dataset):
    """Each sample is the number of the process that made it."""

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.tensor(os.getpid())


def test_workers_outlive_a_signal_that_is_not_of_their_parent():
    seen = []
    loader = DataLoader(Pids(), batch_size=1, num_workers=1, persistent_workers=True,
                        worker_init_fn=lambda worker: seen.append(worker))
    loader = careful_workers(loader)
    worker = int(next(iter(loader)))
    sender = os.fork()
    if sender == 0:
        os.kill(worker, signal.SIGTERM)
        os._exit(0)
    os.waitpid(sender, 0)
    time.sleep(0.2)
    assert [int(pid) for pid in loader] == [worker] * 6
    process = loader._iterator._workers[0]
    process.terminate()  # as the loader and the end of the parent do
    process.join(60)
    assert process.exitcode == 0
    loader._iterator._shutdown_workers()


def test_loader_without_workers_is_left_alone():
    loader = DataLoader(Pids())
    assert careful_workers(loader).worker_init_fn is None
