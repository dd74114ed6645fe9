# The commands of this project. Each does its own set-up; none needs an answer.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
# setup.sh looks there too: a shell that has not read its profile since rustup ran.
export PATH := $(PATH):$(HOME)/.cargo/bin

.PHONY: help setup build lint test test-full test-matrix test-extension bench-native demo bench-quick bench-concurrency bench-scale deny doc clean

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

bench-native: ## what the extension gains, against native SQL and the portable functions
	@scripts/setup.sh extension
	scripts/test-extension.sh --bench $(PG_CONFIG)

demo: setup ## the blog on a throwaway server: what it does, and what it costs
	@examples/blog/demo.sh

bench-concurrency: setup ## writers of different documents, against no triggers and against a lock of the whole view
	cargo bench --profile dev --locked -p tviewc --bench concurrency

bench-quick: setup ## writes against triggers written by hand and key recompute; figures in target/bench-quick.json (ARGS="--users 500")
	@mkdir -p target
	cargo bench --profile dev --locked -p tviewc --bench quick -- --json $(CURDIR)/target/bench-quick.json $(ARGS)

bench-scale: setup ## single-row writes at 10^4 and 10^6 rows for each shape: medians and their ratio
	cargo bench --profile dev --locked -p tviewc --bench scale

deny: ## licences, advisories and sources of the dependencies
	@if command -v cargo-deny >/dev/null; then \
	    cargo deny check; cargo deny --manifest-path extension/tview_native/Cargo.toml --config deny.toml check; \
	else echo 'cargo-deny is missing; get it with: cargo install --locked cargo-deny' >&2; exit 1; fi

doc: ## the API documentation, warnings denied
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --document-private-items --locked

clean: ## remove what was built
	cargo clean
