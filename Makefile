# make            the library and the programs, in build/
# make check      every test (installs what the tests need); CHECK='tests/send.bats' for some, SANITIZE=address,undefined
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
override CFLAGS   += -std=gnu17 $(WARNINGS) -fvisibility=hidden -ffunction-sections -fdata-sections
override LDFLAGS  += -Wl,--gc-sections -Wl,-z,relro
ifneq ($(SANITIZE),)
override CFLAGS  += -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
override LDFLAGS += -fsanitize=$(SANITIZE)
endif

# jansson from its archive where there is one: a program that loads one library less starts sooner.
JANSSON ?= $(shell $(CC) -print-file-name=libjansson.a | grep / || echo -ljansson)

PROGRAMS := $(patsubst cmd/%.c,%,$(wildcard cmd/mq-*.c))
LIB_OBJ  := $(patsubst lib/%.c,$(BUILD)/lib/%.o,$(wildcard lib/*.c))
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
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(JANSSON)

# Programs that tests/run runs, and that the bats files measure with.
TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/*.c tests/bench/*.c))
EMPTY := $(BUILD)/tests/bench/empty
test-programs: $(TESTS)
$(filter-out $(EMPTY),$(TESTS)): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/libmq.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^
$(EMPTY): tests/bench/empty.c
	@mkdir -p $(@D)
	-$(CC) -O2 -static -o $@ $<

check:
	+@BUILD='$(BUILD)' SANITIZE='$(SANITIZE)' CHECK='$(CHECK)' tests/run
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
	-rmdir $(DESTDIR)$(DATADIR)/doc/mq/examples $(DESTDIR)$(DATADIR)/doc/mq

C_FILES := $(wildcard lib/*.[ch] cmd/*.[ch] tests/unit/*.[ch] tests/bench/*.[ch] examples/*.c)
lint:
	mandoc -Tlint -Wwarning man/*.[1357]
	shellcheck tests/run tests/demo tests/setup .ci/run completions/mq.bash
	shellcheck -S warning -x -P tests -e SC2034,SC2154 tests/*.bash tests/*.bats
	clang-format --dry-run -Werror $(C_FILES)
format:
	clang-format -i $(C_FILES)

clean:
	rm -rf build build-sanitize

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.PHONY: all test-programs check demo install uninstall lint format clean FORCE
.SECONDARY:
