/* Whether there is space for a large body, asked before any of it is copied. */
#ifndef SPACE_H
#define SPACE_H

#include <stdint.h>

/*
 * Whether this machine has memory for `size` bytes and for the copies that JSON makes of them: 0 or -ENOMEM. An
 * allocation does not tell, since the kernel grants more memory than there is and kills the process when it uses it.
 */
int space_check_memory(uint64_t size);

/* Whether the file system of `file` has `size` bytes left now: 0 or -ENOSPC. */
int space_check_file(int file, uint64_t size);

#endif
