"""Train the stages of a config one after the other."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from mmengine.config import Config
from mmengine.dist import all_reduce, broadcast_object_list, is_main_process
from mmengine.registry import init_default_scope
from torch import nn

from ltkit.config.stages import Stage, stage_named
from ltkit.engine import init_processes
from ltkit.engine.building import building
from ltkit.engine.freezing import freeze
from ltkit.engine.signals import StopSignals
from ltkit.registry import MODELS
from ltkit.utils.checkpoint import latest_checkpoint, read_checkpoint
from ltkit.utils.errors import CheckpointError, ConfigError, DataError, Interrupted, LtkitError
from ltkit.utils.files import whole_file
from ltkit.utils.patterns import as_patterns
from ltkit.utils.weights import compare_weights, weights_of
from ltkit.visualization.table import COLUMNS, results_table

from .run import check_frozen, train
from .stage_folder import BEGUN, FINISHED, RESULTS, StageFolder, digest

T = TypeVar('T')


def train_stages(stages: Sequence[Stage],
                 work_dir: str,
                 only: str | None = None,
                 stage1_checkpoint: str | None = None) -> dict[str, Any]:
    """Train stages under ``<work_dir>/<name>/``, each from what ``load_from`` names.

    Called again it goes on where it was stopped: a finished stage is skipped, an
    interrupted one resumed. What can be known before is checked before the first
    of them begins to train.

    Args:
        stages (Sequence[Stage]): Of :func:`ltkit.config.stages.load_stages`.
        work_dir (str): Folder of all of them.
        only (str, optional): Name of one stage, in place of all; what it begins
            from must be there.
        stage1_checkpoint (str, optional): In place of training the first stage.

    Returns:
        dict: The results of the last stage (of those that were trained, until all
        have finished), and under ``stages`` those of each; also in
        ``<work_dir>/results.json`` when all have finished.

    Raises:
        ConfigError: A stage does not fit the one that it begins from, or what is
            in its folder; ``only`` names none.
        CheckpointError: A checkpoint is missing or of another model.
        Interrupted: A signal asked to stop, within a stage with a checkpoint, or
            between two.
    """
    first = stages[0].config
    init_processes(first.get('launcher', 'none'), first.get('env_cfg', {}).get('dist_cfg', {}).get('timeout'))
    init_default_scope(first.get('default_scope', 'ltkit'))
    to_train = _to_train(stages, only, stage1_checkpoint)
    given = {} if stage1_checkpoint is None else {stages[0].name: stage1_checkpoint}
    folders = {stage.name: StageFolder(work_dir, stage) for stage in stages}
    _check(to_train, folders, given, work_dir)
    with StopSignals() as signals:
        for stage in to_train:
            _train_stage(stage, list(stages).index(stage), folders, given, signals)
    return _finish(stages, folders, given, to_train, work_dir)


def _to_train(stages: Sequence[Stage], only: str | None, stage1_checkpoint: str | None) -> list[Stage]:
    """The stages that are asked for."""
    chosen = list(stages) if only is None else [stage_named(list(stages), only)]
    if stage1_checkpoint is None:
        return chosen
    if not any(stage.source is stages[0] for stage in stages):
        raise ConfigError(f"no stage begins from '{stages[0].name}', the first one, so that --stage1-checkpoint would "
                          'have no effect; leave it out')
    chosen = [stage for stage in chosen if stage is not stages[0]]
    if not chosen:
        raise ConfigError(f'--stage {only} is the stage that --stage1-checkpoint stands for: there is nothing to train')
    return chosen


def build_frozen(cfg: Config) -> tuple[nn.Module, list[str]]:
    """The model of a config on the CPU as a Runner builds it, and the names of what ``frozen`` names."""
    preprocessor = cfg.get('data_preprocessor')
    default = dict(data_preprocessor=preprocessor) if preprocessor else {}
    with building('config'):
        model = MODELS.build({**default, **cfg.model})
    return model, freeze(model, cfg.get('frozen'))


def _check(to_train: Sequence[Stage], folders: dict[str, StageFolder], given: dict[str, str], work_dir: str) -> None:
    """What can be known before the first stage begins to train."""
    for stage in to_train:
        if stage.config.get('train_dataloader') is None:
            raise ConfigError(f"stage '{stage.name}' ({stage.where}) has no train_dataloader; it can be tested only")
    # By all processes: a model may share among them what it has drawn.
    built = {stage.name: _of_stage(stage, build_frozen, stage.config) for stage in to_train}

    def check() -> None:
        _check_work_dir(work_dir, folders)
        _reopen_damaged(to_train, folders)
        _check_hand_overs(to_train, folders, given, built)

    _decided(check)


def _decided(decide: Callable[[], T]) -> T:
    """What the first process decides, or its error, in all processes."""
    found: list[Any] = [None, None]
    if is_main_process():
        try:
            found = [decide(), None]
        except LtkitError as error:
            found = [None, error]
    broadcast_object_list(found)
    if found[1] is not None:
        raise found[1]
    return found[0]


def _train_stage(stage: Stage, number: int, folders: dict[str, StageFolder], given: dict[str, str],
                 signals: StopSignals) -> None:
    """Train one stage, unless it has finished; the first process decides for all."""
    folder = folders[stage.name]

    def plan() -> tuple[bool, str | None, str | None, str | None]:
        source = _source(stage, folders, given)
        its_digest = digest(source)
        folder.check(source, its_digest)
        return folder.finished, source, its_digest, None if folder.finished else latest_checkpoint(folder.path)

    finished, source, its_digest, resumed = _decided(plan)
    if finished:
        _tell(f"stage '{stage.name}' has finished before: {folder.path}")
        return
    _stop_if_asked(signals, stage)
    place = f'stage {number + 1} of {len(folders)}: {stage.name} ({folder.path})'
    _tell(f'{place}, from {source}' if source else place)
    cfg = stage.config
    cfg.work_dir = str(folder.path)
    cfg.experiment_name = stage.name
    cfg.hand_over = stage.load_from is not None
    cfg.resume = resumed is not None
    cfg.load_from = resumed or source
    if is_main_process() and resumed is None:
        folder.note(BEGUN, source, its_digest)
    elif resumed:
        _tell(f"stage '{stage.name}' was interrupted and goes on from {resumed}")
    try:
        train(cfg)
    except LtkitError as error:
        where = f"stage '{stage.name}' ({stage.where}): " if isinstance(error, (ConfigError, DataError)) else ''
        raise type(error)(where + _without_resume(str(error))) from error
    gc.collect()  # the Runner is a cycle that holds the model and the optimizer
    if is_main_process():
        folder.note(FINISHED, source, its_digest, checkpoint=latest_checkpoint(folder.path))


def _stop_if_asked(signals: StopSignals, stage: Stage) -> None:
    """Stop between two stages if a signal came to any process."""
    asked = torch.tensor(int(signals.received is not None))
    all_reduce(asked)
    if asked:
        raise Interrupted(f"{signals.received or 'a signal to another process'}: stopped before stage '{stage.name}'; "
                          'the same command goes on there')


def _without_resume(text: str) -> str:
    """A message of a run in the words for a stage of several, which goes on without ``--resume``."""
    return text.replace('start it again without --resume', 'the same command starts it again').replace(
        '--resume', 'the same command')


def _source(stage: Stage, folders: dict[str, StageFolder], given: dict[str, str]) -> str | None:
    """The checkpoint that a stage begins from."""
    if stage.source is None:
        return stage.load_from or stage.config.get('load_from')
    if stage.source.name in given:
        return given[stage.source.name]
    return folders[stage.source.name].checkpoint


def _check_work_dir(work_dir: str, folders: dict[str, StageFolder]) -> None:
    """Refuse a folder whose results are of another run, which the end of this one would replace."""
    path = Path(work_dir, RESULTS)
    if not path.is_file():
        return
    try:
        found = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return  # nothing to lose
    if not set(found.get('stages') or {'': None}) <= set(folders):
        raise ConfigError(f"{path} is of another run ({found.get('name', 'unknown')}); give another --work-dir, or "
                          'delete it')


def _reopen_damaged(to_train: Sequence[Stage], folders: dict[str, StageFolder]) -> None:
    """Let a finished stage whose end cannot be read go on from the checkpoint before it."""
    for stage in to_train:
        damage = folders[stage.name].damage
        if damage is not None:
            folders[stage.name].reopen()
            print(f"stage '{stage.name}' had finished, but {damage}; it goes on from what can be read", flush=True)


def _check_hand_overs(to_train: Sequence[Stage], folders: dict[str, StageFolder], given: dict[str, str],
                      built: dict[str, tuple[nn.Module, list[str]]]) -> None:
    """Look at all folders, and see what each model would take of the one before, of which the shapes are known."""
    seen: set[str] = set()
    for stage in to_train:
        path = _source_path(stage, folders, given, seen)
        seen.add(stage.name)
        _check_folder(stage, folders, path)
        model, frozen = built[stage.name]
        if path is not None:
            state, name = weights_of(read_checkpoint(path), path), path
        elif stage.source is not None:
            state, name = dict(built[stage.source.name][0].state_dict()), f"stage '{stage.source.name}'"
            check_end(stage.source.config, name, f"stage '{stage.name}'")
        else:
            names = list(folders)
            before = repr(names[names.index(stage.name) - 1]) if stage.name != names[0] else 'PATH'
            _of_stage(stage, check_frozen, stage.config, f'give the stage load_from={before}')
            continue
        again = as_patterns(stage.config.get('reinitialize') or (), 'reinitialize')
        if stage.load_from is not None or frozen or again:
            _of_stage(stage, compare_weights, model, state, name, again, frozen)


def check_end(config: Config, source: str, stage: str) -> None:
    """Whether a run saves the weights that it ends with, from which another begins.

    Args:
        config (Config): Of the run.
        source (str): What it is called, for the message.
        stage (str): What begins from it.

    Raises:
        ConfigError: It does not.
    """
    hook = config.get('default_hooks', {}).get('checkpoint', {})
    if hook is None:
        raise ConfigError(f'{source} saves no checkpoint (default_hooks.checkpoint = None), but {stage} begins from it')
    if not isinstance(hook, dict):
        return  # it is told where it is built
    length = (config.get('train_cfg') or {}).get('max_epochs' if hook.get('by_epoch', True) else 'max_iters')
    interval, begin = hook.get('interval', -1), hook.get('save_begin', 0)
    if not isinstance(interval, int) or not isinstance(begin, int):
        return
    if not hook.get('save_last', True) and (interval < 1 or length is None or (length - begin) % interval):
        raise ConfigError(f'{source} does not save what it ends with (default_hooks.checkpoint.save_last = False, '
                          f'interval = {interval}), but {stage} begins from it')


def _check_folder(stage: Stage, folders: dict[str, StageFolder], path: str | None) -> None:
    """Whether a stage can be trained in its folder from ``path``, None where that is trained first."""
    folder = folders[stage.name]
    if path is not None or stage.source is None:
        folder.check(path, digest(path))
        return
    folder.check_settings()
    if folder.trained and digest(latest_checkpoint(folders[stage.source.name].path)) != folder.state.get('digest'):
        raise ConfigError(f"stage '{stage.name}' in {folder.path} was {folder.state['state']} from another checkpoint "
                          f"({folder.state.get('source')}) than stage '{stage.source.name}' will end with, which has "
                          'not finished; give another --work-dir, or delete the folder to train it again')


def _source_path(stage: Stage, folders: dict[str, StageFolder], given: dict[str, str],
                 before: set[str]) -> str | None:
    """The file that a stage begins from, where it is there already; None for one of those that are trained before.

    Raises:
        CheckpointError: It is needed, but not there.
    """
    if stage.source is None or stage.source.name in given:
        return _source(stage, folders, given)
    folder = folders[stage.source.name]
    if folder.finished:
        return folder.checkpoint
    if stage.source.name not in before:
        raise CheckpointError(f"stage '{stage.name}' begins from '{stage.source.name}', which has not finished in "
                              f'{folder.path}; train it first (leave --stage out), or give --stage1-checkpoint PATH')
    return None


def _of_stage(stage: Stage, action: Callable[..., T], *arguments: Any) -> T:
    """Do something for a stage, which an error of the user names."""
    try:
        return action(*arguments)
    except (ConfigError, CheckpointError) as error:
        raise type(error)(f"stage '{stage.name}' ({stage.where}): {error}") from error


def _finish(stages: Sequence[Stage], folders: dict[str, StageFolder], given: dict[str, str], trained: Sequence[Stage],
            work_dir: str) -> dict[str, Any]:
    """The table over the stages, and the results of all of them in one file."""
    results = {name: folder.results for name, folder in folders.items() if name not in given and folder.finished}
    last = results.get(trained[-1].name, {})
    if (whole := all(folders[stage.name].finished for stage in stages if stage.name not in given)):
        last = results.get(stages[-1].name, {})
    kept = {name: {key: found.get(key) for key in ('metrics', 'split', 'epoch', 'seconds', 'config')}
            for name, found in results.items()}
    together = {**last, 'stages': kept, 'seconds': round(sum(found.get('seconds', 0) for found in results.values()), 2)}
    together.pop('seconds_per_iteration', None)
    if not is_main_process():
        return together
    if whole and last:
        with whole_file(Path(work_dir, RESULTS)) as part, open(part, 'w', encoding='utf-8') as file:
            json.dump(together, file, indent=1)
    if any(found.get('metrics') for found in results.values()):
        print('\n' + stages_table(results), flush=True)
    return together


def stages_table(results: dict[str, dict[str, Any]]) -> str:
    """One row a stage.

    Args:
        results (dict): Name of a stage = what ``ResultsHook`` wrote.
    """
    rows = {name: {**{key.rsplit('/', 1)[-1]: value for key, value in (found.get('metrics') or {}).items()
                      if key.rsplit('/', 1)[-1] != 'time'}, 'time': found.get('seconds')}
            for name, found in results.items()}
    thresholds = next((found['thresholds'] for found in results.values() if 'thresholds' in found), None)
    return results_table(rows, columns=COLUMNS, thresholds=thresholds, heading='stage')


def _tell(text: str) -> None:
    if is_main_process():
        print(text, flush=True)
