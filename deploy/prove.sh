#!/usr/bin/env bash
# Starts it all in containers, for real, with images made on this machine, proves that it works, and takes it away again.
#   deploy/prove.sh                  compose.yaml: an event is posted, the brief has it, also after everything was killed
#   deploy/prove.sh testcontainers   the tests of the event log, with a broker started by testcontainers
# Needs root and, by their names in Debian, docker.io docker-compose debootstrap maven curl openssl; the tests need .venv
# too. Where no Docker daemon runs, one is started for the length of the proof; in one that ran before, the images stay.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
export COMPOSE_PROJECT_NAME=tellonce-proof API_PORT=${API_PORT:-18080} INGEST_PORT=${INGEST_PORT:-18081}
export TELLONCE_IMAGE=tellonce-proof POSTGRES_IMAGE=tellonce-local-postgres KAFKA_IMAGE=tellonce-local-kafka:8.0.0
DATABASE_PASSWORD=$(openssl rand -hex 24) POSTGRES_PASSWORD=$(openssl rand -hex 24)
export DATABASE_PASSWORD POSTGRES_PASSWORD
api=http://127.0.0.1:$API_PORT ingest=http://127.0.0.1:$INGEST_PORT

say() { printf '\n== %s\n' "$*" >&2; }

fail() {
  say "FAILED: $*"
  exit 1
}

clean_up() {
  code=$?
  say "Taking it away."
  if [ $code -ne 0 ]; then compose logs --tail 30 || true; fi
  compose down --volumes --timeout 20 || true
  if [ -f "$scratch/pid" ]; then
    kill "$(cat "$scratch/pid")"
    while [ -f "$scratch/pid" ]; do sleep 0.2; done
    umount "$scratch/run/netns/default" 2> /dev/null || true # some daemons leave it mounted
  fi
  rm -rf "$scratch"
  exit $code
}

compose() {
  if docker compose version > /dev/null 2>&1; then
    docker compose --file deploy/compose.yaml "$@"
  else
    docker-compose --file deploy/compose.yaml "$@"
  fi
}

within() { # seconds, command: repeats it until it succeeds
  local deadline=$((SECONDS + $1))
  shift
  until "$@" > /dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || fail "it never came to this: $*"
    sleep 1
  done
}

have_docker() {
  docker info > /dev/null 2>&1 && return
  say "No Docker daemon runs: starting one with its data in $scratch."
  export DOCKER_HOST=unix://$scratch/docker.sock
  dockerd --host "$DOCKER_HOST" --data-root "$scratch/data" --exec-root "$scratch/run" --pidfile "$scratch/pid" \
    > "$scratch/dockerd.log" 2>&1 &
  within 60 docker info
}

post() { # id, text
  curl --silent --show-error --fail "$ingest/v1/events" --header "Authorization: Bearer $source_key" --json @- <<JSON
{"id": "$1", "type": "message.received", "channel": "email", "time": "$(date --utc +%FT%TZ)", "text": "$2",
 "identifiers": [{"type": "email", "value": "mari@example.com"}, {"type": "phone", "value": "+372 5551 2345"}]}
JSON
  echo
}

brief_has() { # identifier, words
  curl --silent --fail "$api/v1/brief?$1" --header "Authorization: Bearer $reader_key" | grep --fixed-strings "$2"
}

is_ready() { curl --silent --fail "$api/readyz" && curl --silent --fail "$ingest/readyz"; }

prove_compose() {
  say "Building tellonce's image."
  docker build --network host --build-arg BASE=tellonce-local-base --file deploy/Dockerfile --tag "$TELLONCE_IMAGE" .
  say "Starting Kafka, PostgreSQL, ingest, timeline and api."
  compose up --detach --no-build
  within 180 is_ready
  [ "$(compose exec -T api id -u)" = 10001 ] || fail "the api runs as another than uid 10001"
  source_key=$(compose exec -T api tellonce sources add proof)
  reader_key=$(compose exec -T api tellonce keys add proof --role agent)

  say "An event goes in; the brief by either identifier has it."
  post first "The washing machine will not open."
  within 30 brief_has email=mari@example.com "will not open"
  within 5 brief_has phone=%2B37255512345 "will not open"

  say "What is accepted while no worker runs, and before everything is killed, is there afterwards."
  compose kill timeline
  post second "It still will not open, I pulled the plug."
  compose kill
  compose up --detach --no-build
  within 180 is_ready
  within 60 brief_has email=mari@example.com "I pulled the plug"
  within 5 brief_has email=mari@example.com "will not open"
  within 60 every_service_is_healthy
  compose exec -T api tellonce status
}

every_service_is_healthy() {
  [ "$(docker ps --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME" --filter health=healthy --quiet | wc -l)" -eq 5 ]
}

prove_testcontainers() {
  TELLONCE_TEST_KAFKA_IMAGE=$KAFKA_IMAGE TESTCONTAINERS_RYUK_DISABLED=true .venv/bin/pytest tests/contract -k kafka
}

what=${1:-compose}
[ "$what" = compose ] || [ "$what" = testcontainers ] || fail "there is no proof of $what"
trap clean_up EXIT
have_docker
say "Making the images."
deploy/local/images.sh
"prove_$what"
say "Proven: $what."
