/*
 * The host page: positions, hints and counters of a queue, which all processes of one host share. It is a file of 4 KiB
 * in the queue's directory host/, mapped into memory and changed only by atomic operations.
 *
 *     if (page_open(queue_dir, host_name, &page) != 1) {
 *         error = page_create(queue_dir, mode, &page);
 *         … count the messages in the directories and fill the page; if that fails: page_discard(page, queue_dir) …
 *         installed = page_install(page, queue_dir, host_name);      0: another process was first; open its page
 *     }
 *     position = page_next_positions(page, priority, 1, now);
 *     …
 *     if (!page_is_current(page))                              before each operation, in a process that lives long
 *         … open it again …
 *     page_close(page);
 *
 * Errors. Opening a page returns 1, or 0 if there is no such page. Installing it returns 1, 0 if another process was
 * first, or a negative errno. Making a page only fails with -ENOMEM: if the file cannot be made it is in this process's
 * memory, which serves one process as well. All other calls cannot fail.
 *
 * The page is a hint and never the truth. A process that believes it loses no message, even if the page is out of date
 * or holds noise. A wrong position costs the order; a wrong head, one listing of ready/; a wrong time, a listing that
 * comes a second late; a wrong leader, a delay of a second; a wrong counter, a wrong figure until the next sweep.
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

/* ---- the file ------------------------------------------------------------------- */

/* How many files a bucket takes: so few that it is cheap to list, and so many that buckets are made seldom. */
#define PAGE_BUCKET_FILES 256

/* The file name of this host's page in host/: the machine id, or the host's name if it has no machine id. */
void page_host_name(char ret_name[PAGE_NAME_SIZE]);

/* Map the page. 1: done. 0: there is none, or it was made before the last boot, is too short, or is noise. */
int page_open(int queue_dir, const char *host_name, struct page **ret_page);

/* The same for the page of this host. If that belongs to another mount of the file system, `host_name` becomes the name of
   this mount's. */
int page_open_own(int queue_dir, char host_name[PAGE_NAME_SIZE], struct page **ret_page);

/* The same for a process that may only look. Other processes see none of its changes. */
int page_open_to_look(int queue_dir, const char *host_name, struct page **ret_page);

/* Map another host's page, of any boot, to read its counters. 1: done; 0: it is none that this process may read; a negative
   errno: that is not known, for want of descriptors or memory, or since the disk fails. */
int page_open_foreign(int queue_dir, const char *host_name, struct page **ret_page);

/* Make a page as it is in an empty queue: in a new file in tmp/, or if that is not possible in this process's memory.
   0, or -ENOMEM. */
int page_create(int queue_dir, mode_t mode, struct page **ret_page);
int page_create_private(struct page **ret_page);

/* Give a new page the name of the host. 1: done. 0: another process has installed a page meanwhile. If a directory has
   that name the page becomes private, and the call returns 1. */
int page_install(struct page *page, int queue_dir, const char *host_name);

/* Remove a new page that could not be filled. */
void page_discard(struct page *page, int queue_dir);

void page_close(struct page *page); /* NULL is fine */

/* Whether the mapped file still has its name and its size, and looks like a page. */
bool page_is_current(const struct page *page);

/* Whether the page's file lies in the queue that has this name, in the spool of `queue_dir`. The file has only one
   name, so `queue_dir` is that queue then. False also if this cannot be known. */
bool page_lies_in(const struct page *page, int queue_dir, const char *queue, const char *host_name);

/* Whether the page is in this process's memory alone. */
bool page_is_private(const struct page *page);

/* Whether that is so because a directory has the name of the page. */
bool page_is_displaced(const struct page *page);

/* Whether only its owner may use the file. Then the queue is private, too. */
bool page_is_exclusive(const struct page *page);

/* ---- the file system, and its time ------------------------------------------------ */

