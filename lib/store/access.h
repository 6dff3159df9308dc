/*
 * Who may do what with a queue, and the modes of its files and directories that follow from it.
 *
 * A queue's sharing is an octal number as of chmod, and speaks of the queue as one thing: a digit each for its owner,
 * its group and all others, made of the rights below. It is not written down anywhere: the modes say it themselves.
 * That an owner can read what others have sent he owes to the queue's group, which every file in it has.
 */
#ifndef MQ_ACCESS_H
#define MQ_ACCESS_H

#include <stdbool.h>
#include <sys/types.h>

#define ACCESS_PRIVATE 0600u

#define ACCESS_LOOK 4u
#define ACCESS_SEND 2u
#define ACCESS_ALL 6u /* both, and to receive, settle, retry, purge and sweep */

enum access_entry {
    ACCESS_QUEUE,   /* the queue's own directory */
    ACCESS_CONFIG,  /* a file */
    ACCESS_DIR,     /* a state's directory, its buckets, and whatever senders have no business with */
    ACCESS_DELAYED, /* the way to the next */
    ACCESS_INBOX,   /* the reserve of delayed/: where those who only send put their messages */
    ACCESS_WORK,    /* tmp/ and waiters/ */
    ACCESS_FILE,    /* a message, the page, what went wrong with a message */
    ACCESS_FIFO,    /* of a receiver that follows */
    ACCESS_BELL,    /* of the receiver that leads: whoever sends rings it */
    ACCESS_ENTRIES
};

/* Whether a number is one that a queue can have. */
bool access_is_valid(unsigned sharing);

static inline bool access_is_shared(unsigned sharing)
{
    return (sharing & 077) != 0;
}

/* Whether there are some who may only send. */
bool access_has_inbox(unsigned sharing);

mode_t access_mode(unsigned sharing, enum access_entry entry);

/* How a queue is shared, and what this process may do. */
int access_read(int queue_dir, unsigned *ret_sharing);
int access_rights(int queue_dir, unsigned *ret_rights);

/* Make a directory of the kind ACCESS_DIR, which nobody ever meets with another mode; in a private queue it is the
   queue's owner's, also where root makes it. */
int access_make_dir(int queue_dir, unsigned sharing, int parent, const char *name);

/* Set the mode of what this process has just made; nothing is done in a queue that is not shared. */
int access_apply(unsigned sharing, enum access_entry entry, int at, const char *name);

#endif
