#!/usr/bin/env bash
# Makes stand-ins for the public images, where those can't be pulled: from this machine's own Debian mirror and Maven.
#   tellonce-local-base            Debian with Python
#   tellonce-local-postgres        takes the public image's POSTGRES_PASSWORD and /docker-entrypoint-initdb.d
#   tellonce-local-kafka:8.0.0     takes KAFKA_… variables; laid out like confluentinc/cp-kafka, whose version number
#                                  testcontainers wants to see in the tag
# For proofs and tests, not for production. Needs root, a Docker daemon, debootstrap and Maven.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tests=$here/../../tests/kafka
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

make_base() {
  local release mirror
  release=$(. /etc/os-release && echo "$VERSION_CODENAME")
  mirror=$(apt-get indextargets --format '$(REPO_URI)' "Codename: $release" "Component: main" "Created-By: Packages" | head -1)
  debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates "$release" "$scratch/root" "$mirror"
  # Registries of packages are reached as this machine reaches them.
  cp /etc/ssl/certs/ca-certificates.crt "$scratch/root/etc/ssl/certs/"
  if [ -f /etc/pip.conf ]; then cp /etc/pip.conf "$scratch/root/etc/"; fi
  tar --directory "$scratch/root" --create . | docker import - tellonce-local-base
  rm -rf "$scratch/root"
}

make_kafka() {
  cp -r "$here/kafka" "$tests/log4j2.properties" "$scratch/"
  mvn -q -B -f "$tests/pom.xml" dependency:copy-dependencies -DoutputDirectory="$scratch/kafka/libs"
  mv "$scratch/log4j2.properties" "$scratch/kafka/"
  build tellonce-local-kafka:8.0.0 "$scratch/kafka"
}

build() { # tag, folder
  docker build --network host --build-arg BASE=tellonce-local-base --tag "$1" "$2"
}

make_base
build tellonce-local-postgres "$here/postgres"
make_kafka