/*
 * Whether the page lies on a file system that several hosts may share. It is asked for once, when the page is made, and
 * noted in the page: so no process has to ask again. PAGE_UNKNOWN: it was not noted, as in a private page.
 *
 * Two mounts of one such file system on one host do not see at once what is written to the page through the other. So
 * the page belongs to the mount that it was made through, and any other mount has a page of its own (page_open_own).
 */
enum page_mount { PAGE_UNKNOWN, PAGE_LOCAL, PAGE_NETWORK };
enum page_mount page_mount(const struct page *page);
int page_note_mount(struct page *page, int queue_dir); /* 0, or a negative errno: nothing is noted */

/* The time of the file system as it was last read on this host: at the moment `boot` by clock_boot(), when the wall clock
   was at `real`. False: it was not read, or the page holds noise. */
struct page_clock {
    int64_t time, boot, real;
};
bool page_clock(const struct page *page, struct page_clock *ret_clock);
void page_note_clock(struct page *page, const struct page_clock *clock);

/* ---- positions ------------------------------------------------------------------ */

/* Give out the next `count` positions of a priority (at most NAME_COUNT_MAX), all in one bucket. Returns the first.
   Positions increase strictly, even if the clock is set back. */
uint64_t page_next_positions(struct page *page, int priority, unsigned count, int64_t now);

/* The last position that was given out; 0: none. */
uint64_t page_last_position(const struct page *page, int priority);

/* Make sure that the next position is behind this one. */
void page_raise_position(struct page *page, int priority, uint64_t position);

/* ---- heads ---------------------------------------------------------------------- */

/* The birth of the first bucket of a priority that may hold something; PAGE_NO_BUCKET: none does. */
uint64_t page_head(const struct page *page, int priority);

/* How often a message was put into a priority. If the count is the same at two moments, none came between them. */
uint64_t page_arrivals(const struct page *page, int priority);

/* How often a message came back to an old position, in any priority. */
uint64_t page_returns(const struct page *page);

/* How often a process was about to rename a file in ready/ because its first message was split off. */
uint64_t page_splits(const struct page *page);
void page_note_split(struct page *page);

/* How often a change of the configuration was announced that is not to wait for the next reading. */
uint64_t page_configured(const struct page *page);
void page_note_configured(struct page *page);

/* A message lies in this bucket now. `returned`: it may have an old position. */
void page_note_arrival(struct page *page, int priority, uint64_t birth, bool returned);

/* Correct a head. A listing found `birth` (or PAGE_NO_BUCKET) where the page said `head`; `arrivals` is the count of
   arrivals when the listing began. If a message arrived during the listing, the old head stays. */
void page_move_head(struct page *page, int priority, uint64_t head, uint64_t birth, uint64_t arrivals);

/* ---- times: when a process must look into a directory that is ordered by time ----- */

/* For delayed messages that become due, claims that lapse, and dead letters whose dead-ttl passes. */
enum page_time { PAGE_DUE, PAGE_DEADLINE, PAGE_BURIAL, PAGE_TIMES };

/* The time of the next look. It is at most PAGE_LOOK_EVERY from now, so that a look also finds what a process did not
   announce because it was killed. */
#define PAGE_LOOK_EVERY INT64_C(1000000)
int64_t page_time(const struct page *page, enum page_time which, int64_t now);

/* A look is necessary at `moment`. True: that is sooner than the next look was to be. */
bool page_announce(struct page *page, enum page_time which, int64_t moment, int64_t now);

/* Take the duty of looking, if a look is due. True for one caller; the others leave it to that one for PAGE_LOOK_EVERY.
   If it dies, the next look is then. */
bool page_take_duty(struct page *page, enum page_time which, int64_t now);

/* The same for the duty of counting a queue that seems full. */
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

/* A lane of an ordered queue rests until `deadline` (lane_rest.h); and whether one may be at rest now. */
void page_note_rest(struct page *page, int64_t deadline);
bool page_has_rest(const struct page *page, int64_t now);

/* ---- receivers that wait: whether a sender has to ring ---------------------------- */

