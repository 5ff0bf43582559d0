# The commands of this repository. `make demo` shows what HostGw does, `make test` proves it.

BENCH := tests/HostGw.Benchmarks/bin/Release/net10.0/HostGw.Benchmarks
LAB := tests/HostGw.Lab/bin/Release/net10.0/hostgw-lab
DOTNET := tests/tools/quietly.sh dotnet
RELEASE := -c Release -v quiet -nologo

FAKE_TIME := /usr/lib/$(shell uname -m)-linux-gnu/faketime/libfaketime.so.1
# Debian packages by the program that shows they are there.
PACKAGES := ip:iproute2 nft:nftables ping:iputils-ping unshare:util-linux mount:mount strace:strace curl:curl iptables-nft:iptables \
  /usr/lib/cni/ptp:containernetworking-plugins promtool:prometheus chromium:chromium \
  /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf:fonts-dejavu-core $(FAKE_TIME):libfaketime
AOT_PACKAGES := clang:clang /usr/include/zlib.h:zlib1g-dev

.PHONY: build publish aot demo up break test test-aot test-windows fuzz bench chaos manifests format clean install

build:
	@$(DOTNET) build HostGw.sln $(RELEASE)

# What ships, and what the lab runs on every node. RID=win-x64: for another platform, into artifacts/hostgw-win-x64.
publish: out = artifacts/hostgw$(RID:%=-%)
publish:
	@rm -rf $(out)
	@$(DOTNET) publish src/HostGw $(RELEASE) $(RID:%=-r %) -o $(out)

# The same sources as Native AOT (Directory.Build.props says on which .NET).
aot:
	@tests/tools/install.sh $(AOT_PACKAGES)
	@rm -rf artifacts/hostgw-aot
	@$(DOTNET) publish src/HostGw $(RELEASE) -p:Aot=true -o artifacts/hostgw-aot

# up: the same cluster to look around in, until Ctrl-C.
demo up:
	$(if $(filter-out 0,$(shell id -u)),$(error make $@ needs root, for network namespaces: sudo make $@))
	@echo 'Building (the first time takes a minute or two).'
	@$(MAKE) --no-print-directory install publish
	@$(DOTNET) build tests/HostGw.Lab $(RELEASE)
	@$(LAB) $@

# In the cluster that `make up` keeps: the list of what can be broken; make break WHAT=snat NODE=2 breaks it.
break:
	@$(LAB) break $(WHAT) $(NODE:%=--node %) $(if $(STOP_AGENT),--stop-agent)

test:
	@tests/tools/test.sh

# The tests of the lab that run the agent, with the one of `make aot`.
test-aot: install aot
	@$(DOTNET) build tests/HostGw.Lab.Tests $(RELEASE)
	@LAB_AGENT=$(CURDIR)/artifacts/hostgw-aot/hostgw tests/tools/in-box.sh \
	  tests/HostGw.Lab.Tests/bin/Release/net10.0/HostGw.Lab.Tests -noLogo -namespace HostGw.Lab.Tests -class- 'HostGw.Lab.Tests.Kubectl*'

# Parsers of what others write, with a hundred times the inputs of `make test`, others each time: about 10 minutes. The same again: make fuzz SEED=…
fuzz: SEED = $(shell date +%s)
fuzz:
	@$(DOTNET) build tests/HostGw.Tests $(RELEASE)
	@seed=$(SEED); echo "seed $$seed"; FUZZ_SEED=$$seed FUZZ_ITERATIONS=$(or $(ITERATIONS),100000) \
	  tests/HostGw.Tests/bin/Release/net10.0/HostGw.Tests -noLogo -class HostGw.Tests.Fuzzing.FuzzTests

# The win-x64 build under Wine (which is installed: 800 MB), on a stand-in for what Wine lacks of Windows's network.
test-windows:
	@tests/tools/test-windows.sh

# What the agent costs, beside what others need for the same: about 25 minutes. A part of it: make bench ONLY=cold,join
bench:
	$(if $(filter-out 0,$(shell id -u)),$(error make $@ needs root, for network namespaces: sudo make $@))
	@echo 'Building (the first time takes a minute or two).'
	@$(MAKE) --no-print-directory install publish aot
	@$(DOTNET) build tests/HostGw.Benchmarks $(RELEASE)
	@$(BENCH) $(ONLY)

# Everything goes wrong, one after the other, and a table says what was lost: about 10 minutes. A part of it: make chaos ONLY=partition
# PAGE=docs/reliability.md renews the table there.
chaos:
	$(if $(filter-out 0,$(shell id -u)),$(error make $@ needs root, for network namespaces: sudo make $@))
	@echo 'Building (the first time takes a minute or two).'
	@$(MAKE) --no-print-directory install publish
	@$(DOTNET) build tests/HostGw.Lab $(RELEASE)
	@$(LAB) $@ $(ONLY) $(SEED:%=--seed %) $(PAGE:%=--write %)

# deploy/*.yaml from the chart.
manifests:
	@tests/tools/manifests.sh

format:
	@dotnet format HostGw.sln

clean:
	@rm -rf artifacts src/*/bin src/*/obj tests/*/bin tests/*/obj

install:
	@tests/tools/install.sh $(PACKAGES)
