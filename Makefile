# make            the library and the programs, in build/
# make check      every test (installs what the tests need); CHECK='tests/send.bats' for some, SANITIZE=address,undefined
# make bench      ours, the peers' and the file system's figures; make bench-smoke: hardly measuring, in seconds
# make torture    the long forms of the tests that do harm: an hour, or TORTURE=minutes (tests/README.md)
# make fuzz       random input for FUZZ=seconds a target
# make coverage   lines and branches of lib/ that the tests reach
# make demo       the main job on real input
# make install    PREFIX=/usr/local DESTDIR=; make uninstall takes the same
# make lint       manual pages, shell and formatting; make format puts the last right
VERSION := 0.1.0
SONAME  := libmq.so.0

PREFIX     ?= /usr/local
BINDIR     ?= $(PREFIX)/bin
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR     ?= $(PREFIX)/share/man
DATADIR    ?= $(PREFIX)/share

SANITIZE ?=
BUILD    ?= build$(if $(SANITIZE),-sanitize)
CC       ?= cc
CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla
override CPPFLAGS += -D_GNU_SOURCE -DMQ_VERSION='"$(VERSION)"' -Ilib
override CFLAGS   += -std=gnu17 $(WARNINGS) -pthread -fPIE -fvisibility=hidden -ffunction-sections -fdata-sections
override LDFLAGS  += -pthread -Wl,--gc-sections -Wl,-z,relro
ifneq ($(SANITIZE),)
override CFLAGS  += -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
override LDFLAGS += -fsanitize=$(SANITIZE)
endif

# jansson from its archive where there is one: a program that loads one library less starts sooner.
JANSSON ?= $(shell $(CC) -print-file-name=libjansson.a | grep / || echo -ljansson)

# No dynamic linker either, where there are archives of all that is needed (STATIC= does without): starting is most of
# what a program takes that sends one message, and a static one starts a quarter sooner.
STATIC ?= $(if $(SANITIZE)$(filter -l%,$(JANSSON)),,$(shell echo 'int main(void) { return 0; }' | \
              $(CC) $(CFLAGS) $(LDFLAGS) -static-pie -x c -o /dev/null - 2>/dev/null && echo -static-pie))