/* The number of the receiver that leads the waiting ones; 0: none. A wrong 0 delays a message until a receiver looks by
   itself. A wrong number costs a sender one look into waiters/. */
uint64_t page_leader(const struct page *page);

/* The receiver that holds the lock of waiters/ sets its number, then looks for messages; it sets 0 before it drops the
   lock. */
void page_set_leader(struct page *page, uint64_t leader);

/* This leader is dead. The number of a later leader stays. */
void page_forget_leader(struct page *page, uint64_t leader);

/* How many receivers followed the leader when they were last counted. 0: there is none. */
uint64_t page_followers(const struct page *page);
void page_set_followers(struct page *page, uint64_t followers);

/* One more follows. page_forget_followers says that there is none, unless one was noted since page_followed. */
void page_note_follower(struct page *page);
uint64_t page_followed(const struct page *page);
void page_forget_followers(struct page *page, uint64_t followed);

/* ---- counters ------------------------------------------------------------------- */

enum page_counter {
    PAGE_SENT,
    PAGE_DELIVERED,
    PAGE_REDELIVERED,
    PAGE_ACKED,
    PAGE_RETRIED,
    PAGE_FAILED,
    PAGE_DUPLICATES,
    PAGE_DROPPED,
    PAGE_EXPIRED,
    PAGE_DIED,
    PAGE_DEATHS, /* by their cause: PAGE_DEATHS + enum mq_death */
    PAGE_COUNTERS = PAGE_DEATHS + MQ_DEATHS
};

void page_count(struct page *page, enum page_counter counter, uint64_t number);
uint64_t page_counter(const struct page *page, enum page_counter counter);

/* Messages in a state, and bytes in the queue: what processes of this host added less what they removed. The sum over
   all hosts counts; one host's number may be negative. page_add_messages returns the new number. */
int64_t page_add_messages(struct page *page, enum mq_state state, int64_t change);
int64_t page_messages(const struct page *page, enum mq_state state);
void page_add_bytes(struct page *page, int64_t change);
int64_t page_bytes(const struct page *page);

/* Bytes of what is ready or delayed. While max-bytes is not set, messages that are claimed are not taken off, and those
   that come back are not added, because their sizes are not known: then the number is too high, never too low. */
void page_add_waiting(struct page *page, int64_t change);
int64_t page_waiting(const struct page *page);

/*
 * Take `amount`, which is about to be dropped, off this number if the number is over its limit; with `below` also if it is
 * less than the limit then. `elsewhere` is what else counts towards the limit. True for as many callers as there is
 * excess for, and no more, so that processes that drop at the same moment do not drop too much.
 */
struct page_excess {
    int64_t elsewhere, limit, amount;
    bool below;
};
bool page_take_excess_messages(struct page *page, enum mq_state state, const struct page_excess *excess);
bool page_take_excess_waiting(struct page *page, const struct page_excess *excess);

/* The sum and the difference of such numbers. They wrap around, as the words of the page do, since
   noise must not overflow. */
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
 * Bring the averages up to `now`. page_count calls this before it counts, and it does nothing within PAGE_AVERAGE_EVERY
 * of the last time. So everything that was counted since the time stamp was counted within PAGE_AVERAGE_EVERY after it.
 *
 * The process that sets the time stamp, by compare-and-swap, does the work. If it is killed halfway, the next one
 * counts what it left. If it is stopped and goes on after the next one, an average is wrong until it decays.
 */
#define PAGE_AVERAGE_EVERY INT64_C(5000000)
void page_average(struct page *page, int64_t now);

/* An average at the moment `now`, in messages a second. This changes nothing. */
double page_rate(const struct page *page, enum page_rate which, enum mq_span span, int64_t now);

/* ---- how long messages are held, from claim to ack -------------------------------- */

void page_note_held(struct page *page, int64_t held, uint64_t number);
uint64_t page_held(const struct page *page, int bucket);
uint64_t page_held_total(const struct page *page);

#endif
