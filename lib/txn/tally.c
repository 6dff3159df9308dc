/* Counting what is in a transaction. */
#include "txn/tally.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "format/outbox_name.h"

/* An entry that is gone was carried out, and counts as such. */
static uint64_t size_of_entry(const struct tally *tally, const char *file)
{
    struct stat status;
    return tally->sized >= 0 && fstatat(tally->sized, file, &status, AT_SYMLINK_NOFOLLOW) == 0
               ? (uint64_t)status.st_size
               : 0;
}

int tally_add(void *context, const char *file, unsigned char type)
{
    struct tally *tally = context;
    struct outbox_entry entry;
    (void)type;
    if (!outbox_parse_entry(file, &entry) || (tally->queue && strcmp(entry.queue, tally->queue) != 0))
        return 0;
    tally->is_durable |= outbox_is_durable(entry.kind);
    tally->messages += outbox_is_output(entry.kind) ? entry.name.count : 0;
    tally->bytes += outbox_is_output(entry.kind) ? size_of_entry(tally, file) : 0;
    tally->claims += outbox_is_input(entry.kind) || entry.kind == OUTBOX_DEAD;
    tally->files += entry.kind == OUTBOX_FILE;
    return 0;
}
