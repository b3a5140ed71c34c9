# GuruConnect. `make` or `make help` lists what can be asked for.
#
# Each goal installs what it needs (scripts/setup) and builds only what changed.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

WASM := dashboard/packages/viewer/wasm/guruconnect_viewer.wasm
DIST := dashboard/apps/dashboard/dist/index.html

CORE_SOURCES := $(shell find crates/codec crates/model crates/session crates/viewer-wasm proto \
	-name '*.rs' -o -name Cargo.toml -o -name '*.proto') Cargo.lock scripts/build-wasm
WEB_SOURCES := $(shell find dashboard -name node_modules -prune -o -name dist -prune -o -type f \
	\( -name '*.ts' -o -name '*.tsx' -o -name '*.css' -o -name '*.html' -o -name '*.json' -o -name '*.svg' \) -print)

.PHONY: help
help: ## Say what can be asked for
	@echo 'GuruConnect: make …'
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /  \1|/' | column -t -s '|'

##-- The two that a newcomer needs

.PHONY: demo
demo: ## Build everything, start it with a desktop to control, print the address and the login
	@scripts/demo

.PHONY: test
test: ## Run every suite; ends with a line of how many passed and failed
	@scripts/test

##-- While working

.PHONY: check
check: setup-build dashboard-packages ## Format, lints and unit tests of everything: the fast inner loop
	@scripts/test format lints rust web structure

.PHONY: e2e
e2e: setup-test ## The browser tests against a real server, agent and desktop
	@scripts/test e2e

.PHONY: fuzz
fuzz: ## Fuzz every decoder for a short while (FUZZ_SECONDS=30 each); needs cargo-fuzz
	@scripts/fuzz

.PHONY: generate
generate: dashboard-packages ## Write the derived files anew: messages, OpenAPI, TypeScript types, figures
	@scripts/generate

.PHONY: format
format: dashboard-packages ## Format all sources
	@cargo fmt --all
	@cd dashboard && ../scripts/npm run --silent format
	@scripts/lint-javascript --write

.PHONY: licences
licences: dashboard-packages ## Check the licences of everything we build on, and write the notices
	@scripts/licences --write

.PHONY: screenshots
screenshots: build setup-test ## Take the README's pictures from the running product
	@scripts/screenshots

##-- Parts

.PHONY: build
build: setup-build $(DIST) ## Server and agent for this machine, in target/release
	@cargo build --release --locked -p guruconnect-server -p guruconnect-agent

.PHONY: wasm
wasm: setup-build $(WASM) ## The viewer's core for browsers

.PHONY: dashboard
dashboard: setup-build $(DIST) ## The web files that the server carries

.PHONY: windows
windows: setup-windows ## The agent's programs for Windows, 64 and 32 bit, their imports checked
	@scripts/build-windows

$(WASM): $(CORE_SOURCES)
	@scripts/build-wasm
	@touch $@

$(DIST): $(WASM) $(WEB_SOURCES) dashboard/package-lock.json
	@scripts/npm-ci dashboard
	@echo '==> Building the dashboard'
	@cd dashboard && ../scripts/npm run --silent build
	@touch $@

.PHONY: dashboard-packages
dashboard-packages:
	@scripts/npm-ci dashboard

##-- Measuring

.PHONY: bench
bench: build windows setup-bench ## Side by side with x11vnc, x0vncserver and MeshCentral; what agents cost at rest; writes benches/results
	@benches/run-all desktop
	@benches/run-all idle
	@benches/run-all idle-windows --soak-minutes 2

.PHONY: bench-idle
bench-idle: build setup-bench ## What an agent costs when nobody looks
	@benches/run-all idle

.PHONY: bench-links
bench-links: build setup-bench ## Key to pixel over slow lines while a video plays
	@benches/run-all links

.PHONY: bench-code
bench-code: ## Micro-benchmarks of change detection and encoding
	@cargo bench -p gc-codec

##-- Machine

.PHONY: setup-build setup-test setup-windows setup-bench
setup-build setup-test setup-windows setup-bench: setup-%:
	@scripts/setup build $*

.PHONY: clean
clean: ## Remove what was built (the demo's data in .cache stays)
	@cargo clean
	@rm -rf dashboard/apps/dashboard/dist dashboard/packages/viewer/wasm/*.wasm tests/e2e/artefacts
