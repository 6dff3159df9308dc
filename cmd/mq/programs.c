/* The programs in PATH. */
#include "mq/programs.h"

#include "base/grow.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

#define NAME_MOST 64    /* longer names are not compared */
#define DISTANCE_MOST 2 /* a name with more mistakes is not suggested */

/* ---- ours ------------------------------------------------------------------------ */

static const struct {
    const char *name, *line;
} ours[] = {
    {"ack", "say how the work on received messages went"},
    {"bridge", "carry messages between a queue here and one elsewhere"},
    {"bridge-ssh", "carry messages between a queue here and one in a spool on another host"},
    {"dlq", "list, show, retry and remove dead letters"},
    {"log", "keep messages, and read them again from anywhere"},
    {"queue", "create, configure, inspect and repair queues"},
    {"recv", "receive messages from a queue, and run commands for them"},
    {"send", "send messages to a queue"},
    {"stat", "show how full queues are and how fast they move, watch them, complain"},
    {"topic", "send one message to many queues"},
    {"tx", "make several sends, acknowledgements and file changes happen together or not at all"},
};

const char *programs_line(const char *name)
{
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strcmp(ours[i].name, name) == 0)
            return ours[i].line;
    return NULL;
}

/* ---- finding --------------------------------------------------------------------- */

static void add(struct programs *programs, size_t *room, const char *directory, int fd, const char *file)
{
    struct stat status;
    const char *name = file + strlen(PROGRAM_PREFIX);
    if (!*name || fstatat(fd, file, &status, 0) < 0 || !S_ISREG(status.st_mode))
        return;
    const bool runs = faccessat(fd, file, X_OK, AT_EACCESS) == 0;
    struct program *known = (struct program *)(uintptr_t)programs_get(programs, name);
    if (known && (known->runs || !runs))
        return;
    char *path;
    if (asprintf(&path, "%s/%s", directory, file) < 0)
        path = NULL;
    cli_must(path);
    if (known) {
        free(known->path);
        *known = (struct program){.name = known->name, .path = path, .runs = true};
        return;
    }
    if (!GROW(programs->all, programs->count + 1, *room))
        cli_must(NULL);
    programs->all[programs->count++] = (struct program){.name = cli_must(strdup(name)), .path = path, .runs = runs};
}

static void add_directory(struct programs *programs, size_t *room, const char *directory)
{
    DIR *stream = opendir(directory);
    if (!stream)
        return;
    for (const struct dirent *entry; (entry = readdir(stream));)
        if (strncmp(entry->d_name, PROGRAM_PREFIX, strlen(PROGRAM_PREFIX)) == 0)
            add(programs, room, directory, dirfd(stream), entry->d_name);
    closedir(stream);
}

static int compare(const void *one, const void *other)
{
    return strcmp(((const struct program *)one)->name, ((const struct program *)other)->name);
}

void programs_find(struct programs *ret_programs)
{
    size_t room = 0;
    const char *path = getenv("PATH");
    char *directories = cli_must(strdup(path ? path : "/bin:/usr/bin")), *rest = directories;
    *ret_programs = (struct programs){0};
    for (const char *directory; (directory = strsep(&rest, ":"));)
        add_directory(ret_programs, &room, *directory ? directory : ".");
    free(directories);
    if (ret_programs->count > 0)
        qsort(ret_programs->all, ret_programs->count, sizeof *ret_programs->all, compare);
}

const struct program *programs_get(const struct programs *programs, const char *name)
{
    for (size_t i = 0; i < programs->count; i++)
        if (strcmp(programs->all[i].name, name) == 0)
            return &programs->all[i];
    return NULL;
}

/* ---- suggestions ----------------------------------------------------------------- */

static unsigned least(unsigned one, unsigned other)
{
    return one < other ? one : other;
}

/* How many letters must be added, left out, changed or swapped with the next one to make one word of the other. */
static unsigned distance(const char *one, const char *other)
{
    unsigned rows[NAME_MOST + 1][NAME_MOST + 1];
    const size_t height = strlen(one), width = strlen(other);
    if (height > NAME_MOST || width > NAME_MOST)
        return NAME_MOST;
    for (unsigned i = 0; i <= height; i++)
        rows[i][0] = i;
    for (unsigned j = 0; j <= width; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= height; i++)
        for (size_t j = 1; j <= width; j++) {
            const unsigned change = one[i - 1] != other[j - 1];
            rows[i][j] = least(least(rows[i - 1][j] + 1, rows[i][j - 1] + 1), rows[i - 1][j - 1] + change);
            if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1])
                rows[i][j] = least(rows[i][j], rows[i - 2][j - 2] + 1);
        }
    return rows[height][width];
}

const char *programs_nearest(const struct programs *programs, const char *typed)
{
    const char *nearest = NULL;
    if (strncmp(typed, PROGRAM_PREFIX, strlen(PROGRAM_PREFIX)) == 0)
        typed += strlen(PROGRAM_PREFIX);
    /* A name all of whose letters are wrong is not near. */
    unsigned best = least(DISTANCE_MOST, (unsigned)(strlen(typed) < NAME_MOST ? strlen(typed) : NAME_MOST) - 1) + 1;
    for (size_t i = 0; i < programs->count && *typed; i++) {
        const char *name = programs->all[i].name;
        const unsigned mistakes = strncmp(name, typed, strlen(typed)) == 0 ? 1 : distance(typed, name);
        if (mistakes < best) {
            best = mistakes;
            nearest = name;
        }
    }
    return nearest;
}
