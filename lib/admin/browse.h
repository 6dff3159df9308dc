/* Looking at messages without claiming them. The calls themselves are in mq.h. */
#ifndef MQ_BROWSE_H
#define MQ_BROWSE_H

#include "format/death.h"
#include "queue/queue.h"
#include "store/bucket.h"

/* The file that holds the message of an entry. */
struct browse_place {
    int dir; /* its bucket; the caller closes it */
    char file[NAME_SIZE];
    struct message_name name;
};

/* What a file of a walk says of a message. */
struct browse_entry {
    struct mq_entry entry; /* its texts lie in the file's and the message's name, and here */
    char reason[NAME_REASON_SIZE];
};
void browse_describe(const mq_queue *queue, const struct bucket_file *file, const struct message_name *name,
                     struct browse_entry *ret_entry);

/* Call `each` for one message of a file that is open. */
int browse_show_one(mq_queue *queue, const struct bucket_file *file, int opened, const struct message_name *name,
                    int (*each)(const struct mq_entry *entry, void *context), void *context);

/* Call `each` for each message of a file. What it returns ends the walk. */
int browse_show(mq_queue *queue, const struct bucket_file *file,
                int (*each)(const struct mq_entry *entry, void *context), void *context);

/* Find the file that holds the message of an entry now. Since the entry was made, other messages may have been taken
   off that file. 1: found; 0: the message is not there any more; or a negative errno. */
int browse_find(mq_queue *queue, const struct mq_entry *entry, struct browse_place *ret_place);

/* Open the file that holds the message of an entry, maybe with others; `ret_name` is for the message alone. 1: the caller
   closes `ret_file`, and looks with fstat whether it is a regular file before it uses it; 0: the message is not there
   any more; or a negative errno. */
int browse_open(mq_queue *queue, const struct mq_entry *entry, struct message_name *ret_name, int *ret_file);

#endif
