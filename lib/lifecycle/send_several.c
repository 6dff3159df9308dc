/*
 * Sending several messages once, step by step (tests/model/once_batch.pml is the proof):
 *
 *     draft          gets its name in tmp/, empty
 *     look back      a mark of an id in the slot before: that message is not in this file
 *     mark           so too if there is one in this slot; else this sender makes it, which says what the draft is called
 *     look           when the file is written, whether the slot is still current: else the draft is made void
 *     deliver        rename the draft to ready/ or delayed/, or as its outlet does
 *
 * No other process delivers the draft, since it cannot know which marks are yet to be made. Whoever finds one of them makes
 * the draft void, as with a mark of the slot before. So the rename decides here, too: a draft that is void leaves marks
 * that are dead, and each of its messages is sent once by itself.
 */
#include "lifecycle/send_several.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/grow.h"
#include "base/id.h"
#include "lifecycle/overflow.h"
#include "lifecycle/publish.h"
#include "lifecycle/send_once.h"
#include "queue/move.h"
#include "queue/sent_drafts.h"
#include "queue/sent_slots.h"

static int has_mark(mq_queue *queue, int64_t number, const char *id)
{
    char says[SENT_NAME_DRAFT_SIZE];
    return sent_slots_read_mark(queue->sent, number, id, says);
}

int several_has_mark(mq_queue *queue, const char *id)
{
    struct sent_slot slot;
    int tmp;
    const int error = send_once_slot(queue, &slot, &tmp);
    const int has = error ? error : has_mark(queue, slot.number - 1, id);
    return has ? has : has_mark(queue, slot.number, id);
}

/* ---- the draft's name ---------------------------------------------------------------- */

static int note_sync(struct several *several, int error)
{
    several->has_failed_sync |= error < 0;
    return error;
}

/* On a file system that keeps no order a mark must not reach the disk before this name does. */
int several_begin(struct several *ret_several, mq_queue *queue, struct draft *draft)
{
    struct several several = {.queue = queue, .draft = draft, .random = id_random()};
    int error = queue_demand(queue, ACCESS_ALL);
    if (!error)
        error = send_once_slot(queue, &several.slot, &several.tmp);
    sent_name_format_says_several(several.random, several.says);
    sent_name_format_draft_of_several(SENT_ONCE, several.slot.number, several.random, several.own);
    if (!error && draft->durable) {
        error = note_sync(&several, fs_sync_ahead(draft->file.file, &queue->order));
        draft->synced = error == 1;
    }
    if (error >= 0)
        error = queue->outlet ? queue->outlet->once->name(queue->outlet, queue, draft, several.tmp, several.own)
                              : draft_link(queue, draft, several.tmp, several.own);
    if (error)
        several.own[0] = '\0';
    else if (draft->synced)
        error = note_sync(&several, fs_sync(several.tmp));
    *ret_several = several;
    return error;
}

/* ---- marks --------------------------------------------------------------------------- */

static bool has_id(const struct several *several, const char *id)
{
    for (size_t i = 0; i < several->count; i++)
        if (strcmp(several->ids[i], id) == 0)
            return true;
    return false;
}

static enum several_mark add(struct several *several, const char *id)
{
    strcpy(several->ids[several->count++], id);
    return SEVERAL_MARKED;
}

enum several_mark several_mark(struct several *several, const char *id)
{
    struct sent_slots *slots = several->queue->sent;
    char says[SENT_NAME_DRAFT_SIZE];
    if (!GROW(several->ids, several->count + 1, several->room) ||
        has_mark(several->queue, several->slot.number - 1, id) != 0)
        return SEVERAL_OTHER;
    const int error = sent_slots_make_mark_like(slots, several->slot.number, id, several->says, several->like);
    if (error == 0)
        return add(several, id);
    if (error != -EEXIST || sent_slots_read_mark(slots, several->slot.number, id, says) != 1 ||
        strcmp(says, several->says) != 0)
        return SEVERAL_OTHER;
    return has_id(several, id) ? SEVERAL_IN : add(several, id); /* a network may report as failed what was done */
}

