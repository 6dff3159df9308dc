/*
 * The host page: one 4 KiB file per host and queue, mapped shared, changed only by atomic
 * operations; the only atomics are in here. It holds positions, hints and counters.
 *
 * The page is a hint, never the truth: whoever believes it must lose nothing where it is stale or
 * noise. What a wrong word costs: a position, order; a head, a listing of ready/; a time, a
 * listing of that directory a second later; a leader, a second's delay; a counter, a wrong figure until the next sweep.
 *
 *     page_open()           a good page of this boot, or not
 *     page_create() … page_install()   a new one, once the caller has filled it from the directories
 *     page_is_current()     before each use in a process that lives long
 */
#ifndef MQ_PAGE_H
#define MQ_PAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "format/name.h"
#include "mq.h"

struct page;

#define PAGE_NAME_SIZE 72
#define PAGE_NO_BUCKET UINT64_MAX

/* A bucket takes so many files: few enough that listing it is cheap, many enough that making it is. */
#define PAGE_BUCKET_FILES 256

/* The file name of this host's page in host/: the machine id, or the host's name where there is none. */
void page_host_name(char ret_name[PAGE_NAME_SIZE]);

/* Map the page. 1 done; 0 there is none, or it is of another boot, short or noise. */
int page_open(int queue_dir, const char *host_name, struct page **ret_page);

/* The same, to look at: nothing that is done to it is seen by others. */
int page_open_to_look(int queue_dir, const char *host_name, struct page **ret_page);

/* Map another host's page, of whichever boot, to read its counters. 1 done, 0 it cannot be read. */
int page_open_foreign(int queue_dir, const char *host_name, struct page **ret_page);

/* A new page: in a fresh file of tmp/ with that mode, or where that cannot be, in this process's memory alone. */
int page_create(int queue_dir, mode_t mode, struct page **ret_page);
int page_create_private(struct page **ret_page);

/* Give a created page the host's name. A page that others made in the meantime wins: 0, and 1 where ours is
   installed. Where a directory lies in its place the page stays private. */
int page_install(struct page *page, int queue_dir, const char *host_name);

/* Drop a created page that could not be filled. */
void page_discard(struct page *page, int queue_dir);

void page_close(struct page *page);

/* Whether the mapping is still the file that others use, whole and sane. */
bool page_is_current(const struct page *page);

/* Whether the page's file is seen to lie in the queue that has this name in the spool of `queue_dir`. The file has one
   name, so then `queue_dir` is that queue. False also where this cannot be seen. */
bool page_lies_in(const struct page *page, int queue_dir, const char *queue, const char *host_name);

/* Whether it is private to this process. */
bool page_is_private(const struct page *page);

/* Whether that is so since a directory lies in its place. */
bool page_is_displaced(const struct page *page);

/* Whether its file is its owner's alone: then so is the queue. */
bool page_is_exclusive(const struct page *page);

/* ---- positions ------------------------------------------------------------------ */

/* The next `count` positions of a priority, up to NAME_COUNT_MAX, in one bucket: the first of them. Strictly
   increasing however the clock steps. */
uint64_t page_next_positions(struct page *page, int priority, unsigned count, int64_t now);

/* The last one given out; 0 for none. */
uint64_t page_last_position(const struct page *page, int priority);

/* Make sure that the next position is behind this one. */
void page_raise_position(struct page *page, int priority, uint64_t position);

/* ---- heads: the first bucket of a priority that may hold something -------------- */

uint64_t page_head(const struct page *page, int priority);

/* How often something was put into a priority: equal counts mean that nothing came in between. */
uint64_t page_arrivals(const struct page *page, int priority);

/* How often something came back to an old place, in any priority. */
uint64_t page_returns(const struct page *page);

/* How often a file of ready/ was about to get another name, because its first message was split off. */
uint64_t page_splits(const struct page *page);
void page_note_split(struct page *page);

/* A message now lies in this bucket. */
void page_note_arrival(struct page *page, int priority, uint64_t birth, bool returned);

/* A listing that began at `arrivals` found `birth` (or PAGE_NO_BUCKET) to be the head, where `head` was the hint.
   What arrived during the listing is not lost sight of: then the old hint stays. */
void page_move_head(struct page *page, int priority, uint64_t head, uint64_t birth, uint64_t arrivals);

/* ---- times: when a directory ordered by time must be looked at ------------------ */

enum page_time { PAGE_DUE, PAGE_DEADLINE, PAGE_BURIAL, PAGE_TIMES };

/* When; never more than PAGE_LOOK_EVERY from now, so that what a killed process did not announce is found too. */
#define PAGE_LOOK_EVERY INT64_C(1000000)
int64_t page_time(const struct page *page, enum page_time which, int64_t now);

