# The commands of this repository. `make demo` shows what HostGw does, `make test` proves it.

BENCH := tests/HostGw.Benchmarks/bin/Release/net10.0/HostGw.Benchmarks
STORMS := tests/HostGw.Storms/bin/Release/net10.0/hostgw-storms
LAB := tests/HostGw.Lab/bin/Release/net10.0/hostgw-lab
DOTNET := tests/tools/quietly.sh dotnet
RELEASE := -c Release -v quiet -nologo

FAKE_TIME := /usr/lib/$(shell uname -m)-linux-gnu/faketime/libfaketime.so.1
# Debian packages by the program that shows they are there: what a lab needs, and what the tests need in addition.
LAB_PACKAGES := ip:iproute2 nft:nftables ping:iputils-ping unshare:util-linux mount:mount strace:strace curl:curl iptables-nft:iptables \
  ipset:ipset /usr/lib/cni/ptp:containernetworking-plugins
PACKAGES := $(LAB_PACKAGES) promtool:prometheus chromium:chromium /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf:fonts-dejavu-core \
  $(FAKE_TIME):libfaketime
# What Native AOT links with, for this machine's platform and for the other one.
AOT_PACKAGES := clang:clang gcc:gcc /usr/include/stdio.h:libc6-dev
AOT_PACKAGES_arm64 := aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu /usr/aarch64-linux-gnu/include/stdio.h:libc6-dev-arm64-cross
AOT_PACKAGES_x64 := x86_64-linux-gnu-gcc:gcc-x86-64-linux-gnu /usr/x86_64-linux-gnu/include/stdio.h:libc6-dev-amd64-cross
# An image's name has no capitals; an owner's may.
registry = $(shell echo '$(REGISTRY)' | tr '[:upper:]' '[:lower:]')
HOST := linux-$(if $(filter aarch64,$(shell uname -m)),arm64,x64)

.PHONY: build publish demo demo-picture up down break check test test-arm64 test-upgrade test-windows fuzz bench chaos storms manifests method-order format clean install \
  version release-check release-files release-images release-chart release-publish

build:
	@$(DOTNET) build HostGw.sln $(RELEASE)

# What ships, and what the lab runs on every node: Native AOT, in artifacts/hostgw. AOT=false: ReadyToRun, in artifacts/hostgw-r2r.
# RID=linux-arm64, RID=linux-x64: cross-compiled, in artifacts/hostgw-RID. RID=win-x64: always ReadyToRun, AOT for Windows needs Windows.
publish: rid = $(or $(RID),$(HOST))
publish: out = artifacts/hostgw$(if $(filter-out $(HOST),$(rid)),-$(rid))$(if $(filter false,$(AOT)),-r2r)
publish:
	$(if $(filter false,$(AOT))$(filter win%,$(rid)),,@tests/tools/install.sh $(AOT_PACKAGES) \
	  $(if $(filter-out $(HOST),$(rid)),$(AOT_PACKAGES_$(rid:linux-%=%))))
	@rm -rf $(out)
	@$(DOTNET) publish src/HostGw $(RELEASE) -r $(rid) $(AOT:%=-p:Aot=%) -o $(out)

# up: the same cluster to look around in, until Ctrl-C or `make down`.
demo up:
	$(if $(filter-out 0,$(shell id -u)),$(error make $@ needs root, for network namespaces: sudo make $@))
	@echo 'Building (the first time takes a minute or two).'
	@$(MAKE) --no-print-directory install publish PACKAGES='$(LAB_PACKAGES)'
	@$(DOTNET) build tests/HostGw.Lab $(RELEASE)
	@$(LAB) $@

# The demo as it is shown in README.md: its text, with colours as on a terminal, and the picture of it.
demo-picture:
	$(if $(filter-out 0,$(shell id -u)),$(error make $@ needs root, for network namespaces: sudo make $@))
	@$(MAKE) --no-print-directory install publish
	@$(DOTNET) build tests/HostGw.Lab $(RELEASE)
	@script -qec '$(LAB) demo' artifacts/demo.raw
	@tr -d '\r' < artifacts/demo.raw | sed -e '/^Script started/d' -e '/^Script done/,$$d' -e 's/^\x1b\[?1h\x1b=//' | sed '$${/^$$/d}' > docs/images/demo.txt
	@tests/tools/demo-picture.sh > docs/images/demo.svg

# In the cluster that `make up` keeps: the list of what can be broken; make break WHAT=snat NODE=2 breaks it. STOP_AGENT=1: and nothing repairs it.
break down:
	@test -x $(LAB) || { echo 'make $@ is for the cluster of `make up`, which must be run first: sudo make up' >&2; exit 2; }
	@$(LAB) $@ $(if $(filter break,$@),$(WHAT) $(NODE:%=--node=%) $(if $(filter-out 0 no false,$(STOP_AGENT)),--stop-agent))

# Before each commit: build, format, quick unit tests; a minute or so, without root, packages or a browser.
check:
	@tests/tools/check.sh

# All tests; without root those that need none.
test:
	@tests/tools/test.sh

