/*
 * Root, with the rights of another user in the file system for a while.
 *
 *     struct as_user self;
 *     error = as_user_begin(uid, &self);
 *     …                                        what this thread does with files, it does with that user's rights
 *     as_user_end(&self);                      if begun
 *
 * Only the calling thread changes. Errors are negative errno values; after one nothing has changed.
 */
#ifndef MQ_AS_USER_H
#define MQ_AS_USER_H

#include <sys/types.h>

struct as_user {
    uid_t uid;
    gid_t gid;
    gid_t *groups;
    int group_count;
};

/* -EPERM: this process is not root, or would keep root's capabilities. -ENOENT: nobody knows the groups of that user. */
int as_user_begin(uid_t uid, struct as_user *ret_self);
void as_user_end(struct as_user *self);

#endif
