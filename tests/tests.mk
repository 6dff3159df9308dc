# What only tests, benches, fuzzers and checks of the sources need; a part of the Makefile.

# For tests that load a library before the C library.
$(PROGRAMS:%=$(BUILD)/dynamic/%): $(BUILD)/dynamic/%: $(BUILD)/cmd/%.o $(PARTS) $(LIBRARY)
	@mkdir -p $(@D)
	$(LINK) -pie -o $@ $^ $(JANSSON)

# Programs that tests/run runs, and that the bats files measure with.
TEST_SOURCES := $(wildcard tests/unit/*.c tests/bench/*.c)
TESTS        := $(TEST_SOURCES:%.c=$(BUILD)/%)
EMPTY        := $(BUILD)/tests/bench/empty
# Those that stand between libmq and the C library, whose calls then fail or come late (tests/seam/seam.h).
SEAMED   := $(patsubst %.c,$(BUILD)/%,$(shell grep -l '^\#include "../seam/' $(TEST_SOURCES)))
SEAM_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/seam/*.c))
test-programs: $(TESTS) $(EMPTY)-dynamic $(PROGRAMS:%=$(BUILD)/dynamic/%)
$(filter-out $(EMPTY) $(SEAMED),$(TESTS)): $(BUILD)/%: $(BUILD)/%.o $(PARTS) $(LIBRARY)
	$(LINK) -o $@ $^ $(JANSSON)
$(SEAMED): $(BUILD)/%: $(BUILD)/%.o $(SEAM_OBJ) $(LIBRARY)
	$(LINK) $$(nm $(BUILD)/tests/seam/seam.o | sed -n 's/.* T __wrap_/-Wl,--wrap=/p') -o $@ $^
$(EMPTY): tests/bench/empty.c
	@mkdir -p $(@D)
	-$(CC) -O2 -static -o $@ $<
$(EMPTY)-dynamic: tests/bench/empty.c
	@mkdir -p $(@D)
	$(CC) -O2 -o $@ $<

# The other end of mq-bridge-kafka, since no package has Kafka.
KAFKA_TESTS := $(if $(filter kafka,$(BRIDGES)),$(patsubst %.c,$(BUILD)/%,$(wildcard tests/kafka/*.c)))
test-programs: $(BRIDGE_PROGRAMS) $(KAFKA_TESTS)
$(KAFKA_TESTS): $(BUILD)/%: $(BUILD)/%.o
	$(LINK) -o $@ $< $$(pkg-config --libs $(MODULES_kafka))

# Fuzz targets: replayed on files by any compiler, driven by libFuzzer where there is clang; FUZZ=seconds for each.
FUZZ         ?= 60
FUZZ_CC      ?= clang
FUZZ_TARGETS := $(patsubst tests/fuzz/%.c,%,$(filter-out %/replay.c,$(wildcard tests/fuzz/*.c)))
FUZZ_FLAGS   := -std=gnu17 -O1 -gline-tables-only -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FUZZ_OBJ     := $(patsubst %.c,$(BUILD)/fuzz/%.o,$(LIB_SOURCES) $(CMD_SOURCES))
REPLAYS      := $(FUZZ_TARGETS:%=$(BUILD)/tests/fuzz/%)
FUZZERS      := $(FUZZ_TARGETS:%=$(BUILD)/fuzz/%)
test-programs: $(REPLAYS)
$(REPLAYS): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/tests/fuzz/replay.o $(PARTS) $(LIBRARY)
	$(LINK) -o $@ $^ $(JANSSON)
$(BUILD)/fuzz/%.o: %.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(INCLUDES) $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<
$(FUZZERS): $(BUILD)/fuzz/%: $(BUILD)/fuzz/tests/fuzz/%.o $(FUZZ_OBJ)
	$(FUZZ_CC) -fsanitize=fuzzer,address,undefined -o $@ $^ $(JANSSON)
fuzzers: $(FUZZERS)
fuzz: fuzzers
	FUZZ=$(FUZZ) tests/fuzz/run $(BUILD)/fuzz

check:
	+@BUILD='$(BUILD)' SANITIZE='$(SANITIZE)' CHECK='$(CHECK)' tests/run
bench bench-smoke: all test-programs
bench:
	@BUILD='$(BUILD)' tests/bench/run
bench-smoke:
	@BUILD='$(BUILD)' COUNT=200 ROUNDS=1 RUNS=3 DEPTHS='10 100' tests/bench/run
torture:
	+@BUILD='$(BUILD)' TORTURE='$(or $(TORTURE),60)' tests/torture
# Every test, with those that tests/run leaves out because they take long.
check-long:
	+@LONG=1 THREADS=1 BROKERS=1 tests/run
check-threads:
	+@THREADS=1 CHECK=tests/project/analysers.bats tests/run
# The bridges to brokers, whole: with RabbitMQ, Redis and a mock of Kafka.
check-brokers:
	+@BROKERS=1 CHECK="$(wildcard tests/programs/bridge*.bats)" tests/run
# Bridges, whose other ends are killed too; long.
bridge-torture: all bridges $(KAFKA_TESTS)
	+@for scheme in ssh $(BRIDGES); do BUILD='$(BUILD)' SCHEME="$$scheme" tests/bridges || exit; done
# Hosts that share a spool, killed, stopped and cut off; root only, long.
hosts-torture: all test-programs
	tests/hosts/promises
	tests/hosts/storm --minutes '$(or $(HOSTS),10)'
# Lines and branches of lib/ that the tests reach; CHECK= chooses tests. A build directory of its own, without -O.
coverage:
	+@tests/coverage
# The packages, installed and purged in bare systems of these releases of Debian; root only.
SUITES ?= bookworm trixie
check-deb:
	tests/packages $(SUITES)
demo:
	+@BUILD='$(BUILD)' tests/demo

C_FILES   = $(sort $(shell find lib cmd tests examples -name '*.[ch]'))
# Scripts by their first lines; those of tests/bench/ go by the rules of what is sourced.
SCRIPTS   = $(sort $(shell grep -rlE --exclude-dir=bench '^\#!(/bin/sh|/usr/bin/env bash)$$' tests .ci examples)) completions/mq.bash
BATS      = $(sort $(shell find tests -name '*.bats'))
CPPCHECK := -q --std=c11 --error-exitcode=1 --inline-suppr --enable=warning,portability,performance \
            --suppress=missingIncludeSystem --suppress=ctunullpointer -Ilib -Icmd -D_GNU_SOURCE
lint:
	mandoc -Tlint -Wwarning man/*.[1357]
	shellcheck $(SCRIPTS)
	shellcheck -S warning -x -P tests -e SC2034,SC2154 tests/*.bash $(BATS)
	shellcheck -s bash -S warning -e SC1090,SC2034,SC2154 tests/bench/run $(shell find tests/bench -name '*.bash')
	clang-format --dry-run -Werror $(C_FILES)
	if command -v cppcheck >/dev/null; then cppcheck $(CPPCHECK) lib cmd; fi
	if command -v clang-tidy >/dev/null; then \
	    clang-tidy --quiet $(LIB_SOURCES) $(PROGRAM_SOURCES) $(CMD_SOURCES) -- $(INCLUDES) -std=gnu17 2>/dev/null; fi
format:
	clang-format -i $(C_FILES)

.PHONY: test-programs check check-deb check-long check-threads check-brokers bench bench-smoke torture bridge-torture hosts-torture coverage fuzz fuzzers demo lint format