PROGRAMS := $(patsubst cmd/%.c,%,$(wildcard cmd/mq-*.c))
LIB_OBJ  := $(patsubst lib/%.c,$(BUILD)/lib/%.o,$(wildcard lib/*.c lib/*/*.c))
PIC_OBJ  := $(LIB_OBJ:.o=.pic.o)
CMD_OBJ  := $(patsubst cmd/%.c,$(BUILD)/cmd/%.o,$(filter-out $(wildcard cmd/mq-*.c),$(wildcard cmd/*.c)))

all: $(PROGRAMS:%=$(BUILD)/%) $(BUILD)/libmq.a $(BUILD)/$(SONAME)

$(BUILD)/%.pic.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -MMD -MP -c -o $@ $<
$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/libmq.a: $(LIB_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^
$(BUILD)/$(SONAME): $(PIC_OBJ)
	$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,$(SONAME) -o $@ $^
$(BUILD)/mq-%: $(BUILD)/cmd/mq-%.o $(CMD_OBJ) $(BUILD)/libmq.a
	$(CC) $(CFLAGS) $(LDFLAGS) $(STATIC) -o $@ $^ $(JANSSON)
# For tests that load a library before the C library.
$(BUILD)/dynamic/mq-%: $(BUILD)/cmd/mq-%.o $(CMD_OBJ) $(BUILD)/libmq.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(JANSSON)

# Programs that tests/run runs, and that the bats files measure with.
TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/*.c tests/bench/*.c))
EMPTY := $(BUILD)/tests/bench/empty
# Those that stand between libmq and the C library, whose calls then fail or come late (tests/seam/seam.h).
SEAMED   := $(addprefix $(BUILD)/tests/unit/,faults features races)
SEAM_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/seam/*.c))
test-programs: $(TESTS) $(EMPTY)-dynamic $(PROGRAMS:%=$(BUILD)/dynamic/%)
$(filter-out $(EMPTY) $(SEAMED),$(TESTS)): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/libmq.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^
$(SEAMED): $(BUILD)/%: $(BUILD)/%.o $(SEAM_OBJ) $(BUILD)/libmq.a
	$(CC) $(CFLAGS) $(LDFLAGS) $$(nm $(BUILD)/tests/seam/seam.o | sed -n 's/.* T __wrap_/-Wl,--wrap=/p') -o $@ $^
$(EMPTY): tests/bench/empty.c
	@mkdir -p $(@D)
	-$(CC) -O2 -static -o $@ $<
$(EMPTY)-dynamic: tests/bench/empty.c
	@mkdir -p $(@D)
	$(CC) -O2 -o $@ $<

# Fuzz targets: replayed on files by any compiler, driven by libFuzzer where there is clang; FUZZ=seconds for each.
FUZZ         ?= 60
FUZZ_CC      ?= clang
FUZZ_TARGETS := $(patsubst tests/fuzz/%.c,%,$(filter-out %/replay.c,$(wildcard tests/fuzz/*.c)))
FUZZ_FLAGS   := -std=gnu17 -O1 -gline-tables-only -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FUZZ_OBJ     := $(patsubst %.c,$(BUILD)/fuzz/%.o,$(wildcard lib/*.c lib/*/*.c) $(filter-out $(wildcard cmd/mq-*.c),$(wildcard cmd/*.c)))
REPLAYS      := $(FUZZ_TARGETS:%=$(BUILD)/tests/fuzz/%)
FUZZERS      := $(FUZZ_TARGETS:%=$(BUILD)/fuzz/%)
test-programs: $(REPLAYS)
$(REPLAYS): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/tests/fuzz/replay.o $(CMD_OBJ) $(BUILD)/libmq.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(JANSSON)
$(BUILD)/fuzz/%.o: %.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(CPPFLAGS) $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<
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
# Lines and branches of lib/ that the tests reach; CHECK= chooses tests. A build directory of its own, without -O.
coverage:
	+@tests/coverage
demo:
	+@BUILD='$(BUILD)' tests/demo

# What is installed, as MODE:SOURCE:TARGET; $(call in,MODE,FILES,DIRECTORY) keeps the files' names.
in       = $(foreach file,$(2),$(1):$(file):$(3)/$(notdir $(file)))
MANIFEST = $(call in,755,$(PROGRAMS:%=$(BUILD)/%),$(BINDIR)) \
           $(call in,644,$(BUILD)/libmq.a $(BUILD)/$(SONAME),$(LIBDIR)) \
           $(call in,644,$(BUILD)/libmq.pc,$(LIBDIR)/pkgconfig) $(call in,644,lib/mq.h,$(INCLUDEDIR)) \
           $(foreach section,1 3 5 7,$(call in,644,$(wildcard man/*.$(section)),$(MANDIR)/man$(section))) \
           $(PROGRAMS:%=644:completions/mq.bash:$(DATADIR)/bash-completion/completions/%) \
           $(PROGRAMS:%=644:completions/mq.fish:$(DATADIR)/fish/vendor_completions.d/%.fish) \
           $(call in,644,completions/_mq,$(DATADIR)/zsh/site-functions) \
           $(call in,644,share/mq-alerts.yml share/mq-dashboard.json,$(DATADIR)/mq) \
           $(call in,644,share/mq-worker@.service share/mq-worker.cron,$(DATADIR)/doc/mq/examples) \
           $(call in,644,README.md CHANGELOG.md LICENSE,$(DATADIR)/doc/mq)

$(BUILD)/libmq.pc: share/libmq.pc.in FORCE
	@mkdir -p $(@D)
	sed 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@INCLUDEDIR@|$(INCLUDEDIR)|; s|@VERSION@|$(VERSION)|' $< >$@
install: all $(BUILD)/libmq.pc
	for entry in $(MANIFEST); do IFS=:; set -- $$entry; install -D -m $$1 $$2 "$(DESTDIR)$$3" || exit; done
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libmq.so
uninstall:
	rm -f $(foreach entry,$(MANIFEST),$(DESTDIR)$(lastword $(subst :, ,$(entry)))) $(DESTDIR)$(LIBDIR)/libmq.so
	-rmdir $(DESTDIR)$(DATADIR)/doc/mq/examples $(DESTDIR)$(DATADIR)/doc/mq $(DESTDIR)$(DATADIR)/mq

C_FILES := $(wildcard lib/*.[ch] lib/*/*.[ch] cmd/*.[ch] tests/unit/*.[ch] tests/seam/*.[ch] tests/fuzz/*.[ch] tests/bench/*.[ch] \
                       tests/bench/*/*.c examples/*.c)
CPPCHECK := -q --std=c11 --error-exitcode=1 --inline-suppr --enable=warning,portability,performance \
            --suppress=missingIncludeSystem --suppress=ctunullpointer -Ilib -D_GNU_SOURCE
lint:
	mandoc -Tlint -Wwarning man/*.[1357]
	shellcheck tests/run tests/torture tests/coverage tests/model/run tests/fuzz/run tests/demo tests/setup .ci/run \
	    completions/mq.bash
	shellcheck -S warning -x -P tests -e SC2034,SC2154 tests/*.bash tests/*.bats tests/*/*.bats
	shellcheck -s bash -S warning -e SC1090,SC2034,SC2154 tests/bench/run tests/bench/*.bash tests/bench/*/*.bash
	clang-format --dry-run -Werror $(C_FILES)
	if command -v cppcheck >/dev/null; then cppcheck $(CPPCHECK) lib cmd; fi
	if command -v clang-tidy >/dev/null; then clang-tidy --quiet lib/*.c cmd/*.c -- $(CPPFLAGS) -std=gnu17 2>/dev/null; fi
format:
	clang-format -i $(C_FILES)

clean:
	rm -rf build build-sanitize build-coverage

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.PHONY: all test-programs check bench bench-smoke torture coverage fuzz fuzzers demo install uninstall lint format clean FORCE
.SECONDARY:
