"""Weights of a checkpoint into a model: those of the same model, or of an earlier stage."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from .errors import CheckpointError
from .patterns import matches, select

Shapes = Mapping[str, Any]  # name = tensor
SHOWN = 4


def weights_of(checkpoint: Mapping[str, Any], source: str) -> dict[str, Any]:
    """The weights of a checkpoint by their names in the model, which was not wrapped.

    Raises:
        CheckpointError: It has none.
    """
    state = checkpoint.get('state_dict', checkpoint)
    if not isinstance(state, Mapping):
        raise CheckpointError(f'{source} has no weights: its state_dict is a {type(state).__name__}')
    return {re.sub(r'^(module\.|_orig_mod\.)+', '', str(key)): value for key, value in state.items()}


def load_weights(model: nn.Module, checkpoint: Mapping[str, Any], source: str, strict: bool = True) -> None:
    """Load the weights of a checkpoint into a model.

    Args:
        model (nn.Module): The model, not wrapped.
        checkpoint (Mapping): What :func:`~.checkpoint.read_checkpoint` gave.
        source (str): Its path, for messages.
        strict (bool): Whether all weights must match. If not, what does not is
            left out, and at least one must match. Defaults to True.

    Raises:
        CheckpointError: The weights are of another model.
    """
    state = weights_of(checkpoint, source)
    own = model.state_dict()
    weights = _weights(own, state)
    missing = [key for key in weights if key not in state]
    unexpected = [key for key in state if key not in own and '.posthoc.' not in key]
    mismatched = [key for key in weights if key in state and not _fits(own[key], state[key])]
    matched = len(weights) - len(missing) - len(mismatched)
    if (strict and (missing or unexpected or mismatched)) or (matched == 0 and weights):
        raise CheckpointError(
            f'{source} is of another model: {_difference(own, state, missing, unexpected, mismatched)}')
    if missing or unexpected or mismatched:
        from mmengine.logging import print_log
        print_log(f'{source}: {matched} of {len(weights)} tensors loaded; '
                  f'{_difference(own, state, missing, unexpected, mismatched)}', 'current')
    for key in mismatched:
        state.pop(key)
    model.load_state_dict(state, strict=False)


@dataclass(frozen=True)
class HandOver:
    """What a stage takes from an earlier one.

    Attributes:
        source (str): The checkpoint, or the stage, for messages.
        loaded (tuple[str]): Tensors that both have.
        left_out (dict): Tensors of the source alone, and what is to be made anew: name = shape.
        newly_made (dict): Tensors of the model alone, and what is to be made anew: name = shape.
    """

    source: str
    loaded: tuple[str, ...]
    left_out: dict[str, tuple[int, ...]]
    newly_made: dict[str, tuple[int, ...]]

    def report(self) -> str:
        """What was loaded, left out and newly made, a line each."""
        lines = [f'weights handed over from {self.source}: {len(self.loaded)} tensors loaded ({_by_part(self.loaded)})']
        if self.left_out:
            lines.append(f'  left out of it: {_listed(self.left_out)}')
        if self.newly_made:
            lines.append(f'  newly made: {_listed(self.newly_made)}')
        return '\n'.join(lines)


def compare_weights(model: nn.Module,
                    state: Shapes,
                    source: str,
                    reinitialize: Iterable[str] = (),
                    frozen: Iterable[str] = ()) -> HandOver:
    """What a model would take of the weights of another, by name.

    Args:
        model (nn.Module): The later model, not wrapped.
        state (Mapping): Weights of the earlier one, by name.
        source (str): Where they come from, for messages.
        reinitialize: Patterns of what is to be made anew though the source has it.
        frozen: Names of parameters and running statistics that training leaves as they are, so that they must
            come from the source.

    Raises:
        CheckpointError: Nothing matches, a tensor has another shape, or one would
            be frozen as a new model has it.
        ConfigError: A pattern matches nothing of the model.
    """
    own = model.state_dict()
    weights = [key for key in _weights(own, state) if not key.endswith('class_counts')]
    anew = set(select(weights, reinitialize, 'reinitialize', 'weight'))
    of_it = [key for key in state
             if '.posthoc.' not in key and not key.endswith(('num_batches_tracked', 'class_counts'))]
    loaded = [key for key in weights if key in state and key not in anew]
    mismatched = [key for key in loaded if not _fits(own[key], state[key])]
    if mismatched:
        key = mismatched[0]
        raise CheckpointError(
            f'{source} does not fit: {key} is {_shape(state[key])} there and {tuple(own[key].shape)} in the model '
            f'({len(mismatched)} of {len(loaded)} tensors are of another shape); take the checkpoint of a network of '
            'the same width and classes, or name what is to begin anew in reinitialize')
    if not loaded:
        raise CheckpointError(
            f'nothing of {source} can be handed over: its weights are of {_tops(of_it)}, those of the model of '
            f'{_tops(weights)}' + (', all of which reinitialize makes anew' if weights and len(anew) == len(weights)
                                   else ''))
    loose = [name for name in frozen if name not in set(loaded)]
    if loose:
        raise CheckpointError(
            f'{loose[0]} is frozen, but not handed over from {source}, so that it would stay as a new model has it '
            f'({len(loose)} such tensors); leave it out of frozen{" or of reinitialize" if loose[0] in anew else ""}')
    return HandOver(
        source=source,
        loaded=tuple(loaded),
        left_out={key: _shape(state[key]) for key in of_it if key not in set(loaded)},
        newly_made={key: tuple(own[key].shape) for key in weights if key not in set(loaded)})


def hand_over_weights(model: nn.Module,
                      checkpoint: Mapping[str, Any],
                      source: str,
                      reinitialize: Iterable[str] = (),
                      frozen: Iterable[str] = ()) -> HandOver:
    """Load what an earlier stage hands over; arguments and errors as of :func:`compare_weights`."""
    state = weights_of(checkpoint, source)
    reinitialize = tuple(reinitialize)
    handed = compare_weights(model, state, source, reinitialize, frozen)
    taken = {key: value for key, value in state.items() if not any(matches(key, pattern) for pattern in reinitialize)}
    missing = set(model.load_state_dict(taken, strict=False).missing_keys)
    made = {name: shape for name, shape in handed.newly_made.items() if name in missing}
    derived = tuple(name for name in handed.newly_made if name not in made)  # by the module, of what it was given
    return replace(handed, loaded=handed.loaded + derived, newly_made=made)


def _weights(own: Mapping[str, Tensor], state: Shapes) -> list[str]:
    """Names of what a model should find in a checkpoint.

    A buffer that is empty in the model is to be filled. The file as well may lack
    the class counts (before training) and the post-hoc rules, which are for
    prediction alone; ``num_batches_tracked`` is bookkeeping.
    """
    unknown = {key for key in own if own[key].numel() == 0 or (
        (key.endswith('class_counts') or '.posthoc.' in key) and not torch.as_tensor(state.get(key, [])).numel())}
    return [key for key in own if key not in unknown and not key.endswith('num_batches_tracked')]


def _fits(tensor: Tensor, value: Any) -> bool:
    return tensor.shape == getattr(value, 'shape', None)


def _difference(own: Mapping, state: Mapping, missing: list, unexpected: list, mismatched: list) -> str:
    parts = []
    if mismatched:
        key = mismatched[0]
        parts.append(f'{len(mismatched)} of another shape (first: {key} is {_shape(state[key])} in the file '
                     f'and {tuple(own[key].shape)} in the model)')
    if missing:
        parts.append(f'{len(missing)} of the model are not in the file (first: {missing[0]})')
    if unexpected:
        parts.append(f'{len(unexpected)} of the file are not in the model (first: {unexpected[0]})')
    return '; '.join(parts)


def _shape(value: Any) -> Any:
    return tuple(value.shape) if isinstance(value, torch.Tensor) else f'a {type(value).__name__}'


def _tops(names: Iterable[str]) -> str:
    return ', '.join(dict.fromkeys(name.split('.')[0] for name in names)) or 'no part'


def _by_part(names: Iterable[str]) -> str:
    names = list(names)
    tops = dict.fromkeys(name.split('.')[0] for name in names)
    return ', '.join(f"{top} {sum(name.split('.')[0] == top for name in names)}" for top in tops)


def _listed(tensors: Mapping[str, Any]) -> str:
    """The first names with their shapes, and how many more there are."""
    shown = [f'{name} {shape}' for name, shape in list(tensors.items())[:SHOWN]]
    more = [f'and {len(tensors) - SHOWN} more ({_by_part(list(tensors)[SHOWN:])})'] if len(tensors) > SHOWN else []
    return ', '.join(shown + more)
