# Cordboard's tasks. `make help` lists them; nothing but Python 3.11+ is needed first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help run kafka kafka-jars postgresql promtool test test-alerts test-tracing explore chaos rolling upgrade scripted lost-answers sim mutants bench bench-pacing bench-recorder check lint types imports docs docs-check proto proto-check proto-breaking format clean lock audit example-go grpcurl

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

# The environment: uv by hash, then everything else by uv, by hash. The stamp is newer than what it was made from.
$(VENV)/uv.stamp: requirements/uv.txt
	@echo "Setting up $(VENV): half a minute or more, the first time."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

$(VENV)/dev.stamp: $(VENV)/uv.stamp requirements/dev.txt pyproject.toml
	@VIRTUAL_ENV=$(VENV) uv pip sync --quiet --require-hashes requirements/dev.txt
	@VIRTUAL_ENV=$(VENV) uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# What `make run` hands to the command, such as ARGS="--port-grpc 50052".
ARGS ?=

run: $(VENV)/dev.stamp ## Set up, show a call in the sandbox, stay up until Ctrl-C
	@cordboard dev --demo $(ARGS)

lock: $(VENV)/uv.stamp ## Pin the dependencies anew, with hashes
	uv pip compile --quiet --generate-hashes --no-header --no-annotate requirements/uv.in -o requirements/uv.txt
	uv pip compile --quiet --generate-hashes --no-header --no-annotate pyproject.toml -o requirements/run.txt
	uv pip compile --quiet --generate-hashes --no-header --no-annotate pyproject.toml --extra tracing -o requirements/tracing.txt
	uv pip compile --quiet --generate-hashes --no-header --no-annotate pyproject.toml --extra tracing --group dev -o requirements/dev.txt
	uv pip compile --quiet --generate-hashes --no-header --no-annotate requirements/build.in -c requirements/dev.txt -o requirements/build.txt
	uv pip compile --quiet --generate-hashes --no-header --no-annotate requirements/audit.in -o requirements/audit.txt

# pip-audit has an environment of its own: its dependencies are neither the product's nor its tests'.
build/audit.stamp: $(VENV)/uv.stamp requirements/audit.txt
	$(PYTHON) -m venv build/audit
	VIRTUAL_ENV=build/audit uv pip sync --quiet --require-hashes requirements/audit.txt
	@touch $@

AUDIT_SERVICE ?= pypi

audit: $(VENV)/dev.stamp build/audit.stamp ## Hold all pinned packages against the known advisories (AUDIT_SERVICE=osv); fails where they cannot be asked
	@python -m deploy.auditing --tool build/audit/bin/pip-audit --service $(AUDIT_SERVICE)

# Kafka is Java's: its jars come from Maven, once, into build/kafka. With KAFKA_BOOTSTRAP_SERVERS there is a cluster already.
kafka-jars: $(VENV)/dev.stamp
	@test -n "$(KAFKA_BOOTSTRAP_SERVERS)" || python -m brokers --fetch

kafka: kafka-jars ## Run a Kafka broker on 127.0.0.1:9092 until Ctrl-C (ARGS="--nodes 3 --port 9192")
	@python -m brokers $(ARGS)

# PostgreSQL for the recorder's tests is a package of the system's: Debian's, or what POSTGRESQL_BIN names.
postgresql: $(VENV)/dev.stamp
	@python -m tests.recorder.server

# Prometheus's own tool, which tries the alert rules; Debian's package brings the server too.
promtool:
	@command -v promtool >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null; } || { \
	  echo "promtool is missing, and only root can install it: apt-get install prometheus" >&2; exit 1; }
	@command -v promtool >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends prometheus; }

test: check kafka-jars postgresql promtool grpcurl ## Set up, then run every test and check
	pytest -q -n 2

# The README's grpcurl lines are run as they stand. Where neither grpcurl nor Go is here, their test says that it was skipped.
GRPCURL_VERSION := v1.9.3

grpcurl:
	@command -v grpcurl build/tools/grpcurl > /dev/null || ! command -v go > /dev/null || \
	  { echo "building grpcurl, once"; \
	    GOBIN=$(CURDIR)/build/tools GOFLAGS=-buildvcs=false go install github.com/fullstorydev/grpcurl/cmd/grpcurl@$(GRPCURL_VERSION); }

# OpenTelemetry's collector, built once by its own builder, by way of Go's module proxy.
OTELCOL := build/otelcol/otelcol
$(OTELCOL): tests/tracing/otelcol.yaml
	@command -v go >/dev/null || { echo "go is missing: the collector is built with it" >&2; exit 1; }
	GOBIN=$(CURDIR)/build/otelcol-builder go install go.opentelemetry.io/collector/cmd/builder@v0.150.0
	build/otelcol-builder/builder --config $<

test-tracing: kafka-jars $(OTELCOL) ## One trace through all processes, on Kafka, to a real collector (built at first: 3 to 10 min; then 1)
	pytest -q tests/tracing/in_earnest.py

test-alerts: kafka-jars promtool ## The five worst alerts in a real Prometheus, on real processes, under what they are for (5 min)
	pytest -q tests/alerts/in_earnest.py

KILLS ?= 200
FAULTS ?= 150
SEED ?= 1

chaos: kafka-jars ## Kill one process KILLS (200) times, strike many FAULTS (150) times, under load; judge (SEED=)
	python -m tests.e2e.chaos --kills $(KILLS) --seed $(SEED)
	python -m tests.e2e.chaos_apart --faults $(FAULTS) --seed $(SEED)

rolling: kafka-jars ## Restart every process and broker in turn, under load; judge, and say how long commands waited
	python -m tests.e2e.rolling --seed $(SEED)

