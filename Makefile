# The two that most people need are `make run` and `make test`.
# Go, gcc, make and git are enough; what else a test wants it gets, or says that it skipped.

.DEFAULT_GOAL := help
.PHONY: help build run test test-clients fuzz fuzz-brief check browser clients bench bench-trail bench-growth verify-speed campaign search fmt cover clean

# SQLite is compiled from C.
export CGO_ENABLED := 1

# Without it SQLite parses most prepared statements anew whenever they are bound.
export CGO_CFLAGS := -O2 -g -DSQLITE_ENABLE_QPSG

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1:/p' Makefile | while IFS=: read -r name what; do printf '  make %-13s%s\n' "$$name" "$$what"; done

build: ## build bin/pointgate and bin/pointgate-verify
	go build -o bin/pointgate ./cmd/pointgate
	CGO_ENABLED=0 go build -o bin/pointgate-verify ./cmd/pointgate-verify

run: build ## build, and serve the demo on 127.0.0.1:8080
	bin/pointgate serve --demo

test: check browser clients ## all that CI runs: linters, tests with the race detector, browser, client libraries
	go test -race -timeout 20m ./...
	@$(MAKE) --no-print-directory fuzz-brief

test-clients: browser clients ## the OAuth2 libraries of other people against the program, alone
	go test -count=1 -v -run 'TestClients|TestOidcClientTs|TestMCP' ./tests

check: ## formatting, go vet, staticcheck
	@unformatted=$$(gofmt -l cmd oauth2 policies server store tests); \
	if [ -n "$$unformatted" ]; then echo "not formatted (make fmt): $$unformatted"; exit 1; fi
	go vet ./...
	go tool staticcheck ./...

# Root on Debian may install Chromium; elsewhere POINTGATE_CHROMIUM names one, or its tests are skipped.
browser: ## get what the browser tests need, where that may be installed
	@if [ -n "$$POINTGATE_CHROMIUM" ] || command -v chromium >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; then :; \
	else echo "skipped: no chromium (install it, or set POINTGATE_CHROMIUM): the tests with a browser"; fi
	@if command -v npm >/dev/null && npm --prefix tests/browser ci --silent --no-audit --no-fund; then :; \
	else echo "skipped: no npm, or no registry: the accessibility tests"; fi

fuzz: ## each fuzz target for FUZZTIME (10m), one after the other; those of FUZZ (all) by their folder
	@grep -rno --include='*_test.go' '^func Fuzz[A-Za-z0-9]*' $(or $(FUZZ),cmd oauth2 policies server store) | \
	sed -E 's|^(.*)/[^/]*:func |\1 |' | sort | while read -r folder name; do \
		echo "$$folder $$name" && go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(or $(FUZZTIME),10m) "./$$folder" || exit 1; \
	done

# Without building everything anew for coverage, which takes minutes.
fuzz-brief: ## the fuzz targets of OAuth2, three thousand inputs each
	@for folder in oauth2 server/oauth; do \
		go test -race -c -o bin/fuzz.test ./$$folder && cd $$folder || exit 1; \
		for name in $$(grep -ho '^func Fuzz[A-Za-z0-9]*' *_test.go | cut -d ' ' -f 2); do \
			echo "$$folder $$name" && $(CURDIR)/bin/fuzz.test -test.run '^$$' -test.fuzz "^$$name\$$" -test.fuzztime 3000x -test.fuzzcachedir $(CURDIR)/bin/fuzz >$(CURDIR)/bin/fuzz.log 2>&1 \
			|| { cat $(CURDIR)/bin/fuzz.log; exit 1; }; \
		done; cd $(CURDIR); \
	done

clients: ## get the client libraries of other people, where npm and its registry are
	@if command -v npm >/dev/null && npm --prefix tests/clients ci --silent --no-audit --no-fund --ignore-scripts; then :; \
	else echo "skipped: no npm, or no registry: the tests with client libraries"; fi

bench: ## load the real binary and a bare Fiber handler, and compare
	go run ./tests/bench

bench-trail: ## what the proofs of the audit trail cost: the program against a build without them
	go run ./tests/bench -trail -seconds 5 -rounds 5
	go test -run '^$$' -bench Append -benchtime 3s -tags nohash ./store
	go test -run '^$$' -bench Append -benchtime 3s ./store

bench-growth: ## what a million expired tokens cost the token endpoint and introspection: a full store against an empty one
	go run ./tests/bench -growth -seconds 5 -rounds 7 $(if $(EMPTY),-empty $(EMPTY) -full $(FULL))

verify-speed: ## the auditor's verifier: a million lines within 10 s, one proof within 10 ms, on one core
	GOMAXPROCS=1 CGO_ENABLED=0 go test -count=1 -v -run TestSpeed ./cmd/pointgate-verify -speed

campaign: ## kill the program fifty times on each database, and break its disk
	POINTGATE_TEST_KILLS=50 go test -count=1 -timeout 30m -v -run 'TestKillUnderLoad|TestFaultsOfTheDisk|TestConnectionsThatDie' ./tests

search: ## fill a log with ten million records, and time each way to search it (12 GB of disk; RECORDS=1000000 is quick)
	go test -count=1 -timeout 60m -v -run TestSearchCampaign ./store -search $(or $(RECORDS),10000000)

fmt: ## format the Go code
	gofmt -w cmd oauth2 policies server store tests

cover: ## how much of the code the tests reach
	go test -timeout 9m -coverpkg=./... -coverprofile=coverage.out ./...
	go tool cover -func=coverage.out | tail -n 1

clean: ## remove what was built (the demo's data folder stays)
	rm -rf bin coverage.out tests/browser/node_modules tests/clients/node_modules