/* ---- delivering ---------------------------------------------------------------------- */

/* What is void is kept for its name alone, so it gives back its room on a disk that may be full. */
static void make_void(struct several *several)
{
    if (several->own[0] && sent_drafts_void(several->tmp, several->own) == 1 &&
        ftruncate(several->draft->file.file, 0) < 0)
        several->own[0] = '\0'; /* it keeps its room until it is removed */
    several->own[0] = '\0';
}

void several_end(struct several *several)
{
    if (several->own[0] && several->count == 0)
        (void)sent_drafts_remove(several->tmp, several->own);
    else
        make_void(several);
    free(several->ids);
}

/* The content and the marks are on the disk before the message is, if the file system keeps no order. */
static int sync_ahead(struct several *several)
{
    mq_queue *queue = several->queue;
    struct draft *draft = several->draft;
    if (!draft->durable)
        return 0;
    const int error = note_sync(several, fs_sync_ahead(draft->file.file, &queue->order));
    draft->synced = error == 1;
    return error < 0 ? error : error ? note_sync(several, sent_slots_persist(queue->sent, several->slot.number)) : 0;
}

/* A queue that is paused takes nothing. */
static int look(const struct several *several)
{
    const bool is_paused = several->queue->config.paused & CONFIG_PAUSED_SEND;
    return is_paused ? -ESHUTDOWN : sent_slots_is_current(several->queue->sent, &several->slot);
}

/* 1 done, 0 there is no such draft. */
static int move(const struct several *several, struct message_name *name, int *ret_dir)
{
    mq_queue *queue = several->queue;
    struct draft *draft = several->draft;
    const int64_t now = queue_now(queue);
    if (queue->outlet)
        return queue->outlet->once->deliver(queue->outlet, queue, several->tmp, several->own, name->count, false);
    name->position = page_next_positions(queue->page, name->priority, name->count, now);
    draft->state = name->time > now ? MQ_DELAYED : MQ_READY;
    return move_in_sized(queue, several->tmp, several->own, draft->state, name, (int64_t)draft->size, ret_dir);
}

/* This process has moved the draft, to the bucket `dir` if it is of a queue. */
static int conclude(const struct several *several, int dir)
{
    mq_queue *queue = several->queue;
    struct draft *draft = several->draft;
    const struct overflow_news news = {draft->name.count, (int64_t)draft->size};
    const int has = queue->outlet ? 1 : queue_has_name(queue);
    const int error = has < 0 ? has : has == 0 ? publish_follow(queue, draft, dir) : 0;
    if (!error && !queue->outlet)
        (void)overflow_trim(queue, &news, queue_now(queue));
    if (queue->sent)
        sent_slots_sweep_some(queue->sent, &queue->config, several->count, several->random);
    return error;
}

/* An outlet that has taken the draft tells of a sync that failed. */
int several_deliver(struct several *several, bool *ret_is_sent)
{
    mq_queue *queue = several->queue;
    struct draft *draft = several->draft;
    struct message_name name = draft->name;
    const unsigned openings = queue->openings;
    int dir = -1, moved = sync_ahead(several);
    *ret_is_sent = false;
    if (!moved && queue->outlet && queue->outlet->once->fill)
        moved = queue->outlet->once->fill(queue->outlet, queue, draft);
    if (!moved)
        moved = look(several);
    if (moved == 1)
        moved = queue->openings == openings ? move(several, &name, &dir) : 0;
    if (moved != 1 && moved != -EINPROGRESS)
        return moved;
    several->own[0] = '\0';
    draft->name = name;
    *ret_is_sent = true;
    const int error = conclude(several, dir);
    return error ? error : moved == 1 ? 0 : moved;
}
