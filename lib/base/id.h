/* Ids and random numbers. */
#ifndef MQ_ID_H
#define MQ_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ID_UUID_SIZE 37

/* A version 7 UUID (RFC 9562 §5.7): the moment in milliseconds, then 74 random bits. */
void id_make(int64_t moment, char ret_id[ID_UUID_SIZE]);

/*
 * Many ids for one getrandom: each is the previous one plus one, so they sort in the order in which they were made
 * (RFC 9562 §6.2, method 2).
 *
 *     struct id_series series = id_series(now);
 *     id_next(&series, id);
 */
struct id_series {
    uint64_t high, low;
};
struct id_series id_series(int64_t moment);
void id_next(struct id_series *series, char ret_id[ID_UUID_SIZE]);

/*
 * Ids for the messages that one handle sends, one after the other, for few calls of getrandom.
 *
 *     struct id_source source = {0};
 *     id_make_of(&source, now, id);
 *     id_source_free(&source);
 *
 * What it keeps lies in memory that is empty in a child of fork(2), so that parent and child do not make the same ids.
 */
struct id_source {
    struct id_series *kept; /* NULL: nothing is */
    bool used, keeps_nothing;
};
void id_make_of(struct id_source *source, int64_t moment, char ret_id[ID_UUID_SIZE]);
void id_source_free(struct id_source *source);

/* Whether text has the form of an id that id_next made. */
bool id_is_in_series(const char *text);

/* The id that comes `steps` after `id` in its series, or before it if `steps` is negative. */
void id_step(const char *id, int64_t steps, char ret_id[ID_UUID_SIZE]);
void id_increment(char id[ID_UUID_SIZE]); /* one step, in place, fast */

/* How many steps `id` comes after `first`. UINT64_MAX: they are of different series. */
uint64_t id_distance(const char *first, const char *id);

/* Whether text is an id: [A-Za-z0-9_-]{1,64}. */
bool id_is_valid(const char *text);

/* 64 random bits, so many that no number comes twice in practice. */
uint64_t id_random(void);

/* The same without a system call, from one of `series`, which begins as 0. What the number is for goes into it: `moment`
   and `about`. So two processes that have the same series since a fork do not make the same numbers. */
uint64_t id_random_of(uint64_t *series, int64_t moment, uint64_t about);

/* A number that only this one leads to. */
uint64_t id_random_after(uint64_t number);

#endif
