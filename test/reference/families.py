"""Fixtures for the families beyond scikit-learn's GaussianMixture, each from an independent program:
mixed types and missing values from StepMix, factor covariance from scikit-learn's FactorAnalysis, multivariate t densities
from SciPy, and EM for a multivariate normal with missing values written out here from Little & Rubin (2002), section 11.2.

    python -m venv /tmp/venv && /tmp/venv/bin/pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 stepmix==3.0.0
    /tmp/venv/bin/python test/reference/families.py [FOLDER]

Writes families.json.gz.
"""
import gzip
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import scipy
import sklearn
import stepmix
from scipy.stats import multivariate_t
from sklearn.datasets import load_wine
from sklearn.decomposition import FactorAnalysis
from stepmix.stepmix import StepMix

warnings.filterwarnings("ignore")
folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "fixtures")
rng = np.random.default_rng(7)


def nested(array):
    """Lists with None where a value is missing."""
    return [[None if np.isnan(x) else float(x) for x in row] for row in np.asarray(array, dtype=float)]


# --- StepMix: two numbers, one category of three, two booleans ------------------------------------------------------
n, k = 300, 3
z = rng.integers(k, size=n)
numbers = np.stack([2.0 * z, -1.5 * z], axis=1) + rng.normal(size=(n, 2)) * (1 + z)[:, None] * 0.5
category = np.where(rng.random(n) < 0.6, z, rng.integers(3, size=n))
booleans = (rng.random((n, 2)) < np.stack([0.2 + 0.3 * z, 0.8 - 0.3 * z], axis=1)).astype(float)
complete = np.round(np.column_stack([numbers, category, booleans]), 6)
start = rng.random((n, k))
start /= start.sum(axis=1, keepdims=True)
start = np.round(start, 6)
start /= start.sum(axis=1, keepdims=True)


class FromResponsibilities(StepMix):
    """StepMix whose EM begins with an M-step of given responsibilities and equal weights."""

    def _initialize_parameters(self, X, random_state):
        self.log_resp_ = np.log(start)
        self.weights_ = np.ones(k) / k
        self._initialize_parameters_measurement(X, random_state)
        self._mm.m_step(X, start)


def step_mix(data, missing, iterations):
    suffix = "_nan" if missing else ""
    gaussian = {"model": "gaussian_diag" + suffix, "n_columns": 2}
    if not missing:
        gaussian["reg_covar"] = 0
    measurement = {
        "numbers": gaussian,
        "category": {"model": "categorical" + suffix, "n_columns": 1},
        "booleans": {"model": "binary" + suffix, "n_columns": 2},
    }
    model = FromResponsibilities(k, measurement=measurement, abs_tol=0, rel_tol=0, max_iter=iterations, progress_bar=0)
    model.fit(data)
    parameters = model.get_parameters()["measurement"]
    return {
        "weights": model.weights_.tolist(),
        "means": parameters["numbers"]["means"].tolist(),
        "variances": parameters["numbers"]["covariances"].tolist(),
        "categoryProbabilities": parameters["category"]["pis"].tolist(),
        "booleanProbabilities": parameters["booleans"]["pis"].tolist(),
        "meanLogLikelihood": float(model.score(data)),
    }


holed = complete.copy()
holed[rng.random(holed.shape) < 0.2] = np.nan
stepmix_cases = {
    "start": start.tolist(),
    "complete": {"data": nested(complete), "after1": step_mix(complete, False, 1), "after20": step_mix(complete, False, 20)},
    "missing": {"data": nested(holed), "converged": step_mix(holed, True, 5000)},
}

# --- FactorAnalysis ---------------------------------------------------------------------------------------------------
wine = load_wine().data
wine = np.round((wine - wine.mean(axis=0)) / wine.std(axis=0), 8)
factor_cases = []
for factors in (1, 2, 3):
    fa = FactorAnalysis(factors, tol=1e-13, max_iter=100000, svd_method="lapack").fit(wine)
    factor_cases.append({"factors": factors, "meanLogLikelihood": float(fa.score(wine))})

# --- multivariate t ---------------------------------------------------------------------------------------------------
t_cases = []
for d, nu in ((1, 1.0), (2, 3.5), (5, 10.0), (5, 300.0)):
    a = rng.normal(size=(d, d))
    shape = a @ a.T + np.eye(d)
    mean = rng.normal(size=d)
    points = np.vstack([rng.normal(size=(5, d)) * 3, 1e4 * np.ones((1, d))])
    t_cases.append({
        "degreesOfFreedom": nu, "mean": mean.tolist(), "shape": shape.tolist(), "points": points.tolist(),
        "logDensity": np.atleast_1d(multivariate_t(mean, shape, df=nu).logpdf(points)).tolist(),
    })


# --- EM for a multivariate normal with missing values -------------------------------------------------------------------
def normal_em(data, iterations):
    d = data.shape[1]
    mean, cov = np.nanmean(data, axis=0), np.diag(np.nanvar(data, axis=0))
    for _ in range(iterations):
        first, second = np.zeros(d), np.zeros((d, d))
        for row in data:
            m = np.isnan(row)
            o = ~m
            filled, extra = row.copy(), np.zeros((d, d))
            if m.any():
                slope = cov[np.ix_(m, o)] @ np.linalg.inv(cov[np.ix_(o, o)]) if o.any() else np.zeros((m.sum(), 0))
                filled[m] = mean[m] + slope @ (row[o] - mean[o])
                extra[np.ix_(m, m)] = cov[np.ix_(m, m)] - slope @ cov[np.ix_(o, m)]
            first += filled
            second += np.outer(filled, filled) + extra
        mean = first / len(data)
        cov = second / len(data) - np.outer(mean, mean)
    return mean, cov


d = 4
a = rng.normal(size=(d, d))
sample = np.round(rng.multivariate_normal([1, -2, 0.5, 3], a @ a.T + 0.3 * np.eye(d), size=300), 6)
sample[rng.random(sample.shape) < 0.3] = np.nan
mean, cov = normal_em(sample, 3000)
missing_case = {"data": nested(sample), "mean": mean.tolist(), "covariance": cov.tolist()}

content = {
    "versions": {"sklearn": sklearn.__version__, "scipy": scipy.__version__, "stepmix": getattr(stepmix, "__version__", "3.0.0")},
    "stepmix": stepmix_cases, "wine": wine.tolist(), "factorAnalysis": factor_cases,
    "multivariateT": t_cases, "missingNormal": missing_case,
}
folder.mkdir(parents=True, exist_ok=True)
with open(folder / "families.json.gz", "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as file:
    file.write(json.dumps(content).encode())
