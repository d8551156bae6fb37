"""Fixtures for parity with scikit-learn's GaussianMixture: iris, wine and digits (PCA-20), four covariance types.

    python -m venv /tmp/venv && /tmp/venv/bin/pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
    /tmp/venv/bin/python test/reference/gaussian_mixture.py [FOLDER]

Writes one gzipped JSON file a data set. From the same starting parameters scikit-learn runs 1 and 50 EM iterations
with reg_covar=0 and tol=0; parameters, lower bound and per-event log density are recorded at full precision.
"""
import gzip
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

warnings.filterwarnings("ignore")
folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "fixtures")
folder.mkdir(parents=True, exist_ok=True)


def covariances(data, labels, k, kind):
    """Starting covariances from a hard clustering, in the shape of `covariances_`."""
    d = data.shape[1]
    full = np.stack([np.cov(data[labels == j].T, bias=True) for j in range(k)])
    share = np.bincount(labels, minlength=k) / len(labels)
    shrunk = 0.5 * full + 0.5 * np.diag(data.var(axis=0))
    return {
        "full": shrunk,
        "tied": np.tensordot(share, shrunk, axes=1),
        "diag": np.stack([np.diag(s) for s in shrunk]),
        "spherical": np.array([np.trace(s) / d for s in shrunk]),
    }[kind]


def precisions(cov, kind):
    return np.linalg.inv(cov) if kind in ("full", "tied") else 1 / cov


def result(model, data):
    return {
        "weights": model.weights_.tolist(),
        "means": model.means_.tolist(),
        "covariances": model.covariances_.tolist(),
        "lowerBound": model.lower_bound_,
        "meanLogDensity": model.score(data),
    }


iris, wine, digits = load_iris(), load_wine(), load_digits()
components = PCA(20, svd_solver="full").fit_transform(digits.data)
sets = {
    "iris": (iris.data, 3, iris.target), "wine": (wine.data, 3, wine.target), "digits": (components, 10, digits.target),
}
for name, (data, k, target) in sets.items():
    data = np.round(data, 6)
    labels = KMeans(k, n_init=5, random_state=0).fit_predict(data)
    cases = []
    for kind in ("full", "tied", "diag", "spherical"):
        cov = covariances(data, labels, k, kind)
        start = {
            "weights": np.full(k, 1 / k),
            "means": np.stack([data[labels == j].mean(axis=0) for j in range(k)]) * 1.05,
            "covariances": cov,
        }
        case = {"covariance": kind, "start": {key: value.tolist() for key, value in start.items()}}
        for iterations in (1, 50):
            model = GaussianMixture(
                k, covariance_type=kind, reg_covar=0, tol=0, max_iter=iterations, weights_init=start["weights"],
                means_init=start["means"], precisions_init=precisions(cov, kind),
            ).fit(data)
            case[f"after{iterations}"] = result(model, data)
        cases.append(case)
    content = {"sklearn": sklearn.__version__, "components": k, "data": data.tolist(), "labels": target.tolist(), "cases": cases}
    with open(folder / f"{name}.json.gz", "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as file:
        file.write(json.dumps(content).encode())
