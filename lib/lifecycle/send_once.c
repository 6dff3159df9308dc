/*
 * Sending once, step by step (tests/model/once.pml is the proof):
 *
 *     look back      a mark of the id in the slot before: its draft is made void, or it was delivered: a duplicate
 *     draft          gets its name in tmp/
 *     mark           made by the first sender of the id in this slot
 *     look           whether the slot is still current: else the draft is made void, and all begins again
 *     deliver        rename the draft to ready/ or delayed/
 *
 * A sender that finds a mark looks in the same way, and delivers the draft of that mark, whose sender may have died. A
 * draft that is neither there nor void was delivered, if the slot is still current then. A mark whose draft is void is
 * followed by a mark of the next number.
 *
 * The draft of several messages (send_several.h) is delivered by its sender alone: whoever finds a mark of it makes it void,
 * as if it were of the slot before. What is sent to a topic or log is a draft that its outlet names and delivers.
 *
 * The rename decides. A crash before it leaves a draft that the next sender of the id delivers, or that becomes void
 * with the next slot but one at the latest.
 */
#include "lifecycle/send_once.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/id.h"
#include "lifecycle/lane_delivery.h"
#include "lifecycle/overflow.h"
#include "lifecycle/publish.h"
#include "queue/move.h"
#include "queue/sent_drafts.h"
#include "queue/sent_slots.h"
#include "store/adopt.h"

/* Slots end and queues are deleted meanwhile. After so many times: -EBUSY. */
#define TRIES 100

/* What an attempt comes to; errors are negative. */
enum outcome { SENT, DUPLICATE, AGAIN, DEAD_MARK, NO_MARK };

/* What reading a mark comes to, beside 0 and 1. */
#define SEVERAL 2

struct sender {
    mq_queue *queue;
    struct draft *draft;
    const struct mq_send_options *options;
    bool sync;
    bool linked; /* the draft has had a name */
    struct sent_slot slot;
    int tmp;
    struct message_name mark; /* what this sender's marks say */
    char own[NAME_SIZE];      /* what the draft is called in tmp/; empty: nothing */
    int64_t own_slot;
    int lane; /* the directory of a lane that a message was delivered to; -1: none */
};

static const char *mark_name(const struct sender *sender, int nth, char text[SENT_NAME_MARK_SIZE])
{
    sent_name_format_mark(sender->draft->name.id, nth, text);
    return text;
}

static int is_current(const struct sender *sender)
{
    return sent_slots_is_current(sender->queue->sent, &sender->slot);
}

/* ---- delivering --------------------------------------------------------------------- */

/* Into the lane of its group, which its headers tell. 1 done; 0 it has none, or there is no draft of that name. */
static int deliver_to_lane(struct sender *sender, const char *text, struct message_name *name, enum mq_state *ret_state,
                           int *ret_dir)
{
    mq_queue *queue = sender->queue;
    char lane[LANE_KEY_SIZE];
    int64_t size;
    int dir;
    const int64_t now = queue_now(queue);
    const int is = lane_delivery_find(queue, sender->tmp, text, name, lane);
    if (is != 1)
        return is;
    *ret_state = name->time > now ? MQ_DELAYED : MQ_READY;
    name->due = name->time > now ? name->time : 0;
    const int moved = lane_delivery_put(queue, lane, sender->tmp, text, name, false, &size, &dir);
    if (moved != 1)
        return moved;
    move_count_sent(queue, *ret_state, name, size);
    if (sender->lane >= 0)
        close(sender->lane);
    *ret_dir = sender->lane = dir;
    return 1;
}

/* A message in a lane of a directory that has lost the queue's name is taken back, to be sent anew. -ENOENT: it was;
   else the outcome, since a receiver has it or whoever moved the queue's messages. */
static int take_back(const struct sender *sender, const struct message_name *name, enum outcome outcome)
{
    char text[NAME_SIZE];
    name_format(MQ_READY, name, text);
    const int error = fs_unlink(sender->lane, text);
    if (error)
        return error == -ENOENT ? (int)outcome : error;
    move_count_out(sender->queue, name->due ? MQ_DELAYED : MQ_READY, name, 0);
    return -ENOENT;
}

