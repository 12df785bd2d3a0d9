# clusterbridge. `make` lists what there is to make; every target is also a
# plain command, which stands in its line or in scripts/.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo demo-clean test test-root test-race test-deploy test-demo check bench fuzz record fmt tools

# The program's module is built without the workspace, so that the demo's
# dependencies never raise its own.
ROOT := GOWORK=off
FUZZTIME ?= 10s

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: ## play three business days at six venues (EXIT=1 leaves after the tables; BREAK=lose-one or lose-item loses something)
	@echo "clusterbridge demo: starting; on a new machine Go first compiles its own library"
	@scripts/need-go.sh
	@EXIT="$(EXIT)" BREAK="$(BREAK)" go run ./cmd/demo

demo-clean: ## remove the demo's state
	@scripts/need-go.sh
	@go run ./cmd/demo clean

test: ## every test; names at the end what cannot run on this machine (with CI=true that is a failure)
	@echo "clusterbridge tests: the program, the same under the race detector, then the demo end to end"
	@scripts/need-go.sh
	@scripts/test.sh root race deploy demo

test-root: ## tests of the program
	@scripts/test.sh root

test-race: ## tests of the program under the race detector; needs a C compiler
	@scripts/test.sh race

test-deploy: ## tests of the production stack's files
	@scripts/test.sh deploy

test-demo: ## tests of the demo, end to end, on an embedded Temporal server
	@scripts/test.sh demo

check: ## formatting, go vet, linter with layering rules, workflowcheck, written files and go.mod files in step
	@scripts/need-go.sh
	@scripts/check.sh

bench: ## measure, as ratios beside bare loops; writes bench/latest.json and docs/performance.md
	@scripts/need-go.sh
	@go run ./cmd/demo/bench

fuzz: ## every fuzz test for FUZZTIME (10s)
	@scripts/fuzz.sh $(FUZZTIME)

record: ## record the replay histories of the workflows again (until the first tag; then they are frozen)
	@scripts/record.sh

fmt: tools ## format all Go files and write docs/settings.md again
	@$(ROOT) bin/golangci-lint fmt ./...
	@cd cmd/demo && ../../bin/golangci-lint fmt ./...
	@$(ROOT) go run ./cmd/clusterbridge settings --markdown >docs/settings.md.new && mv docs/settings.md.new docs/settings.md

tools: ## build the linters into bin/
	@scripts/tools.sh
