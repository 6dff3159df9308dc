/*
 * The directories of a lane: lanes/KEY, its q/, and the buckets in there. lane_name.h has their names.
 *
 *     opened = lane_dir_open(queue_dir, key, &lane);      1; 0: there is no such lane
 *     … lane.dir, and lane.queue, which is -1 if the lane is half gone …
 *     lane_dir_close(&lane);
 *
 * Errors are negative errno values.
 */
#ifndef MQ_LANE_DIR_H
#define MQ_LANE_DIR_H

#include "format/lane_name.h"
#include "store/bucket.h"

struct lane_dir {
    int dir, queue;
};

int lane_dir_open(int queue_dir, const char *key, struct lane_dir *ret_lane);
void lane_dir_close(struct lane_dir *lane);

/* Whether the lane of a generation is there, and is of that one: 0, or one of these. */
#define LANE_DIR_IS 1
#define LANE_DIR_CUT 2 /* and messages may have been taken out of it (lane_cuts.h) */
int lane_dir_is(int queue_dir, const char *generation);

/* The same of a lane that is open, or of which q/ is open. */
int lane_dir_has_gen(const struct lane_dir *lane, const char *generation);
int lane_dir_is_of(int q, const char *generation);

/* The generation of a lane. 1, or 0: it has none, or it is being renamed. */
int lane_dir_read_gen(const struct lane_dir *lane, const char *key, char ret_lane[NAME_LANE_SIZE]);

/* From now on it is LANE_DIR_CUT, and does not rest: open the directory of its cuts, which is made if it is missing.
   -ENOENT: the lane is not of that generation. */
int lane_dir_open_cuts(int queue_dir, unsigned sharing, const struct lane_dir *lane, const char *generation);

/* Open where a message of that position lies, or may lie: its bucket, or q/ itself. -ENOENT: there is no such place. */
int lane_dir_open_bucket(int queue_dir, const char *key, uint64_t position);
int lane_dir_open_queue(int queue_dir, const char *key);

/* Open a message of that position, as fs_open_unchecked does. */
int lane_dir_open_file(int queue_dir, const char *key, uint64_t position, const char *file);

/* How many bytes of the head's file belong to the messages that a token stands for. 0: the file is gone. */
int64_t lane_dir_size(int queue_dir, const struct message_name *token);

/* Open the directory that a message of that position is to be put in: q/ itself as long as it is small, or on a full
   disk; else the bucket, which is made if it is missing. -ENOENT: the lane is gone. */
int lane_dir_open_for(int queue_dir, unsigned sharing, const char *key, uint64_t position, bool *ret_is_queue);

/* Make a lane in tmp/, under the name lane-GENERATION; and remove what was made there. */
int lane_dir_make(int tmp, unsigned sharing, const char *generation);
void lane_dir_unmake(int tmp, const char *name);

/* Remove what is left of a lane without q/, also its name. */
int lane_dir_clear(int queue_dir, const char *key, const struct lane_dir *lane);

/* The same of a lane that is known to be of that generation. */
int lane_dir_clear_of(int queue_dir, const char *key, const struct lane_dir *lane, const char *generation);

/* Make the names of all that leads to the directory `dir` of a lane durable, unless they are known to be. */
int lane_dir_persist(int queue_dir, const char *key, int dir);

/* A message that waits in a lane, as a walk comes to it. */
struct lane_file {
    const char *key;
    const char *file;
    int dir;
    struct message_name name;
};
typedef int lane_visit_fn(void *context, const struct lane_file *file);

/* Visit all messages in a lane, or in all lanes: lane by lane, in order within each. Any value but 0 ends the walk, which
   returns it. What is gone when the walk comes to it is passed over. */
int lane_dir_walk(int queue_dir, const char *key, lane_visit_fn *visit, void *context);
int lane_dir_walk_all(int queue_dir, lane_visit_fn *visit, void *context);

/* The keys of all lanes. */
int lane_dir_list(int queue_dir, struct listing *ret_keys);

#endif
