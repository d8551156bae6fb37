"""What a Python user would write: confluent-kafka and scikit-learn's predict_proba, at least once.

Arguments: brokers, topic to read, topic to write, consumer group, model (JSON of Eddy's `modelToJson`), bytes of a label.
The features stand at the end of an Avro message; reading them so, without an Avro library, is the fastest Python can do.
"""

import json
import signal
import sys

import numpy as np
from confluent_kafka import Consumer, Producer
from sklearn.mixture import GaussianMixture

BATCH = 2_000


def load(path):
    with open(path) as file:
        model = json.load(file)
    mixture = GaussianMixture(model["n_components"], covariance_type="full")
    mixture.weights_ = np.array(model["weights_"])
    mixture.means_ = np.array(model["means_"])
    mixture.covariances_ = np.array(model["covariances_"])
    mixture.precisions_cholesky_ = np.array(model["precisions_cholesky_"])
    return mixture


def main():
    brokers, source, target, group, path, size = sys.argv[1:]
    mixture = load(path)
    feature_bytes = 8 * mixture.means_.shape[1]
    head = bytes(int(size) - 8 * len(mixture.weights_))
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 50,
        }
    )
    producer = Producer({"bootstrap.servers": brokers, "acks": "all", "queue.buffering.max.messages": 1_000_000})
    consumer.subscribe([source])
    running = True

    def stop(*_):
        nonlocal running
        running = False

    signal.signal(signal.SIGTERM, stop)
    while running:
        messages = [message for message in consumer.consume(BATCH, timeout=0.05) if message.error() is None]
        if not messages:
            continue
        packed = b"".join([message.value()[-feature_bytes:] for message in messages])
        posteriors = mixture.predict_proba(np.frombuffer(packed, dtype="<f8").reshape(len(messages), -1))
        for message, posterior in zip(messages, posteriors):
            producer.produce(
                target, head + posterior.tobytes(), key=message.key(), partition=message.partition(), timestamp=message.timestamp()[1]
            )
            producer.poll(0)
        producer.flush()
        consumer.commit(asynchronous=True)
    consumer.close()


main()
