"""Metafiles, README tables and configs say the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ltkit.config.stages import load_runs
from ltkit.testing.config_tree import stage_parts

REPO = Path(__file__).resolve().parents[2]
METHODS = sorted(path.name for path in (REPO / 'configs').iterdir()
                 if path.is_dir() and path.name[0] != '_' and path.name != 'benchmarks')
DATASETS = {
    'DigitsLT': 'Digits-LT',
    'CIFAR10LT': 'CIFAR10-LT',
    'CIFAR100LT': 'CIFAR100-LT',
    'ImageNetLT': 'ImageNet-LT',
    'PlacesLT': 'Places-LT',
    'INaturalist2018': 'iNaturalist 2018',
}


def metafile(method: str) -> dict:
    return yaml.safe_load((REPO / 'configs' / method / 'metafile.yml').read_text(encoding='utf-8'))


def configs_of(method: str) -> set[str]:
    """Those that train by themselves; what is only a stage is listed with the config that it is a stage of."""
    folder = REPO / 'configs' / method
    return {str(path.relative_to(REPO)) for path in {*folder.rglob('*.py')} - stage_parts(folder)}


def all_models() -> list[dict]:
    return [model for method in METHODS for model in metafile(method)['Models']]


def test_model_index_imports_each_metafile_once() -> None:
    index = yaml.safe_load((REPO / 'model-index.yml').read_text(encoding='utf-8'))
    assert sorted(index['Import']) == [f'configs/{method}/metafile.yml' for method in METHODS]


def test_each_config_is_listed_once() -> None:
    listed = [model['Config'] for model in all_models()]
    assert len(listed) == len(set(listed))
    assert set(listed) == set().union(*map(configs_of, METHODS))


def test_names_are_unique() -> None:
    names = [model['Name'] for model in all_models()]
    assert len(names) == len(set(names))
    collections = [collection['Name'] for method in METHODS for collection in metafile(method)['Collections']]
    assert len(collections) == len(set(collections))


@pytest.mark.parametrize('method', METHODS)
def test_metafile(method: str) -> None:
    content = metafile(method)
    (collection,) = content['Collections']
    assert collection['Paper']['Title']
    assert collection['Paper']['URL'].startswith(('https://arxiv.org/abs/', 'https://doi.org/'))
    assert collection['README'] == f'configs/{method}/README.md'
    for model in content['Models']:
        assert model['In Collection'] == collection['Name']
        assert model['Config'].startswith(f'configs/{method}/')
        assert model['Name'] == f"{method}_{Path(model['Config']).stem}"
        for result in model['Results']:
            assert result['Dataset'] == model['Metadata']['Training Data']
            for published in result.get('Published', []):
                assert 0 < published['Top 1 Accuracy'] < 100
                assert published['Source'], 'a published figure without its source'
            # A figure of ours names the file of results that backs it.
            assert 'Metrics' not in result or (REPO / result['Evidence']).is_file()


@pytest.mark.parametrize('model', all_models(), ids=lambda model: model['Name'])
def test_metadata_equals_the_resolved_config(model: dict) -> None:
    configs, facts = [run.config for run in load_runs(REPO / model['Config'])], model['Metadata']
    loader, loop = configs[-1].train_dataloader, configs[-1].train_cfg
    if len(configs) > 1:  # of each stage; one that is fitted has no epochs
        assert facts['Epochs'] == [config.train_cfg.get('max_epochs', 0) for config in configs]
        assert facts['Batch Size'] == [config.train_dataloader.batch_size for config in configs]
        loop = dict(max_epochs=facts['Epochs'])
    else:
        assert facts['Batch Size'] == loader.batch_size
    assert facts['Training Data'] == DATASETS[loader.dataset.type]
    assert facts.get('Imbalance Factor') == loader.dataset.get('imbalance_factor')
    assert facts.get('Epochs') == loop.get('max_epochs')
    assert facts.get('Iterations') == loop.get('max_iters')


@pytest.mark.parametrize('method', METHODS)
def test_readme_lists_all_configs_and_published_figures(method: str) -> None:
    text = (REPO / 'configs' / method / 'README.md').read_text(encoding='utf-8')
    tables = [text.split(f'\n## {title}\n')[1].split('\n## ')[0] for title in ('Configs', 'Results')]
    for table in tables:
        rows = {line.split('`')[1]: line for line in table.splitlines() if line.startswith('| [`')}
        assert set(rows) == {Path(path).name for path in configs_of(method)}
    for model in metafile(method)['Models']:  # ``rows`` is that of the results now
        row = rows[Path(model['Config']).name]
        for published in (p for result in model['Results'] for p in result.get('Published', [])):
            keys = [key for key in ('Top 1 Accuracy', 'Many', 'Medium', 'Few') if key in published]
            assert all(f'{published[key]:.1f}' in row or f'{published[key]:g}' in row for key in keys)
            assert published['Source'] in row
