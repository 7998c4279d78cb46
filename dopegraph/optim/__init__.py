"""Changes parameters so that a loss falls: optimizers with MXNet's formulas, learning-rate schedules, `Trainer`, `fit`.

Stands beside `nn`, on `dopegraph.numpy`. An update is ordinary array code: inside `dopegraph.compile` it is part of the
compiled step.
"""

from dopegraph.optim.adaptive import Adam, AdamW, RMSProp
from dopegraph.optim.clipping import clip_global_norm
from dopegraph.optim.data_parallel import data_parallel
from dopegraph.optim.descent import NAG, SGD
from dopegraph.optim.fitting import EarlyStopping, History, fit
from dopegraph.optim.online import AdaDelta, AdaGrad, Ftrl
from dopegraph.optim.optimizer import Optimizer, create, register
from dopegraph.optim.schedules import (
    CosineScheduler,
    FactorScheduler,
    LRScheduler,
    MultiFactorScheduler,
    PolyScheduler,
)
from dopegraph.optim.trainer import Trainer

__all__ = [
    "NAG",
    "SGD",
    "AdaDelta",
    "AdaGrad",
    "Adam",
    "AdamW",
    "CosineScheduler",
    "EarlyStopping",
    "FactorScheduler",
    "Ftrl",
    "History",
    "LRScheduler",
    "MultiFactorScheduler",
    "Optimizer",
    "PolyScheduler",
    "RMSProp",
    "Trainer",
    "clip_global_norm",
    "create",
    "data_parallel",
    "fit",
    "register",
]
