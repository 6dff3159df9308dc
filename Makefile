# make            the library and the programs, in build/
# make check      every test (installs what the tests need); CHECK='tests/programs/send.bats' for some, SANITIZE=address,undefined
# make bridges    mq-bridge-SCHEME for each broker whose client library pkg-config(1) finds; make install-bridges
# make bench      ours, the peers' and the file system's figures; make bench-smoke: hardly measuring, in seconds
# make torture    the long forms of the tests that do harm: an hour, or TORTURE=minutes (tests/README.md)
# make check-long      every test, and those that take long, too
# make check-brokers  the bridges to RabbitMQ, Redis and Kafka, whole
# make bridge-torture  bridges that are killed, with 20,000 messages each way
# make hosts-torture  several hosts on one spool, killed, stopped and cut off, for HOSTS=minutes (tests/README.md)
# make fuzz       random input for FUZZ=seconds a target
# make coverage   lines and branches of lib/ that the tests reach
# make demo       the main job on real input
# make install    PREFIX=/usr/local DESTDIR=; make uninstall takes the same
# make dist       the tarball of what is committed, in build/; the same bytes wherever it is made
# make deb        packages for Debian, in build-deb (wants dpkg-dev and debhelper)
# make lint       manual pages, shell and formatting; make format puts the last right
#
# CFLAGS, CPPFLAGS and LDFLAGS are the user's, and come after ours. HARDEN= builds without what hardens, STATIC= programs
# that load the C library as they start, SHARED=1 programs that load libmq.so too, in build-shared/.
# Sources are found wherever they lie in lib/ and cmd/, tests in tests/tests.mk.
VERSION := 0.1.0
SONAME  := libmq.so.0

PREFIX     ?= /usr/local
BINDIR     ?= $(PREFIX)/bin
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR     ?= $(PREFIX)/share/man
DATADIR    ?= $(PREFIX)/share
DOCDIR     ?= $(DATADIR)/doc/mq
BASHDIR    ?= $(DATADIR)/bash-completion/completions
ZSHDIR     ?= $(DATADIR)/zsh/site-functions
FISHDIR    ?= $(DATADIR)/fish/vendor_completions.d
UNITDIR    ?= $(PREFIX)/lib/systemd/system
SYSUSERS   ?= $(PREFIX)/lib/sysusers.d
TMPFILES   ?= $(PREFIX)/lib/tmpfiles.d

SANITIZE ?=
SHARED   ?=
BUILD    ?= build$(if $(SHARED),-shared)$(if $(SANITIZE),-sanitize)
CC       ?= cc
CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla

# FORTIFY needs an optimizer, and hides from sanitizers what they look for.
HARDEN   ?= $(if $(SANITIZE),,-fstack-protector-strong $(FORTIFY))
FORTIFY   = $(if $(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),,$(if $(filter-out -O0,$(filter -O%,$(CFLAGS))),\
                -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))
SANITIZER = $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer)

# No path of the builder's stays in what is built; the compiler, like the shell, goes by $PWD.
INCLUDES  := -D_GNU_SOURCE -DMQ_VERSION='"$(VERSION)"' -Ilib -Icmd
OUR_FLAGS  = -std=gnu17 $(WARNINGS) -pthread -fPIE -fvisibility=hidden -ffunction-sections -fdata-sections \
                -ffile-prefix-map="$$PWD"=. $(HARDEN) $(SANITIZER)
OUR_LINK   = -pthread -Wl,--gc-sections,--as-needed -Wl,-z,relro,-z,now $(SANITIZER)
COMPILE    = $(CC) $(INCLUDES) $(OUR_FLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP
LINK       = $(CC) $(OUR_FLAGS) $(CFLAGS) $(OUR_LINK) $(LDFLAGS)

# jansson from its archive where there is one: a program that loads one library less starts sooner.
JANSSON ?= $(shell $(CC) -print-file-name=libjansson.a | grep / || echo -ljansson)

# No dynamic linker either, where there are archives of all that is needed (STATIC= does without): starting is most of
# what a program takes that sends one message, and a static one starts a quarter sooner. The trial is linked to a file of its
# own: to root's linkers /dev/null may be a file that they replace.
STATIC ?= $(if $(SHARED)$(SANITIZE)$(filter -l%,$(JANSSON)),,$(shell trial=$$(mktemp) && \
              echo 'int main(void) { return 0; }' | $(LINK) -static-pie -x c -o "$$trial" - 2>/dev/null && \
              echo -static-pie; rm -f "$$trial"))

LIB_SOURCES     := $(wildcard lib/*.c lib/*/*.c)
PROGRAM_SOURCES := $(wildcard cmd/mq.c cmd/mq-*.c)
BRIDGE_SOURCES  := $(wildcard cmd/bridge-*/*.c)
CMD_SOURCES     := $(filter-out $(PROGRAM_SOURCES) $(BRIDGE_SOURCES),$(wildcard cmd/*.c cmd/*/*.c))

PROGRAMS := $(PROGRAM_SOURCES:cmd/%.c=%)
LIBRARY  := $(BUILD)/libmq.a
PARTS    := $(BUILD)/libcmd.a
BASE     := $(BUILD)/libbase.a