/* A message that lies in a lane: make it durable, and ask for the queue's name. */
static int conclude_in_lane(const struct sender *sender, const struct message_name *name, enum outcome outcome)
{
    mq_queue *queue = sender->queue;
    const int has = queue_has_name(queue);
    if (has == 0)
        return take_back(sender, name, outcome);
    const int error = sender->draft->durable && sender->sync ? fs_sync_around(sender->lane) : 0;
    return has < 0 ? has : error ? error : (int)outcome;
}

/* Give a draft its place, and move it there. `size` is that of the file, or -1. 1 done, 0 there is no draft of that name.
   -EINPROGRESS: done, but a sync failed. */
static int deliver(struct sender *sender, const char *text, int64_t size, struct message_name *name,
                   enum mq_state *ret_state, int *ret_dir)
{
    mq_queue *queue = sender->queue;
    if (queue->outlet)
        return queue->outlet->once->deliver(queue->outlet, queue, sender->tmp, text, 1, sender->sync);
    const int moved = queue->config.order ? deliver_to_lane(sender, text, name, ret_state, ret_dir) : 0;
    if (moved)
        return moved;
    const int64_t now = queue_now(queue);
    name->position = page_next_positions(queue->page, name->priority, 1, now);
    *ret_state = name->time > now ? MQ_DELAYED : MQ_READY;
    return size < 0 ? move_in(queue, sender->tmp, text, *ret_state, name, ret_dir)
                    : move_in_sized(queue, sender->tmp, text, *ret_state, name, size, ret_dir);
}

/* What became of a draft that this process did not deliver. */
static int judge(const struct sender *sender, const char *text)
{
    const int is_void = sent_drafts_is_void(sender->tmp, text), current = is_void == 0 ? is_current(sender) : 0;
    if (is_void < 0 || current < 0)
        return is_void < 0 ? is_void : current;
    return is_void ? DEAD_MARK : current ? DUPLICATE : AGAIN;
}

/* The message of this id is in the queue, by another process or an earlier one. It may not have lived to sync it. -ENOENT:
   the queue has lost its name, and with it what is known. */
static int conclude_other(const struct sender *sender, enum outcome outcome)
{
    const int has = sender->queue->is_feed ? 1 : queue_has_name(sender->queue);
    if (has != 1)
        return has < 0 ? has : -ENOENT;
    const int error = sender->draft->durable && sender->sync ? fs_sync_around(sender->tmp) : 0;
    return error ? error : (int)outcome;
}

/* This process has moved its draft to the bucket `dir`. */
static int conclude_own(struct sender *sender, int dir)
{
    struct draft *draft = sender->draft;
    if (sender->queue->outlet)
        return SENT;
    if (dir == sender->lane)
        return conclude_in_lane(sender, &draft->name, SENT);
    const int error = draft->durable && sender->sync ? publish_sync(sender->queue, draft, 1, dir) : 0;
    const int has = queue_has_name(sender->queue);
    if (has == 0)
        return publish_follow(sender->queue, draft, dir);
    return error ? error : has < 0 ? has : SENT;
}

/* ---- marks of others ------------------------------------------------------------------ */

/* Read a mark, and what its draft is called. SEVERAL: it is of several messages. */
static int read_mark(mq_queue *queue, const char *id, int64_t number, int nth, struct message_name *ret_name,
                     char ret_draft[NAME_SIZE])
{
    char mark[SENT_NAME_MARK_SIZE], says[SENT_NAME_DRAFT_SIZE];
    uint64_t random;
    sent_name_format_mark(id, nth, mark);
    const int has = sent_slots_read_mark(queue->sent, number, mark, says);
    if (has != 1)
        return has;
    if (sent_name_parse_says_several(says, &random)) {
        sent_name_format_draft_of_several(SENT_ONCE, number, random, ret_draft);
        return SEVERAL;
    }
    if (!sent_name_parse_says(says, id, ret_name))
        return -EBADMSG;
    sent_name_format_draft(SENT_ONCE, number, ret_name, ret_draft);
    return 1;
}

/* Make a mark worthless, unless its message was delivered. */
static int end_mark(const struct sender *sender, const char *draft)
{
    const int made_void = sent_drafts_void(sender->tmp, draft);
    const int outcome = made_void < 0 ? made_void : made_void ? DEAD_MARK : judge(sender, draft);
    return outcome == DUPLICATE ? conclude_other(sender, DUPLICATE) : outcome;
}

/* Marks of the slot before are made worthless, unless their message was delivered. */
static int look_back(const struct sender *sender)
{
    struct message_name name;
    char draft[NAME_SIZE];
    for (int nth = 1; nth <= SENT_NAME_MARKS_MAX; nth++) {
        const int has = read_mark(sender->queue, sender->draft->name.id, sender->slot.number - 1, nth, &name, draft);
        if (has <= 0)
            return has < 0 ? has : NO_MARK;
        const int outcome = end_mark(sender, draft);
        if (outcome != DEAD_MARK)
            return outcome;
    }
    return -EBUSY;
}

/* This process has delivered a draft of another sender to the bucket `dir`. If the directory has lost the queue's name, the
   message goes where the name is. */
static int conclude_helped(const struct sender *sender, const struct message_name *name, enum mq_state state, int dir)
{
    mq_queue *queue = sender->queue;
    if (queue->outlet)
        return DUPLICATE;
    if (dir == sender->lane)
        return conclude_in_lane(sender, name, DUPLICATE);
    struct draft helped = {.name = *name, .state = state, .openings = queue->openings};
    const int has = queue_has_name(queue);
    int error = has < 0 ? has : has == 0 ? publish_follow(queue, &helped, dir) : 0;
    if (!error && sender->draft->durable && sender->sync)
        error = fs_sync_around(queue->dir);
    return error ? error : DUPLICATE;
}

/* If there is a mark, its message is to be delivered, by whichever process comes first. Only its sender knows whether a
   draft of several messages has all its marks. */
static int help(struct sender *sender, int nth)
{
    struct message_name name;
    char draft[NAME_SIZE];
    enum mq_state state;
    int dir;
    const int has = read_mark(sender->queue, sender->draft->name.id, sender->slot.number, nth, &name, draft);
    if (has <= 0)
        return has < 0 ? has : NO_MARK;
    if (has == SEVERAL)
        return end_mark(sender, draft);
    const bool own = strcmp(draft, sender->own) == 0;
    const int current = is_current(sender);
    if (current != 1)
        return current < 0 ? current : AGAIN;
    const int moved = deliver(sender, draft, -1, &name, &state, &dir);
    if (moved < 0)
        return moved == -EPERM ? -EBUSY : moved; /* in a sticky tmp/ it is another user's */
    if (moved)
        return conclude_helped(sender, &name, state, dir);
    const int outcome = judge(sender, draft);
    return outcome == DUPLICATE ? conclude_other(sender, own ? SENT : DUPLICATE) : outcome;
}

/* ---- the own draft ------------------------------------------------------------------- */

static void forget_draft(struct sender *sender)
{
    if (sender->own[0])
        (void)sent_drafts_remove(sender->tmp, sender->own);
    sender->own[0] = '\0';
}

/* A file whose last name was removed cannot get another one. */
static int copy_draft(struct sender *sender, const char *text)
{
    const int error = adopt_unnamed(sender->queue->dir, sender->queue->sharing, &sender->draft->file);
    return error ? error : fs_draft_link(&sender->draft->file, sender->tmp, text);
}

/* The outlet's draft, which has all of the message. */
static int make_draft(const struct sender *sender, const char *text)
{
    mq_queue *queue = sender->queue;
    const struct outlet_once *once = queue->outlet->once;
    int error = once->name(queue->outlet, queue, sender->draft, sender->tmp, text);
    if (!error && once->fill)
        error = once->fill(queue->outlet, queue, sender->draft);
    if (error)
        (void)sent_drafts_remove(sender->tmp, text);
    return error;
}

static int link_draft(struct sender *sender, const char *text)
{
    mq_queue *queue = sender->queue;
    struct draft *draft = sender->draft;
    if (queue->outlet)
        return make_draft(sender, text);
    int error = draft->openings == queue->openings ? 0 : adopt_draft(queue->dir, queue->sharing, &draft->file);
    if (!error && draft->durable && !draft->synced) {
        error = fs_sync_ahead(draft->file.file, &queue->order);
        draft->synced = error == 1;
    }
    if (error < 0)
        return error;
    draft->openings = queue->openings;
    error = fs_draft_link(&draft->file, sender->tmp, text);
    queue->names_drafts |= error == -ENXIO && !sender->linked;
    sender->linked = true;
    return error == -ENXIO || error == -ENOENT ? copy_draft(sender, text) : error;
}

