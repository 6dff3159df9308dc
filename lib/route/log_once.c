/* Sending to a log once. */
#include "route/log_once.h"

#include <errno.h>
#include <string.h>

#include "lifecycle/draft.h"
#include "log/append.h"

static int name_draft(struct outlet *outlet, mq_queue *feed, struct draft *draft, int tmp, const char *text)
{
    mq_log *log = (mq_log *)outlet;
    int error = log_give_to_owner(log, draft->file.file);
    if (!error && draft->durable && !draft->synced) {
        error = fs_sync_ahead(draft->file.file, &feed->order);
        draft->synced = error == 1;
    }
    if (error >= 0)
        error = draft_link(feed, draft, tmp, text);
    if (!error)
        strcpy(log->once.own, text);
    return error;
}

struct renaming {
    struct log_source source; /* the first */
    int tmp;
    const char *text;
};

/* -ESTALE: another process has appended the draft, or made it void. */
static int rename_draft(const struct log_source *source, int dir, const char *name)
{
    const struct renaming *renaming = (const struct renaming *)source;
    const int error = fs_rename_strictly(renaming->tmp, renaming->text, dir, name);
    return error == -ENOENT && fs_has(renaming->tmp, renaming->text) == 0 ? -ESTALE : error;
}

/* It is synced with what else is appended, when the call ends. */
static int deliver_draft(struct outlet *outlet, mq_queue *feed, int tmp, const char *text, uint32_t count, bool sync)
{
    mq_log *log = (mq_log *)outlet;
    const struct renaming renaming = {{rename_draft, count, log->once.durable}, tmp, text};
    const int error = log_append(log, &renaming.source);
    (void)feed;
    (void)sync;
    if (error)
        return error == -ESTALE ? 0 : error;
    for (uint32_t i = 0; i < count && log->once.offsets && strcmp(text, log->once.own) == 0; i++)
        log->once.offsets[*log->once.sent + i] = log->runs[log->run_count - 1].offset + i;
    return 1;
}

const struct outlet_once log_once = {.name = name_draft, .deliver = deliver_draft};

void log_once_begin(mq_log *log, bool durable, uint64_t *offsets, const size_t *sent)
{
    log->once.durable = durable;
    log->once.offsets = sent ? offsets : NULL;
    log->once.sent = sent;
    log->once.own[0] = '\0';
}
