/* mq-queue create --mode --group: queues that several users share. */
#ifndef SHARING_H
#define SHARING_H

#include <argp.h>
#include <sys/types.h>

struct sharing {
    unsigned mode; /* 0: not given */
    gid_t group;
    const char *group_name;
};
#define SHARING_NONE                                                                                                   \
    {                                                                                                                  \
        0, MQ_OWN_GROUP, NULL                                                                                          \
    }

/* Take the argument of an option, or end the program if it is malformed. */
void sharing_set_mode(struct sharing *sharing, const struct argp_state *state, const char *text);
void sharing_set_group(struct sharing *sharing, const struct argp_state *state, const char *text);

/* Make the queue with this mode and group. It is no error if it exists with both. Returns an exit status. */
int sharing_create(const struct sharing *sharing, const char *queue);

/* Report what became of making a queue or topic that is shared so, and warn if others cannot come to it. */
int sharing_conclude(const struct sharing *sharing, const char *name, const char *kind, int created);

#endif
