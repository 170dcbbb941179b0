"""Tests of reading checkpoints safely and writing files whole."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.model import ExponentialMovingAverage
from mmengine.optim import MultiStepLR, OneCycleLR, ReduceOnPlateauLR
from torch import nn

from ltkit.utils.checkpoint import (
    from_plain,
    latest_checkpoint,
    plain,
    read_checkpoint,
    whole_file,
)
from ltkit.utils.errors import CheckpointError


class Foreign:
    """Pickles into code that leaves a trace when it runs."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple:
        return exec, (f"open({str(self.trace)!r}, 'w').close()",)


def _one_line(error: pytest.ExceptionInfo, *words: str) -> None:
    message = str(error.value)
    assert '\n' not in message
    for word in words:
        assert word in message


# ------------------------------------------------------------------ reading
@pytest.mark.parametrize('share', [0, 0.001, 0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize('zipped', [True, False])
def test_truncated_file_is_named_with_its_size(tmp_path, share, zipped):
    buffer = io.BytesIO()
    torch.save(dict(state_dict=nn.Linear(30, 40).state_dict(), meta=dict(epoch=1)), buffer,
               _use_new_zipfile_serialization=zipped)
    whole = buffer.getvalue()
    path = tmp_path / 'epoch_1.pth'
    path.write_bytes(whole[:int(share * len(whole))])
    with pytest.raises(CheckpointError) as error:
        read_checkpoint(path)
    _one_line(error, str(path), 'truncated', f'{path.stat().st_size:,} bytes')


def test_random_damage_never_shows_another_error(tmp_path):
    buffer = io.BytesIO()
    torch.save(dict(state_dict=nn.Linear(3, 4).state_dict()), buffer, _use_new_zipfile_serialization=False)
    rng, path = np.random.default_rng(0), tmp_path / 'damaged.pth'
    for _ in range(200):
        data = bytearray(buffer.getvalue())
        data[rng.integers(len(data))] = rng.integers(256)
        path.write_bytes(data)
        try:
            read_checkpoint(path)
        except CheckpointError as error:
            assert '\n' not in str(error)


@pytest.mark.parametrize('save', [
    torch.save,
    lambda data, path: torch.save(data, path, _use_new_zipfile_serialization=False),
    lambda data, path: Path(path).write_bytes(pickle.dumps(data)),
])
def test_foreign_code_is_refused_and_not_run(tmp_path, save):
    trace = tmp_path / 'ran'
    save(dict(state_dict={}, meta=Foreign(trace)), tmp_path / 'evil.pth')
    with pytest.raises(CheckpointError) as error:
        read_checkpoint(tmp_path / 'evil.pth')
    _one_line(error, 'evil.pth', 'refused', 'foreign code')
    assert not trace.exists()


def test_refusal_names_the_class(tmp_path):
    torch.save(dict(model=Counter(a=1), scheduler=Path('x')), tmp_path / 'a.pth')
    with pytest.raises(CheckpointError, match=r"refused: it holds a pickled 'pathlib\.\w+'"):
        read_checkpoint(tmp_path / 'a.pth')


def test_getattr_in_a_checkpoint_reaches_nothing(tmp_path):
    class Reaches:
        def __reduce__(self) -> tuple:
            return getattr, (HistoryBuffer, '__init__')

    torch.save(dict(a=Reaches()), tmp_path / 'a.pth')
    with pytest.raises(CheckpointError, match='refused'):
        read_checkpoint(tmp_path / 'a.pth')


@pytest.mark.parametrize('content', [b'', b'not a checkpoint', b'PK\x03\x04', b'<html>404</html>' * 99])
def test_other_files(tmp_path, content):
    (tmp_path / 'a.pth').write_bytes(content)
    with pytest.raises(CheckpointError) as error:
        read_checkpoint(tmp_path / 'a.pth')
    _one_line(error, 'a.pth')


def test_missing_file_and_folder(tmp_path):
    for path in (tmp_path / 'none.pth', tmp_path):
        with pytest.raises(CheckpointError, match='no checkpoint at'):
            read_checkpoint(path)


def test_a_tensor_is_not_a_checkpoint(tmp_path):
    torch.save(torch.zeros(3), tmp_path / 'a.pth')
    with pytest.raises(CheckpointError, match='holds a Tensor, not a checkpoint'):
        read_checkpoint(tmp_path / 'a.pth')


def _with_older_numpy(path: Path) -> None:
    """Rename numpy's module in a checkpoint as numpy 1 wrote it."""
    with zipfile.ZipFile(path) as old:
        files = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, 'w') as new:
        for name, data in files.items():
            if name.endswith('data.pkl'):
                assert b'numpy._core' in data or b'numpy.core' in data
                data = data.replace(b'numpy._core.multiarray', b'numpy.core.multiarray')
            new.writestr(name, data)


@pytest.mark.parametrize('older_numpy', [False, True])
def test_checkpoint_of_mmengine_is_read(tmp_path, older_numpy):
    buffer = HistoryBuffer([1.0, 2.0], [1, 1])
    torch.save(dict(state_dict={}, meta=dict(epoch=np.int64(3), seed=np.float64(2)),
                    message_hub=dict(log_scalars={'train/loss': buffer})), tmp_path / 'a.pth')
    if older_numpy:
        _with_older_numpy(tmp_path / 'a.pth')
    found = read_checkpoint(tmp_path / 'a.pth')
    assert found['meta'] == dict(epoch=3, seed=2.0)
    assert found['message_hub']['log_scalars']['train/loss'].mean() == 1.5


# ------------------------------------------------------------------- latest
def _checkpoint(path: Path) -> str:
    torch.save(dict(meta=dict(epoch=1)), path)
    return str(path)


def test_latest_checkpoint(tmp_path):
    assert latest_checkpoint(tmp_path) is None
    assert latest_checkpoint(tmp_path / 'none') is None
    for epoch in (2, 9, 10):
        _checkpoint(tmp_path / f'epoch_{epoch}.pth')
    _checkpoint(tmp_path / 'best_accuracy.pth')
    assert latest_checkpoint(tmp_path) == str(tmp_path / 'epoch_10.pth')
    (tmp_path / 'epoch_10.pth').write_bytes((tmp_path / 'epoch_10.pth').read_bytes()[:100])
    assert latest_checkpoint(tmp_path) == str(tmp_path / 'epoch_9.pth')
    (tmp_path / 'epoch_9.pth').write_bytes(b'')
    (tmp_path / 'epoch_2.pth').unlink()
    assert latest_checkpoint(tmp_path) is None


def test_latest_checkpoint_believes_the_pointer_if_it_leads_somewhere(tmp_path):
    for epoch in (1, 2):
        _checkpoint(tmp_path / f'epoch_{epoch}.pth')
    pointer = tmp_path / 'last_checkpoint'
    pointer.write_text(str(tmp_path / 'epoch_1.pth'))
    assert latest_checkpoint(tmp_path) == str(tmp_path / 'epoch_1.pth')
    pointer.write_text('/where/it/was/before/epoch_1.pth')  # a folder that was moved
    assert latest_checkpoint(tmp_path) == str(tmp_path / 'epoch_1.pth')
    for lost in ('', str(tmp_path / 'epoch_7.pth')):
        pointer.write_text(lost)
        assert latest_checkpoint(tmp_path) == str(tmp_path / 'epoch_2.pth')
    elsewhere = tmp_path / 'elsewhere'
    elsewhere.mkdir()
    pointer.write_text(_checkpoint(elsewhere / 'epoch_5.pth'))  # CheckpointHook(out_dir=...)
    assert latest_checkpoint(tmp_path) == str(elsewhere / 'epoch_5.pth')


def test_a_damaged_checkpoint_is_told_once_and_none_of_another_run_taken(tmp_path, monkeypatch):
    for epoch in (10, 20, 90):  # the last one was left by an earlier run
        _checkpoint(tmp_path / f'epoch_{epoch}.pth')
    (tmp_path / 'epoch_20.pth').write_bytes(b'damaged')
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'epoch_20.pth'))
    told = []
    monkeypatch.setattr('mmengine.logging.print_log', lambda message, *args, **kwargs: told.append(message))
    monkeypatch.chdir(tmp_path)
    assert latest_checkpoint('.') == 'epoch_10.pth'
    assert len(told) == 1 and told[0].endswith('trying the checkpoint before it')


