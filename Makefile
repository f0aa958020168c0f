# SPDX-License-Identifier: MIT
# Targets for people: make help. Everything is built below build/.

VERSION	:= 0.1.0
SOMAJOR	:= 1
PREFIX	?= /usr/local
LIBDIR	?= $(PREFIX)/lib
DESTDIR	?=
# The newest kernel headers on this machine: the running kernel need not have any.
KDIR	?= $(shell ls -d /lib/modules/*/build 2>/dev/null | sort -V | tail -n 1)
CC	?= cc
CLANG	?= clang
CFLAGS	?= -O2 -g
FUZZ_SECONDS		?= 30
export FUZZ_SECONDS

B	?= build
WARN	:= -Wall -Wextra -Werror
LIBS	:= -lzstd -lz -lsodium
TOOL_LIBS := -ljansson
INCLUDE	:= -Ilibscap/include -Ilibscap -Idriver/uapi
BASE	:= -std=gnu11 $(WARN) $(INCLUDE) -MMD -MP
LIB_CF	:= $(BASE) -fPIC -fvisibility=hidden -fstack-protector-strong
# Tests also see the driver's pure headers.
TEST_CF	:= $(BASE) -Idriver -I. -Itests/unit -g
SAN	:= -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
TSAN	:= -O1 -g -fno-omit-frame-pointer -fsanitize=thread
FUZZ	:= -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all

ifeq ($(V),1)
Q	:=
say	= @:
else
Q	:= @
say	= @printf '  %-7s %s\n'
endif

LIB_SRC		:= $(sort $(wildcard libscap/*/*.c))
LIB_OBJ		:= $(LIB_SRC:%.c=$(B)/obj/%.o)
API		:= $(sort $(wildcard libscap/include/scap/*.h))
UAPI		:= $(sort $(wildcard driver/uapi/scap/*.h driver/uapi/scap/*.def driver/uapi/scap/*/*.def))
TOOL_SRC	:= $(sort $(wildcard tools/*.c))
TOOL_OBJ	:= $(TOOL_SRC:%.c=$(B)/obj/%.o)
# scap watch is a program of its own, because TLS can't be linked statically.
WATCH_SRC	:= $(sort $(wildcard tools/watch/*.c)) tools/opts.c tools/output.c tools/watch_opts.c
WATCH_OBJ	:= $(WATCH_SRC:%.c=$(B)/obj/%.o)
WATCH_LIBS	:= -lmicrohttpd -lyaml -ljansson -lseccomp -lcap
MODULE_SRC	:= Kbuild $(shell find driver -type f ! -name '*.o' ! -name '.*' 2>/dev/null | sort)

UNIT		:= $(patsubst tests/unit/%.c,$(B)/unit/%,$(sort $(wildcard tests/unit/test_*.c)))
UNIT_SUPPORT	:= $(patsubst tests/unit/%.c,$(B)/unit/%.o,$(sort $(wildcard tests/unit/support_*.c)))
# Without what speaks to Criterion.
FUZZ_SUPPORT	:= $(patsubst %.c,$(B)/fuzz/%.o,$(filter-out %/support_recording.c, \
			$(sort $(wildcard tests/unit/support_*.c))))
TSAN_PROGS	:= $(patsubst tests/unit/%.c,$(B)/tsan/%,$(sort $(wildcard tests/unit/tsan_*.c)))
FUZZERS		:= $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
GUEST		:= $(patsubst %.c,$(B)/guest/%,$(notdir $(sort $(wildcard \
			tests/kernel/*.c tests/vm/*.c tests/bench/*.c))))
DEMO		:= $(patsubst tests/vm/%.c,$(B)/guest/%,$(wildcard tests/vm/*.c))
CLI_GEN		:= $(patsubst tests/cli/%.c,$(B)/cli/%,$(wildcard tests/cli/*.c))

all: module lib tools

help:
	@echo 'make            module, library, tools'
	@echo 'make demo       boots a guest with a small shop, breaks it, finds the cause'
	@echo 'make demo-alert the same with scap watch, Prometheus and Alertmanager'
	@echo 'make check      all tests; ends with one line of counts'
	@echo 'make check-debug  the module in a kernel that looks for its errors; an hour'
	@echo 'make bench      sizes and questions beside sysdig, CAPTURES="FILE..."'
	@echo 'make bench-kernel  what recording costs, in instructions; make bench-watch'
	@echo 'make lib | module | tools | unit | cli | big-endian | examples | guest | fuzz | hdr-check'
	@echo 'make style | lint | abi'
	@echo 'make install    PREFIX (/usr/local), DESTDIR'
	@echo 'make deps       installs what is missing (root), or says how'
	@echo 'variables: KDIR=KERNEL/HEADERS V=1 FUZZ_SECONDS=N'

module: $(B)/kscap.ko
lib: $(B)/libscap.a $(B)/libscap.so.$(SOMAJOR)
tools: $(B)/scap $(B)/scap-watch

# ---- library and tools --------------------------------------------------------------------

$(B)/obj/libscap/%.o: libscap/%.c
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(LIB_CF) $(CFLAGS) $(CPPFLAGS) -c -o $@ $<

# Loops over columns, which are worth unrolling.
$(B)/obj/libscap/column/%.o: CFLAGS += -O3

$(B)/obj/tools/%.o: tools/%.c Makefile
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(WARN) -Ilibscap/include -MMD -MP -fstack-protector-strong \
		-DSCAP_VERSION='"$(VERSION)"' $(CFLAGS) $(CPPFLAGS) -c -o $@ $<
$(B)/obj/tools/watch/%.o $(B)/san/tools/watch/%.o $(B)/tsan/tools/watch/%.o: WARN += -Itools

# The lists are prerequisites, too: an archive must not keep a member whose source is gone.
$(B)/%.list: FORCE
	@mkdir -p $(@D)
	@echo '$(LIST)' | cmp -s - $@ || echo '$(LIST)' > $@
$(B)/lib.list: LIST = $(LIB_OBJ)
$(B)/tools.list: LIST = $(TOOL_OBJ)
$(B)/watch.list: LIST = $(WATCH_OBJ)
$(B)/module.list: LIST = $(MODULE_SRC) $(KDIR)

$(B)/libscap.a: $(LIB_OBJ) $(B)/lib.list
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $(LIB_OBJ)

$(B)/libscap.so.$(SOMAJOR): $(LIB_OBJ) libscap/libscap.map tests/symbols.sh $(API) $(B)/lib.list
	$(say) LD $@
	$(Q)$(CC) -shared -o $@.new $(CFLAGS) $(LDFLAGS) -Wl,-soname,$(@F) \
		-Wl,--version-script=libscap/libscap.map -Wl,-z,relro,-z,now $(LIB_OBJ) $(LIBS)
	$(Q)sh tests/symbols.sh $@.new || { rm -f $@.new; exit 1; }
	$(Q)mv -f $@.new $@ && ln -sf $(@F) $(B)/libscap.so

# Static, so that it can be dropped into a guest or a rescue shell.
$(B)/scap: $(TOOL_OBJ) $(B)/libscap.a $(B)/tools.list
	$(say) LD $@
	$(Q)$(CC) -static -o $@ $(CFLAGS) $(LDFLAGS) $(TOOL_OBJ) $(B)/libscap.a $(LIBS) $(TOOL_LIBS) \
		-lpthread

# It links what Debian has as shared libraries only.
$(B)/scap-watch: $(WATCH_OBJ) $(B)/libscap.a $(B)/watch.list
	$(say) LD $@
	$(Q)$(CC) -o $@ $(CFLAGS) $(LDFLAGS) $(WATCH_OBJ) $(B)/libscap.a $(LIBS) $(WATCH_LIBS) \
		-lpthread

# ---- module ---------------------------------------------------------------------------------

# Built from a tree of links: kbuild writes beside the sources, and its clean deletes there.
$(B)/module/.links: $(B)/module.list
	$(Q)rm -rf $(B)/module && mkdir -p $(B)/module
	$(Q)for f in $(MODULE_SRC); do mkdir -p $(B)/module/$$(dirname $$f) && \
		ln -s $(CURDIR)/$$f $(B)/module/$$f || exit 1; done
	@touch $@

$(B)/kscap.ko: $(MODULE_SRC) $(B)/module/.links
	@test -n "$(KDIR)" || { echo 'no kernel headers below /lib/modules: make deps, or KDIR=' >&2; exit 1; }
	$(say) KBUILD $@
	$(Q)$(MAKE) --no-print-directory -C $(KDIR) M=$(abspath $(B))/module KCFLAGS=-Werror \
		$(if $(Q),-s) modules
	$(Q)cp $(B)/module/kscap.ko $@

# ---- tests ----------------------------------------------------------------------------------

$(B)/san/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(LIB_CF) $(SAN) -c -o $@ $<
$(B)/san/libscap.a: $(LIB_SRC:%.c=$(B)/san/%.o) $(B)/lib.list
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)
# The command-line cases run with this one, too.
$(B)/san/tools/%.o: tools/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(WARN) -Ilibscap/include -MMD -MP -DSCAP_VERSION='"$(VERSION)"' $(SAN) \
		-c -o $@ $<
$(B)/san/scap: $(TOOL_SRC:%.c=$(B)/san/%.o) $(B)/san/libscap.a $(B)/tools.list
	$(say) LD $@
	$(Q)$(CC) $(SAN) -o $@ $(filter %.o %.a,$^) $(LIBS) $(TOOL_LIBS) -lpthread
$(B)/san/scap-watch: $(WATCH_SRC:%.c=$(B)/san/%.o) $(B)/san/libscap.a $(B)/watch.list
	$(say) LD $@
	$(Q)$(CC) $(SAN) -o $@ $(filter %.o %.a,$^) $(LIBS) $(WATCH_LIBS) -lpthread
# All but its main(), for unit tests.
$(B)/san/libwatch.a: $(patsubst %.c,$(B)/san/%.o,$(filter-out tools/watch/main.c,$(WATCH_SRC))) \
		$(B)/watch.list
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)
$(B)/tsan/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(LIB_CF) $(TSAN) -c -o $@ $<
$(B)/tsan/libscap.a: $(LIB_SRC:%.c=$(B)/tsan/%.o) $(B)/lib.list
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)
$(B)/fuzz/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(LIB_CF) $(FUZZ) -fsanitize=fuzzer-no-link -c -o $@ $<
$(B)/fuzz/libscap.a: $(LIB_SRC:%.c=$(B)/fuzz/%.o) $(B)/lib.list
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)

$(B)/unit/support_%.o: tests/unit/support_%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(TEST_CF) $(SAN) -c -o $@ $<
$(B)/unit/test_%: tests/unit/test_%.c $(UNIT_SUPPORT) $(B)/san/libscap.a
	$(say) TEST $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(TEST_CF) $(SAN) -MF $@.d -o $@ $< $(UNIT_SUPPORT) $(B)/san/libscap.a \
		-lcriterion $(UNIT_LIBS) -lpthread
$(B)/unit/test_watch_%: tests/unit/test_watch_%.c $(UNIT_SUPPORT) $(B)/san/libwatch.a \
		$(B)/san/libscap.a
	$(say) TEST $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(TEST_CF) -Itools $(SAN) -MF $@.d -o $@ $< $(UNIT_SUPPORT) $(B)/san/libwatch.a \
		$(B)/san/libscap.a -lcriterion $(LIBS) $(WATCH_LIBS) -lpthread
# Where allocations fail, or are counted: those of the libraries, too, which are linked in for that.
UNIT_LIBS	= $(LIBS)
WRAP_LIBS	:= -l:libzstd.a -l:libz.a -l:libsodium.a
WRAP	:= malloc calloc realloc strdup asprintf read write ftruncate lseek pthread_create
SCALE	:= malloc calloc realloc free
ALLOC	:= malloc calloc realloc strdup asprintf
$(B)/unit/test_fault $(B)/unit/test_fault_write: UNIT_LIBS = $(WRAP_LIBS) $(WRAP:%=-Wl,--wrap=%)
# There zstd's are not: it is the shared one.
$(B)/unit/test_alloc: UNIT_LIBS = -lzstd -l:libz.a -lsodium \
	$(ALLOC:%=-Wl,--wrap=%)
$(B)/unit/test_scale: UNIT_LIBS = $(WRAP_LIBS) $(SCALE:%=-Wl,--wrap=%)
$(B)/tsan/tsan_%: tests/unit/tsan_%.c $(B)/tsan/libscap.a
	$(say) TEST $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(TEST_CF) $(TSAN) -MF $@.d -o $@ $(filter %.c,$^) $(B)/tsan/libscap.a $(LIBS) \
		$(TSAN_LD) -lpthread
$(B)/tsan/tsan_ring_cut: TSAN_LD = -Wl,--wrap=scap__ring_overwrite
$(B)/tsan/tsan_ring_cut: tests/unit/support_rows.c tests/unit/support_keyframe.c
# scap watch without its main(), and a recording to feed it.
$(B)/tsan/tools/%.o: tools/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(WARN) -Ilibscap/include -MMD -MP -DSCAP_VERSION='"$(VERSION)"' $(TSAN) \
		-c -o $@ $<
$(B)/tsan/libwatch.a: $(patsubst %.c,$(B)/tsan/%.o,$(filter-out tools/watch/main.c,$(WATCH_SRC))) \
		$(B)/watch.list
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)
$(B)/tsan/support_%.o: tests/unit/support_%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(TEST_CF) $(TSAN) -c -o $@ $<
TSAN_SUPPORT := $(UNIT_SUPPORT:$(B)/unit/%=$(B)/tsan/%)
$(B)/tsan/tsan_watch: tests/unit/tsan_watch.c $(TSAN_SUPPORT) $(B)/tsan/libwatch.a \
		$(B)/tsan/libscap.a
	$(say) TEST $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(TEST_CF) -Itools $(TSAN) -MF $@.d -o $@ $< $(TSAN_SUPPORT) $(B)/tsan/libwatch.a \
		$(B)/tsan/libscap.a -lcriterion $(LIBS) $(WATCH_LIBS) -lpthread
$(B)/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(FUZZ_SUPPORT) $(B)/fuzz/libscap.a
	$(say) FUZZ $@
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(TEST_CF) $(FUZZ) -fsanitize=fuzzer -MF $@.d -o $@ $< $(FUZZ_SUPPORT) \
		$(B)/fuzz/libscap.a $(LIBS) -lpthread
$(B)/fuzz/tools/watch/%.o: FUZZ += -Itools -DSCAP_VERSION='"$(VERSION)"'
$(B)/fuzz/libwatch.a: $(patsubst %.c,$(B)/fuzz/%.o,$(filter-out tools/watch/main.c,$(WATCH_SRC))) \
		$(B)/watch.list
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)
$(B)/fuzz/fuzz_watch_%: tests/fuzz/fuzz_watch_%.c $(FUZZ_SUPPORT) $(B)/fuzz/libwatch.a \
		$(B)/fuzz/libscap.a
	$(say) FUZZ $@
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(TEST_CF) -Itools $(FUZZ) -fsanitize=fuzzer -MF $@.d -o $@ $< $(FUZZ_SUPPORT) \
		$(B)/fuzz/libwatch.a $(B)/fuzz/libscap.a $(LIBS) $(WATCH_LIBS) -lpthread
$(B)/cli/%: tests/cli/%.c $(B)/libscap.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(TEST_CF) $(CFLAGS) -MF $@.d -o $@ $(filter %.c,$^) $(B)/libscap.a $(LIBS)
$(B)/cli/gen-ring: tests/unit/support_rows.c tests/unit/support_keyframe.c

# Programs for the guest are static; *_i386.c and *32.c are 32-bit ones, without the library.
GUEST_32	:= $(filter %32 %_i386,$(GUEST))
$(GUEST_32): GUEST_CF = -m32
$(GUEST_32): GUEST_LIB =
GUEST_CF	= -Ilibscap
GUEST_LIB	= $(B)/libscap.a $(LIBS)
vpath %.c tests/kernel tests/vm tests/bench
$(B)/guest/%: %.c $(B)/libscap.a
	$(say) GUEST $@
	@mkdir -p $(@D) $(B)/guest.dep
	$(Q)$(CC) -std=gnu11 $(WARN) -O2 -g -Ilibscap/include -Idriver/uapi $(GUEST_CF) -static \
		-MMD -MP -MF $(B)/guest.dep/$(@F).d -pthread -o $@ $< $(GUEST_LIB)

unit: $(UNIT) $(TSAN_PROGS)
	$(Q)B=$(B) sh tests/run-check.sh unit $(UNIT) -- tsan $(TSAN_PROGS)
unit-build: $(UNIT) $(TSAN_PROGS)
cli: cli-build
	$(Q)B=$(B) sh tests/run-check.sh cli
examples: lib tools cli-build
	$(Q)B=$(B) MAKE='$(MAKE)' sh tests/run-check.sh examples
cli-build: $(B)/scap $(B)/scap-watch $(B)/san/scap $(B)/san/scap-watch $(CLI_GEN)
big-endian: cli-build
	$(Q)B=$(B) CLANG='$(CLANG)' sh tests/run-check.sh big-endian
fuzz-build: $(FUZZERS)
fuzz: $(FUZZERS)
	$(Q)B=$(B) sh tests/run-check.sh fuzz $(FUZZERS)
guest-build: $(GUEST)
guest: all guest-build
	$(Q)B=$(B) sh tests/run-check.sh guest

HDRS	:= $(sort $(wildcard libscap/*/*.h libscap/include/scap/*.h driver/uapi/scap/*.h \
		tools/*.h tools/watch/*.h))
hdr-check:
	$(Q)rc=0; for h in $(HDRS); do \
		echo "#include \"$$h\"" | $(CC) -std=gnu11 $(WARN) $(INCLUDE) -I. -Itools -xc -fsyntax-only - || \
		{ echo "$$h does not compile alone" >&2; rc=1; }; done; exit $$rc

style:
	$(Q)sh tests/style.sh

abi:
	$(Q)B=$(B) CC='$(CC)' sh tests/abi/run

lint: module
	$(Q)sh tests/lint.sh $(abspath $(B))/module $(KDIR)

check:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)B=$(B) MAKE='$(MAKE) B=$(B)' sh tests/run-check.sh all

# Long: on a kernel that is built for it, see docs/testing.md.
check-debug:
	$(Q)sh tests/deps.sh debug
	$(Q)B=$(B) MAKE='$(MAKE) B=$(B)' sh tests/run-check.sh debug

demo-build: all $(DEMO)
demo:
	$(Q)sh tests/deps.sh demo
	$(Q)$(MAKE) --no-print-directory demo-build
	$(Q)tests/vm/demo
demo-alert:
	$(Q)sh tests/deps.sh alert
	$(Q)$(MAKE) --no-print-directory demo-build
	$(Q)tests/vm/demo-alert
bench-kernel:
	$(Q)sh tests/deps.sh bench
	$(Q)$(MAKE) --no-print-directory all guest-build
	$(Q)tests/vm/bench-kernel
bench-watch:
	$(Q)sh tests/deps.sh bench
	$(Q)$(MAKE) --no-print-directory all guest-build
	$(Q)tests/vm/bench-watch
bench: tools
	$(Q)sh tests/deps.sh bench
	$(Q)tests/bench/files $(CAPTURES)
deps:
	$(Q)sh tests/deps.sh check

# ---- install --------------------------------------------------------------------------------

D	= $(DESTDIR)$(PREFIX)
install: lib tools
	install -d $(D)/bin $(D)/libexec/scap $(DESTDIR)$(LIBDIR)/pkgconfig $(D)/include/scap \
		$(D)/share/man/man1 $(D)/share/man/man3 $(D)/share/man/man5 \
		$(D)/share/bash-completion/completions $(D)/lib/systemd/system $(D)/lib/sysusers.d
	install -m 755 $(B)/scap $(D)/bin/scap
	install -m 755 $(B)/scap-watch $(D)/libexec/scap/scap-watch
	install -m 644 $(API) driver/uapi/scap/abi.h driver/uapi/scap/abi_events.h driver/uapi/scap/events.def \
		driver/uapi/scap/roles.def $(D)/include/scap
	install -m 644 $(B)/libscap.a $(DESTDIR)$(LIBDIR)
	install -m 755 $(B)/libscap.so.$(SOMAJOR) $(DESTDIR)$(LIBDIR)
	ln -sf libscap.so.$(SOMAJOR) $(DESTDIR)$(LIBDIR)/libscap.so
	sed 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@VERSION@|$(VERSION)|' \
		libscap/scap.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/scap.pc
	chmod 644 $(DESTDIR)$(LIBDIR)/pkgconfig/scap.pc
	install -m 644 $(wildcard docs/man/*.1) $(D)/share/man/man1
	install -m 644 $(wildcard docs/man/*.3) $(D)/share/man/man3
	install -m 644 $(wildcard docs/man/*.5) $(D)/share/man/man5
	install -m 644 tools/completion/scap.bash $(D)/share/bash-completion/completions/scap
	sed 's|@PREFIX@|$(PREFIX)|' tools/watch/scap-watch.service > \
		$(D)/lib/systemd/system/scap-watch.service
	chmod 644 $(D)/lib/systemd/system/scap-watch.service
	install -m 644 tools/watch/scap.sysusers $(D)/lib/sysusers.d/scap.conf

clean:
	rm -rf $(B)

FORCE:
.PHONY: all help module lib tools unit unit-build cli cli-build examples big-endian fuzz fuzz-build \
	guest guest-build hdr-check \
	style lint abi check check-debug demo demo-alert demo-build bench bench-kernel bench-watch \
	deps install clean FORCE
.DELETE_ON_ERROR:
# Otherwise deleted as intermediate files, and built again each time.
.SECONDARY: $(UNIT_SUPPORT) $(FUZZ_SUPPORT) $(TSAN_SUPPORT)

-include $(shell find $(B)/obj $(B)/san $(B)/tsan $(B)/fuzz $(B)/unit $(B)/cli $(B)/guest.dep \
	-name '*.d' 2>/dev/null)
