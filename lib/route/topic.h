/*
 * Topics on disk: SPOOL/NAME/ with `bindings`, `settings` where they are not the defaults, and feed/tmp/, where what is
 * sent to it is written.
 */
#ifndef MQ_TOPIC_H
#define MQ_TOPIC_H

#include "base/fs_hosts.h"
#include "route/route.h"
#include "store/layout.h"

#define TOPIC_BINDINGS LAYOUT_TOPIC
#define TOPIC_FEED "feed"
#define TOPIC_SETTINGS "settings"

/* Open the directory of a topic, as a passage if this process may not list it. -ENOENT: there is no such topic, perhaps
   a queue of that name. */
int topic_open_dir(int spool, const char *name);

/* The same by the path of the spool, which is opened too, for the caller to close. -EINVAL: no name of a topic. */
int topic_open_at(const char *spool_path, const char *name, int *ret_spool);

/* The same with a flock(2): while any process holds LOCK_SH the topic is not deleted. A process that holds one takes no
   other topic's. -EBADF: it is a topic of another user, which this one may not lock. */
int topic_hold(int spool, const char *name, int lock);

/* Make the directories of a topic that are missing, since a cleaner has removed them while they were empty. */
int topic_heal(int dir);

/* Open its feed/, which is made again if a cleaner has removed it. A process that changes the topic's files locks it. */
int topic_open_feed(int dir);

/* Whether the name is a topic's: 1, 0, or why that cannot be told. */
int topic_is(int spool, const char *name);

/* The files of a topic as they were when they were read. They are replaced, never changed; while one is open no other gets
   its number. */
struct topic_files {
    int bindings, settings; /* open; -1: there was none */
};

/* Note which files there are, before they are read. */
int topic_note_files(int dir, struct topic_files *ret_files);
void topic_forget_files(struct topic_files *files);

/* Replace one of its files at once, and on the disk: a process that reads it finds the old text or the new one. `guard`: the
   file as it was under the lock; NULL: the topic is being made. -EAGAIN: this host has lost the lock. */
int topic_write_file(int dir, int feed, const char *name, const char *text, size_t size, const struct fs_guard *guard);

/* Whether the topic still has these files: 1, 0, or a negative errno. */
int topic_has_files(int spool, const char *name, const struct topic_files *files);

/* Read its bindings. -EBADMSG: they are malformed; the problem names the line. */
int topic_read_bindings(int dir, struct bindings *ret_bindings, char ret_problem[BINDINGS_PROBLEM_SIZE]);

/* Read its settings, all but the bindings. -EBADMSG: malformed. */
int topic_read_config(int dir, struct route_topic *topic);

/* Both. -EBADMSG: one of them is malformed; mq_topic_explain says which. */
int topic_read(int dir, struct bindings *ret_bindings, struct route_topic *topic);

/* The whole of a file, with a NUL behind it, which the caller frees. */
int topic_read_file(int dir, const char *name, char **ret_text, size_t *ret_size);

#endif
