/*
 * Which messages of a queue a command is about: by state, id, header and age. A condition that is not set lets every
 * message through.
 *
 *     struct selection selection = {.states = {[MQ_DEAD] = true}};
 *     selection_add_match(&selection, "Type: signup");
 *     error = selection_browse(&selection, queue, act, context);
 *     status = selection_report(&selection, queue);
 */
#ifndef SELECTION_H
#define SELECTION_H

#include <mq.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct selected_id {
    const char *id;
    bool found; /* whether a message has it */
};

/* A condition on a header. */
struct selected_header {
    const char *name, *value; /* `value` NULL: the header is there */
};

struct selection {
    bool states[MQ_STATES];
    bool in_any_state; /* no --state was given: selection_report tells where a message is that is in none of `states` */
    struct selected_id *ids;
    struct selected_id **sorted; /* the same, in byte order */
    size_t id_count, ids_room;
    struct selected_header *headers; /* of --match: all must hold */
    size_t header_count, headers_room;
    bool sent_on;       /* of ready messages only those that are dead letters of another queue */
    int64_t older_than; /* a duration; 0: any */
    uint64_t most;      /* take no more messages than this; 0: no limit */
    bool newest;        /* take the newest first */
    bool all;           /* --all was given: every message is meant; without it the selection must say something */
    bool dry_run;       /* --dry-run was given: change nothing, print the ids */
    uint64_t taken;     /* how many messages were taken */
};

/* Add a state by its name, or "all". False: there is no such state. */
bool selection_parse_state(struct selection *selection, const char *text);

/* Whether any state was added. */
bool selection_has_states(const struct selection *selection);

/* Whether anything but a state was said of the messages that are meant. */
bool selection_has_conditions(const struct selection *selection);

/* Add a condition, in place: `Header: value`, `Header=value`, or `Header`, which is there with any value. False: it is none
   of these. */
bool selection_add_match(struct selection *selection, char *text);

/* Add an id. From then on only messages with one of the added ids are taken. */
void selection_add_id(struct selection *selection, const char *id);

/*
 * Call `act` with each message that the selection takes. If it returns SELECTION_GONE the message was not there any
 * more, and counts as not taken; SELECTION_PASSED: it is there, and counts as not taken; any other value but 0 ends the
 * walk. 0, or a negative errno from the walk or from `act`. The age counts from death for dead letters, else from when
 * the message was sent. A corrupt message has no headers that could match.
 */
#define SELECTION_GONE 2
#define SELECTION_PASSED 3
int selection_browse(struct selection *selection, mq_queue *queue,
                     int (*act)(const struct mq_entry *entry, void *context), void *context);

/* At the end: report each id that no message has, and where it is if it is in another state. STATUS_NOTHING if an id is
   missing, or if no message was taken; STATUS_TRY_LATER if one is in flight and was to be elsewhere. */
int selection_report(struct selection *selection, mq_queue *queue);

#endif
