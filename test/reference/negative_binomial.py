"""Known answers for the negative-binomial family, by numpy and scipy alone: python negative_binomial.py > fixtures/negative-binomial.json

Densities are scipy.stats.nbinom's; the estimates are the maxima of its likelihood, found by scipy.optimize (Nelder-Mead on log mean and log size).
"""
import json

import numpy as np
from scipy.optimize import minimize
from scipy.stats import nbinom


def logpmf(x, mean, size):
    return nbinom.logpmf(x, size, size / (size + mean))


means = np.array([[0.5, 20.0], [4.0, 3.0]])
sizes = np.array([[0.3, 5.0], [2.0, 800.0]])
events = np.array([[0, 1], [0, 40], [9, 0], [2, np.nan], [np.nan, np.nan], [300, 17]])
log_density = np.where(np.isnan(events)[:, None, :], 0, logpmf(events[:, None, :], means, sizes)).sum(2)

random = np.random.default_rng(7)
estimates = []
for mean, size, n in [(0.3, 0.1, 400), (2, 0.5, 300), (5, 2, 200), (30, 1.3, 200), (80, 60, 300), (4000, 8, 100)]:
    x = random.poisson(random.gamma(size, mean / size, n))
    best = minimize(
        lambda t: -logpmf(x, np.exp(t[0]), np.exp(t[1])).sum(),
        [np.log(x.mean()), 0.0],
        method="Nelder-Mead",
        options={"xatol": 1e-10, "fatol": 1e-12, "maxiter": 10000},
    )
    estimates.append(
        {"sample": x.tolist(), "mean": np.exp(best.x[0]), "size": np.exp(best.x[1]), "logLikelihood": -best.fun / n}
    )

# A mixture of two: EM from scratch in scipy, its M-step a numerical maximum.
group = random.random(1500) < 0.35
x = random.poisson(np.where(group, random.gamma(0.8, 1 / 0.8, 1500), random.gamma(6, 25 / 6, 1500)))
weight, theta = 0.5, np.array([[0.0, 0.0], [3.0, 1.0]])
for _ in range(400):
    joint = np.stack([logpmf(x, *np.exp(t)) for t in theta], 1) + np.log([weight, 1 - weight])
    total = np.logaddexp.reduce(joint, axis=1)
    r = np.exp(joint - total[:, None])
    weight = r[:, 0].mean()
    theta = np.array(
        [
            minimize(
                lambda t: -(r[:, k] * logpmf(x, *np.exp(t))).sum(),
                theta[k],
                method="Nelder-Mead",
                options={"xatol": 1e-8, "fatol": 1e-9},
            ).x
            for k in range(2)
        ]
    )

# The same under exposures: mean · exposure is expected.
exposed = []
for mean, size, n in [(0.4, 0.5, 300), (3, 2, 200), (12, 30, 200)]:
    e = np.round(np.exp(random.normal(0, 1, n)), 3) + 0.01
    y = random.poisson(random.gamma(size, mean * e / size))
    best = minimize(
        lambda t: -logpmf(y, np.exp(t[0]) * e, np.exp(t[1])).sum(),
        [np.log(y.mean()), 0.0],
        method="Nelder-Mead",
        options={"xatol": 1e-10, "fatol": 1e-12, "maxiter": 10000},
    )
    exposed.append(
        {
            "sample": y.tolist(),
            "exposures": e.tolist(),
            "mean": np.exp(best.x[0]),
            "size": np.exp(best.x[1]),
            "logLikelihood": -best.fun / n,
        }
    )
print(
    json.dumps(
        {
            "origin": "test/reference/negative_binomial.py, scipy.stats.nbinom and scipy.optimize",
            "means": means.tolist(),
            "sizes": sizes.tolist(),
            "events": [[None if np.isnan(v) else v for v in row] for row in events],
            "componentLogDensity": log_density.tolist(),
            "estimates": estimates,
            "exposed": exposed,
            "mixture": {
                "sample": x.tolist(),
                "weight": weight,
                "means": np.exp(theta[:, 0]).tolist(),
                "sizes": np.exp(theta[:, 1]).tolist(),
                "logLikelihood": total.mean(),
            },
        }
    )
)
