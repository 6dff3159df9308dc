/*
 * The layout of the host page, for the modules that implement it: page_words.c, which alone reads and changes the words,
 * and page_file.c, which opens, makes and maps the file; and of tables of counters, whose files counts.c maps.
 */
#ifndef MQ_PAGE_LAYOUT_H
#define MQ_PAGE_LAYOUT_H

#include <stdatomic.h>

#include "base/fs.h"
#include "store/page.h"

#define PAGE_SIZE 4096

typedef _Atomic uint64_t word;

/* The file, word by word. Whoever changes the meaning of a word changes the magic. */
struct contents {
    char magic[8];
    char boot[40];
    word positions[NAME_PRIORITIES];
    word heads[NAME_PRIORITIES];
    word arrivals[NAME_PRIORITIES];
    word returns;
    word times[PAGE_TIMES];
    word recounted;
    word messages[MQ_STATES];
    word bytes;
    word waiting; /* of these bytes, those of what is ready or delayed */
    word counters[PAGE_COUNTERS];
    word averaged_at;
    struct {
        word counted;            /* of its counter, so far */
        word averages[MQ_SPANS]; /* in millionths of a message a second */
    } rates[PAGE_RATES];
    word held[MQ_HELD_BUCKETS];
    word held_total;
    word splits;
    word leader;
    word followers;
    word booted_at; /* the moment of the boot by the clock, when the boot id was last compared */
    word outbox;    /* when transactions are to be looked for (page.h) */
    word configured;
    word rests; /* until when a lane may be at rest */
    word mount; /* what is known of the file system (page_mount) */
    struct {
        word time, boot, real, check;
    } clock; /* of the file system, when it was last read; `check` is made of the others */
};
_Static_assert(sizeof(struct contents) <= PAGE_SIZE, "the page is one page");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "64-bit atomics must be lock-free to be shared between processes");

/* A slot of a table of counters. */
struct page_slot {
    word key; /* 0: free */
    word count;
};

/* Add to the counter of a key, or read it; a table that is full takes no further keys. */
void page_slots_add(struct page_slot *slots, size_t room, uint64_t key, uint64_t number);
uint64_t page_slots_read(const struct page_slot *slots, size_t room, uint64_t key);

/* Add all counters of one table to another. */
void page_slots_copy(const struct page_slot *from, size_t from_room, struct page_slot *to, size_t to_room);

struct page {
    struct contents *contents;
    int file; /* -1: private */
    bool exclusive, displaced;
    struct fs_identity identity; /* of the file, if it was opened by its name */
    char tmp_name[24];
};

/* Set the words of a new page, which are 0, to what they are in an empty queue. */
void page_clear_words(struct contents *contents);

/* Read and write a word that no other word depends on. */
uint64_t page_read_word(const word *at);
void page_write_word(word *at, uint64_t value);

#endif
