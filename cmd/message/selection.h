/*
 * Which messages a command is about: by id, by a header, by age; what is not said does not restrict.
 *
 *     selection_parse_match(&selection, "Type=signup")
 *     mq_browse(..., each: selection_takes(&selection, queue, entry) ...)
 *     status = selection_report(&selection, mq_queue_name(queue));
 */
#ifndef SELECTION_H
#define SELECTION_H

#include <mq.h>
#include <stdbool.h>
#include <stdint.h>

struct selection {
    char **ids;
    int id_count;
    const char *header, *value; /* of --match; `header` NULL: any */
    int64_t older_than;         /* a duration; 0: any */
    bool *found;                /* which ids were there */
    uint64_t taken;             /* how many messages */
};

/* Take `Header=value` or `Header: value` apart, in place. */
bool selection_parse_match(struct selection *selection, char *text);

/* The ids that it is about; none: all. */
void selection_set_ids(struct selection *selection, char **ids, int count);

/* Age counts since death for dead letters, else since the message was sent. A corrupt message has no headers to
   match. */
bool selection_takes(struct selection *selection, mq_queue *queue, const struct mq_entry *entry);

/* Tell which ids were not there. STATUS_NOTHING where one is missing or nothing was taken at all. */
int selection_report(struct selection *selection, const char *queue);

#endif
