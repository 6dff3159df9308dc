/*
 * Where a log ends.
 *
 * In the boot that wrote it, the hint names an entry that was the last one when it was appended. So the first name that is
 * missing behind it is the end. A hint that is far behind, or noise, costs a listing.
 */
#include "log/end.h"

#include <errno.h>
#include <unistd.h>

#include "base/io.h"
#include "format/log_entry.h"
#include "log/chain.h"

#define STEPS 64 /* entries behind the hint */

/* 1: the entry of this name, and the offset behind it; 0: there is none; LOST: what it reaches to is not known. */
#define LOST 2
static int step(int dir, uint64_t offset, uint64_t *ret_next)
{
    char text[LOG_ENTRY_HEAD];
    const int file = chain_open_entry(dir, offset);
    if (file < 0)
        return file == -ENOENT ? 0 : LOST;
    const ssize_t got = io_read_at(file, text, sizeof text, 0);
    close(file);
    const struct log_entry_head head = log_entry_parse(text, got < 0 ? 0 : (size_t)got);
    if (head.kind == LOG_ENTRY_CORRUPT)
        return LOST;
    *ret_next = offset + head.count;
    return 1;
}

int log_find_end(int dir, struct hint *hint, uint64_t *ret_end)
{
    uint64_t at = 0;
    int is = hint_read(hint, dir, &at) ? step(dir, at, &at) : LOST;
    for (int steps = 0; is == 1 && steps < STEPS; steps++) {
        is = step(dir, at, &at);
        if (is == 0) {
            *ret_end = at;
            return 0;
        }
    }
    return chain_end(dir, ret_end);
}
