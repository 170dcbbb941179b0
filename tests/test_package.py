"""Tests of the package as a whole: what it imports, and how the tests mirror it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]
PACKAGE = REPO / 'ltkit'
FILES = sorted(PACKAGE.rglob('*.py'))
HEAVY = ('mmpretrain', 'torchvision', 'sklearn', 'matplotlib', 'cv2', 'scipy', 'mmcv', 'mmdet', 'pandas')
# Held by every file below the folder: it imports nothing of these.
ONE_DIRECTION = {
    'models': ('ltkit.datasets', 'ltkit.engine', 'ltkit.apis', 'ltkit.config'),
    'datasets': ('ltkit.models', 'ltkit.engine', 'ltkit.apis', 'ltkit.config'),
    'evaluation': ('ltkit.models', 'ltkit.datasets', 'ltkit.engine', 'ltkit.apis', 'ltkit.config'),
    'engine': ('ltkit.apis', 'ltkit.config'),
    'utils': ('ltkit.models', 'ltkit.datasets', 'ltkit.engine', 'ltkit.apis', 'ltkit.config',
              'ltkit.evaluation', 'ltkit.distribution', 'ltkit.registry'),
}


def _imported(file: Path) -> set[str]:
    """All modules that a file imports, anywhere in it, by their full names."""
    package = list(file.relative_to(REPO).with_suffix('').parts[:-1])
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[:len(package) - node.level + 1] if node.level else []
            module = '.'.join([*base, *([node.module] if node.module else [])])
            found |= {module, *(f'{module}.{alias.name}' for alias in node.names)}
    return found


def _below(module: str, roots: tuple[str, ...]) -> bool:
    return any(module == root or module.startswith(f'{root}.') for root in roots)


def _id(file: Path) -> str:
    return str(file.relative_to(REPO))


@pytest.mark.parametrize('modules', [
    'ltkit',
    'ltkit.models, ltkit.datasets, ltkit.engine, ltkit.evaluation, ltkit.config, ltkit.apis, '
    'ltkit.visualization',
])
def test_import_is_light(modules):
    code = f'import sys, torch, mmengine.runner\nbefore = set(sys.modules)\nimport {modules}\n' \
        f'print(sorted({{name.split(".")[0] for name in set(sys.modules) - before}} & {set(HEAVY)!r}))'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, cwd=REPO)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1] == '[]'


def test_import_of_the_package_alone_imports_no_part():
    parts = tuple(f'ltkit.{part}' for part in ('models', 'engine', 'datasets', 'apis', 'config'))
    code = f'import sys, ltkit\nprint([name for name in sys.modules if name.startswith({parts!r})])'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, cwd=REPO)
    assert done.stdout.splitlines()[-1] == '[]', done.stderr


@pytest.mark.parametrize('file', [
    file for file in FILES if file.name not in ('__init__.py', 'version.py')], ids=_id)
def test_each_file_has_its_tests(file):
    parts = file.relative_to(PACKAGE).parts
    mirrored = REPO.joinpath('tests', *(f'test_{part}' for part in parts))
    assert mirrored.is_file(), f'{_id(file)} has no {_id(mirrored)}'


@pytest.mark.parametrize('file', FILES, ids=_id)
def test_one_direction_of_imports(file):
    imported = _imported(file)
    part = file.relative_to(PACKAGE).parts[0]
    assert not [name for name in imported if _below(name, ONE_DIRECTION.get(part, ()))]
    never = ('tools', 'tests', 'projects', 'configs', 'mmcv.ops')
    assert not [name for name in imported if _below(name, never)]


@pytest.mark.parametrize('file', sorted((PACKAGE / 'evaluation' / 'functional').glob('*.py')), ids=_id)
def test_functional_imports_torch_and_numpy_alone(file):
    for name in _imported(file):
        root = name.split('.')[0]
        assert root in ('torch', 'numpy') or root in sys.stdlib_module_names \
            or _below(name, ('ltkit.evaluation.functional',)), name


@pytest.mark.parametrize('file', FILES, ids=_id)
def test_no_device_is_guessed_and_no_file_is_long(file):
    text = file.read_text(encoding='utf-8')
    methods = [node.func for node in ast.walk(ast.parse(text))
               if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    assert not [method.lineno for method in methods if method.attr == 'cuda']
    assert len(text.splitlines()) <= 400
    if file.name != '__init__.py' or text.strip():
        assert ast.get_docstring(ast.parse(text)), 'has no docstring'


@pytest.mark.parametrize('file', FILES, ids=_id)
def test_no_assert_checks_what_a_user_gives(file):
    asserts = [node.lineno for node in ast.walk(ast.parse(file.read_text(encoding='utf-8')))
               if isinstance(node, ast.Assert)]
    assert not asserts or file.is_relative_to(PACKAGE / 'testing')
