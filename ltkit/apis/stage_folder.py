"""The folder of one stage: what it was begun with, and whether it has finished."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from ltkit.config.effect import differences, with_effect
from ltkit.config.stages import Stage
from ltkit.utils.checkpoint import checkpoint_file, latest_checkpoint, read_checkpoint
from ltkit.utils.errors import CheckpointError, ConfigError
from ltkit.utils.files import whole_file

STATE, RESULTS = 'stage.json', 'results.json'
BEGUN, FINISHED = 'begun', 'finished'
SHOWN = 3


class StageFolder:
    """``<work_dir>/<stage>/`` with its ``stage.json``.

    Args:
        work_dir (str): Folder of all stages.
        stage (Stage): The stage.
    """

    def __init__(self, work_dir: str, stage: Stage) -> None:
        self.stage = stage
        self.path = Path(work_dir, stage.name)
        self.settings = settings(stage)  # now: a run changes its config

    @property
    def state(self) -> dict[str, Any]:
        """What ``stage.json`` holds; empty where there is none.

        Raises:
            CheckpointError: It cannot be read.
        """
        try:
            found = json.loads((self.path / STATE).read_text(encoding='utf-8'))
            if not isinstance(found, dict) or not {'state', 'config'} <= set(found):
                raise ValueError('it is not what training writes')
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise CheckpointError(f'{self.path / STATE} cannot be read ({error}); delete the folder to train stage '
                                  f"'{self.stage.name}' again") from error
        return found

    @property
    def finished(self) -> bool:
        """Whether the stage was trained to its end."""
        return self.state.get('state') == FINISHED

    @property
    def checkpoint(self) -> str:
        """The checkpoint of the last epoch, which later stages take.

        Of a finished stage it is the one that it ended with, never an earlier one.

        Raises:
            CheckpointError: It is not there.
        """
        found = self._end()
        if found is None:
            stated = self.state.get('checkpoint')
            what = f'ended with {Path(stated).name}, which is not' if stated else 'has no checkpoint'
            raise CheckpointError(f"stage '{self.stage.name}' {what} in {self.path}, though its {STATE} is there; "
                                  'delete the folder to train it again')
        return found

    @property
    def damage(self) -> str | None:
        """What of a finished stage is there, but cannot be read; None if there is nothing."""
        path = self._end() if self.finished else None
        if path is None:
            return None
        try:
            read_checkpoint(path)
            _ = self.results
        except CheckpointError as error:
            return str(error)
        return None

    @property
    def trained(self) -> bool:
        """Whether there is anything of the stage to go on from."""
        return self.finished or latest_checkpoint(self.path) is not None

    @property
    def results(self) -> dict[str, Any]:
        """What ``ResultsHook`` wrote; empty without that hook.

        Raises:
            CheckpointError: It cannot be read.
        """
        try:
            return json.loads((self.path / RESULTS).read_text(encoding='utf-8'))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise CheckpointError(f'{self.path / RESULTS} cannot be read ({error})') from error

    def check(self, source: str | None, digest: str | None) -> None:
        """Whether what is in the folder is of this stage, as it is to be trained now.

        Args:
            source (str, optional): The checkpoint that it begins from.
            digest (str, optional): Its :func:`digest`.

        Raises:
            ConfigError: It was begun with other settings, from another
                checkpoint, or holds another run. Where nothing was trained yet,
                all is well.
        """
        self.check_settings()
        state = self.state
        if self.trained and state.get('digest') != digest:
            raise ConfigError(f"stage '{self.stage.name}' in {self.path} was {state['state']} from another checkpoint "
                              f"({state.get('source') or 'none'} then, {source or 'none'} now); give another "
                              '--work-dir, or delete the folder to train it again')

    def check_settings(self) -> None:
        """Whether what is in the folder, if anything was trained there, is of this stage and its settings.

        Raises:
            ConfigError: It is not.
        """
        state = self.state
        if not self.trained:
            return
        if not state:
            raise ConfigError(f"{self.path} holds checkpoints of a run that is no stage '{self.stage.name}'; give "
                              'another --work-dir, or delete the folder')
        found = list(differences(state.get('config'), self.settings))
        if found:
            words = '; '.join(f'{key}: {_short(old)} then, {_short(new)} now' for key, old, new in found[:SHOWN])
            more = f' and {len(found) - SHOWN} more' if len(found) > SHOWN else ''
            raise ConfigError(f"stage '{self.stage.name}' in {self.path} was {state['state']} with other settings "
                              f'({words}{more}); give another --work-dir, or delete the folder to train it again')

    def reopen(self) -> None:
        """Note that a finished stage has to go on, with the settings that it had."""
        self._write({**self.state, 'state': BEGUN, 'checkpoint': None})

    def _end(self) -> str | None:
        """The checkpoint that the stage ended with, if it has ended and is there; the newest one before its end."""
        stated = self.state.get('checkpoint')
        if stated is None:
            return latest_checkpoint(self.path)
        paths = (self.path / Path(stated).name, Path(stated))  # the folder may have been moved
        return next((str(path) for path in paths if path.is_file()), None)

    def note(self, state: str, source: str | None, digest: str | None, **more: Any) -> None:
        """Write ``stage.json``, whole."""
        self.path.mkdir(parents=True, exist_ok=True)
        self._write(dict(state=state, source=source, digest=digest, **more, config=self.settings))

    def _write(self, content: dict[str, Any]) -> None:
        with whole_file(self.path / STATE) as part, open(part, 'w', encoding='utf-8') as file:
            json.dump(content, file, indent=1, default=repr)


def settings(stage: Stage) -> Any:
    """The settings of a stage that change its result, as JSON reads them back."""
    config = with_effect(stage.config.to_dict())
    for key in ('load_from', 'hand_over'):
        config.pop(key, None)
    return json.loads(json.dumps(config, default=repr))


def digest(path: str | os.PathLike | None) -> str | None:
    """SHA-256 of a checkpoint; None for None."""
    if path is None:
        return None
    found = hashlib.sha256()
    with open(checkpoint_file(path), 'rb') as file:
        while block := file.read(1 << 20):
            found.update(block)
    return found.hexdigest()


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f'{text[:37]}...'
