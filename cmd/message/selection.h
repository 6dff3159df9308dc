/*
 * Which messages of a queue a command is about: by state, id, header and age. A condition that is not set lets every
 * message through.
 *
 *     struct selection selection = {.states = {[MQ_DEAD] = true}};
 *     selection_parse_match(&selection, "Type=signup")
 *     error = selection_browse(&selection, queue, act, context);
 *     status = selection_report(&selection, mq_queue_name(queue));
 */
#ifndef SELECTION_H
#define SELECTION_H

#include <mq.h>
#include <stdbool.h>
#include <stdint.h>

struct selected_id {
    const char *id;
    bool found; /* whether a message has it */
};

struct selection {
    bool states[MQ_STATES];
    struct selected_id *ids;
    size_t id_count, ids_room;
    const char *header, *value; /* of --match; `header` NULL: any */
    int64_t older_than;         /* a duration; 0: any */
    uint64_t most;              /* take no more messages than this; 0: no limit */
    bool all;       /* --all was given: every message is meant; without it the selection must say something */
    bool dry_run;   /* --dry-run was given: change nothing, print the ids */
    uint64_t taken; /* how many messages were taken */
};

/* Add a state by its name, or "all". False: there is no such state. */
bool selection_parse_state(struct selection *selection, const char *text);

/* Whether any state was added. */
bool selection_has_states(const struct selection *selection);

/* Parse `Header=value` or `Header: value`, in place. False: it is neither. */
bool selection_parse_match(struct selection *selection, char *text);

/* Add an id. From then on only messages with one of the added ids are taken. */
void selection_add_id(struct selection *selection, const char *id);

/*
 * Call `act` with each message that the selection takes. If it returns non-zero, the walk ends. 0, or a negative errno
 * from the walk or from `act`. The age counts from death for dead letters, else from when the message was sent. A
 * corrupt message has no headers that could match.
 */
int selection_browse(struct selection *selection, mq_queue *queue,
                     int (*act)(const struct mq_entry *entry, void *context), void *context);

/* At the end: report each id that no message has. STATUS_NOTHING if an id is missing, or if no message was taken. */
int selection_report(struct selection *selection, const char *queue);

#endif
