# In: a checkout. Out: what each target's comment says. Everything that a target needs is set up on the way, once.
.DEFAULT_GOAL := help
.PHONY: help setup demo install upgrade uninstall check test unit mutants bench homeassistant overlays pictures vm trixie hub hub-assets wheelhouse release clean

BIN := .venv/bin
# Real models from the folder beside the checkout, where there is one and nothing else was said.
MIRROR := $(or $(APPLIANCE_MODELS__MIRROR),$(wildcard $(abspath ../shared/models)))
WITH_MIRROR := $(if $(MIRROR),APPLIANCE_MODELS__MIRROR=$(MIRROR))

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1: /p' $(MAKEFILE_LIST)

setup:  ## Debian packages, .venv, models; a second run does nothing
	@scripts/setup

demo: setup  ## a whole spoken turn without any hardware
	$(WITH_MIRROR) $(BIN)/appliance demo

# As root or with sudo; also without make, from a release archive: scripts/install.
install:  ## the service on this machine: /opt/appliance, unit, models, settings
	@scripts/install install

upgrade:  ## the installed service becomes this version; settings and state stay
	@scripts/install upgrade

uninstall:  ## removes what install wrote; settings and state stay (PURGE=1 takes them, too)
	@scripts/install uninstall $(if $(PURGE),--purge)

check: setup  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: check  ## check, then all tests
	$(BIN)/pytest

unit: setup  ## the unit tests alone
	$(BIN)/pytest tests/unit

# MOST=40 of each module take some minutes; what survives is listed. SHORT=1: a handful, to see that it works.
mutants: setup  ## single lines changed, killed by unit tests or not: build/mutants.json
	$(BIN)/python -m tests.mutants $(if $(SHORT),restart contained machine --most 4 --out build/mutants-short.json,--most $(or $(MOST),40) --least 0.85)

# Recordings from the folder beside the checkout; `make bench AUDIO=DIR` takes others.
AUDIO ?= $(abspath ../shared/audio)

bench: setup  ## every suite against its budgets: build/bench.json and build/bench.html
	@mkdir -p build
	$(WITH_MIRROR) $(BIN)/appliance bench all --data $(AUDIO) --json --report build/bench.html > build/bench.json.part
	@mv build/bench.json.part build/bench.json

# A Python with Home Assistant (pip install homeassistant paho-mqtt in an environment of its own); nothing is installed here.
homeassistant: setup  ## the discovery message in a real Home Assistant core: HOME_ASSISTANT_PYTHON=PATH make homeassistant
	@mkdir -p build
	@if [ -z "$(HOME_ASSISTANT_PYTHON)" ]; then echo "skipped: HOME_ASSISTANT_PYTHON names no Python with Home Assistant"; \
	 else HOME_ASSISTANT_LISTING=build/home-assistant.md $(BIN)/pytest tests/contract/test_home_assistant.py; fi

# Sources need no preprocessor, so that dtc alone compiles them; a warning is an error here.
OVERLAYS := $(patsubst overlays/%.dts,build/overlays/%.dtbo,$(wildcard overlays/*.dts))

overlays: $(OVERLAYS)  ## device-tree overlays of the HATs: build/overlays/*.dtbo

build/overlays/%.dtbo: overlays/%.dts
	@mkdir -p $(@D)
	@warnings=$$(dtc -@ -I dts -O dtb -o $@ $< 2>&1) && test -z "$$warnings" || { echo "$$warnings"; rm -f $@; exit 1; }

pictures: setup  ## the images that the README shows: docs/panel.svg, and docs/turn.svg where recordings are at hand
	$(BIN)/python -m appliance.panel.picture docs/panel.svg
	if [ -d "$(AUDIO)" ]; then $(WITH_MIRROR) $(BIN)/appliance bench latency --data $(AUDIO)/commands/local \
	  --limit 15 --picture docs/turn.svg; fi

# As root, some minutes; needs qemu-system-x86 and mmdebstrap. What it builds is kept in build/vm.
vm: setup  ## button, LED and sound card through the kernel's own drivers, in a virtual machine: times
	$(WITH_MIRROR) $(BIN)/python -m tests.vm

# As root, half an hour; needs mmdebstrap. A bare Debian with the other Python, kept in build/debian; runs what is committed.
trixie:  ## check and all tests under Debian trixie and its Python 3.13
	@scripts/debian trixie make test

# Python and machine of the devices: 3.11 is bookworm, 3.13 is trixie.
TARGETS ?= 3.11-aarch64 3.13-aarch64

wheelhouse:  ## all wheels of a release, for each of TARGETS: build/wheelhouse
	@scripts/wheelhouse $(TARGETS)

# KEY=FILE signs (ssh-keygen -t ed25519); docs/fleet.md tells how releases are rolled out.
release: overlays wheelhouse  ## signed releases of TARGETS: build/releases, and the updater of bare devices
	@$(if $(KEY),,$(error KEY=FILE names the key that signs))scripts/release --updater build/updater.pyz
	@for target in $(TARGETS); do scripts/release --target $$target --key $(KEY) || exit 1; done

# The chart library comes from npm, checked by its hash; without npm the page shows numbers where it would draw curves.
hub-assets:  ## the hub page's chart library: appliance/hub/page/vendor
	@scripts/hub-assets

hub: setup  ## look before you buy: a broker, the hub and fifty simulated devices, eight of them sick
	-@scripts/hub-assets
	@scripts/hub

clean:  ## remove what was built; models and settings of the device stay
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache *.egg-info
