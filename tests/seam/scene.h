/*
 * Scenes: what can be done with a queue, each with what it finds there.
 *
 * An operation is staged in a spool of its own, beside messages that it is not about; then it acts, once or again.
 * What the queues hold is told by the bodies of the messages.
 */
#ifndef SCENE_H
#define SCENE_H

#include <stdbool.h>
#include <stddef.h>

#include "mq.h"

#define SCENE_MESSAGES 64

struct scene {
    char spool[80];
    mq_queue *queue, *other; /* the second is opened by those who need it */
    char receipt[MQ_RECEIPT_SIZE];
    int file; /* -1, or what a lock is on, or a body is read from */
    size_t sent;
    mq_batch *batch;
    mq_message *message;
};

/* What an operation returns that saw that what it was told is not so. */
#define OPERATION_LIED (-4095)

#define OPERATION_WHOLE 0u
#define OPERATION_STEPS 1u     /* of several, some of which may be done when it fails */
#define OPERATION_REMOVES 2u   /* whatever it finds, also what comes meanwhile */
#define OPERATION_BY_OUTBOX 4u /* a message that it moves may lie in a transaction until a sweep finishes that */

struct operation {
    const char *name;
    void (*stage)(struct scene *);
    int (*act)(struct scene *); /* negative: it failed */
    unsigned kind;              /* OPERATION_… */
    int again;                  /* what it may return besides 0 or more when it is done again after a failure */
};

extern const struct operation operations[], lane_operations[];
extern const size_t operations_count, lane_operations_count;

/*
 * Which calls of an operation are tried: every so many, `stride`, each run others; all of them if the command line names an
 * operation, or if the environment's variable says "all". The first is counted from 1.
 */
unsigned scene_stride(unsigned stride, int argument_count, const char *variable);
unsigned scene_first_call(unsigned stride);

/* Try each operation, or with a name only that one, in as many processes as there are processors. `try` returns how many
   expectations failed. Returns whether none did. */
bool scene_each_operation(const char *only, int (*try)(const struct operation *operation));

/* A message somewhere in a queue. */
struct placed {
    char body[24];
    uint64_t size;
    enum mq_state state;
};

struct content {
    struct placed all[SCENE_MESSAGES];
    size_t count;
};

void scene_begin(struct scene *ret_scene, const struct operation *operation);
void scene_end(struct scene *scene);

/* Days later: what a deletion had taken out of sight and could not put back is a queue again. */
void scene_sweep_spool(const struct scene *scene);

/* What lies in the scene's queues once they are swept, by handles of its own. */
void scene_read(const struct scene *scene, struct content *ret_content);

/* How often the content has a message. */
size_t content_count(const struct content *content, const struct placed *message);
const struct placed *content_find(const struct content *content, const struct placed *message);

/* That the queue is sound, takes a message and gives what is ready, once. NULL, or what is wrong. */
const char *scene_problem(const struct scene *scene);

/* How many files this process has open. */
size_t scene_descriptors(void);

#endif
