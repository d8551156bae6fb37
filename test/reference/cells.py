"""Gaussian mixtures of values that stand for cells, computed without Sheppard's correction: every event is replaced by the corners of its cells
(±sqrt(v) in each rounded column, 2^c points of equal weight, which have the cells' first and second moments exactly), an event's log density is
the mean of its points' (scipy), and the M-step takes the moments of all points.

Writes fixtures/cells.json.gz. Needs numpy 2.4 and scipy 1.17:  python test/reference/cells.py
"""
import gzip, itertools, json, os
import numpy as np
from scipy.special import logsumexp
from scipy.stats import bernoulli, multivariate_normal

HERE = os.path.dirname(os.path.abspath(__file__))
K, D, CELLS = 2, 3, [0, 2]


def sample(rng, n=200):
    label = rng.random(n) < .4
    z = np.round(rng.standard_normal((n, D)) @ np.array([[1, .5, 0], [0, 1, .4], [0, 0, 1]]) + 2.5 * label[:, None], 1)
    v = .02 + .3 * rng.random((n, len(CELLS))) ** 2
    return z, v


def corners(z, v):
    """(2^c, n, D)"""
    out = []
    for signs in itertools.product([-1, 1], repeat=len(CELLS)):
        point = z.copy()
        for i, j in enumerate(CELLS):
            point[:, j] += signs[i] * np.sqrt(v[:, i])
        out.append(point)
    return np.array(out)


def covariances(kind, points, R, means):
    """R (n, K); moments of all corners about the means."""
    S = []
    for k in range(K):
        e = points - means[k]
        S.append(np.einsum('n,cni,cnj->ij', R[:, k], e, e) / len(points))
    n = R.sum(0)
    if kind == 'tied':
        return [sum(S) / n.sum()] * K
    S = [S[k] / n[k] for k in range(K)]
    if kind == 'diag':
        S = [np.diag(np.diag(s)) for s in S]
    if kind == 'spherical':
        S = [np.eye(D) * np.trace(s) / D for s in S]
    return S


def logs(points, weights, means, cov):
    return np.stack([np.log(weights[k]) + np.mean([multivariate_normal.logpdf(p, means[k], cov[k]) for p in points], 0)
                     for k in range(K)], 1)


def em(kind, z, v, iterations):
    points = corners(z, v)
    weights, means = np.array([.5, .5]), np.array([[-.5] * D, [2.] * D])
    cov = [np.eye(D)] * K
    for _ in range(iterations):
        L = logs(points, weights, means, cov)
        R = np.exp(L - logsumexp(L, 1, keepdims=True))
        weights = R.mean(0)
        means = R.T @ z / R.sum(0)[:, None]
        cov = covariances(kind, points, R, means)
    density = logsumexp(logs(points, weights, means, cov), 1)
    return dict(covariance=kind, weights=weights.tolist(), means=means.tolist(), covariances=[np.asarray(c).tolist() for c in cov],
                meanLogDensity=float(density.mean()))


def treated():
    """Log densities of events with a spike, cells and bends, in the user's units, by their definition."""
    p, pi = [.7, .1], [.6, .4]
    centre, scale = [3., 2.], [1.2, .8]
    means = [[-.5, -.3], [.8, .6]]
    cov = [[[1, .3], [.3, .7]], [[.6, -.2], [-.2, .9]]]
    events = [[0, 3], [12.5, 0], [250.25, 17], [0, 0], [.01, 40], [None, 5], [33.3, None], [0, None]]
    w = 1.  # visits are whole numbers: sqrt(x + 1/2), spend is logged, and 0 is an answer of its own
    out = []
    for spend, visits in events:
        terms = []
        jacobian = 0
        z, v, seen = [], [], []
        if spend is not None and spend != 0:
            z.append((np.log(spend) - centre[0]) / scale[0]); v.append(0.); seen.append(0)
            jacobian += -np.log(spend) - np.log(scale[0])
        if visits is not None:
            g = lambda x: np.sqrt(x + .5) if x >= 0 else np.sqrt(.5) + x * .5 / np.sqrt(.5)
            width = g(visits + w / 2) - g(visits - w / 2)
            z.append((g(visits) - centre[1]) / scale[1]); v.append((width / scale[1]) ** 2 / 12); seen.append(1)
            jacobian += np.log(width / w) - np.log(scale[1])
        for k in range(2):
            C = np.array(cov[k])
            term = np.log(pi[k])
            if spend is not None:
                term += bernoulli.logpmf(int(spend == 0), p[k])
            if seen:
                term += multivariate_normal.logpdf(z, np.array(means[k])[seen], C[np.ix_(seen, seen)])
            # what the product documents: the precision of all columns, whatever is missing
            precision = np.diag(np.linalg.inv(C))
            term -= .5 * sum(v[i] * precision[j] for i, j in enumerate(seen))
            terms.append(term)
        out.append(float(logsumexp(terms) + jacobian))
    return dict(probabilities=p, weights=pi, centre=centre, scale=scale, means=means, covariances=cov, events=events, logDensity=out)


if __name__ == '__main__':
    z, v = sample(np.random.default_rng(7))
    cases = [em(kind, z, v, 15) for kind in ('full', 'tied', 'diag', 'spherical')]
    data = dict(values=z.tolist(), variances=v.tolist(), cells=CELLS, iterations=15, cases=cases, treated=treated())
    with gzip.GzipFile(os.path.join(HERE, 'fixtures/cells.json.gz'), 'wb', mtime=0) as f:
        f.write(json.dumps(data).encode())