# The commit of the older program; that of the latest one kept unless it is said.
OF ?= $(shell cat tests/releases/0.1.0/commit.txt)

upgrade: kafka-jars ## Have an older version (OF=COMMIT) and this one take turns on one file, and on Kafka side by side; judge (10 min)
	pytest -q tests/releases/in_earnest.py
	python -m tests.e2e.upgrade --of $(OF) --seed $(SEED)
	python -m tests.e2e.rolling --of $(OF) --seed $(SEED)

CALLS ?= 10000

scripted: $(VENV)/dev.stamp ## Lead CALLS (10000) whole calls by script, and see that sandbox and Cordboard agree about each
	python -m tests.e2e.scripted --calls $(CALLS) --seed $(SEED)

# SEED=7 replays one history and tells it; SEEDS=20000 is the long run; FIRST=1000 begins there.
sim: $(VENV)/dev.stamp ## Simulate 500 histories in virtual time and hold them to the promises (SEEDS=, SEED=)
	@python -m simulation $(ARGS)

# FLAWS="long-window no-commit" hunts only these; SEEDS= says for how long.
mutants: $(VENV)/dev.stamp ## Plant bugs in the product and take rules away, and see each one caught (FLAWS=, SEEDS=)
	@python -m simulation --hunt $(FLAWS)

DIALS ?= 1000

lost-answers: $(VENV)/dev.stamp ## Lose the answers of DIALS (1000) dials; calls made, beside the official SDK (SEED=)
	@python -m tests.e2e.lost_answers --dials $(DIALS) --seed $(SEED)

bench: kafka-jars ## Measure the whole loop beside the official SDK (ARGS="--quick"); see docs/benchmarks.md
	python -m bench $(ARGS)

bench-pacing: $(VENV)/dev.stamp ## Ask ten times what the sandbox takes, as workers come and go (ARGS="--seconds 60")
	@python -m bench.pacing_live $(ARGS)

# Fills some GB of build/ for as long as it runs; ARGS="--calls 20000" fills less.
bench-recorder: $(VENV)/dev.stamp postgresql ## Measure recording beside commands, and searches among a million calls
	python -m bench.recorder $(ARGS)

explore: $(VENV)/dev.stamp ## Property tests on new random examples, ten rounds
	for round in 1 2 3 4 5 6 7 8 9 10; do \
	  HYPOTHESIS_PROFILE=explore pytest -q -n 2 tests/core tests/contract tests/workers || exit 1; \
	done

check: $(VENV)/dev.stamp lint types imports proto-check docs-check ## Lint, types, import rules, the contract, the pages

lint: $(VENV)/dev.stamp
	ruff check .
	ruff format --check .

types: $(VENV)/dev.stamp
	mypy

imports: $(VENV)/dev.stamp
	lint-imports

docs: $(VENV)/dev.stamp ## Make the pages and the dashboard that come from the code and the contract
	python -m docs.generate
	python -m deploy.grafana

docs-check: $(VENV)/dev.stamp
	python -m docs.generate --check
	python -m deploy.grafana --check

# The contract. buf reads an image, because the rules that the protos import come from a wheel and have no source here.
CONTRACT_IMAGE := build/contract.binpb
AGAINST ?= main

proto: $(VENV)/dev.stamp ## Make the Python code from the protos
	python -m protos.generate

proto-check: $(VENV)/dev.stamp
	python -m protos.generate --image $(CONTRACT_IMAGE)
	buf lint $(CONTRACT_IMAGE) --config buf.yaml --path cordboard
	buf format protos --diff --exit-code
	python -m protos.generate --check

proto-breaking: $(VENV)/dev.stamp ## Compare the protos with those of AGAINST (main)
	rm -rf build/against && mkdir -p build/against
	git archive $(AGAINST) protos | tar -x -C build/against
	python -m protos.generate --image build/against.binpb --protos build/against/protos
	python -m protos.generate --image $(CONTRACT_IMAGE)
	buf breaking $(CONTRACT_IMAGE) --against build/against.binpb --config buf.yaml --path cordboard

example-go: $(VENV)/dev.stamp ## Generate Go from the contract, and build examples/go into build/go-example
	python protos/generate.py --image $(CONTRACT_IMAGE)
	cd examples/go && buf generate ../../$(CONTRACT_IMAGE) --path cordboard && go build -o ../../build/go-example .

format: $(VENV)/dev.stamp ## Format the code and the protos
	ruff format .
	ruff check --fix .
	buf format -w protos

.PHONY: manifests manifests-check kubernetes kubernetes-tools test-kubernetes test-image

check: manifests-check

# helm is built by Go where there is none on the PATH nor named by HELM. Checking needs none.
manifests: $(VENV)/dev.stamp ## Make the chart's schema and topics from the code, and deploy/kubernetes from the chart
	@test -n "$(HELM)" || command -v helm > /dev/null || python -m clusters --build --only helm
	python -m deploy.generate

manifests-check: $(VENV)/dev.stamp
	python -m deploy.generate --check

# Built once, outside of the tree: 20 minutes on two idle cores, and some GB of Go's caches.
kubernetes-tools: $(VENV)/dev.stamp
	@python -m clusters --build

kubernetes: kubernetes-tools ## Run a Kubernetes of plain processes until Ctrl-C: real API server, nodes that only say they run pods
	@python -m clusters

test-kubernetes: kubernetes-tools ## Install, roll, scale and drain the chart on a real API server; says what it did
	python -m tests.kubernetes

test-image: $(VENV)/dev.stamp ## Build the image without a container engine and play a call in it (needs root, buildah, mmdebstrap)
	python -m tests.image
