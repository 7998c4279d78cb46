"""A variational autoencoder of digits: 784-400-20-400-784, batch 128; the noise is the same in each step."""

from __future__ import annotations

from typing import Any

from benchmarks.data import layers, normal, uniform
from benchmarks.problem import Problem, Training

BATCH, LATENT = 128, 20


def parameters() -> list[Any]:
    return [*layers("vae encoder", 784, 400, 2 * LATENT), *layers("vae decoder", LATENT, 400, 784)]


def data() -> list[Any]:
    return [uniform("vae", BATCH, 784), normal("vae noise", BATCH, LATENT)]


def naive(np: Any, nn: Any, params: Any, x: Any, noise: Any) -> Any:
    W1, b1, W2, b2, W3, b3, W4, b4 = params
    h = np.dot(nn.relu(np.dot(x, W1) + b1), W2) + b2
    mean, log_var = h[:, :LATENT], h[:, LATENT:]
    z = mean + np.exp(log_var / 2) * noise
    logits = np.dot(nn.relu(np.dot(z, W3) + b3), W4) + b4
    entropy = np.sum(np.maximum(logits, 0) - logits * x + np.log1p(np.exp(-np.abs(logits))))
    return (entropy + np.sum(np.exp(log_var) + mean**2 - 1 - log_var) / 2) / BATCH


def in_torch(torch: Any, params: Any, x: Any, noise: Any) -> Any:
    W1, b1, W2, b2, W3, b3, W4, b4 = params
    mean, log_var = torch.addmm(b2, torch.relu(torch.addmm(b1, x, W1)), W2).chunk(2, 1)
    z = mean + (log_var / 2).exp() * noise
    logits = torch.addmm(b4, torch.relu(torch.addmm(b3, z, W3)), W4)
    entropy = torch.nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="sum")
    return (entropy + (log_var.exp() + mean**2 - 1 - log_var).sum() / 2) / BATCH


def in_gluon(mx: Any) -> Any:
    nn = mx.gluon.nn

    class VAE(mx.gluon.HybridBlock):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            with self.name_scope():
                self.encoder, self.decoder = nn.HybridSequential(), nn.HybridSequential()
                self.encoder.add(nn.Dense(400, activation="relu"), nn.Dense(2 * LATENT))
                self.decoder.add(nn.Dense(400, activation="relu"), nn.Dense(784))

        def hybrid_forward(self, F: Any, x: Any, noise: Any) -> Any:
            mean, log_var = F.split(self.encoder(x), num_outputs=2, axis=1)
            logits = self.decoder(mean + F.exp(log_var / 2) * noise)
            entropy = F.sum(F.relu(logits) - logits * x + F.Activation(-F.abs(logits), act_type="softrelu"))
            return (entropy + F.sum(F.exp(log_var) + F.square(mean) - 1 - log_var) / 2) / BATCH

    return VAE(), [array.T for array in parameters()]


MODEL = Training(parameters, data, naive, rate=1e-4, torch=in_torch, gluon=in_gluon)
PROBLEMS = [Problem("vae", "Variational autoencoder, batch 128", MODEL.contestants(), tolerance=5e-3)]
