/*
 * Slots and marks of sending once: which ids were sent within the dedup-window (mq-spool(5), "Send once").
 *
 *     error = sent_slots_new(queue_dir, sharing, &slots);
 *     error = sent_slots_current(slots, config, &slot);
 *     … look for marks in slot.number - 1 and slot.number, make one in slot.number …
 *     if (sent_slots_is_current(slots, &slot) == 1) …
 *
 * One file says by its name which slot is current and until when. Its rename begins the next slot; no clock decides. What
 * was found or made while a slot was current, as was seen afterwards, is known to every sender in the slots that follow.
 *
 * Calls return a negative errno for an error. -ENOENT: the queue was deleted, or lacks a part. A queue in which nothing
 * was ever sent once has none of this.
 */
#ifndef MQ_SENT_SLOTS_H
#define MQ_SENT_SLOTS_H

#include "format/sent_name.h"
#include "store/config.h"
#include "store/shared_clock.h"

struct sent_slots;

/* This opens nothing yet. `queue_dir` and the clock by which slots begin and end stay the caller's. */
int sent_slots_new(int queue_dir, unsigned sharing, const struct shared_clock *clock, struct sent_slots **ret_slots);
void sent_slots_free(struct sent_slots *slots);

/* The current slot. The first one is made, and the next one begun if it is time for that. */
int sent_slots_current(struct sent_slots *slots, const struct config *config, struct sent_slot *ret_slot);

/* Whether a slot is still the current one, also by the clock: 1 or 0. */
int sent_slots_is_current(struct sent_slots *slots, const struct sent_slot *slot);

/* The queue's tmp/, open once a slot is known. */
int sent_slots_tmp(const struct sent_slots *slots);

/* What a mark says: 1, or 0 if there is none. -EBADMSG: it is no mark. */
int sent_slots_read_mark(struct sent_slots *slots, int64_t number, const char *mark,
                         char ret_says[SENT_NAME_DRAFT_SIZE]);

/* -EEXIST: there is one. */
int sent_slots_make_mark(struct sent_slots *slots, int64_t number, const char *mark, const char *says);

/* The same, of one of several marks that say the same. `like` is such a mark of this slot, or empty; it gets the name of one.
   All of them are names of one file, as far as the file system allows, which costs less than a file each. */
int sent_slots_make_mark_like(struct sent_slots *slots, int64_t number, const char *mark, const char *says,
                              char like[SENT_NAME_MARK_SIZE]);

/* Make the marks of a slot durable, on a file system that keeps no order. */
int sent_slots_persist(struct sent_slots *slots, int64_t number);

/* Remove what is of no use any more: all of it, or now and then a part of it in passing, as a random number says, by a process
   that has made so many marks. The latter also begins a slot that spreads its marks if this one has too many for a directory. */
int sent_slots_sweep(struct sent_slots *slots, const struct config *config, uint64_t *removed);
void sent_slots_sweep_some(struct sent_slots *slots, const struct config *config, uint64_t made, uint64_t random);

#endif
