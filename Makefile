# The commands of this project. Each does its own set-up; none needs an answer.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
# setup.sh looks there too: a shell that has not read its profile since rustup ran.
export PATH := $(PATH):$(HOME)/.cargo/bin

.PHONY: help setup build lint test test-full test-matrix test-extension fuzz bench-native demo bench bench-build bench-quick bench-compare \
    bench-baseline bench-history bench-rivals bench-report bench-concurrency bench-scale deny doc clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## install what is missing (PostgreSQL, a linker); nothing when all is there
	@scripts/setup.sh

build: setup ## build everything
	cargo build --workspace --locked

lint: setup
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

test: lint ## format, lints and all tests; what continuous integration runs
	cargo test --workspace --locked

test-full: lint ## the same tests with long runs; those of the patch functions with the extension, 1,000,000 operations
	TVIEWC_TEST_FULL=1 cargo test --workspace --locked
	@scripts/setup.sh extension
	TVIEWC_TEST_FULL=1 scripts/test-extension.sh -- --release

test-matrix: ## the tests on PostgreSQL 13 to 18, the extension's on 16, 18 and the system's (MAJORS="13 18" for some)
	@scripts/setup.sh npm pip extension
	scripts/postgres-matrix.sh $(MAJORS)

test-extension: ## build the extension and run the suite of both runtimes with it (PG_CONFIG=… for another server)
	@scripts/setup.sh extension
	scripts/test-extension.sh $(PG_CONFIG)

fuzz: ## fuzz the compiler and the binary jsonb code, and test the latter with a sanitizer; needs a nightly compiler (ARGS=600 for seconds)
	@scripts/fuzz.sh $(ARGS)

bench-native: ## what the extension gains, against native SQL and the portable functions
	@scripts/setup.sh extension
	scripts/test-extension.sh --bench $(PG_CONFIG)

demo: setup ## the blog on a throwaway server: what it does, and what it costs
	@examples/blog/demo.sh

# The benchmark and the program whose `stream` it measures, optimised.
bench := cargo run -q --profile measure --locked -p tviewc-bench --
results := target/bench

bench-build: setup
	cargo build --profile measure --locked -p tviewc -p tviewc-bench

bench: bench-build ## all workloads, then docs/performance.md from the results (ARGS="--size authors=1000"); an hour or two
	@scripts/bench.sh all $(ARGS)

bench-quick: bench-build ## the guarded figures that take minutes; result in target/bench/quick.json (ARGS="--rounds 60")
	@scripts/bench.sh quick $(ARGS)

bench-compare: bench-build ## target/bench/quick.json against the baseline: fails where a guarded ratio has become worse
	$(bench) compare $(results)/quick.json --baseline compiler/bench/baseline.json --markdown $(results)/compare.md

bench-history: bench-build ## add target/bench/quick.json to the history of guarded figures, a line per commit
	$(bench) history $(results)/quick.json --file compiler/bench/history.jsonl

bench-baseline: bench-build ## take target/bench/quick.json (RESULTS="…" for several runs) for right from now on; to be reviewed as a diff
	$(bench) baseline $(or $(RESULTS),$(results)/quick.json) --out compiler/bench/baseline.json

bench-rivals: bench-build ## the same work by refreshed views, rebuilding triggers and other extensions, where they can be installed
	@scripts/bench.sh rivals $(ARGS)

bench-report: ## docs/performance.md from the results that are there
	@scripts/bench.sh report

bench-concurrency: bench-build ## writers of different documents, against no triggers and against a lock of the whole view
	$(bench) run concurrency -o $(results)/concurrency.json $(ARGS)

bench-scale: bench-build ## single-row writes at 10^4 to 10^6 rows for each shape (ARGS="--size largest=10000000")
	$(bench) run scale -o $(results)/scale.json $(ARGS)

deny: ## licences, advisories and sources of the dependencies
	@if command -v cargo-deny >/dev/null; then \
	    cargo deny check; cargo deny --manifest-path extension/tview_native/Cargo.toml --config deny.toml check; \
	else echo 'cargo-deny is missing; get it with: cargo install --locked cargo-deny' >&2; exit 1; fi

doc: ## the API documentation, warnings denied
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --document-private-items --locked

clean: ## remove what was built
	cargo clean
