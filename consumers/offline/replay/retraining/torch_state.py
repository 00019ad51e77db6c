"""What torch holds of a replay's state: saved and restored once this is imported."""

from collections.abc import Mapping
from typing import Any

import torch

from consumers.offline.replay.state_restoring import FURTHER_KINDS, Restoring
from consumers.offline.replay.state_saving import FURTHER_TYPES, Node, Saving

_TENSOR = "tensor"
_MODULE = "module"
_OPTIMISER = "optimiser"
_GENERATOR = "torch generator"


def _save_tensor(walk: Saving, value: torch.Tensor) -> list[Node]:
    return [_TENSOR, walk.array(value.detach().cpu().numpy())]


def _save_parameter(_: Saving, __: torch.nn.Parameter) -> list[Node]:
    return ["kept"]  # of a module, which fills it


def _save_module(walk: Saving, value: torch.nn.Module) -> list[Node]:
    return [_MODULE, {name: walk.node(one) for name, one in value.state_dict().items()}]


def _save_optimiser(walk: Saving, value: torch.optim.Optimizer) -> list[Node]:
    return [_OPTIMISER, walk.node(value.state_dict())]


def _save_generator(walk: Saving, value: torch.Generator) -> list[Node]:
    return [_GENERATOR, walk.array(value.get_state().numpy())]


def _restore_tensor(walk: Restoring, _: Any, name: str) -> torch.Tensor:
    return torch.from_numpy(walk.stored[name].copy())


def _restore_module(walk: Restoring, made: Any, state: Mapping[str, Node]) -> Any:
    made.load_state_dict({name: walk.value(one, None) for name, one in state.items()})
    return made


def _restore_optimiser(walk: Restoring, made: Any, state: Node) -> Any:
    made.load_state_dict(walk.value(state, None))
    return made


def _restore_generator(walk: Restoring, made: Any, name: str) -> Any:
    made.set_state(torch.from_numpy(walk.stored[name].copy()))
    return made


FURTHER_TYPES.update(
    {
        torch.Tensor: _save_tensor,
        torch.nn.Parameter: _save_parameter,
        torch.nn.Module: _save_module,
        torch.optim.Optimizer: _save_optimiser,
        torch.Generator: _save_generator,
    }
)
FURTHER_KINDS.update(
    {
        _TENSOR: _restore_tensor,
        _MODULE: _restore_module,
        _OPTIMISER: _restore_optimiser,
        _GENERATOR: _restore_generator,
    }
)
