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

/* What an option says, or the end of the program. */
void sharing_set_mode(struct sharing *sharing, const struct argp_state *state, const char *text);
void sharing_set_group(struct sharing *sharing, const struct argp_state *state, const char *text);

/* Make the queue so, or find that it is there and so, or report why not. */
int sharing_create(const struct sharing *sharing, const char *queue);

#endif
