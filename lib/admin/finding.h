/*
 * Findings of a check: what lies in a queue and does not belong there.
 *
 * A message may be moved between the listing and the read. So a file that is gone by then is no finding.
 */
#ifndef MQ_FINDING_H
#define MQ_FINDING_H

#include "base/fs_list.h"
#include "format/lane_name.h"
#include "queue/queue.h"

struct check {
    mq_queue *queue;   /* NULL: a log or a topic is checked */
    int home;          /* the directory of the queue, log or topic, which has aside/ */
    const char *above; /* what comes before every path; NULL: nothing */
    bool repair;
    void (*each)(const char *path, const char *problem, void *context);
    void *context;
    int found;
    int left; /* the error, if something could not be judged or moved aside; else 0 */
    enum mq_state state;
    const char *bucket;
    char lane[LANE_KEY_SIZE];
    int dir; /* what is being listed */
};

/* Tell of something that stays where it is. */
void finding_tell(struct check *check, const char *place, const char *name, const char *problem);

/* Tell of something in the directory that is being listed, and move it aside if the check repairs. Returns 0. */
int finding_report(struct check *check, const char *place, const char *name, const char *problem);

/* What is wrong with a file that is no regular one. */
const char *finding_type(unsigned char type);

/* 0: the file is whole, or gone; -EBADMSG: it is not whole; any other negative errno: that cannot be known. */
int finding_in_content(const mq_queue *queue, int dir, const char *file_name, const struct message_name *name);

/* List an open directory, and close it. A negative errno in its place is returned. */
int finding_list(struct check *check, int dir, fs_list_fn *each);

/* The same for a directory of the queue or log that may be missing. */
int finding_list_later(struct check *check, const char *name, fs_list_fn *each);

/* The same for a directory in the one that is being listed, which is `bucket` meanwhile. */
int finding_list_inside(struct check *check, const char *name, fs_list_fn *each);

#endif
