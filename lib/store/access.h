/*
 * Access: who may do what with a queue, and which modes its files and directories get for that.
 *
 *     error = access_read(queue_dir, &sharing);
 *     error = access_make_dir(queue_dir, sharing, parent, name);
 *     file = fs_make_file(dir, name, access_mode(sharing, ACCESS_FILE));
 *
 * The sharing of a queue is an octal number like the one of chmod, about the queue as a whole: a digit each for its
 * owner, its group and all others, and each digit is one of the rights below. It is stored nowhere: the modes of the
 * queue's directories tell it. All files in a queue have the queue's group. That is how the owner of the queue, as a
 * member of the group, can read the messages of other users.
 *
 * Errors are negative errno values.
 */
#ifndef MQ_ACCESS_H
#define MQ_ACCESS_H

#include <stdbool.h>
#include <sys/types.h>

#define ACCESS_PRIVATE 0600u

#define ACCESS_LOOK 4u
#define ACCESS_SEND 2u
#define ACCESS_ALL 6u /* to look, send, receive, settle, retry, purge and sweep */

enum access_entry {
    ACCESS_QUEUE,   /* the queue's own directory */
    ACCESS_CONFIG,  /* a file */
    ACCESS_DIR,     /* a state's directory, its buckets, and all other directories that senders do not use */
    ACCESS_DELAYED, /* delayed/, through which senders reach the inbox */
    ACCESS_INBOX,   /* the reserve bucket of delayed/, where users who may only send put their messages */
    ACCESS_WORK,    /* tmp/ and waiters/ */
    ACCESS_FILE,    /* a message, the page, the record of a message's failures */
    ACCESS_FIFO,    /* of a receiver that follows */
    ACCESS_BELL,    /* of the receiver that leads: senders write to it */
    ACCESS_TOPIC,   /* a topic's own directory, and its feed/ */
    ACCESS_DRAFTS,  /* feed/tmp/ of a topic */
    ACCESS_TABLES,  /* feed/host/ of a topic */
    ACCESS_TABLE,   /* a file there, which each user has of their own */
    ACCESS_ENTRIES
};

/* Whether a queue can be shared like this. */
bool access_is_valid(unsigned sharing);

static inline bool access_is_shared(unsigned sharing)
{
    return (sharing & 077) != 0;
}

/* Whether there are users who may send and do nothing else. Their messages go to the inbox. */
bool access_has_inbox(unsigned sharing);

mode_t access_mode(unsigned sharing, enum access_entry entry);

/* How a queue is shared, and which of the rights this process has. */
int access_read(int queue_dir, unsigned *ret_sharing);
int access_rights(int queue_dir, unsigned *ret_rights);

/* How a topic is shared. */
int access_read_topic(int topic_dir, unsigned *ret_sharing);

/* Open a directory that was just made to those it is shared with. Its group is set before its mode, and everything that is
   made in it from then on gets that group. MQ_OWN_GROUP: it stays the creator's. */
int access_open_to_others(int dir, unsigned sharing, gid_t group, enum access_entry entry);

/* Whether what exists is shared as wanted: 0, else -EEXIST. `sharing` is how it is shared; any group will do for
   MQ_OWN_GROUP. */
int access_compare(int dir, unsigned sharing, unsigned wanted, gid_t group);

/* Make a directory with the mode of ACCESS_DIR, which it has from the moment when it gets its name. In a private queue
   it belongs to the owner of the queue, even if root makes it. */
int access_make_dir(int queue_dir, unsigned sharing, int parent, const char *name);

/* Set the mode of a file or directory that this process has just made. In a private queue this does nothing. */
int access_apply(unsigned sharing, enum access_entry entry, int at, const char *name);

#endif
