"""Which configs of a folder train in stages, and which are nothing but a stage of one."""

from __future__ import annotations

import re
from pathlib import Path

STAGES = re.compile(r'^stages = ', re.MULTILINE)
STAGE = re.compile(r"name='(?P<name>\w+)',\s*config='(?P<config>[^']+)'")


def states_stages(path: str | Path) -> bool:
    """Whether a config file states ``stages`` itself."""
    return STAGES.search(Path(path).read_text(encoding='utf-8')) is not None


def stage_parts(folder: str | Path) -> set[Path]:
    """The config files of a folder that are only a stage of a config beside them.

    They are named after their stage: ``crt_r8_digits_lt_classifier.py`` is the stage
    ``classifier``. A config that trains by itself and is a first stage as well,
    ``r8_digits_lt.py``, is none of them.
    """
    folder = Path(folder)
    found = set()
    for path in sorted(folder.glob('*.py')):
        if states_stages(path):
            for stage in STAGE.finditer(path.read_text(encoding='utf-8')):
                if Path(stage['config']).stem.endswith(f"_{stage['name']}") and '/' not in stage['config']:
                    found.add(folder / stage['config'])
    return found
