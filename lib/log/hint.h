/*
 * The hint of where a log ends: the file `hint` of the log, a line of text with the offset of an entry that was appended
 * not long ago, and the boot in which that was. It counts only in that boot, since names may be lost with the power.
 *
 * It is never the truth: noise in it costs time and nothing else.
 */
#ifndef MQ_HINT_H
#define MQ_HINT_H

#include <stdbool.h>
#include <stdint.h>

#define HINT_BOOT_SIZE 36

struct hint {
    int file; /* -1: not open yet */
    bool knows_boot;
    char boot[HINT_BOOT_SIZE]; /* the kernel's id of this boot */
};

bool hint_read(struct hint *hint, int dir, uint64_t *ret_offset);
void hint_write(struct hint *hint, int dir, uint64_t offset);

#endif
