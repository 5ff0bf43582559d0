# The commands of this repository. `make demo` shows what HostGw does, `make test` proves it.

LAB := tests/HostGw.Lab/bin/Release/net10.0/hostgw-lab
DOTNET := tests/tools/quietly.sh dotnet
RELEASE := -c Release -v quiet -nologo

# Debian packages by the program that shows they are there.
PACKAGES := ip:iproute2 nft:nftables ping:iputils-ping unshare:util-linux mount:mount strace:strace iptables-nft:iptables

.PHONY: build publish demo up test format clean install

build:
	@$(DOTNET) build HostGw.sln $(RELEASE)

# What the lab runs on every node.
publish:
	@$(DOTNET) publish src/HostGw $(RELEASE) -o artifacts/hostgw

# up: the same cluster to look around in, until Ctrl-C.
demo up:
	$(if $(filter-out 0,$(shell id -u)),$(error make $@ needs root, for network namespaces: sudo make $@))
	@echo 'Building (the first time takes a minute or two).'
	@$(MAKE) --no-print-directory install publish
	@$(DOTNET) build tests/HostGw.Lab $(RELEASE)
	@$(LAB) $@

test:
	@tests/tools/test.sh

format:
	@dotnet format HostGw.sln

clean:
	@rm -rf artifacts src/*/bin src/*/obj tests/*/bin tests/*/obj

install:
	@tests/tools/install.sh $(PACKAGES)