/* On a file system that keeps no order a mark must not reach the disk before the draft does. */
static int name_draft(struct sender *sender)
{
    char text[NAME_SIZE];
    if (sender->own[0] && sender->own_slot == sender->slot.number)
        return 0;
    sender->mark = sender->draft->name;
    sender->mark.position = id_random();
    sent_name_format_draft(SENT_ONCE, sender->slot.number, &sender->mark, text);
    int error = link_draft(sender, text);
    if (error)
        return error;
    forget_draft(sender);
    strcpy(sender->own, text);
    sender->own_slot = sender->slot.number;
    return sender->draft->synced ? fs_sync(sender->tmp) : 0;
}

/* 0 this sender's mark is there; -EEXIST it is another one. */
static int make_mark(struct sender *sender, int nth)
{
    char mark[SENT_NAME_MARK_SIZE], says[SENT_NAME_DRAFT_SIZE];
    sent_name_format_says(&sender->mark, says);
    return sent_slots_make_mark(sender->queue->sent, sender->slot.number, mark_name(sender, nth, mark), says);
}

/* The mark is there, and the message is not to be sent: an error, or AGAIN. Others may have delivered it. What is void is
   kept for its name alone, so it gives back its room on a disk that may be full. */
static int give_up(struct sender *sender, int outcome)
{
    const int made_void = sent_drafts_void(sender->tmp, sender->own);
    if (made_void == 1 && outcome < 0 && ftruncate(sender->draft->file.file, 0) < 0)
        sender->own[0] = '\0'; /* it keeps its room until it is removed */
    const int found = made_void == 0 ? judge(sender, sender->own) : DEAD_MARK;
    sender->own[0] = '\0';
    return found == DUPLICATE ? conclude_other(sender, SENT) : outcome;
}

static int deliver_own(struct sender *sender)
{
    struct message_name name = sender->mark;
    enum mq_state state;
    int dir;
    const int error = sender->draft->synced ? sent_slots_persist(sender->queue->sent, sender->slot.number) : 0;
    const int current = error ? error : is_current(sender);
    if (current != 1)
        return give_up(sender, current < 0 ? current : AGAIN);
    const int moved = deliver(sender, sender->own, (int64_t)sender->draft->size, &name, &state, &dir);
    if (moved == -EINPROGRESS)
        sender->own[0] = '\0';
    if (moved < 0)
        return moved == -EINPROGRESS ? moved : give_up(sender, moved);
    if (moved == 0) {
        const int outcome = judge(sender, sender->own);
        sender->own[0] = '\0';
        return outcome == DUPLICATE ? conclude_other(sender, SENT) : outcome < 0 ? outcome : AGAIN;
    }
    sender->own[0] = '\0';
    sender->draft->name = name;
    sender->draft->state = state;
    return conclude_own(sender, dir);
}

/* NO_MARK: another sender's mark was made meanwhile. */
static int send_own(struct sender *sender, int nth)
{
    mq_queue *queue = sender->queue;
    struct draft *draft = sender->draft;
    const unsigned openings = queue->openings;
    const struct reservation_wish wish = {draft->state, 1, draft->size};
    int error = reservation_wait(queue, &wish, sender->options, &draft->reservation);
    if (queue->openings != openings) { /* while it waited, the queue was deleted */
        sender->own[0] = '\0';
        return error ? error : AGAIN;
    }
    if (!error && draft_is_too_old(draft))
        error = -ETIMEDOUT;
    if (!error)
        error = name_draft(sender);
    if (error)
        return error;
    error = make_mark(sender, nth);
    return error == -EEXIST ? NO_MARK : error ? error : deliver_own(sender);
}

/* ---- all steps in their order ---------------------------------------------------------- */

int send_once_slot(mq_queue *queue, struct sent_slot *ret_slot, int *ret_tmp)
{
    const unsigned sharing = queue->outlet ? queue->outlet->sharing : queue->sharing;
    int error = queue->sent ? 0 : sent_slots_new(queue->dir, sharing, &queue->clock, &queue->sent);
    if (!error)
        error = sent_slots_current(queue->sent, &queue->config, ret_slot);
    if (!error)
        *ret_tmp = sent_slots_tmp(queue->sent);
    return error;
}

