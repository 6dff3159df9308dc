/* The programs `mq-NAME` in the directories of PATH. */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>

#define PROGRAM_PREFIX "mq-"

struct program {
    char *name; /* without the prefix */
    char *path;
    bool runs; /* it is executable */
};

struct programs {
    struct program *all; /* by name; of several with one name the first in PATH, which is the one that would run */
    size_t count;
};

/* Directories of PATH that cannot be read are passed over, as execvp does. */
void programs_find(struct programs *ret_programs);

/* NULL: there is none. */
const struct program *programs_get(const struct programs *programs, const char *name);

/* The name that `typed` is most likely to stand for; NULL: none is near. */
const char *programs_nearest(const struct programs *programs, const char *typed);

/* The one line about a program of ours; NULL: it is none of ours. */
const char *programs_line(const char *name);

#endif
