"""Follow neural collapse over training."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch.utils.data import DataLoader

from ltkit.engine.data import plain_training_set
from ltkit.evaluation.metrics import NeuralCollapse
from ltkit.registry import HOOKS
from ltkit.utils.errors import ConfigError
from ltkit.utils.files import whole_file
from ltkit.utils.rng import rng_state, set_rng_state
from ltkit.visualization import plot_neural_collapse

from .features_for_metrics_hook import give_features
from .results_hook import run_name

FILE, PICTURE = 'neural_collapse.json', 'neural_collapse.png'


@HOOKS.register_module()
class NeuralCollapseHook(Hook):
    """Measure NC1 to NC4 on the training set, every few epochs and after the last.

    The images are those of the training set, each once, through the pipeline of the
    validation, so without augmentation; the model is in evaluation mode, as it
    trains (not its moving average). What is measured is in
    :class:`~ltkit.evaluation.NeuralCollapse`. The numbers are logged, kept as scalars
    under ``train_neural_collapse/``, and written to ``neural_collapse.json`` of the work
    folder; the end of training draws them in ``neural_collapse.png``.

    Training goes on as it would without the hook, bit for bit, and a resumed run has
    the same numbers: those so far are in the checkpoint. The cost is that of one
    evaluation of the training set each time; the features go through a temporary file
    in the work folder, 4 d bytes an image.

    Args:
        interval (int): Epochs, 1 or more. Defaults to 10.
        dataloader (dict, optional): Of the images to measure on. Defaults to
            ``val_dataloader`` with the training set in it.
        divide_by_classes (bool): See :class:`~ltkit.evaluation.NeuralCollapse`.
            Defaults to True.

    Raises:
        ConfigError: ``interval`` is no such number; or (at the start of training) there
            is nothing to make the data loader of, the model does not give its features,
            or training is not counted in epochs.
    """

    priority = 'LOW'  # after SyncStatisticsHook, before CheckpointHook

    def __init__(self, interval: int = 10, dataloader: Mapping[str, Any] | None = None,
                 divide_by_classes: bool = True) -> None:
        if isinstance(interval, bool) or not isinstance(interval, int) or interval < 1:
            raise ConfigError(f'interval of NeuralCollapseHook must be a whole number of epochs from 1 on, but is '
                              f'{interval!r}')
        self.interval = interval
        self.dataloader = dataloader
        self.divide_by_classes = divide_by_classes
        self.records: list[dict[str, float]] = []
        self.simplex_angle: float | None = None
        self._stored: list[dict[str, float]] = []
        self._loader: DataLoader | None = None

    def before_train(self, runner: Runner) -> None:
        """Check the config; go on with what was measured before a resumed run stopped."""
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            raise ConfigError('NeuralCollapseHook counts epochs; set train_cfg=dict(by_epoch=True, max_epochs=...)')
        if not hasattr(_unwrapped(runner), 'predicts_features'):
            raise ConfigError(f'NeuralCollapseHook needs the features of {type(_unwrapped(runner)).__name__}, which '
                              'does not give them; use ImageRecognizer or alike')
        self._loader = self._build_loader(runner)
        self.records = [record for record in self._stored if runner.iter and record['epoch'] <= runner.epoch]

    def after_train_epoch(self, runner: Runner) -> None:
        """Measure, where it is time."""
        epoch = runner.epoch + 1
        if epoch % self.interval and epoch != runner.max_epochs:
            return
        values = self.measure(runner)
        self.records.append(dict(epoch=epoch, **values))
        runner.logger.info('neural collapse of the training set: ' +
                           '  '.join(f'{name}: {value:.4g}' for name, value in values.items()))
        runner.visualizer.add_scalars({f'train_neural_collapse/{name}': value for name, value in values.items()},
                                      step=epoch)
        self._write(runner)

    def after_train(self, runner: Runner) -> None:
        """Draw."""
        if self.records and is_main_process():
            history = self._history(runner)
            plot_neural_collapse({'': [history]}, os.path.join(runner.work_dir, PICTURE), title=history['name'])

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        checkpoint['meta']['neural_collapse'] = dict(records=self.records, simplex_angle=self.simplex_angle)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        stored = (checkpoint.get('meta') or {}).get('neural_collapse') or {}
        self._stored, self.simplex_angle = stored.get('records', []), stored.get('simplex_angle')

    @torch.no_grad()
    def measure(self, runner: Runner) -> dict[str, float]:
        """The numbers of the model as it is, by name; every process has to call it."""
        metric = NeuralCollapse(self.divide_by_classes, folder=runner.work_dir)
        random, modes = rng_state(), [(module, module.training) for module in runner.model.modules()]
        runner.model.eval()
        give_features(runner.model, [metric])
        try:
            for batch in self._loader:
                metric.process(batch, [sample.to_dict() for sample in runner.model.val_step(batch)])
            found = metric.evaluate(len(self._loader.dataset))
        finally:
            give_features(runner.model, ())
            for module, training in modes:
                module.training = training
            set_rng_state(random)
        self.simplex_angle = metric.details['simplex_angle']
        return {name.split('/', 1)[1]: value for name, value in found.items()}

    def _build_loader(self, runner: Runner) -> DataLoader:
        config = self.dataloader or plain_training_set(runner.cfg, 'NeuralCollapseHook')
        return runner.build_dataloader(copy.deepcopy(dict(config)), seed=runner.seed)

    def _history(self, runner: Runner) -> dict[str, Any]:
        return dict(name=run_name(runner), seed=runner.seed, simplex_angle=self.simplex_angle,
                    divide_by_classes=self.divide_by_classes, records=self.records)

    def _write(self, runner: Runner) -> None:
        if is_main_process():
            with whole_file(os.path.join(runner.work_dir, FILE)) as part, open(part, 'w', encoding='utf-8') as file:
                json.dump(self._history(runner), file, indent=1)


def _unwrapped(runner: Runner) -> Any:
    return runner.model.module if is_model_wrapper(runner.model) else runner.model