# ------------------------------------------------------------------ writing
def test_whole_file_leaves_nothing_half_written(tmp_path):
    path = tmp_path / 'a.json'
    path.write_text('old')
    with pytest.raises(KeyboardInterrupt), whole_file(path) as part:
        Path(part).write_text('ne')
        raise KeyboardInterrupt
    assert path.read_text() == 'old'
    assert os.listdir(tmp_path) == ['a.json']
    with whole_file(path) as part:
        Path(part).write_text('new')
        assert path.read_text() == 'old'
    assert path.read_text() == 'new'
    assert os.listdir(tmp_path) == ['a.json']


def _round_trip(data, tmp_path: Path):
    torch.save(plain(data), tmp_path / 'plain.pth')
    return from_plain(torch.load(tmp_path / 'plain.pth', weights_only=True))


def test_plain_keeps_plain_data(tmp_path):
    data = dict(a=[1, 2.5, None, True, ('x', 'y')], b={3: dict(c='d')}, t=torch.arange(3))
    found = _round_trip(data, tmp_path)
    assert torch.equal(found.pop('t'), data.pop('t'))
    assert found == data
    assert plain(np.float64(2)) == 2.0 and type(plain(np.float64(2))) is float
    assert torch.equal(plain(np.arange(3)), torch.arange(3))
    assert plain(Path('a')) == 'a'


