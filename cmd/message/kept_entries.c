/* The newest of the messages that a walk comes to. */
#include "message/kept_entries.h"

#include "base/grow.h"
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

struct kept_entry {
    struct mq_entry entry;
    uint64_t age; /* the greater the newer */
    char *texts;  /* of the entry, one behind the other */
};

/* A position is a moment with 12 bits behind it. */
static uint64_t age_of(const struct mq_entry *entry)
{
    return entry->state == MQ_DEAD ? (uint64_t)entry->time << 12 : entry->position;
}

static int compare(const void *one, const void *other)
{
    const struct kept_entry *a = one, *b = other;
    return a->age < b->age ? 1 : a->age > b->age ? -1 : 0;
}

static void forget(struct kept_entry *entry)
{
    free(entry->texts);
}

static void sort(struct kept_entries *kept)
{
    if (kept->count > 1)
        qsort(kept->list, kept->count, sizeof *kept->list, compare);
    for (; kept->most > 0 && kept->count > kept->most; kept->count--)
        forget(&kept->list[kept->count - 1]);
}

static const char *put(char **at, const char *text)
{
    char *const copy = *at;
    if (!text)
        return NULL;
    *at = stpcpy(copy, text) + 1;
    return copy;
}

static size_t size_of(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

int kept_entries_add(struct kept_entries *kept, const struct mq_entry *entry)
{
    if (kept->most > 0 && kept->count / 2 >= kept->most)
        sort(kept);
    if (!GROW(kept->list, kept->count + 1, kept->room))
        cli_must(NULL);
    struct kept_entry copy = {.entry = *entry, .age = age_of(entry)};
    char *at = copy.texts = cli_must(malloc(size_of(entry->id) + size_of(entry->reason) + size_of(entry->host) +
                                            size_of(entry->bucket) + size_of(entry->file)));
    copy.entry.id = put(&at, entry->id);
    copy.entry.reason = put(&at, entry->reason);
    copy.entry.host = put(&at, entry->host);
    copy.entry.bucket = put(&at, entry->bucket);
    copy.entry.file = put(&at, entry->file);
    kept->list[kept->count++] = copy;
    return 0;
}

int kept_entries_each(struct kept_entries *kept, int (*act)(const struct mq_entry *entry, void *context), void *context)
{
    int stopped = 0;
    sort(kept);
    for (size_t i = 0; i < kept->count && stopped == 0; i++)
        stopped = act(&kept->list[i].entry, context);
    return stopped;
}

void kept_entries_release(struct kept_entries *kept)
{
    for (size_t i = 0; i < kept->count; i++)
        forget(&kept->list[i]);
    free(kept->list);
}