/* Something happens at `moment`. True: that is before anybody meant to look. */
bool page_announce(struct page *page, enum page_time which, int64_t moment, int64_t now);

/* Take the duty of looking: true for one caller, others skip it for PAGE_LOOK_EVERY (should he die, they find it
   then). */
bool page_take_duty(struct page *page, enum page_time which, int64_t now);

/* Take the duty of counting a queue that seems full. */
bool page_take_recount(struct page *page, int64_t now);

/*
 * Whether transactions may have to be finished. A process that puts something of this queue into a transaction announces
 * that first. From then on one process a second looks into the outbox, until two looks in a row have found nothing.
 */
void page_announce_outbox(struct page *page, int64_t now);

/* When the next look is wanted. INT64_MAX: none is. PAGE_OUTBOX_UNKNOWN: no process has looked since the page was made. */
#define PAGE_OUTBOX_UNKNOWN 2
int64_t page_outbox_time(const struct page *page);

/* Take the duty of looking, if a look is due: true for one caller. `ret_duty` is for page_end_outbox. */
bool page_take_outbox(struct page *page, int64_t now, uint64_t *ret_duty);

/* Say whether the look found any transactions. */
void page_end_outbox(struct page *page, uint64_t duty, bool any);

/* ---- receivers that wait: whether a sender has to ring ---------------------------- */

/* The number of the receiver that leads those that wait, 0 for none. A wrong 0 costs a message the time until a
   receiver looks by itself, a wrong number costs a sender a look into waiters/. */
uint64_t page_leader(const struct page *page);

/* The receiver that holds the lock of waiters/ sets its number, then looks for messages; it sets 0 before it drops the
   lock. */
void page_set_leader(struct page *page, uint64_t leader);

/* That leader is dead; one that has come after it stays. */
void page_forget_leader(struct page *page, uint64_t leader);

/* How many receivers followed the leader when they were last counted. */
uint64_t page_followers(const struct page *page);
void page_set_followers(struct page *page, uint64_t followers);

/* ---- counters ------------------------------------------------------------------- */

enum page_counter {
    PAGE_SENT,
    PAGE_DELIVERED,
    PAGE_REDELIVERED,
    PAGE_ACKED,
    PAGE_RETRIED,
    PAGE_FAILED,
    PAGE_DUPLICATES,
    PAGE_EXPIRED,
    PAGE_DIED,
    PAGE_DEATHS, /* by their cause: PAGE_DEATHS + enum mq_death */
    PAGE_COUNTERS = PAGE_DEATHS + MQ_DEATHS
};

void page_count(struct page *page, enum page_counter counter, uint64_t number);
uint64_t page_counter(const struct page *page, enum page_counter counter);

/* Messages in a state, on balance of what this host did: one host's alone may be negative. Returns the new one. */
int64_t page_add_messages(struct page *page, enum mq_state state, int64_t change);
int64_t page_messages(const struct page *page, enum mq_state state);
void page_add_bytes(struct page *page, int64_t change);
int64_t page_bytes(const struct page *page);

/* Of such numbers: they come round as in the page, whose noise must not overflow. */
static inline int64_t page_sum(int64_t one, int64_t other)
{
    return (int64_t)((uint64_t)one + (uint64_t)other);
}
static inline int64_t page_difference(int64_t one, int64_t other)
{
    return (int64_t)((uint64_t)one - (uint64_t)other);
}

/* ---- averages: the growth of counters over the last minutes --------------------- */

enum page_rate { PAGE_RATE_SENT, PAGE_RATE_ACKED, PAGE_RATE_FAILED, PAGE_RATES };

/*
 * Bring the averages up to `now`. page_count does it before it counts, but nobody within PAGE_AVERAGE_EVERY of the
 * last one; so what is counted since the time stamp was counted within that time behind it, however long ago that is.
 * Who sets the time stamp by compare-and-swap has the duty. Should he be killed in the middle, what he did not count
 * is counted by the next; should he be stopped and wake behind the next, an average is wrong until it decays.
 */
#define PAGE_AVERAGE_EVERY INT64_C(5000000)
void page_average(struct page *page, int64_t now);

/* What an average is by `now`, in messages a second: for looking, it changes nothing. */
double page_rate(const struct page *page, enum page_rate which, enum mq_span span, int64_t now);

/* ---- for how long messages are held, from claim to ack -------------------------- */

void page_note_held(struct page *page, int64_t held, uint64_t number);
uint64_t page_held(const struct page *page, int bucket);
uint64_t page_held_total(const struct page *page);

#endif
