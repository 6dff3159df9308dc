/*
 * Where a log ends.
 *
 * In the boot that wrote it, the hint names an entry that was the last one when it was appended. So the first name that is
 * missing behind it is the end. A hint that is far behind, or noise, costs a listing.
 */
#include "log/end.h"

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/io.h"
#include "format/log_entry.h"

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

static bool follow_hint(int dir, struct hint *hint, struct chain_last *ret_last)
{
    uint64_t at = 0, next = 0;
    int is = hint_read(hint, dir, &at) ? step(dir, at, &next) : LOST;
    for (int steps = 0; is == 1 && steps < STEPS; steps++) {
        *ret_last = (struct chain_last){at, next - at};
        at = next;
        is = step(dir, at, &next);
    }
    return is == 0 && at > 0;
}

int log_find_tail(int dir, struct hint *hint, struct chain_last *ret_last)
{
    struct chain_last last;
    if (!follow_hint(dir, hint, &last))
        return chain_find_last(dir, ret_last);
    *ret_last = last;
    return 1;
}

int log_find_end(int dir, struct hint *hint, uint64_t *ret_end)
{
    struct chain_last last;
    if (!follow_hint(dir, hint, &last))
        return chain_end(dir, ret_end);
    *ret_end = last.offset + last.count;
    return 0;
}
