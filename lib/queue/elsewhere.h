/* Watching the directories in which messages appear that no process rings for: those of the log of a group. */
#ifndef MQ_ELSEWHERE_H
#define MQ_ELSEWHERE_H

#include <stdbool.h>

#define WAIT_DIRS 2

struct elsewhere {
    int watches[WAIT_DIRS];
    int count;
};

/* Watch these open directories, and no longer those of the last time. False: one cannot be watched. `ret_more`: one of them
   was not watched before, so look once more before sleeping. */
bool elsewhere_watch(struct elsewhere *elsewhere, int inotify, const int *dirs, int count, bool *ret_more);

void elsewhere_stop(struct elsewhere *elsewhere, int inotify);

#endif
