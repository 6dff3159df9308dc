/*
 * Appending an output of a transaction, which several processes may do at once, and others have begun before they died.
 *
 * The output's name in the outbox tells an offset that the log had reached when it was put in. All entries from there to
 * the end are looked at, and if one of them is the output it is in the log. Else it is linked behind the last one, by its
 * name in the outbox, so that this fails when another process has finished and has removed the name. A process that loses
 * the race for an offset looks at the entry that won. Entries are compared by their files: the output is kept open
 * meanwhile, so no other file gets its number; and what removes or packs entries first finishes the transactions that are
 * committed into the log. tests/model/log_output.pml is the proof.
 */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs_error.h"
#include "format/log_name.h"
#include "log/append.h"

#define TRIES 1000

struct search {
    struct log_source source; /* the first */
    mq_log *log;
    const struct log_output *output;
    struct stat file;
    uint64_t at; /* the entries before it are not the output */
    bool has_last;
    struct chain_last last; /* the entry that ends at `at` */
    bool by_listing;
};

enum step { FOUND, GO_ON, BEYOND, GONE };

static int link_by_name(const struct log_source *source, int dir, const char *name)
{
    const struct log_output *output = ((const struct search *)source)->output;
    return fs_link_unique(output->dir, output->file, dir, name);
}

/* The entry that the offset is in, or the gap. */
static int pass(struct search *search, const struct chain_place *place)
{
    struct stat status;
    if (place->file >= 0 && fstat(place->file, &status) < 0)
        return fs_error();
    if (place->file >= 0 && status.st_ino == search->file.st_ino && status.st_dev == search->file.st_dev)
        return FOUND;
    search->has_last = !place->is_corrupt;
    search->last = (struct chain_last){place->offset, place->next - place->offset};
    search->at = place->next;
    return GO_ON;
}

/* The offset is not the end: look which entry it is in, or what else it is. */
static int locate(struct search *search)
{
    struct chain_place place;
    int step = chain_locate(search->log->dir, search->at, &place);
    if (step)
        return step;
    search->has_last = false;
    search->by_listing = true;
    if (place.kind == CHAIN_ENTRY)
        step = pass(search, &place);
    else if (place.kind == CHAIN_HOLE)
        step = log_close_hole(search->log, place.offset, place.next);
    else if (place.kind == CHAIN_BELOW)
        step = chain_beginning(search->log->dir, &search->at);
    chain_leave(&place);
    return step < 0 ? step : step == FOUND && place.kind == CHAIN_ENTRY ? FOUND : GO_ON;
}

/* There is no entry of that name. 1: the entry that ends at the offset is known. */
static int find_last(struct search *search)
{
    if (search->has_last)
        return 1;
    const int found = log_find_last(search->log, search->by_listing, &search->last);
    if (found < 0)
        return found;
    search->has_last = search->last.offset + search->last.count == search->at;
    return search->has_last;
}

static int link_here(struct search *search)
{
    enum log_linked linked;
    if (search->at > LOG_OFFSET_MAX - search->output->count)
        return -ERANGE;
    const int error = log_link_at(search->log, &search->source, &search->last, search->at, &linked);
    if (error)
        return error;
    if (linked == LOG_LINKED) {
        log_note_appended(search->log, search->at, search->output->count, search->output->durable);
        return FOUND;
    }
    if (!fs_exists(search->output->dir, search->output->file))
        return GONE;
    search->has_last = false;
    search->by_listing = true;
    return GO_ON;
}

static int step(struct search *search)
{
    struct chain_place place = {.file = -1};
    const int entered = chain_enter(search->log->dir, search->at, &place);
    if (entered == 1 && !place.is_corrupt) {
        const int passed = pass(search, &place);
        chain_leave(&place);
        return passed;
    }
    chain_leave(&place);
    if (entered != 0)
        return entered < 0 ? entered : locate(search);
    const int is_end = find_last(search);
    if (is_end != 0)
        return is_end < 0 ? is_end : link_here(search);
    if (search->last.offset + search->last.count > search->at)
        return locate(search);
    if (search->by_listing)
        return BEYOND;
    search->by_listing = true;
    return GO_ON;
}

int log_append_output(mq_log *log, const struct log_output *output, uint64_t *ret_end)
{
    struct search search = {
        .source = {link_by_name, output->count, output->durable}, .log = log, .output = output, .at = output->end};
    const int kept = fs_open_file(output->dir, output->file);
    if (kept < 0)
        return kept == -ENOENT ? 0 : kept;
    int done = fstat(kept, &search.file) < 0 ? fs_error() : GO_ON;
    for (int tries = 0; done == GO_ON; tries++) {
        const uint64_t before = search.at;
        done = tries < TRIES ? step(&search) : -EBUSY;
        tries = search.at > before ? 0 : tries;
    }
    close(kept);
    if (done == BEYOND)
        *ret_end = search.last.offset + search.last.count;
    return done < 0 ? done : done == BEYOND ? -ESTALE : done == FOUND;
}

int log_reached(mq_log *log, uint64_t *ret_end)
{
    struct chain_last last;
    const int found = log_find_last(log, false, &last);
    log_release(log); /* nothing is appended yet */
    if (found >= 0)
        *ret_end = last.offset + last.count;
    return found < 0 ? found : 0;
}
