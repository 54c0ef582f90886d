"""Ours beside the published numbers of distributions and losses."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...nn import categorical, gaussian, tanh_gaussian
from ...nn.losses import huber
from ..published import Found

Data = dict[str, Any]


def distributions(data: Data, full: bool) -> Iterator[Found]:
    """S3.05: softmax at two temperatures, diagonal Gaussians, and Huber's loss."""
    soft, normal, loss = data["softmax"], data["gaussian"], data["huber"]
    for temperature, wanted in soft["probs"].items():
        got = categorical.probs(np.array(soft["logits"]) / float(temperature))
        yield Found(f"softmax, temperature {temperature}", wanted, got, data["tolerance"])
    one = np.concatenate([normal["mu"], np.log(normal["sigma"])], axis=-1)
    other = np.concatenate([normal["other_mu"], np.log(normal["other_sigma"])], axis=-1)
    log_prob = gaussian.log_prob(one, np.array(normal["sample"]))
    for key, got in (
        ("prob", np.exp(log_prob)),
        ("logprob", log_prob),
        ("entropy", gaussian.entropy(one)),
        ("kl", gaussian.kl(one, other)),
        ("kl_to_std_normal", gaussian.kl(one, np.zeros_like(one))),
    ):
        yield Found(f"Gaussian, {normal['cases'][key]}", normal[key], got, data["tolerance"])
    each = [huber(np.array([x]), np.zeros(1), loss["delta"]) for x in loss["x"]]
    yield Found("Huber's loss", loss["y"], [found.value for found in each], data["tolerance"])
    slopes = [float(found.gradient[0]) for found in each]
    yield Found("Huber's loss, derivative", loss["dy"], slopes, data["tolerance"])


def squashed(data: Data, full: bool) -> Iterator[Found]:
    """S3.06: the squashed Gaussian, each number by itself, all together, and far out."""
    mean, log_std, u = (np.array(data[key]) for key in ("mu", "log_std", "u"))
    each = tanh_gaussian.log_density(np.stack([mean, log_std], axis=-1), u[:, None])
    whole = np.concatenate([mean, log_std])
    got = float(tanh_gaussian.log_prob(whole, np.array(data["a"])))
    yield Found("actions", data["a"], np.tanh(u), data["tolerance"])
    yield Found("log density, each number", data["logp"], each, data["tolerance"])
    yield Found("log density of the actions", data["logp_sum"], got, data["tolerance"])
    far = np.full((2, 1), data["far"]["u"]) * [[1.0], [-1.0]]
    there = tanh_gaussian.log_density(np.zeros((2, 2)), far)
    wanted = [data["far"]["logp"]] * 2
    yield Found(f"log density at u = ±{data['far']['u']}", wanted, there, data["tolerance"])
