/*
 * The chain of a log's entries: where it begins, where it ends, and which entry an offset is in. Nothing here changes
 * anything.
 *
 *     error = chain_beginning(dir, &offset);
 *     error = chain_locate(dir, offset, &place);
 *     switch (place.kind) … place.file …
 *     chain_leave(&place);
 *
 * `dir` is the directory of the log. An entry that does not parse is corrupt: it reaches to the next name, and if it is the
 * last one it takes one offset. What is no name of the grammar is passed over.
 *
 * Errors are negative errno values. -EUCLEAN: the log lacks a part, or something else has the name of one.
 */
#ifndef MQ_CHAIN_H
#define MQ_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/log_entry.h"

/* Numbers in ascending order. Zeroed at first; reading again reuses its memory. */
struct chain_list {
    uint64_t *list;
    size_t count, room;
};
void chain_list_free(struct chain_list *list);

int chain_beginning(int dir, uint64_t *ret_offset);

/* The numbers of the buckets, also of those without entries. */
int chain_list_buckets(int dir, struct chain_list *ret_buckets);

/* The entries of a bucket. -ENOENT: it is not in the log, or was taken out of it meanwhile. */
int chain_list_entries(int dir, uint64_t bucket, struct chain_list *ret_entries);

/* Open an entry. -ENOENT: there is none of that offset. */
int chain_open_entry(int dir, uint64_t offset);

/* Read the head of an entry in an open bucket. */
int chain_read_head(int bucket_dir, uint64_t offset, struct log_entry_head *ret_head);

/* When an entry was written. -ENOENT: there is none of that offset. */
int chain_read_moment(int dir, uint64_t offset, int64_t *ret_moment);

/* The last entry, whose count is 1 if it is corrupt. 1; 0: the log has no entries. */
struct chain_last {
    uint64_t offset, count;
};
int chain_find_last(int dir, struct chain_last *ret_last);

/* The offset behind all entries. */
int chain_end(int dir, uint64_t *ret_offset);

enum chain_kind {
    CHAIN_ENTRY,
    CHAIN_END,   /* nothing was appended there yet */
    CHAIN_BELOW, /* retention has removed it: go on at the beginning */
    CHAIN_HOLE   /* its name was lost in a power cut, and there are names behind it */
};

#define CHAIN_AHEAD 8192 /* bytes of an entry that are read at once */

struct chain_place {
    enum chain_kind kind;
    uint64_t offset, next; /* of the entry, and of the one behind it; of the hole, and of the name behind it */
    bool is_gap, is_corrupt;
    int file; /* open, if it is an entry; else -1 */
    size_t got;
    char ahead[CHAIN_AHEAD]; /* its first bytes */
};

/* Open the entry of this very offset: 1; 0: there is none. A corrupt one says that the next is at the same offset. */
int chain_enter(int dir, uint64_t offset, struct chain_place *place);

/* The least name above an offset: 1; 0: there is none. */
int chain_next_name(int dir, uint64_t offset, uint64_t *ret_next);

/* Find the entry that an offset is in. */
int chain_locate(int dir, uint64_t offset, struct chain_place *ret_place);
void chain_leave(struct chain_place *place);

#endif