# What a program takes from lib/. With SHARED=1 it has lib/base in itself, and loads everything else through mq.h from
# libmq.so: first from RUNPATH, so that installed programs find the library beside their own directory.
RUNPATH      ?= $$ORIGIN/../lib
RUNPATH_LINK  = -Wl,-rpath,'$(RUNPATH)'
FROM_LIBRARY := $(if $(SHARED),$(BASE) $(BUILD)/$(SONAME),$(LIBRARY))
LINK_PROGRAM  = $(LINK) $(or $(STATIC),-pie) $(if $(and $(SHARED),$(RUNPATH)),$(RUNPATH_LINK))

all: $(PROGRAMS:%=$(BUILD)/%) $(LIBRARY) $(BUILD)/$(SONAME)

# The archive and the shared library are made of the same objects.
$(BUILD)/lib/%.o: OUR_FLAGS += -fPIC -fno-semantic-interposition
$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $<
$(LIBRARY): $(LIB_SOURCES:%.c=$(BUILD)/%.o)
$(PARTS): $(CMD_SOURCES:%.c=$(BUILD)/%.o)
$(BASE): $(patsubst %.c,$(BUILD)/%.o,$(wildcard lib/base/*.c))
# Appended, since two folders may each have a file of the same name; without times and users.
$(LIBRARY) $(PARTS) $(BASE):
	@rm -f $@
	$(AR) qcsD $@ $^
$(BUILD)/$(SONAME): $(LIB_SOURCES:%.c=$(BUILD)/%.o) lib/libmq.map
	$(LINK) -shared -Wl,-soname,$(SONAME),--version-script=lib/libmq.map -o $@ $(filter %.o,$^)
$(PROGRAMS:%=$(BUILD)/%): $(BUILD)/%: $(BUILD)/cmd/%.o $(PARTS) $(FROM_LIBRARY)
	$(LINK_PROGRAM) -o $@ $^ $(JANSSON)

# Bridges to brokers: each needs a client library that nothing else needs, so `make` leaves them out. With TLS the scheme
# of the same program ends with an s.
MODULES_redis   = hiredis openssl
MODULES_amqp    = librabbitmq
MODULES_kafka   = rdkafka
TLS_SCHEMES     = amqp kafka redis
SCHEMES        := $(patsubst cmd/bridge-%/,%,$(dir $(wildcard cmd/bridge-*/mq-bridge-*.c)))
BRIDGES        := $(foreach scheme,$(SCHEMES),$(shell pkg-config --exists $(MODULES_$(scheme)) 2>/dev/null && echo $(scheme)))
BRIDGE_PROGRAMS = $(BRIDGES:%=$(BUILD)/mq-bridge-%)
bridges: $(BRIDGE_PROGRAMS)
	@$(if $(BRIDGES),:,echo 'pkg-config finds no client library of a broker')