/* The first mark that is not dead decides. */
static int is_known_in(mq_queue *queue, int tmp, int64_t number, const char *id)
{
    struct message_name name;
    char draft[NAME_SIZE];
    for (int nth = 1; nth <= SENT_NAME_MARKS_MAX; nth++) {
        const int has = read_mark(queue, id, number, nth, &name, draft), left = has > 0 ? fs_has(tmp, draft) : 0;
        if (has <= 0 || left)
            return has < 0 ? has : left < 0 ? left : 0;
        const int is_void = sent_drafts_is_void(tmp, draft);
        if (is_void != 1)
            return is_void < 0 ? is_void : 1;
    }
    return 0;
}

size_t send_once_known(mq_queue *queue, const char *(*next_id)(void *context, size_t ahead), void *context)
{
    struct sent_slot slot;
    size_t known = 0;
    int tmp = -1, is = queue_demand(queue, ACCESS_ALL);
    const char *id;
    if (!is)
        is = send_once_slot(queue, &slot, &tmp);
    for (is = !is; is == 1 && (id = next_id(context, known)); known += is == 1) {
        is = is_known_in(queue, tmp, slot.number - 1, id);
        if (is == 0)
            is = is_known_in(queue, tmp, slot.number, id);
    }
    const bool may_be = known > 0 && sent_slots_is_current(queue->sent, &slot) == 1;
    return may_be && (queue->is_feed || queue_has_name(queue) == 1) ? known : 0;
}

/* In a queue that may be full a duplicate is looked for first, since it needs no place. */
static int attempt(struct sender *sender)
{
    const int error = send_once_slot(sender->queue, &sender->slot, &sender->tmp);
    int outcome = error ? error : look_back(sender);
    if (outcome == NO_MARK && sender->queue->config.max_depth == 0 && sender->queue->config.max_bytes == 0)
        outcome = send_own(sender, 1);
    for (int nth = 1; outcome == NO_MARK || outcome == DEAD_MARK; nth += outcome == DEAD_MARK) {
        if (nth > SENT_NAME_MARKS_MAX)
            return -EBUSY;
        outcome = help(sender, nth);
        if (outcome == NO_MARK)
            outcome = send_own(sender, nth);
    }
    return outcome;
}

/* -ENOENT: the queue was deleted, or lacks a part. What lies in it is no concern of the queue that has the name then. */
static int attempt_all(struct sender *sender)
{
    int outcome = AGAIN;
    for (int tries = 0; tries < TRIES && (outcome == AGAIN || outcome == -ENOENT); tries++) {
        if (outcome == -ENOENT && sender->queue->is_feed)
            return outcome;
        if (outcome == -ENOENT) {
            const int error = queue_reopen(sender->queue);
            sender->own[0] = '\0';
            if (error)
                return error;
        }
        if (sender->queue->config.order != sender->draft->order)
            return -EBUSY; /* the queue was deleted, and made anew with another order */
        outcome = attempt(sender);
    }
    return outcome == AGAIN || outcome == -ENOENT ? -EBUSY : outcome;
}

int send_once(mq_queue *queue, struct draft *draft, const struct mq_send_options *options, bool sync,
              bool *ret_is_duplicate)
{
    struct sender sender = {.queue = queue, .draft = draft, .options = options, .sync = sync, .tmp = -1, .lane = -1};
    const bool refused = (queue->outlet && !queue->outlet->once) || draft->name.others[0];
    const int error = refused ? -EOPNOTSUPP : queue_demand(queue, ACCESS_ALL);
    const int outcome = error ? error : attempt_all(&sender);
    forget_draft(&sender);
    if (sender.lane >= 0)
        close(sender.lane);
    reservation_cancel(queue, &draft->reservation); /* what was delivered is counted */
    if (outcome < 0)
        return outcome;
    if (outcome == SENT)
        (void)overflow_trim(queue, &(struct overflow_news){1, (int64_t)draft->size}, queue_now(queue));
    if (outcome == DUPLICATE)
        page_count(queue->page, PAGE_DUPLICATES, 1);
    else if (queue->sent)
        sent_slots_sweep_some(queue->sent, &queue->config, 1, sender.mark.position);
    *ret_is_duplicate = outcome == DUPLICATE;
    return 0;
}
