"""betula-cluster on one stream: betula.py K D; reads lines "EVENTS LABELS SEED", answers "SECONDS SECONDS".

Seconds of processor time: the first is partial_fit's over all events, the second its finish, which clusters the micro-clusters.
"""

import sys
import time

import numpy as np
from betula_cluster import Betula

K, D = int(sys.argv[1]), int(sys.argv[2])
CHUNK = 50_000

print("ready", flush=True)
for line in sys.stdin:
    events, labels, seed = line.split()
    values = np.fromfile(events).reshape(-1, D)
    model = Betula(n_clusters=K, feature="diagonal", method="gmm-full", seed=int(seed))
    start = time.process_time()
    for first in range(0, len(values), CHUNK):
        model.partial_fit(values[first : first + CHUNK])
    fitted = time.process_time()
    model.partial_fit()
    finished = time.process_time()
    model.predict(values).astype(np.int32).tofile(labels)
    print(fitted - start, finished - fitted, flush=True)
