/*
 * The bare wake-up: a process blocked on inotify, and a file linked into the directory that it watches, which it
 * renames into another. What any queue of files has to wait for; nothing of libmq is in it.
 *
 *     wakeup_begin(&wakeup, spool);   ... wakeup_time(&wakeup) as often as is liked ...
 *     wakeup_end(&wakeup);
 */
#ifndef WAKEUP_H
#define WAKEUP_H

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

#define WAKEUP_PATIENCE 20e6 /* microseconds */

struct wakeup {
    pid_t sleeper;
    int ready, claimed; /* directories */
    char path[4096];
    _Atomic double *moved; /* shared: when the sleeper moved the file; 1 before the first, 0 while one is awaited */
};

static inline void wakeup_must(int result, const char *what)
{
    if (result >= 0)
        return;
    perror(what);
    exit(1);
}

static inline void wakeup_sleep_for_ever(const struct wakeup *wakeup)
{
    char event[4096], watched[32];
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* also when the parent fails */
    const int inotify = inotify_init1(IN_CLOEXEC);
    snprintf(watched, sizeof watched, "/proc/self/fd/%d", wakeup->ready);
    wakeup_must(inotify_add_watch(inotify, watched, IN_CREATE), "inotify");
    atomic_store(wakeup->moved, 1);
    while (read(inotify, event, sizeof event) > 0) {
        wakeup_must(renameat(wakeup->ready, "message", wakeup->claimed, "message"), "rename");
        atomic_store(wakeup->moved, microseconds());
    }
    exit(1);
}

static inline double wakeup_await(const struct wakeup *wakeup)
{
    double moved;
    for (const double begun = microseconds(); (moved = atomic_load(wakeup->moved)) == 0; poll(NULL, 0, 1))
        if (microseconds() - begun > WAKEUP_PATIENCE) {
            fprintf(stderr, "nobody was woken\n");
            exit(1);
        }
    return moved;
}

static inline int wakeup_make_dir(const struct wakeup *wakeup, const char *name)
{
    char path[sizeof wakeup->path + 16];
    snprintf(path, sizeof path, "%s/%s", wakeup->path, name);
    wakeup_must(mkdir(path, 0700), path);
    const int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    wakeup_must(dir, path);
    return dir;
}

/* In a directory of its own in `parent`. */
static inline void wakeup_begin(struct wakeup *wakeup, const char *parent)
{
    snprintf(wakeup->path, sizeof wakeup->path, "%s/.wakeup-XXXXXX", parent);
    wakeup_must(mkdtemp(wakeup->path) ? 0 : -1, wakeup->path);
    wakeup->ready = wakeup_make_dir(wakeup, "ready");
    wakeup->claimed = wakeup_make_dir(wakeup, "claimed");
    wakeup->moved = mmap(NULL, sizeof *wakeup->moved, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    wakeup_must(wakeup->moved == MAP_FAILED ? -1 : 0, "mmap");
    wakeup->sleeper = fork();
    if (wakeup->sleeper == 0)
        wakeup_sleep_for_ever(wakeup);
    wakeup_must(wakeup->sleeper, "fork");
    wakeup_await(wakeup);
}

/* From before the link to after the rename, in microseconds. */
static inline double wakeup_time(const struct wakeup *wakeup)
{
    char file[32];
    poll(NULL, 0, 3); /* so that the sleeper sleeps */
    const int draft = openat(wakeup->claimed, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    wakeup_must(draft, "O_TMPFILE");
    snprintf(file, sizeof file, "/proc/self/fd/%d", draft);
    atomic_store(wakeup->moved, 0);
    const double begun = microseconds();
    wakeup_must(linkat(AT_FDCWD, file, wakeup->ready, "message", AT_SYMLINK_FOLLOW), "link");
    const double taken = wakeup_await(wakeup) - begun;
    close(draft);
    wakeup_must(unlinkat(wakeup->claimed, "message", 0), "unlink");
    return taken;
}

static inline void wakeup_end(struct wakeup *wakeup)
{
    const int parent = open(wakeup->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    kill(wakeup->sleeper, SIGKILL);
    waitpid(wakeup->sleeper, NULL, 0);
    unlinkat(parent, "ready", AT_REMOVEDIR);
    unlinkat(parent, "claimed", AT_REMOVEDIR);
    rmdir(wakeup->path);
    close(wakeup->ready);
    close(wakeup->claimed);
    close(parent);
}

#endif
