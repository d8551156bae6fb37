"""scikit-learn's batch EM to convergence on the sets of data.py: from the starting parameters in NAME.start.json, and from its own
best of five k-means starts. Prints mean held-out log-likelihoods as JSON.

    python peer.py FOLDER
"""
import json
import sys
import warnings
from pathlib import Path

import numpy as np
from sklearn.mixture import GaussianMixture

warnings.filterwarnings("ignore")
folder = Path(sys.argv[1])
out = {}
for entry in json.loads((folder / "index.json").read_text()):
    name, k, kind = entry["name"], entry["components"], entry["covariance"]
    data = np.fromfile(folder / f"{name}.f64", "<f8").reshape(entry["rows"], entry["columns"])
    train, test = data[: entry["train"]], data[entry["train"]:]
    start = json.loads((folder / f"{name}.start.json").read_text())
    cov = np.array(start["covariances_"])
    same = GaussianMixture(
        k, covariance_type=kind, tol=1e-7, max_iter=1000, weights_init=start["weights_"], means_init=start["means_"],
        precisions_init=np.linalg.inv(cov) if kind == "full" else 1 / cov,
    ).fit(train)
    own = GaussianMixture(k, covariance_type=kind, tol=1e-4, max_iter=300, n_init=5, random_state=0).fit(train)
    out[name] = {"sameStart": same.score(test), "iterations": same.n_iter_, "own": own.score(test)}
print(json.dumps(out))
