/* Listing directories. */
#ifndef MQ_FS_LIST_H
#define MQ_FS_LIST_H

#include <stdint.h>

/*
 * Call `each` for every entry except . and .., in no particular order. If it returns non-zero, the listing stops and
 * returns that. `type` is a DT_ constant, never DT_UNKNOWN. `dir` must be freshly opened.
 */
typedef int fs_list_fn(void *context, const char *name, unsigned char type);
int fs_list(int dir, fs_list_fn *each, void *context);

/* The same again, of a directory that was listed by this descriptor. */
int fs_list_again(int dir, fs_list_fn *each, void *context);

/* The same for a directory by its name; "." lists `at` itself. */
int fs_list_at(int at, const char *name, fs_list_fn *each, void *context);

/* The same, with the numbers of the files: names of one file have the same. */
typedef int fs_list_numbers_fn(void *context, const char *name, uint64_t number);
int fs_list_numbers(int at, const char *name, fs_list_numbers_fn *each, void *context);

#endif
