#!/usr/bin/env bash
# SCRAM users and ACLs, least privilege: one principal for each service, and for those around it. Run by an administrator:
#   BOOTSTRAP=broker:9093 COMMAND_CONFIG=admin.properties MODEL=customers infra/kafka/principals.sh
# Passwords come from PASSWORD_INGEST, PASSWORD_EM_WORKER, PASSWORD_EM_UPDATER, PASSWORD_SCORING, PASSWORD_PRODUCER,
# PASSWORD_LABEL_READER and PASSWORD_OPERATOR (a missing one skips that user; its rights are granted all the same).
# KAFKA_BIN: where kafka-configs.sh and kafka-acls.sh are. DRY_RUN=1 prints the commands instead.
# `eddy doctor --for SERVICE`, run with a principal's credentials, tells what it still lacks.
set -euo pipefail
: "${BOOTSTRAP:?expected the address of a broker, e.g. BOOTSTRAP=broker:9093}"
model="${MODEL:-customers}"
prefix="${TOPIC_PREFIX:-eddy}"
ingest="$prefix.features.v1.ingest"
bin="${KAFKA_BIN:+$KAFKA_BIN/}"
common=(--bootstrap-server "$BOOTSTRAP" ${COMMAND_CONFIG:+--command-config "$COMMAND_CONFIG"})

run() { if [ -n "${DRY_RUN:-}" ]; then printf '%q ' "$@"; echo; else "$@"; fi; }

# The password goes by a file: a command line can be read by every user of the machine.
user() { # name, password
  [ -n "$2" ] || return 0
  local file; file="$(mktemp)"
  trap 'rm -f "$file"' RETURN
  printf 'SCRAM-SHA-512=iterations=8192,password=%s\n' "${2//\\/\\\\}" >"$file"
  run "${bin}kafka-configs.sh" "${common[@]}" --alter --entity-type users --entity-name "$1" --add-config-file "$file"
}
acl() { # name, then what kafka-acls.sh takes
  local name="$1"; shift
  run "${bin}kafka-acls.sh" "${common[@]}" --add --allow-principal "User:eddy-$name" "$@"
}
# Names of topics as arguments; DescribeConfigs tells whether a topic is compacted.
topics() { local name; for name in "$@"; do printf -- '--topic %s.%s.v1 ' "$prefix" "$name"; done; }
# Read and Write include Describe.
reads() { local name="$1"; shift; acl "$name" --operation Read --operation DescribeConfigs $(topics "$@"); }
writes() { local name="$1"; shift; acl "$name" --operation Write --operation DescribeConfigs $(topics "$@"); }
# A stage's group, and its transactional ids: they carry the group, and the topic and partition that are read.
settles() { settles_as "$1" "$model.$2"; }
settles_as() {
  acl "$1" --operation Read --group "$2"
  acl "$1" --operation Write --transactional-id "$2." --resource-pattern-type prefixed
}
# Readers without a group of their own, and publications that settle nothing.
reads_alone() { acl "$1" --operation Read --group eddy-anonymous- --resource-pattern-type prefixed; }
publishes_alone() { acl "$1" --operation Write --transactional-id eddy-anonymous- --resource-pattern-type prefixed; }

user eddy-ingest "${PASSWORD_INGEST:-}"
# Its HTTP side appends events (POST /v1/events).
# Where its position is gone, the feature vectors tell how far it was.
# Features of the configuration are compared with those of stored models.
reads ingest events features snapshots
writes ingest events features dead-letters
# Whatever models learn from a features topic, it is filled once.
settles_as ingest "$ingest"
# Where releases before were.
acl ingest --operation Describe --group "$model.ingest"
reads_alone ingest
publishes_alone ingest

user eddy-em-worker "${PASSWORD_EM_WORKER:-}"
reads em-worker features snapshots
writes em-worker statistics
settles em-worker e-step
reads_alone em-worker

user eddy-em-updater "${PASSWORD_EM_UPDATER:-}"
reads em-updater features statistics snapshots
writes em-updater snapshots lineage
settles em-updater updater
reads_alone em-updater
publishes_alone em-updater

user eddy-scoring "${PASSWORD_SCORING:-}"
# Its HTTP side shows labels (GET /v1/labels).
reads scoring features snapshots labels
writes scoring labels dead-letters
settles scoring scoring
reads_alone scoring

# Whoever appends events: `eddy produce`, or programs of others (these need Write only).
user eddy-producer "${PASSWORD_PRODUCER:-}"
writes producer events
publishes_alone producer

# Whoever reads labels: `eddy tail`, or programs of others in groups that begin with MODEL.readers.
user eddy-label-reader "${PASSWORD_LABEL_READER:-}"
reads label-reader labels
acl label-reader --operation Read --group "$model.readers" --resource-pattern-type prefixed
reads_alone label-reader

# Whoever operates Eddy: topics, lag, inspect, dead-letters (retry appends events), models (rollback writes a snapshot), doctor.
user eddy-operator "${PASSWORD_OPERATOR:-}"
acl operator --operation Read --operation Create --operation DescribeConfigs --operation AlterConfigs \
  $(topics events features statistics snapshots lineage labels dead-letters)
acl operator --operation Write $(topics events snapshots)
acl operator --operation Describe --group "$ingest" --group "$model.scoring"
reads_alone operator
publishes_alone operator
