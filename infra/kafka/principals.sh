#!/usr/bin/env bash
# SCRAM users and ACLs, least privilege: one principal a service. Run by an administrator:
#   BOOTSTRAP=broker:9093 COMMAND_CONFIG=admin.properties MODEL=customers infra/kafka/principals.sh
# Passwords come from PASSWORD_INGEST, PASSWORD_EM_WORKER, PASSWORD_EM_UPDATER, PASSWORD_SCORING (a missing one skips that user).
# KAFKA_BIN: where kafka-configs.sh and kafka-acls.sh are. DRY_RUN=1 prints the commands instead.
set -euo pipefail
: "${BOOTSTRAP:?expected the address of a broker, e.g. BOOTSTRAP=broker:9093}"
model="${MODEL:-customers}"
prefix="${TOPIC_PREFIX:-eddy}"
bin="${KAFKA_BIN:+$KAFKA_BIN/}"
common=(--bootstrap-server "$BOOTSTRAP" ${COMMAND_CONFIG:+--command-config "$COMMAND_CONFIG"})

run() { if [ -n "${DRY_RUN:-}" ]; then printf '%q ' "$@"; echo; else "$@"; fi; }

user() { # name, password
  [ -z "$2" ] || run "${bin}kafka-configs.sh" "${common[@]}" --alter --entity-type users --entity-name "$1" \
    --add-config "SCRAM-SHA-512=[iterations=8192,password=$2]"
}
acl() { # name, then what kafka-acls.sh takes
  local name="$1"; shift
  run "${bin}kafka-acls.sh" "${common[@]}" --add --allow-principal "User:$name" "$@"
}
reads() { acl "$1" --operation Read --operation Describe --topic "$prefix.$2.v1"; }
writes() { acl "$1" --operation Write --operation Describe --topic "$prefix.$2.v1"; }
group() { acl "$1" --operation Read --operation Describe --group "$model.$2"; }
# Transactional ids carry the group and the partition that is read.
transactions() { acl "$1" --operation Write --operation Describe --transactional-id "$2" --resource-pattern-type prefixed; }

user eddy-ingest "${PASSWORD_INGEST:-}"
reads eddy-ingest events; group eddy-ingest ingest
writes eddy-ingest features; writes eddy-ingest dead-letters
transactions eddy-ingest "$model.ingest"

user eddy-em-worker "${PASSWORD_EM_WORKER:-}"
reads eddy-em-worker features; reads eddy-em-worker snapshots; group eddy-em-worker e-step
writes eddy-em-worker statistics

user eddy-em-updater "${PASSWORD_EM_UPDATER:-}"
reads eddy-em-updater features; reads eddy-em-updater statistics; reads eddy-em-updater snapshots
group eddy-em-updater updater
writes eddy-em-updater snapshots; writes eddy-em-updater lineage
transactions eddy-em-updater "$model.updater"

user eddy-scoring "${PASSWORD_SCORING:-}"
reads eddy-scoring features; reads eddy-scoring snapshots; group eddy-scoring scoring
writes eddy-scoring labels
transactions eddy-scoring "$model.scoring"