def test_message_hub_round_trip(tmp_path):
    hub = MessageHub.get_instance('test_message_hub_round_trip')
    for value in (1.0, 0.1, 0.30000000000000004):
        hub.update_scalar('train/loss', value, count=2)
    hub.update_info('epoch', np.int64(4))
    hub.update_info('keep_ckpt_ids', [1, 2])
    other = MessageHub.get_instance('test_message_hub_round_trip_2')
    other.load_state_dict(_round_trip(hub.state_dict(), tmp_path))
    for mine, its in zip(hub.get_scalar('train/loss').data, other.get_scalar('train/loss').data):
        assert np.array_equal(mine, its)
    assert other.get_info('epoch') == 4 and other.get_info('keep_ckpt_ids') == [1, 2]
    other.update_scalar('train/loss', 2.0)
    assert other.get_scalar('train/loss').current() == 2.0


def test_schedulers_go_on_after_a_round_trip(tmp_path):
    makers = [
        lambda opt: MultiStepLR(opt, milestones=[2, 5, 5], gamma=0.5),  # keeps a Counter
        lambda opt: OneCycleLR(opt, eta_max=1, total_steps=12),  # keeps a function
        lambda opt: ReduceOnPlateauLR(opt, monitor='loss', rule='less', patience=1),
    ]
    for make in makers:
        straight, rates = _scheduled(make), []
        for step in range(10):
            if step == 4:
                states = _round_trip([part.state_dict() for part in straight], tmp_path)
                straight = _scheduled(make)
                for part, state in zip(straight, states):
                    part.load_state_dict(state)
            rates.append(_step(*straight))
        reference = _scheduled(make)
        assert rates == [_step(*reference) for _ in range(10)]
        assert len(set(rates)) > 2


def _scheduled(make):
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1, momentum=0.9)
    return optimizer, make(optimizer)


def _step(optimizer, scheduler) -> float:
    optimizer.step()
    if isinstance(scheduler, ReduceOnPlateauLR):
        scheduler.step({'loss': 1.0})
    else:
        scheduler.step()
    return optimizer.param_groups[0]['lr']


@pytest.mark.parametrize('kind', [torch.optim.SGD, torch.optim.AdamW])
def test_optimizer_and_average_round_trip(tmp_path, kind):
    model = nn.Linear(2, 2)
    optimizer = kind(model.parameters(), lr=0.1, **(dict(momentum=0.9) if kind is torch.optim.SGD else {}))
    average = ExponentialMovingAverage(model)
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    average.update_parameters(model)
    found = _round_trip(dict(optimizer=optimizer.state_dict(), average=average.state_dict()), tmp_path)
    fresh = kind(model.parameters(), lr=7.0, **(dict(momentum=0.9) if kind is torch.optim.SGD else {}))
    fresh.load_state_dict(found['optimizer'])
    for before, after in zip(optimizer.state.values(), fresh.state.values()):
        assert before.keys() == after.keys()
        assert all(torch.equal(torch.as_tensor(before[k]), torch.as_tensor(after[k])) for k in before)
    assert fresh.param_groups[0]['lr'] == 0.1
    ExponentialMovingAverage(model).load_state_dict(found['average'])
