"""Known answers for libs/mixture/src/decide, computed here with numpy and scikit-learn alone: explanations by averaging over every order
of the features (ours sums over subsets), held-out likelihoods of gaussian mixtures, and histograms by numpy.histogram.

python decide.py > fixtures/decide.json
"""
import itertools
import json

import numpy as np
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture

generator = np.random.default_rng(1)


def explanations():
    weights = np.array([0.5, 0.3, 0.2])
    means = np.array([[0.0, 0.0, 0.0], [1.5, -1.0, 0.5], [-1.0, 2.0, 1.0]])
    factors = generator.normal(size=(3, 3, 3))
    covariances = factors @ factors.transpose(0, 2, 1) + 0.5 * np.eye(3)
    events = [[0.7, -0.4, 0.9], [2.0, None, 0.1], [-1.0, 2.5, 0.3], [None, None, None]]

    def log_density(event, known, k):
        known = list(known)
        if not known:
            return 0.0
        return multivariate_normal.logpdf([event[j] for j in known], means[k][known], covariances[k][np.ix_(known, known)])

    cases = []
    for event in events:
        observed = [j for j in range(3) if event[j] is not None]
        joint = np.array([np.log(weights[k]) + log_density(event, observed, k) for k in range(3)])
        a, b = np.argsort(-joint, kind="stable")[:2]
        contributions = np.zeros(3)
        orders = list(itertools.permutations(observed))
        for order in orders:
            for i, j in enumerate(order):
                ratio = lambda known: log_density(event, known, a) - log_density(event, known, b)
                contributions[j] += (ratio(order[: i + 1]) - ratio(order[:i])) / len(orders)
        posterior = np.exp(joint - np.logaddexp.reduce(joint))
        cases.append(
            {
                "event": event,
                "component": int(a),
                "runnerUp": int(b),
                "logOdds": float(joint[a] - joint[b]),
                "prior": float(np.log(weights[a] / weights[b])),
                "posterior": posterior.tolist(),
                "contributions": contributions.tolist(),
            }
        )
    return {
        "weights": weights.tolist(),
        "means": means.tolist(),
        "covariances": covariances.tolist(),
        "cases": cases,
    }


def fold_densities(events, folds, components):
    out = np.zeros(len(events))
    for fold in range(folds.max() + 1):
        model = GaussianMixture(components, n_init=10, tol=1e-12, max_iter=5000, reg_covar=0, random_state=1)
        model.fit(events[folds != fold])
        out[folds == fold] = model.score_samples(events[folds == fold])
    return out


def selection(events, folds, counts):
    events = np.array(events)
    folds = np.array(folds)
    held = [fold_densities(events, folds, k) for k in counts]
    best = int(np.argmax([h.mean() for h in held]))
    candidates = []
    for k, h in zip(counts, held):
        model = GaussianMixture(k, n_init=10, tol=1e-12, max_iter=5000, reg_covar=0, random_state=1).fit(events)
        difference = held[best] - h
        candidates.append(
            {
                "components": k,
                "crossValidation": h.mean(),
                "behind": difference.mean(),
                "behindError": difference.std() / np.sqrt(len(h)),
                "bic": model.bic(events),
                "aic": model.aic(events),
            }
        )
    return {"events": events.tolist(), "folds": folds.tolist(), "candidates": candidates}


def histogram():
    values = generator.normal(size=40).round(2)
    everything = np.concatenate([values, generator.normal(1, 2, size=40).round(2)])
    bins = 6
    least, largest = everything.min(), everything.max()
    counts, _ = np.histogram(values, bins, (least, largest))
    mass = np.concatenate([[0], counts, [0]]) + 0.5
    width = (largest - least) / bins
    widths = np.array([bins * width] + [width] * bins + [bins * width])
    at = [least - 1, least, -0.3, 0.4, 1.1, largest, largest + 3]
    logs = []
    for x in at:
        place = 0 if x < least else bins + 1 if x > largest else 1 + min(bins - 1, int((x - least) / width))
        logs.append(float(np.log(mass[place] / mass.sum() / widths[place])))
    return {"values": values.tolist(), "everything": everything.tolist(), "bins": bins, "at": at, "logDensity": logs}


folds = [n % 5 for n in range(300)]
overlapping = np.concatenate([generator.normal(0, 1, (150, 2)), generator.normal([3, 2], 1, (150, 2))])[
    generator.permutation(300)
]
alone = generator.normal(0, 1, (300, 2)) @ np.array([[1, 0.5], [0, 1]])
print(
    json.dumps(
        {
            "origin": "test/reference/decide.py, numpy and scikit-learn 1.9.1",
            "explanations": explanations(),
            "twoComponents": selection(overlapping.round(4), folds, [1, 2]),
            "oneComponent": selection(alone.round(4), folds, [1, 2]),
            "histogram": histogram(),
        }
    )
)
