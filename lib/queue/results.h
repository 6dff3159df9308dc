/*
 * Results: the files in results/ that keep what commands printed, and how they ended. result_name.h has their names.
 *
 * The process that runs the command makes the file and holds a lock on it, which the kernel takes away when that process
 * ends. One rename gives the file its final name. So a file without a final name and without a lock is of a command whose
 * worker died; nothing has to mend that.
 *
 * Errors are negative errno values.
 */
#ifndef MQ_RESULTS_H
#define MQ_RESULTS_H

#include "format/result_name.h"
#include "queue/queue.h"

/* A result's file, as a walk comes to it. */
struct result_file {
    const char *bucket, *file;
    int dir; /* the open bucket */
    struct result_name name;
};

/* Visit the files of all results, in the order in which the commands began; that with the standard error comes behind the
   other. A file may be gone when it is visited. A visitor returns 0 to go on. */
typedef int results_visit_fn(void *context, const struct result_file *file);
int results_walk(int queue_dir, results_visit_fn *visit, void *context);

/* Whether the command of a file without a final name runs: 1 or 0, or a negative errno. */
int results_is_running(const struct result_file *file);

/* Remove what is older than keep-results, and the oldest of what is more than keep-results-size. Their number is added to
   `ret_removed`. */
int results_expire(mq_queue *queue, int64_t now, uint64_t *ret_removed);

/* After a command has left a result of this size: now and then remove some. */
void results_expire_some(mq_queue *queue, uint64_t size);

#endif
