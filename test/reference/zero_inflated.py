"""Known answers for the zero-inflated family, by numpy and scipy alone: python zero_inflated.py > fixtures/zero-inflated.json

Densities are a mixture of a point at 0 and scipy.stats.poisson; estimates are the maxima of the likelihood, found by scipy.optimize (Nelder-Mead).
"""
import json

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import poisson


def logpmf(x, rate, zeros):
    with np.errstate(divide="ignore"):
        return np.logaddexp(np.where(x == 0, np.log(zeros), -np.inf), np.log1p(-zeros) + poisson.logpmf(x, rate))


rates = np.array([[0.5, 20.0], [4.0, 3.0]])
zeros = np.array([[0.3, 0.9], [0.05, 1e-9]])
events = np.array([[0, 1], [0, 40], [9, 0], [2, np.nan], [np.nan, np.nan], [300, 17]])
log_density = np.where(np.isnan(events)[:, None, :], 0, logpmf(events[:, None, :], rates, zeros)).sum(2)

random = np.random.default_rng(7)
estimates = []
for rate, share, n in [(1.5, 0.4, 400), (6, 0.7, 300), (40, 0.2, 200), (3, 0.05, 400)]:
    x = random.poisson(rate, n) * (random.random(n) >= share)
    best = minimize(
        lambda t: -logpmf(x, np.exp(t[0]), expit(t[1])).sum(),
        [np.log(x.mean() + 1), 0.0],
        method="Nelder-Mead",
        options={"xatol": 1e-10, "fatol": 1e-12, "maxiter": 10000},
    )
    estimates.append(
        {"sample": x.tolist(), "rate": np.exp(best.x[0]), "zeros": expit(best.x[1]), "logLikelihood": -best.fun / n}
    )
# The same under exposures: rate · exposure is expected where it can be counted.
exposed = []
for rate, share, n in [(1.5, 0.4, 400), (6, 0.7, 300)]:
    e = np.round(np.exp(random.normal(0, 1, n)), 3) + 0.01
    x = random.poisson(rate * e) * (random.random(n) >= share)
    best = minimize(
        lambda t: -logpmf(x, np.exp(t[0]) * e, expit(t[1])).sum(),
        [np.log(x.mean() + 1), 0.0],
        method="Nelder-Mead",
        options={"xatol": 1e-10, "fatol": 1e-12, "maxiter": 10000},
    )
    exposed.append(
        {
            "sample": x.tolist(),
            "exposures": e.tolist(),
            "rate": np.exp(best.x[0]),
            "zeros": expit(best.x[1]),
            "logLikelihood": -best.fun / n,
        }
    )
print(
    json.dumps(
        {
            "origin": "test/reference/zero_inflated.py, scipy.stats.poisson and scipy.optimize",
            "rates": rates.tolist(),
            "zeros": zeros.tolist(),
            "events": [[None if np.isnan(v) else v for v in row] for row in events],
            "componentLogDensity": log_density.tolist(),
            "estimates": estimates,
            "exposed": exposed,
        }
    )
)
