/*
 * The lanes of a queue that a deleter holds (held.h): removing them, and moving their messages to the new queue of the
 * name. Errors are negative errno values.
 */
#ifndef MQ_HELD_LANES_H
#define MQ_HELD_LANES_H

/* Remove the lanes without messages, and lanes/. -ENOTEMPTY: there is a message. */
int held_lanes_remove(int queue_dir);

/* Move what the lanes hold, in the order of each. A new queue that is ordered gets it in lanes, another one among its
   messages. The claims of the groups end by that. Heads that are settled end as their tokens say. */
int held_lanes_transfer(int from_queue, int to_queue, unsigned to_sharing);

#endif
