/* Expectations: a failed one is told with its place, and the program that had one exits 1. */
#ifndef UNIT_H
#define UNIT_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int unit_failures;

static inline bool unit_expect(bool holds, const char *what, const char *file, int line)
{
    if (!holds) {
        fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
        unit_failures++;
    }
    return holds;
}

static inline void unit_expect_text(const char *got, const char *wanted, const char *file, int line)
{
    if (strcmp(got, wanted) != 0) {
        fprintf(stderr, "%s:%d: got \"%s\", wanted \"%s\"\n", file, line, got, wanted);
        unit_failures++;
    }
}

/* A new directory, where TMPDIR says; its path is the caller's to free. */
static inline char *unit_directory(void)
{
    const char *place = getenv("TMPDIR");
    char *path;
    if (asprintf(&path, "%s/mq-unit-XXXXXX", place && *place ? place : "/tmp") < 0 || !mkdtemp(path)) {
        perror("mkdtemp");
        exit(1);
    }
    return path;
}

#define EXPECT(condition) unit_expect((condition), #condition, __FILE__, __LINE__)
#define EXPECT_TEXT(got, wanted) unit_expect_text((got), (wanted), __FILE__, __LINE__)

#endif
