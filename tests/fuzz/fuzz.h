/*
 * A fuzz target: one file with one function, called with any bytes; what must hold is told by REQUIRE, which aborts.
 * With clang's libFuzzer it is driven by the fuzzer, with any compiler by replay.c, which feeds it files.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUIRE(condition)                                                                                             \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                    \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input as a string on the heap, so that a sanitizer sees whoever reads past its end. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

static char fuzz_path[] = "/tmp/mq-fuzz-XXXXXX";

static inline void fuzz_remove_dir(void)
{
    char command[sizeof "rm -rf " + sizeof fuzz_path];
    snprintf(command, sizeof command, "rm -rf %s", fuzz_path);
    (void)!system(command);
}

/* A directory of this process's own, gone when it ends. */
static inline const char *fuzz_dir(void)
{
    if (strstr(fuzz_path, "XXXXXX")) {
        REQUIRE(mkdtemp(fuzz_path));
        REQUIRE(atexit(fuzz_remove_dir) == 0);
    }
    return fuzz_path;
}

#endif
