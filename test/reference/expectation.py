"""Fixture for one EM step beside scikit-learn's GaussianMixture: densities, statistics and M-step, four covariance types.

    python -m venv /tmp/venv && /tmp/venv/bin/pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
    /tmp/venv/bin/python test/reference/expectation.py [FOLDER]

Writes expectation.json.gz. Events and means are multiples of 2^-10, so that moving them by 1e6 is exact. Numbers of events are
not multiples of 64. The statistics are sums under scikit-learn's responsibilities, about 0.
"""
import gzip
import json
import sys
from pathlib import Path

import numpy as np
import sklearn
from sklearn.mixture import GaussianMixture
from sklearn.mixture._gaussian_mixture import _compute_precision_cholesky, _estimate_gaussian_parameters

folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "fixtures")
folder.mkdir(parents=True, exist_ok=True)
random = np.random.default_rng(5)
GRID = 1024


def on_grid(values):
    return np.round(values * GRID) / GRID


def random_covariances(kind, k, d):
    if kind == "spherical":
        return random.uniform(0.5, 2, k)
    if kind == "diag":
        return random.uniform(0.3, 3, (k, d))
    factors = random.normal(size=(k, d, d + 2)) / np.sqrt(d + 2)
    full = factors @ factors.transpose(0, 2, 1) + 0.3 * np.eye(d)
    return full[0] if kind == "tied" else full


def second_moments(kind, responsibilities, events):
    if kind == "tied":
        return events.T @ (responsibilities.sum(axis=1)[:, None] * events)
    if kind == "full":
        return np.stack([events.T @ (r[:, None] * events) for r in responsibilities.T])
    return responsibilities.T @ events**2


shapes = []
for k, d, rows in ((2, 1, 3), (3, 4, 65), (5, 7, 63), (8, 16, 257)):
    means = on_grid(random.normal(size=(k, d)) * 1.5)
    events = on_grid(means[random.integers(k, size=rows)] + random.normal(size=(rows, d)) * random.uniform(0.7, 1.3, d))
    cases = []
    for kind in ("full", "tied", "diag", "spherical"):
        covariances = random_covariances(kind, k, d)
        weights = random.dirichlet(np.full(k, 5.0))
        model = GaussianMixture(k, covariance_type=kind, reg_covar=0)
        model.weights_, model.means_, model.covariances_ = weights, means, covariances
        model.precisions_cholesky_ = _compute_precision_cholesky(covariances, kind)
        log_density, log_responsibilities = model._estimate_log_prob_resp(events)
        responsibilities = np.exp(log_responsibilities)
        counts, new_means, new_covariances = _estimate_gaussian_parameters(events, responsibilities, 0, kind)
        cases.append({
            "covariance": kind,
            "start": {"weights": weights.tolist(), "covariances": covariances.tolist()},
            "logDensity": log_density.tolist(),
            "statistics": {
                "s0": responsibilities.sum(axis=0).tolist(),
                "s1": (responsibilities.T @ events).tolist(),
                "s2": second_moments(kind, responsibilities, events).tolist(),
            },
            "maximised": {
                "weights": (counts / counts.sum()).tolist(),
                "means": new_means.tolist(),
                "covariances": new_covariances.tolist(),
            },
        })
    shapes.append({"means": means.tolist(), "events": events.tolist(), "cases": cases})
content = {"sklearn": sklearn.__version__, "shapes": shapes}
with open(folder / "expectation.json.gz", "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as file:
    file.write(json.dumps(content).encode())
