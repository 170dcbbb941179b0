"""Training with a meta step: learn how to train from a small balanced set."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_reduce_params
from mmengine.model import MMDistributedDataParallel, is_model_wrapper
from mmengine.runner import EpochBasedTrainLoop
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils.data import DataLoader

from ltkit.models.meta_learned import meta_learned_parameters
from ltkit.models.targets import gather_targets
from ltkit.registry import LOOPS, LOSSES, OPTIMIZERS
from ltkit.structures import BatchedSamples
from ltkit.utils.errors import ConfigError
from ltkit.utils.rng import rng_state, set_rng_state

INNER_PARAMETERS = ('all', 'classifier')
CLASSIFIERS = ('head.classifier.', 'head.classifiers.', 'head.fc.')
META_STREAM = 0x6D657461  # of random numbers, apart from that of the training set
Tensors = dict[str, Tensor]


@LOOPS.register_module()
class MetaTrainLoop(EpochBasedTrainLoop):
    r"""Before each step of the model, a step of what it is trained with.

    With the parameters :math:`\theta` of the model and :math:`\phi` of the learner:

    .. math:: \theta'(\phi) &= \theta - \alpha \nabla_\theta L_{train}(\theta, \phi) \\
              \phi &\leftarrow \phi - \eta \nabla_\phi L_{meta}(\theta'(\phi))

    on one batch of the training set and one of the meta set, and then the usual
    step of :math:`\theta` on the same training batch with the new :math:`\phi`,
    which is a constant there. :math:`L_{train}` is the loss of the model with all its
    terms, :math:`L_{meta}` the plain cross entropy of its logits; :math:`\alpha` is
    the learning rate of now. The virtual step is one of plain gradient descent,
    without momentum and weight decay. It is the gradient

    .. math:: \nabla_\phi L_{meta} = -\alpha \, \nabla_\phi \left\langle h, \nabla_\theta
              L_{train}(\theta, \phi) \right\rangle, \quad h = \nabla L_{meta}(\theta')

    that is computed, with :math:`\nabla L_{train}` and :math:`h` averaged over the
    processes: N of them do the step of one.

    :math:`\phi` is what :func:`~ltkit.models.meta_learned.meta_learned` marks in the
    model, as in ``MetaWeightNetLoss``, and what the training sampler learns, as
    ``MetaSampler``: a sampler with a module ``learner`` and a method
    ``sample_weights()``, whose weights multiply the losses of :math:`L_{train}` in the
    virtual step. The model is not copied: both passes are functional calls of it,
    in full precision, with the random numbers of the real step and copies of all
    buffers, so that the statistics of batch normalisation see the real steps alone.

    Sources: Shu et al., NeurIPS 2019, arXiv 1902.07379; Ren et al., NeurIPS 2020,
    arXiv 2007.10740.

    Args:
        runner (Runner): The runner.
        dataloader (DataLoader or dict): Of the training set.
        max_epochs (int): Epochs of the training set.
        meta_dataloader (dict): Of the meta set: what differs from
            ``train_dataloader``, for example ``dict(dataset=dict(split='held_out'))`` or
            ``dict(sampler=dict(type='ClassBalancedSampler'))``; a part of another
            ``type`` takes nothing over. Its ``batch_size`` is that of all processes
            together. It begins again when it ends. Batch augments (mixup) are left
            out.
        meta_optimizer (dict): Of :math:`\phi`, for example ``dict(type='Adam',
            lr=0.01)``.
        inner_parameters (str): :math:`\theta` of the virtual step: ``'all'`` or only
            those of the ``'classifier'``, which is much cheaper. Defaults to
            ``'all'``.
        meta_loss (dict, optional): Of the logits of the meta batch (of the mean of
            several experts). Defaults to ``dict(type='SoftmaxLoss')``.
        **kwargs: ``val_begin``, ``val_interval``, ``dynamic_intervals``, as of
            mmengine's ``EpochBasedTrainLoop``.

    Raises:
        ConfigError: There is nothing to learn, or the run has what the loop cannot be
            combined with: gradient accumulation, ``compile``, several optimizers,
            FSDP, ``SyncBatchNorm`` under ``'all'``, and loader workers where the
            sampler learns.
    """

    def __init__(self,
                 runner: Any,
                 dataloader: DataLoader | dict,
                 max_epochs: int,
                 meta_dataloader: dict,
                 meta_optimizer: dict,
                 inner_parameters: str = 'all',
                 meta_loss: dict | None = None,
                 **kwargs: Any) -> None:
        super().__init__(runner, dataloader, max_epochs, **kwargs)
        if inner_parameters not in INNER_PARAMETERS:
            raise ConfigError(f"inner_parameters must be 'all' or 'classifier', but is {inner_parameters!r}")
        self.inner_parameters = inner_parameters
        self.model: nn.Module = runner.model.module if is_model_wrapper(runner.model) else runner.model
        sampler = getattr(self.dataloader.batch_sampler, 'sampler', None)
        self.sampler = sampler if hasattr(sampler, 'learner') else None
        self._refuse_what_cannot_be_combined()
        learned = [*meta_learned_parameters(self.model).values(),
                   *(self.sampler.learner.parameters() if self.sampler else ())]
        if not learned:
            raise ConfigError("MetaTrainLoop has nothing to learn; use loss=dict(type='MetaWeightNetLoss'), "
                              "sampler=dict(type='MetaSampler') or a part of your own (docs/meta_learning.md)")
        self.meta_optimizer = OPTIMIZERS.build(dict(meta_optimizer, params=learned))
        self.meta_loss = LOSSES.build(dict(type='SoftmaxLoss') if meta_loss is None else meta_loss)
        self.meta_dataloader = self._build_meta_dataloader(meta_dataloader)
        self._meta_batches: Iterator[Any] | None = None

    # -------------------------------------------------------------------- loop
    def run(self) -> nn.Module:
        """Train; see mmengine."""
        if not hasattr(self.runner.optim_wrapper, 'optimizer'):
            raise ConfigError('MetaTrainLoop takes its virtual step with the learning rates of one optimizer, but '
                              'optim_wrapper has several')
        return super().run()

    def run_iter(self, idx: int, data_batch: Any) -> None:
        """A meta step and a step of the model on one batch."""
        self.runner.call_hook('before_train_iter', batch_idx=idx, data_batch=data_batch)
        state = rng_state()
        meta_batch = self._next_meta_batch()
        set_rng_state(state)  # loader workers were seeded of it
        meta_loss = self.meta_step(data_batch, meta_batch)
        set_rng_state(state)  # the real step draws what the virtual one drew
        outputs = self.runner.model.train_step(data_batch, optim_wrapper=self.runner.optim_wrapper)
        outputs['meta_loss'] = meta_loss
        self.runner.call_hook('after_train_iter', batch_idx=idx, data_batch=data_batch, outputs=outputs)
        self._iter += 1

    def meta_step(self, data_batch: Any, meta_batch: Any) -> Tensor:
        """One step of the learner.

        Args:
            data_batch: Of the training set, as the loader gives it; left as it is.
            meta_batch: Of the meta set.

        Returns:
            Tensor: The meta loss after the virtual step, a scalar.
        """
        rates = self._inner_rates()
        parameters = {name: parameter.detach() for name, parameter in self.model.named_parameters()}
        theta = {name: parameters[name].requires_grad_() for name in rates}
        phi = {name: parameters[name].requires_grad_() for name in meta_learned_parameters(self.model)}
        # gradients of the virtual step, which depend on what is learned
        loss = self.train_loss(parameters, data_batch)
        gradients = torch.autograd.grad(loss, list(theta.values()), create_graph=True, materialize_grads=True)
        moved = _averaged(gradients)
        with torch.no_grad():
            moved = [value - rate * gradient
                     for value, rate, gradient in zip(theta.values(), rates.values(), moved)]
        fixed = {name: value.detach() for name, value in parameters.items()}
        after = dict(zip(theta, (value.requires_grad_() for value in moved)))
        meta_loss = self.loss_of_meta_batch({**fixed, **after}, meta_batch)
        slopes = _averaged(torch.autograd.grad(meta_loss, list(after.values()), materialize_grads=True))
        # the derivative of the meta loss by way of the gradients
        pairs = [(gradient, -rate * slope)
                 for gradient, rate, slope in zip(gradients, rates.values(), slopes) if gradient.requires_grad]
        own = dict(self.sampler.learner.named_parameters()) if self.sampler else {}
        ways, factors = zip(*pairs) if pairs else ((), ())
        found = torch.autograd.grad(ways, [*phi.values(), *own.values()], factors, allow_unused=True)
        if all(gradient is None for gradient in found):
            raise ConfigError('what MetaTrainLoop is to learn does not act on the loss of the model that it trains: '
                              f"{', '.join([*phi, *own])}")
        real = [*meta_learned_parameters(self.model).values(), *own.values()]
        found = [torch.zeros_like(parameter) if gradient is None else gradient
                 for parameter, gradient in zip(real, found)]
        for parameter, gradient in zip(real, _averaged(found)):
            parameter.grad = gradient
        self.meta_optimizer.step()
        self.meta_optimizer.zero_grad()
        return _averaged([meta_loss])[0]

    # ------------------------------------------------------------------ losses
    def train_loss(self, parameters: Tensors, data_batch: Any) -> Tensor:
        """Loss of the model at given parameters; the weights of a learning sampler multiply the samples' losses."""
        batch = self.model.data_preprocessor(_copied(data_batch), True)
        weights = {}
        if self.sampler is not None:
            weights['weight'] = self.sampler.sample_weights().to(batch['inputs'])
        losses = functional_call(self.model, {**parameters, **self._buffers()}, kwargs={
            **batch, 'mode': 'loss', **weights})
        return self.model.parse_losses(losses)[0]

    def loss_of_meta_batch(self, parameters: Tensors, meta_batch: Any) -> Tensor:
        """Meta loss of the model at given parameters."""
        batch = self.model.data_preprocessor(meta_batch, False)
        logits = functional_call(self.model, {**parameters, **self._buffers()}, kwargs=dict(
            inputs=batch['inputs'], mode='tensor'))
        logits = logits.mean(0) if logits.dim() == 3 else logits
        return self.meta_loss(logits, gather_targets(batch['data_samples'], logits.device))

    def _buffers(self) -> Tensors:
        return {name: buffer.clone() for name, buffer in self.model.named_buffers()}

    def _inner_rates(self) -> dict[str, float]:
        """The learning rate of each parameter that the virtual step moves."""
        groups = self.runner.optim_wrapper.optimizer.param_groups
        rates = {id(parameter): float(group['lr']) for group in groups for parameter in group['params']}
        inner = {name: rates[id(parameter)] for name, parameter in self.model.named_parameters()
                 if parameter.requires_grad and id(parameter) in rates
                 and (self.inner_parameters == 'all' or name.startswith(CLASSIFIERS))}
        if not inner:
            raise ConfigError(f'inner_parameters={self.inner_parameters!r}, but no parameter of the model is trained '
                              + ('there' if self.inner_parameters == 'all' else f"of {', '.join(CLASSIFIERS)}"))
        return inner

    # -------------------------------------------------------------------- data
    def _build_meta_dataloader(self, config: dict) -> DataLoader:
        runner = self.runner
        config = _merged(runner.cfg.get('train_dataloader') or {}, config)
        seed = int(np.random.SeedSequence([runner.seed, META_STREAM]).generate_state(1)[0])
        loader = runner.build_dataloader(
            runner._per_process(config, 'train_cfg.meta_dataloader'), seed=seed,
            diff_rank_seed=runner._randomness_cfg.get('diff_rank_seed', False))
        if not hasattr(loader.batch_sampler, 'skip'):
            raise ConfigError('train_cfg.meta_dataloader needs a sampler of ltkit, which can go on where a run was '
                              "stopped; use sampler=dict(type='InstanceBalancedSampler')")
        return loader

    def _next_meta_batch(self) -> Any:
        """That of this iteration: batch ``iter`` of the meta set, over and over."""
        epoch, step = divmod(self._iter, len(self.meta_dataloader))
        if self._meta_batches is None or step == 0:
            self.meta_dataloader.batch_sampler.set_epoch(epoch)
            self.meta_dataloader.batch_sampler.skip(step)
            self._meta_batches = iter(self.meta_dataloader)
        return next(self._meta_batches)

    # ------------------------------------------------------------------- state
    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint: the optimizer of the learner, and the sampler's learner."""
        return dict(meta_optimizer=self.meta_optimizer.state_dict(),
                    sampler=self.sampler.learner.state_dict() if self.sampler else {})

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where :meth:`state_dict` was taken; what is learned in the model comes with its weights."""
        self.meta_optimizer.load_state_dict(state['meta_optimizer'])
        if self.sampler is not None:
            self.sampler.learner.load_state_dict(state['sampler'])

    def _refuse_what_cannot_be_combined(self) -> None:
        runner, name = self.runner, type(self).__name__
        if runner._accumulation() != 1:
            raise ConfigError(f'{name} takes one meta step a step of the model, so it cannot be combined with '
                              f'optim_wrapper.accumulative_counts={runner._accumulation()}; set it to 1')
        if runner.cfg.get('compile'):
            raise ConfigError(f'{name} needs second derivatives, which torch.compile does not have; leave out compile')
        if is_model_wrapper(runner.model) and not isinstance(runner.model, MMDistributedDataParallel):
            raise ConfigError(f'{name} cannot be combined with {type(runner.model).__name__}; use DDP, the default')
        if self.inner_parameters == 'all' and any(isinstance(part, nn.SyncBatchNorm) for part in self.model.modules()):
            raise ConfigError(f'{name}: SyncBatchNorm has no second derivative; leave out sync_bn, or set '
                              "inner_parameters='classifier'")
        if self.sampler is not None and self.dataloader.num_workers > 0:
            raise ConfigError(f'{type(self.sampler).__name__} draws each batch by what it has learned until then, but '
                              f'train_dataloader.num_workers={self.dataloader.num_workers} prefetches; set it to 0')


def _merged(base: dict, changes: dict) -> dict:
    """``base`` with ``changes``; a dict of another type replaces one."""
    merged = dict(base)
    for key, value in changes.items():
        old = base.get(key)
        if isinstance(value, dict) and isinstance(old, dict) and value.get('type', old.get('type')) == old.get('type'):
            value = _merged(old, value)
        merged[key] = value
    return merged


def _averaged(tensors: Any) -> list[Tensor]:
    """Copies without a graph, averaged over the processes."""
    copies = [tensor.detach().clone() for tensor in tensors]
    all_reduce_params(copies, op='mean')
    return copies


def _copied(data_batch: Any) -> Any:
    """A batch whose samples the data preprocessor may write to."""
    samples = data_batch.get('data_samples')
    if isinstance(samples, BatchedSamples) and samples.targets is not None:
        samples = copy.copy(samples)
    elif samples is not None:
        samples = [sample.clone() for sample in samples]
    return dict(data_batch, data_samples=samples)
