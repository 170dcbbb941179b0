"""The documentation: its code runs, its configs load, its errors are these, its links lead somewhere."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
from collections.abc import Iterator
from itertools import dropwhile, pairwise
from pathlib import Path

import pytest

from ltkit import registry
from ltkit.config import implied_prior_warnings, load_config
from ltkit.utils.errors import ConfigError

REPO = Path(__file__).resolve().parents[1]
IGNORED = ('.venv', 'results', 'work_dirs', 'data', '.git', 'build', '.pytest_cache', '.ruff_cache')
PAGES = sorted(path for path in REPO.rglob('*.md') if not set(path.relative_to(REPO).parts) & set(IGNORED))
BLOCK = re.compile(r'^```(\w*)\n(.*?)^```$', re.MULTILINE | re.DOTALL)


def name_of(path: Path) -> str:
    return str(path.relative_to(REPO))


def blocks_of(path: Path) -> list[tuple[str, str]]:
    return BLOCK.findall(path.read_text(encoding='utf-8'))


def python_blocks() -> list:
    """``(code, what the page says it prints)``."""
    params = []
    for path in PAGES:
        blocks = blocks_of(path)
        for number, (language, code) in enumerate(blocks):
            if language == 'python':
                after = dropwhile(lambda block: block[0] == 'bash', blocks[number + 1:])
                following, text = next(after, ('', ''))
                shown = text.strip() if following == 'text' else ''
                params.append(pytest.param(code, shown, id=f'{name_of(path)}-{number}'))
    return params


def registries() -> list[registry.Registry]:
    return [value for value in vars(registry).values() if isinstance(value, registry.Registry)]


@pytest.fixture
def _registries_as_before() -> Iterator[None]:
    """A page sees ltkit's own parts alone, not those of a plugin that another test imported."""
    plugins = [(each, name, part) for each in registries() for name, part in each._module_dict.items()
               if part.__module__.split('.')[0] == 'example_project']
    for each, name, _ in plugins:
        del each._module_dict[name]
    yield
    for each in registries():
        for name in [name for name, part in each._module_dict.items() if part.__module__ == 'page']:
            del each._module_dict[name]
    for each, name, part in plugins:
        each._module_dict[name] = part


@pytest.mark.usefixtures('_registries_as_before')
@pytest.mark.parametrize(('code', 'shown'), python_blocks())
def test_python_block(code: str, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if '_base_' not in code:
        monkeypatch.chdir(REPO)
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(code, 'page', 'exec'), {'__name__': 'page'})
        return
    monkeypatch.chdir(tmp_path)
    Path('my_method.py').write_text(code, encoding='utf-8')
    if shown.startswith('error: my_method.py'):
        with pytest.raises(ConfigError) as caught:
            load_config('my_method.py')
        assert shown == 'error: ' + str(caught.value).replace(f'{REPO}/ltkit/.mim/', '')
        return
    warnings = implied_prior_warnings(load_config('my_method.py'))
    told = [shown] if 'correct the class prior' in shown else []
    assert warnings == told


@pytest.mark.parametrize('path', PAGES, ids=name_of)
def test_commands(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripts and configs of a command exist, and an option that is shown to fail fails as shown."""
    monkeypatch.chdir(REPO)
    text = path.read_text(encoding='utf-8')
    folders = 'tools|configs|projects|ltkit|tests'
    named = re.findall(rf'(?<![\w/.])(?:{folders})/[\w./-]*\.(?:py|sh|yml|md|toml)\b', text)
    own = {'configs/my_method/twice_digits.py'}  # what the reader is told to write
    places = [REPO, path.parent]
    assert not [name for name in set(named) - own if not any((place / name).exists() for place in places)]
    blocks = blocks_of(path)
    for (language, command), (_, shown) in pairwise(blocks):
        if language == 'bash' and shown.startswith('error: --cfg-options'):
            config, key, value = re.search(r'(configs/\S+).*--cfg-options (\S+)=(\S+)', command).groups()
            with pytest.raises(ConfigError) as caught:
                load_config(config, {key: value})
            assert shown.strip() == f'error: {caught.value}'


@pytest.mark.parametrize('path', PAGES, ids=name_of)
def test_links(path: Path) -> None:
    text = BLOCK.sub('', path.read_text(encoding='utf-8'))
    for target in re.findall(r'\]\(([^)\s]+)\)', text):
        if target.startswith(('http://', 'https://')):
            continue
        file, _, anchor = target.partition('#')
        page = (path.parent / file).resolve() if file else path
        assert page.exists(), f'{name_of(path)} links to {target}'
        if anchor:
            titles = re.findall(r'^#+ (.+)$', page.read_text(encoding='utf-8'), re.MULTILINE)
            assert anchor in [re.sub(r'[^\w -]', '', title).lower().replace(' ', '-') for title in titles]


def test_named_parts_are_registered() -> None:
    """The tables of methods and of data sets name what is there."""
    text = (REPO / 'README.md').read_text(encoding='utf-8')
    known = {name for each in registries() for name in each.names()}
    methods = text.split('\n## Methods\n')[1].split('\n## ')[0]
    datasets = text.split('\n## Data sets\n')[1].split('\n## ')[0]
    cells = [line.split('|')[-2] for line in methods.splitlines() if line.startswith('|')]
    cells += [line.split('|')[4] for line in datasets.splitlines() if line.startswith('|')]
    named = {name for cell in cells for name in re.findall(r'`([A-Z]\w+)`', cell)}
    assert len(named) > 20
    assert named <= known


def test_the_index_of_pages_is_whole() -> None:
    readme = (REPO / 'README.md').read_text(encoding='utf-8')
    pages = [name_of(path) for path in (REPO / 'docs').glob('*.md')]
    assert [page for page in pages if f'({page})' not in readme] == []


def test_nothing_untracked_is_linked() -> None:
    done = subprocess.run(['git', 'check-ignore', *map(str, PAGES)], cwd=REPO, capture_output=True, text=True)
    assert done.stdout == ''
