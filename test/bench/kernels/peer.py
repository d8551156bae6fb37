"""A peer of the kernel benchmark: scikit-learn or pomegranate on the events of one file, one thread.

peer.py NAME FILE K D diag|full; the protocol is limit.c's. The first line of the answer describes the peer as JSON.
"""

import json
import sys
import time
import warnings

import numpy as np

warnings.filterwarnings("ignore")
name, path, K, D, covariance = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]

data = np.fromfile(path)
rows, at = int(data[0]), 1


def take(*shape):
    global at
    size = int(np.prod(shape))
    at += size
    return data[at - size : at].reshape(shape)


weights, means = take(K).copy(), take(K, D).copy()
inverse = take(K, D * (D + 1) // 2) if covariance == "full" else take(K, D).copy()
take(K), take(D)
values = take(rows, D).copy()

if covariance == "full":  # packed rows of L^-1; scikit-learn's precisions_cholesky_ is its transpose
    lower = np.zeros((K, D, D))
    lower[:, *np.tril_indices(D)] = inverse
    precisions_cholesky = np.ascontiguousarray(lower.transpose(0, 2, 1))
    covariances = np.linalg.inv(lower.transpose(0, 2, 1) @ lower)
else:
    precisions_cholesky, covariances = inverse, 1 / inverse**2


def scikit_learn():
    import sklearn
    from sklearn.mixture import GaussianMixture
    from threadpoolctl import threadpool_info, threadpool_limits

    threadpool_limits(1)
    model = GaussianMixture(K, covariance_type=covariance, max_iter=1, init_params="random_from_data", random_state=0)
    model.fit(values[: 4 * K + 64])
    model.weights_, model.means_ = weights, means
    model.covariances_, model.precisions_cholesky_ = covariances, precisions_cholesky

    def em(batch):
        _, log_responsibilities = model._e_step(batch)
        model._m_step(batch, log_responsibilities)

    def score(batch):
        # predict_proba and score_samples from one pass over the densities, without their input checks
        _, log_responsibilities = model._estimate_log_prob_resp(batch)
        np.exp(log_responsibilities)

    blas = [f"{i['internal_api']} {i.get('architecture')}, {i['num_threads']} thread" for i in threadpool_info() if i["user_api"] == "blas"]
    return {"version": sklearn.__version__, "blas": sorted(set(blas))}, em, score


def pomegranate():
    import pomegranate
    import torch
    from pomegranate.distributions import Normal
    from pomegranate.gmm import GeneralMixtureModel

    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    kind = "full" if covariance == "full" else "diag"
    model = GeneralMixtureModel(
        [Normal(torch.tensor(means[k]), torch.tensor(covariances[k]), covariance_type=kind) for k in range(K)],
        priors=torch.tensor(weights),
    )

    def em(batch):
        model.summarize(torch.from_numpy(batch))
        model.from_summaries()

    def score(batch):
        tensor = torch.from_numpy(batch)
        model.predict_proba(tensor)
        model.log_probability(tensor)

    return {"version": pomegranate.__version__}, em, score


description, em, score = {"scikit-learn": scikit_learn, "pomegranate": pomegranate}[name]()
print(json.dumps(description), flush=True)
for line in sys.stdin:
    step, batch, seconds = line.split()
    batch, run = int(batch), em if step == "em" else score
    events, whole = 0, rows // batch * batch
    start, cpu = time.perf_counter(), time.process_time()
    while True:
        first = events % whole
        run(values[first : first + batch])
        events += batch
        if time.perf_counter() - start >= float(seconds):
            break
    print(events / (time.process_time() - cpu), flush=True)
