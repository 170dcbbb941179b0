"""What ltkit raises when the user can mend the cause.

Each message is one line that names the file, key, class or number at fault and
says what would be right. The command-line tools print that line alone and exit
with status 2 (``LTKIT_DEBUG=1`` adds the traceback).
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches


class LtkitError(Exception):
    """Base of all errors that a user of ltkit can mend."""


class ConfigError(LtkitError, ValueError):
    """A config file, key, registered name or argument is wrong."""


class RegistryError(ConfigError, KeyError):
    """A name is not registered."""

    def __str__(self) -> str:  # KeyError would print the repr
        return str(self.args[0]) if self.args else ''


class DataError(LtkitError, ValueError):
    """A data folder, list, image or label is missing or wrong."""


class DistributionError(LtkitError, ValueError):
    """Class counts are missing or do not fit the part that needs them."""


class CheckpointError(LtkitError, RuntimeError):
    """A checkpoint is missing, damaged, foreign or from another model."""


class TrainingError(LtkitError, RuntimeError):
    """Training cannot go on (for example a loss that is not finite)."""


class DiskFullError(LtkitError, RuntimeError):
    """There is no room for a file; what was there before is unharmed."""


class Interrupted(LtkitError, RuntimeError):
    """A signal asked training to stop; it is saved and can be resumed.

    The command-line tools exit with status 75 ("try again").
    """


def nearest(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """The known names most like ``name``, best first; case does not count.

    Names that are much less like it than the best one are left out.
    """
    lower = {str(k).lower(): str(k) for k in known}
    name = str(name).lower()
    hits = get_close_matches(name, lower, n=count, cutoff=0.55)
    like = [SequenceMatcher(None, name, hit).ratio() for hit in hits]
    return [lower[hit] for hit, ratio in zip(hits, like) if ratio > like[0] - 0.15]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``"; did you mean 'A' or 'B'?"``, or an empty string."""
    hits = nearest(name, known)
    if not hits:
        return ''
    return '; did you mean ' + ' or '.join(f"'{h}'" for h in hits) + '?'
