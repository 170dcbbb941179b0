"""``tools/analysis_tools/plot_neural_collapse.py``."""

from __future__ import annotations

import json

import pytest

TOOL = 'analysis_tools/plot_neural_collapse.py'


def run(folder, nc1):
    folder.mkdir(parents=True)
    records = [dict(epoch=epoch, nc1=nc1 / epoch, min_angle=80.0, nc4=0.1) for epoch in (10, 20)]
    content = dict(name='a', seed=0, simplex_angle=96.4, records=records)
    (folder / 'neural_collapse.json').write_text(json.dumps(content))
    return folder


def test_runs_together(tool, tmp_path):
    runs = [run(tmp_path / 'erm' / str(seed), seed + 1.0) for seed in range(2)]
    file = run(tmp_path / 'nc', 0.2) / 'neural_collapse.json'
    done = tool(TOOL, tmp_path / 'collapse.png', f'ERM={runs[0]}', runs[1], f'NC={file}')
    assert done.returncode == 0, done.stdout
    assert (tmp_path / 'collapse.png').read_bytes().startswith(b'\x89PNG')
    lines = done.stdout.splitlines()
    assert lines[0].startswith('|  | runs | epoch | nc1 |') and len(lines) == 4
    assert lines[2].startswith('| ERM | 2 | 20 | 0.075 ± 0.035 | - |')
    assert lines[3].startswith('| NC | 1 | 20 | 0.01 | -')


def test_a_pattern_behind_a_name(tool, tmp_path):
    """No shell replaces the ``*`` of ``ERM=erm/*``."""
    for seed in range(3):
        run(tmp_path / 'erm' / str(seed), seed + 1.0)
    done = tool(TOOL, 'collapse.svg', 'ERM=erm/*')
    assert done.returncode == 0 and '| ERM | 3 | 20 | 0.1 ± 0.05 |' in done.stdout
    done = tool(TOOL, 'collapse.svg', 'ERM=nc/*')
    assert done.returncode == 2 and done.stdout.startswith('error: nc/* is not there')


@pytest.mark.parametrize('content, told', [
    (None, r"there; train with custom_hooks=[dict(type='NeuralCollapseHook')]"), ('{', 'is no JSON'),
    ('{}', 'has no records; it must be what NeuralCollapseHook writes')])
def test_no_history(tool, tmp_path, content, told):
    (tmp_path / 'run').mkdir()
    if content is not None:
        (tmp_path / 'run' / 'neural_collapse.json').write_text(content)
    done = tool(TOOL, 'a.png', 'ERM=run')
    assert done.returncode == 2 and done.stdout.startswith('error: run/neural_collapse.json') and told in done.stdout


def test_a_run_without_a_name(tool, tmp_path):
    run(tmp_path / 'run', 1.0)
    done = tool(TOOL, 'a.png', 'run')
    assert done.returncode == 2 and done.stdout == "error: 'run' has no name; write NAME=run\n"
