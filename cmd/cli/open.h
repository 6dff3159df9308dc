/*
 * Opening queues, and reporting why one cannot be opened.
 *
 *     status = cli_open(name, 0, &queue);
 *
 * Calls that report an error return the exit status that belongs to it.
 */
#ifndef OPEN_H
#define OPEN_H

#include <mq.h>

/* Open a queue, or report why not. */
int cli_open(const char *name, unsigned flags, mq_queue **ret_queue);

/* If the queue is paused for receivers, say so, unless the program is quiet. True: it is. */
bool cli_say_paused(mq_queue *queue);

/* Whether a queue keeps the order of message groups, or of all messages. */
bool cli_is_ordered(mq_queue *queue);

/* The same, or open the topic that has the name. One of the two handles is set. */
int cli_open_either(const char *name, unsigned flags, mq_queue **ret_queue, mq_topic **ret_topic);

/* The same, or the log. If `ret_topic` or `ret_log` is NULL, a topic or a log of that name is an error. */
int cli_open_any(const char *name, unsigned flags, mq_queue **ret_queue, mq_topic **ret_topic, mq_log **ret_log);

/* Open a log, or report why not. */
int cli_open_log(const char *name, mq_log **ret_log);

/* Report it if `name` can name neither a queue nor a group of a log; or no queue. */
int cli_check_queue_name(const char *name);
int cli_check_name(const char *name);

/* Report an error of a queue as cli_error does. If its configuration is malformed, the report says where. */
int cli_queue_error(int error, const char *queue, const char *what);

/* The same for a topic, and its bindings; and for a log. */
int cli_topic_error(int error, const char *topic, const char *what);
int cli_log_error(int error, const char *log, const char *what);

/* Report that the queue or the log is missing, and where it was looked for. `cli_advice` says what would help; NULL:
   nothing. */
extern const char *cli_advice;
int cli_no_queue(const char *name);
int cli_no_log(const char *name);

/* Report that a queue could be neither opened nor made. */
int cli_cannot_create(int error, const char *queue);

/* Go on if a queue's shared page is truncated. cli_open does this; to be called before mq_open is used. */
void cli_survive_cut_pages(void);

#endif