objects_of = $(patsubst %.c,$(BUILD)/%.o,$(wildcard cmd/bridge-$(1)/*.c))
$(foreach scheme,$(SCHEMES),$(eval $(BUILD)/mq-bridge-$(scheme): $(call objects_of,$(scheme))))
$(BUILD)/cmd/bridge-%.o: OUR_FLAGS += $(shell pkg-config --cflags $(MODULES_$(patsubst cmd/bridge-%/,%,$(dir $*))))
$(SCHEMES:%=$(BUILD)/mq-bridge-%): $(BUILD)/mq-bridge-%: $(PARTS) $(FROM_LIBRARY)
	$(LINK) -pie $(if $(and $(SHARED),$(RUNPATH)),$(RUNPATH_LINK)) -o $@ $(filter %.o,$^) $(PARTS) $(FROM_LIBRARY) $(JANSSON) $$(pkg-config --libs $(MODULES_$*))
	$(if $(filter $*,$(TLS_SCHEMES)),ln -sf $(@F) $@s)

# What is installed, as MODE:SOURCE:TARGET, where $(call in,MODE,FILES,DIRECTORY) keeps the files' names. The shell puts in
# the directories, whose names may have spaces.
in       = $(foreach file,$(2),$(1):$(file):$(3)/$(notdir $(file)))
MANIFEST = $(call in,755,$(PROGRAMS:%=$(BUILD)/%),$$BINDIR) \
           $(call in,644,$(LIBRARY) $(BUILD)/$(SONAME),$$LIBDIR) \
           $(call in,644,$(BUILD)/libmq.pc,$$LIBDIR/pkgconfig) $(call in,644,lib/mq.h,$$INCLUDEDIR) \
           $(foreach section,1 3 5 7,$(call in,644,$(filter %.$(section),$(PAGES)),$$MANDIR/man$(section))) \
           $(PROGRAMS:%=644:completions/mq.bash:$$BASHDIR/%) $(PROGRAMS:%=644:completions/mq.fish:$$FISHDIR/%.fish) \
           $(call in,644,completions/_mq,$$ZSHDIR) \
           $(call in,644,share/mq-alerts.yml share/mq-dashboard.json,$$DATADIR/mq) \
           $(call in,644,$(UNITS) $(wildcard share/*.timer),$$UNITDIR) \
           644:share/mq-sysusers.conf:$$SYSUSERS/mq.conf 644:share/mq-tmpfiles.conf:$$TMPFILES/mq.conf \
           $(call in,644,$(BUILD)/mq-worker.cron examples/consumer.c,$$DOCDIR/examples) \
           $(call in,755,examples/worker,$$DOCDIR/examples) $(call in,644,README.md CHANGELOG.md LICENSE,$$DOCDIR)
PAGES           = $(filter-out $(SCHEMES:%=man/mq-bridge-%.1),$(wildcard man/*.[1-7]))
BRIDGE_MANIFEST = $(call in,755,$(BRIDGE_PROGRAMS),$$BINDIR) $(call in,644,$(BRIDGES:%=man/mq-bridge-%.1),$$MANDIR/man1)
UNITS     = $(patsubst share/%.in,$(BUILD)/%,$(wildcard share/*.service.in))
GENERATED = $(BUILD)/libmq.pc $(BUILD)/mq-worker.cron $(UNITS)
DIRECTORIES := DESTDIR PREFIX BINDIR LIBDIR INCLUDEDIR MANDIR DATADIR DOCDIR BASHDIR ZSHDIR FISHDIR UNITDIR SYSUSERS TMPFILES
$(foreach name,$(DIRECTORIES),$(eval install install-bridges uninstall $(GENERATED): export $(name) := $$($(name))))

# install_entry MODE SOURCE TARGET, as one word list: a line of the recipe.
define install_entry
	install -D -m $(word 1,$(1)) $(word 2,$(1)) "$$DESTDIR$(word 3,$(1))"

endef

# Each @NAME@ is the variable of that name, with its spaces and the like escaped for pkg-config or systemd.
$(GENERATED): export VERSION := $(VERSION)
$(GENERATED): $(BUILD)/%: share/%.in FORCE
	@mkdir -p $(@D)
	awk -v suffix='$(suffix $@)' ' \
	    function escape(text) { \
	        if (suffix == ".pc") gsub(/[^A-Za-z0-9_.,:=@%+\/-]/, "\\\\&", text); \
	        if (suffix == ".service") { gsub(/\\/, "\\x5c", text); gsub(/ /, "\\x20", text); gsub(/"/, "\\x22", text); \
	            gsub(/\047/, "\\x27", text); gsub(/%/, "%%", text); gsub(/\$$/, "$$$$", text) } \
	        return text } \
	    { line = $$0; $$0 = ""; \
	    while (match(line, /@[A-Z]+@/)) { \
	        $$0 = $$0 substr(line, 1, RSTART - 1) escape(ENVIRON[substr(line, RSTART + 1, RLENGTH - 2)]); \
	        line = substr(line, RSTART + RLENGTH) } \
	    print $$0 line }' $< >$@
install: all $(GENERATED)
	$(foreach entry,$(MANIFEST),$(call install_entry,$(subst :, ,$(entry))))
	ln -sf $(SONAME) "$$DESTDIR$$LIBDIR/libmq.so"
install-bridges: bridges
	$(foreach entry,$(BRIDGE_MANIFEST),$(call install_entry,$(subst :, ,$(entry))))
	$(foreach scheme,$(filter $(TLS_SCHEMES),$(BRIDGES)),ln -sf mq-bridge-$(scheme) "$$DESTDIR$$BINDIR/mq-bridge-$(scheme)s" &&) :
uninstall:
	rm -f $(foreach scheme,$(SCHEMES),"$$DESTDIR$$BINDIR/mq-bridge-$(scheme)" "$$DESTDIR$$BINDIR/mq-bridge-$(scheme)s" \
	    "$$DESTDIR$$MANDIR/man1/mq-bridge-$(scheme).1")
	rm -f $(foreach entry,$(MANIFEST),"$$DESTDIR$(lastword $(subst :, ,$(entry)))") "$$DESTDIR$$LIBDIR/libmq.so"
	-rmdir "$$DESTDIR$$DOCDIR/examples" "$$DESTDIR$$DOCDIR" "$$DESTDIR$$DATADIR/mq"

# gzip -n: neither name nor time.
TARBALL := $(BUILD)/mq-$(VERSION).tar.gz
dist:
	@mkdir -p $(BUILD)
	git archive --format=tar --prefix=mq-$(VERSION)/ HEAD >$(TARBALL:.gz=)
	gzip -9nf $(TARBALL:.gz=)
deb: dist
	rm -rf build-deb
	mkdir build-deb
	tar -xf $(TARBALL) -C build-deb
	cd build-deb/mq-$(VERSION) && env -u MAKEFLAGS -u MAKELEVEL -u MAKEOVERRIDES dpkg-buildpackage -b -us -uc

clean:
	rm -rf build build-sanitize build-shared build-shared-sanitize build-coverage build-deb

include $(wildcard tests/tests.mk)
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.PHONY: all bridges install install-bridges uninstall dist deb clean FORCE
.SECONDARY:
