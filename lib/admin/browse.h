/* Looking at messages without claiming them. The calls themselves are in mq.h. */
#ifndef MQ_BROWSE_H
#define MQ_BROWSE_H

#include "queue/queue.h"

/* The file that holds the message of an entry. */
struct browse_place {
    int dir; /* its bucket; the caller closes it */
    char file[NAME_SIZE];
    struct message_name name;
};

/* Find the file that holds the message of an entry now. Since the entry was made, other messages may have been taken
   off that file. 1: found; 0: the message is not there any more; or a negative errno. */
int browse_find(mq_queue *queue, const struct mq_entry *entry, struct browse_place *ret_place);

/* Open the file that holds the message of an entry, maybe with others; `ret_name` is for the message alone. 1: the caller
   closes `ret_file`; 0: the message is not there any more; or a negative errno. */
int browse_open(mq_queue *queue, const struct mq_entry *entry, struct message_name *ret_name, int *ret_file);

#endif
