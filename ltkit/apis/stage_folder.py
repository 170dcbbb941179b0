"""The folder of one stage: what it was begun with, and whether it has finished."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from ltkit.config.effect import differences, with_effect
from ltkit.config.stages import Stage
from ltkit.utils.checkpoint import latest_checkpoint
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
            return json.loads((self.path / STATE).read_text(encoding='utf-8'))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise CheckpointError(f'{self.path / STATE} cannot be read ({error}); delete the folder to train stage '
                                  f"'{self.stage.name}' again") from error

    @property
    def finished(self) -> bool:
        """Whether the stage was trained to its end."""
        return self.state.get('state') == FINISHED

    @property
    def checkpoint(self) -> str:
        """The checkpoint of the last epoch, which later stages take.

        Raises:
            CheckpointError: There is none.
        """
        found = latest_checkpoint(self.path)
        if found is None:
            raise CheckpointError(f"stage '{self.stage.name}' has no checkpoint in {self.path}, though its {STATE} is "
                                  'there; delete the folder to train it again')
        return found

    @property
    def results(self) -> dict[str, Any]:
        """What ``ResultsHook`` wrote; empty without that hook."""
        try:
            return json.loads((self.path / RESULTS).read_text(encoding='utf-8'))
        except FileNotFoundError:
            return {}

    def check(self, source: str | None, digest: str | None) -> None:
        """Whether what is in the folder is of this stage, as it is to be trained now.

        Args:
            source (str, optional): The checkpoint that it begins from.
            digest (str, optional): Its :func:`digest`.

        Raises:
            ConfigError: It was begun with other settings, from another
                checkpoint, or holds another run.
        """
        state = self.state
        if not state:
            if latest_checkpoint(self.path) is not None:
                raise ConfigError(f"{self.path} holds checkpoints of a run that is no stage '{self.stage.name}'; give "
                                  'another --work-dir, or delete the folder')
            return
        found = list(differences(state.get('config'), self.settings))
        if found:
            words = '; '.join(f'{key}: {_short(old)} then, {_short(new)} now' for key, old, new in found[:SHOWN])
            more = f' and {len(found) - SHOWN} more' if len(found) > SHOWN else ''
            raise ConfigError(f"stage '{self.stage.name}' in {self.path} was {state['state']} with other settings "
                              f'({words}{more}); give another --work-dir, or delete the folder to train it again')
        if state.get('digest') != digest:
            raise ConfigError(f"stage '{self.stage.name}' in {self.path} was {state['state']} from another checkpoint "
                              f"({state.get('source') or 'none'} then, {source or 'none'} now); give another "
                              '--work-dir, or delete the folder to train it again')

    def note(self, state: str, source: str | None, digest: str | None, **more: Any) -> None:
        """Write ``stage.json``, whole."""
        self.path.mkdir(parents=True, exist_ok=True)
        content = dict(state=state, source=source, digest=digest, **more, config=self.settings)
        with whole_file(self.path / STATE) as part, open(part, 'w', encoding='utf-8') as file:
            json.dump(content, file, indent=1, default=repr)


def settings(stage: Stage) -> Any:
    """The settings of a stage that change its result, as JSON reads them back."""
    config = with_effect(stage.config.to_dict())
    for key in ('load_from', 'hand_over'):
        config.pop(key, None)
    return json.loads(json.dumps(config, default=repr))


def digest(path: str | os.PathLike | None) -> str | None:
    """SHA-256 of a file; None for None."""
    if path is None:
        return None
    found = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(1 << 20):
            found.update(block)
    return found.hexdigest()


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f'{text[:37]}...'
