"""Known answers for the exponential family, by scipy alone: python exponential.py > fixtures/exponential.json"""
import json

import numpy as np
from scipy.stats import expon

weights = np.array([0.3, 0.7])
scales = np.array([[0.5, 20.0], [4.0, 3.0]])
events = np.array([[0.0, 1.5], [0.7, 40.0], [9.0, 0.2], [2.5, np.nan], [np.nan, np.nan], [3e4, 1e-5]])
log_density = np.where(np.isnan(events)[:, None, :], 0, expon.logpdf(events[:, None, :], scale=scales)).sum(2)
joint = log_density + np.log(weights)
total = np.logaddexp.reduce(joint, axis=1)
posterior = np.exp(joint - total[:, None])
observed = ~np.isnan(events)
sums = posterior.T @ np.where(observed, events, 0)
print(
    json.dumps(
        {
            "origin": "test/reference/exponential.py, scipy.stats.expon",
            "weights": weights.tolist(),
            "scales": scales.tolist(),
            "events": [[None if np.isnan(x) else x for x in row] for row in events],
            "componentLogDensity": log_density.tolist(),
            "posterior": posterior.tolist(),
            "logDensity": total.tolist(),
            "maximisedScales": (sums / (posterior.T @ observed)).tolist(),
        }
    )
)
