/* aside/: the directory for what was found in a queue and does not belong there. */
#ifndef MQ_ASIDE_H
#define MQ_ASIDE_H

#include <limits.h>

/* Move a file or directory from the directory `dir` to aside/ of the queue or log whose directory is `home`. If another
   user's directory cannot be moved it is removed, provided that it is empty. 0, or a negative errno; -ENOENT: nothing
   has this name any more. */
int aside_put(int home, int dir, const char *name);

/* Open aside/, which is made if it is not there, and the name that something gets in it. */
#define ASIDE_NAME_SIZE (NAME_MAX + 1)
int aside_open(int home);
void aside_name(const char *name, char ret_name[ASIDE_NAME_SIZE]);

#endif