# Parsers of what others write, with a hundred times the inputs of `make test`, others each time: about 10 minutes. The same again: make fuzz SEED=…
fuzz: SEED = $(shell date +%s)
fuzz:
	@$(DOTNET) build tests/HostGw.Tests $(RELEASE)
	@seed=$(SEED); echo "seed $$seed"; FUZZ_SEED=$$seed FUZZ_ITERATIONS=$(or $(ITERATIONS),100000) \
	  tests/HostGw.Tests/bin/Release/net10.0/HostGw.Tests -noLogo -class HostGw.Tests.Fuzzing.FuzzTests

# The win-x64 build under Wine (which is installed: 800 MB), on a stand-in for what Wine lacks of Windows's network.
test-windows:
	@tests/tools/test-windows.sh

# The linux-arm64 build and image under qemu-user: about 5 minutes.
test-arm64:
	@tests/tools/test-arm64.sh

# From version 1, which is built from the repository's history, to this one and back, under a ping flood: about 3 minutes.
test-upgrade:
	$(if $(filter-out 0,$(shell id -u)),$(error make $@ needs root, for network namespaces: sudo make $@))
	@$(MAKE) --no-print-directory install publish
	@tests/tools/previous.sh
	@$(DOTNET) build tests/HostGw.Lab.Tests $(RELEASE)
	@tests/tools/in-box.sh tests/HostGw.Lab.Tests/bin/Release/net10.0/HostGw.Lab.Tests -noLogo -explicit only -class 'HostGw.Lab.Tests.Upgrade*'

# What the agent and the node digest cost, beside what others need for the same: about 75 minutes. A part of it: make bench ONLY=cold,join
# Only when named: ONLY=digest-long, the digest with the figure of an hour from 20 minutes, three times, and its budget: 3 hours.
bench:
	$(if $(filter-out 0,$(shell id -u)),$(error make $@ needs root, for network namespaces: sudo make $@))
	@echo 'Building (the first time takes a minute or two).'
	@$(MAKE) --no-print-directory install publish
	@$(MAKE) --no-print-directory publish AOT=false
	@$(DOTNET) build tests/HostGw.Benchmarks $(RELEASE)
	@$(BENCH) $(ONLY)

# Everything goes wrong, one after the other, and a table says what was lost: about 30 minutes. A part of it: make chaos ONLY=partition
# ONLY=segment, ONLY=tunnel: one of its two tables. PAGE=docs/reliability.md renews them there.
chaos:
	$(if $(filter-out 0,$(shell id -u)),$(error make $@ needs root, for network namespaces: sudo make $@))
	@echo 'Building (the first time takes a minute or two).'
	@$(MAKE) --no-print-directory install publish
	@$(DOTNET) build tests/HostGw.Lab $(RELEASE)
	@$(LAB) $@ $(ONLY) $(SEED:%=--seed %) $(PAGE:%=--write %)

# 10,000 agents on the node digest: all restart, 500 nodes join, every kubelet reports, the digest is away, shards are edited by hand: about
# half an hour. A part of it: make storms ONLY="restart join". Fewer agents: AGENTS=1000
storms:
	$(if $(filter-out 0,$(shell id -u)),$(error make $@ needs root, for network namespaces: sudo make $@))
	@echo 'Building (the first time takes a minute or two).'
	@$(MAKE) --no-print-directory install publish
	@$(DOTNET) build tests/HostGw.Storms $(RELEASE)
	@$(STORMS) $(AGENTS) $(ONLY)

# src/HostGw/methods.order: which methods lie together in the program, by what agents call in the lab. Before a release.
method-order:
	$(if $(filter-out 0,$(shell id -u)),$(error make $@ needs root, for network namespaces: sudo make $@))
	@tests/tools/method-order.sh

# deploy/*.yaml from the chart.
manifests:
	@tests/tools/manifests.sh

# A release, step by step: CONTRIBUTING.md. The version everywhere: make version VERSION=0.2.0
version:
	$(if $(VERSION),,$(error make $@ VERSION=0.2.0))
	@tests/tools/version.sh $(VERSION)

# Whether the tree is what a release of VERSION must be made of.
release-check:
	@tests/tools/release-check.sh $(VERSION)

# artifacts/release: programs, chart, manifests, SBOM and SHA256SUMS; some minutes.
release-files:
	@tests/tools/release-files.sh

# Both images with provenance and SBOM, by docker buildx. REGISTRY=ghcr.io/OWNER pushes them; without it they are only built.
release-images:
	@tests/tools/release-images.sh $(registry)

# The chart that `make release-files` made, to oci://REGISTRY/charts/hostgw.
release-chart:
	$(if $(registry),,$(error make $@ REGISTRY=ghcr.io/OWNER))
	@"$$(tests/tools/kubectl.sh helm)" push "artifacts/release/hostgw-$$(tests/tools/version.sh).tgz" oci://$(registry)/charts

# The release of the tag on GitHub, with what `make release-files` made.
release-publish:
	@tests/tools/release-publish.sh

format:
	@dotnet format HostGw.sln

clean:
	@rm -rf artifacts src/*/bin src/*/obj tests/*/bin tests/*/obj

install:
	@tests/tools/install.sh $(PACKAGES)
