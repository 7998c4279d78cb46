"""Says how good predictions are, over all batches so far: accuracies, errors, perplexity, with MXNet's names.

Stands beside `nn`. Computed with NumPy, outside of compiled functions.
"""

from dopegraph.metrics.classification import F1, Accuracy, CrossEntropy, Perplexity, TopKAccuracy
from dopegraph.metrics.detection import AveragePrecision
from dopegraph.metrics.metric import CompositeEvalMetric, CustomMetric, EvalMetric, Loss, create
from dopegraph.metrics.regression import MAE, MSE, RMSE, PearsonCorrelation

__all__ = [
    "F1",
    "MAE",
    "MSE",
    "RMSE",
    "Accuracy",
    "AveragePrecision",
    "CompositeEvalMetric",
    "CrossEntropy",
    "CustomMetric",
    "EvalMetric",
    "Loss",
    "PearsonCorrelation",
    "Perplexity",
    "TopKAccuracy",
    "create",
]
