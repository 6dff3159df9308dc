/*
 * In from a group of a stream.
 *
 * What this bridge had not acked when its last connection ended comes first, then what another consumer has left alone for
 * long, and then what no consumer has had. An answer without a message of one kind is followed by the question for the next.
 */
#include "bridge-redis/redis_in.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/grow.h"
#include "bridge-redis/connection.h"
#include "bridge-redis/entries.h"
#include "bridge-redis/fields.h"
#include "bridge-redis/removed.h"
#include "bridge-redis/verdict.h"
#include "cli/cli.h"

#define BLOCK "1000" /* milliseconds; no other command is done meanwhile */
#define BEGINNING "0-0"
#define LONGEST_PAUSE (15 * CLOCK_SECOND) /* between two looks at what others have left */
#define SHORTEST_PAUSE (CLOCK_SECOND / 4)

enum question { CREATE, STREAM, GROUPS, TAKE, SETTLE };
enum stage { STAGE_OWN, STAGE_LEFT, STAGE_NEW };

struct redis_in {
    struct bridge *bridge;
    const struct place *place;
    struct connection connection;
    struct fields words; /* of the command that is put */
    struct entries entries;
    struct removed removed;
    enum question *questions; /* whose answers are to come, from `first` on */
    size_t first, end, room;
    unsigned unsettled;
    enum stage stage;
    char cursor[ENTRY_ID_SIZE];
    int64_t look_at; /* when to look at what others have left; monotonic */
    uint64_t most;   /* that were asked for */
    bool has_begun, is_asked, is_put, waits;
};

static enum bridge_result out_of_memory(struct redis_in *in)
{
    return bridge_trouble(in->bridge, BRIDGE_LOST, STATUS_TRY_LATER, "%s", cli_reason(-ENOMEM));
}

/* ---- commands -------------------------------------------------------------------- */

static bool say(struct redis_in *in, const char *word)
{
    return fields_add(&in->words, word, strlen(word)) == 0;
}

/* Put the words that were said, whose answer is of this kind. */
static bool put(struct redis_in *in, enum question question)
{
    if (in->first == in->end)
        in->first = in->end = 0;
    if (!GROW(in->questions, in->end + 1, in->room))
        return false;
    const bool done = connection_put(&in->connection, in->words.words, in->words.count);
    in->questions[in->end] = question;
    in->end += done;
    in->words.count = 0;
    return done;
}

/* Ask for messages of this stage. */
static enum bridge_result put_ask(struct redis_in *in)
{
    const struct place *place = in->place;
    const bool is_new = in->stage == STAGE_NEW;
    char most[24], idle[24];
    (void)snprintf(most, sizeof most, "%ju", (uintmax_t)in->most);
    (void)snprintf(idle, sizeof idle, "%jd", (intmax_t)(place->idle / 1000));
    bool done;
    in->is_put = true;
    if (in->stage == STAGE_LEFT)
        done = say(in, "XAUTOCLAIM") && say(in, place->stream) && say(in, place->group) && say(in, place->consumer) &&
               say(in, idle) && say(in, in->cursor) && say(in, "COUNT") && say(in, most);
    else
        done = say(in, "XREADGROUP") && say(in, "GROUP") && say(in, place->group) && say(in, place->consumer) &&
               say(in, "COUNT") && say(in, most) && (!is_new || !in->waits || (say(in, "BLOCK") && say(in, BLOCK))) &&
               say(in, "STREAMS") && say(in, place->stream) && say(in, is_new ? ">" : in->cursor);
    return done && put(in, TAKE) ? BRIDGE_OK : out_of_memory(in);
}

/* What the stream no longer has is looked for before others are read, which hides it. */
static bool put_infos(struct redis_in *in)
{
    return say(in, "XINFO") && say(in, "STREAM") && say(in, in->place->stream) && put(in, STREAM) && say(in, "XINFO") &&
           say(in, "GROUPS") && say(in, in->place->stream) && put(in, GROUPS);
}

static bool put_create(struct redis_in *in)
{
    return say(in, "XGROUP") && say(in, "CREATE") && say(in, in->place->stream) && say(in, in->place->group) &&
           say(in, "0") && say(in, "MKSTREAM") && put(in, CREATE);
}

static void go_to(struct redis_in *in, enum stage stage)
{
    in->stage = stage;
    (void)stpcpy(in->cursor, BEGINNING);
}

/* Put what was asked for, when it can be. */
static enum bridge_result put_asked(struct redis_in *in)
{
    if (!in->has_begun && in->bridge->arguments->create && !put_create(in))
        return out_of_memory(in);
    if (in->stage == STAGE_NEW && clock_monotonic() >= in->look_at)
        go_to(in, STAGE_LEFT);
    const bool looks = !in->has_begun || (in->stage == STAGE_LEFT && strcmp(in->cursor, BEGINNING) == 0);
    in->has_begun = true;
    return looks && !put_infos(in) ? out_of_memory(in) : put_ask(in);
}

static bool begin_ack(struct redis_in *in)
{
    return say(in, "XACK") && say(in, in->place->stream) && say(in, in->place->group);
}

static bool put_ack(struct redis_in *in)
{
    in->unsettled++;
    return put(in, SETTLE);
}

/* Ack the entries that no message was made of. */
static bool ack_done(struct redis_in *in)
{
    bool done = in->entries.done_count == 0 || begin_ack(in);
    for (size_t i = 0; i < in->entries.done_count && done; i++)
        done = say(in, in->entries.done[i]);
    return done && (in->entries.done_count == 0 || put_ack(in));
}

/* ---- answers --------------------------------------------------------------------- */

/* The list of entries in an answer of this stage; NULL: it has none, not even an empty one. */
static const redisReply *list_of(const struct redis_in *in, const redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ARRAY)
        return NULL;
    if (in->stage == STAGE_LEFT)
        return reply->elements >= 2 && reply->element[0]->type == REDIS_REPLY_STRING ? reply->element[1] : NULL;
    const redisReply *stream = reply->elements == 1 ? reply->element[0] : NULL;
    return stream && stream->type == REDIS_REPLY_ARRAY && stream->elements == 2 ? stream->element[1] : NULL;
}

/* Go on to where the next question begins. */
static void move_on(struct redis_in *in, const redisReply *reply, size_t count)
{
    if (in->stage == STAGE_OWN) {
        if (count == 0)
            go_to(in, STAGE_LEFT);
        else
            (void)stpcpy(in->cursor, in->entries.last);
    } else if (in->stage == STAGE_LEFT) {
        const redisReply *next = reply->element[0];
        const int64_t pause = in->place->idle / 4;
        if (next->len >= ENTRY_ID_SIZE || strcmp(next->str, BEGINNING) == 0)
            go_to(in, STAGE_NEW);
        else
            (void)stpcpy(in->cursor, next->str);
        in->look_at = clock_monotonic() + (pause > LONGEST_PAUSE    ? LONGEST_PAUSE
                                           : pause < SHORTEST_PAUSE ? SHORTEST_PAUSE
                                                                    : pause);
    }
}

/* Whether those that were refused are as many as the bridge was to carry. */
static bool is_enough(const struct redis_in *in)
{
    const uint64_t count = in->bridge->arguments->count;
    return count > 0 && in->bridge->carried + in->bridge->refused >= count;
}

static enum bridge_result take_list(struct redis_in *in, const redisReply *reply, struct incoming_items *items)
{
    const redisReply *list = list_of(in, reply);
    const bool was_new = in->stage == STAGE_NEW;
    const size_t before = items->count;
    enum bridge_result result = BRIDGE_OK;
    in->entries.done_count = 0;
    in->entries.removed = 0;
    if (list)
        result = entries_take(&in->entries, list, items);
    else if (reply->type != REDIS_REPLY_NIL)
        result = bridge_trouble(in->bridge, BRIDGE_FAILED, STATUS_DATA, "the server's answer is not understood here");
    if (result != BRIDGE_OK)
        return result;
    /* Those that the server itself has taken off the list of what is not acked are its third part, since 7.0. */
    if (in->stage == STAGE_LEFT && list && reply->elements > 2)
        in->entries.removed += reply->element[2]->elements;
    removed_tell(&in->removed, in->entries.removed);
    if (!ack_done(in))
        return out_of_memory(in);
    if (list || in->stage == STAGE_OWN)
        move_on(in, reply, list ? list->elements : 0);
    /* An empty answer ends the question only if it was for new ones, and none of them was refused. */
    if (items->count == before && (!was_new || in->entries.done_count > 0) && !is_enough(in))
        return put_ask(in);
    in->is_asked = in->is_put = false;
    return BRIDGE_OK;
}

static enum bridge_result take(struct redis_in *in, const redisReply *reply, struct incoming_items *items)
{
    const enum question question = in->questions[in->first++];
    const bool is_error = reply->type == REDIS_REPLY_ERROR;
    in->unsettled -= question == SETTLE;
    /* Figures are not needed, and a user may have no right to them, or a server none to give. */
    if (question == STREAM || question == GROUPS) {
        if (is_error)
            cli_note(in->bridge->shown, "cannot tell whether entries were removed: %s", reply->str);
        else
            removed_look(&in->removed, in->place, reply, question == STREAM);
        return BRIDGE_OK;
    }
    if (is_error && question == CREATE && strncmp(reply->str, "BUSYGROUP", 9) == 0)
        return BRIDGE_OK;
    if (is_error)
        return verdict(in->bridge, in->place, reply->str);
    return question == TAKE ? take_list(in, reply, items) : BRIDGE_OK;
}

/* ---- as the frame asks ----------------------------------------------------------- */

static enum bridge_result start(void *peer)
{
    struct redis_in *in = peer;
    in->first = in->end = in->words.count = 0;
    in->unsettled = 0;
    in->has_begun = in->is_asked = in->is_put = false;
    go_to(in, STAGE_OWN);
    return connection_open(&in->connection, in->bridge, in->place);
}

static enum bridge_result ask(void *peer, uint64_t most, bool waits)
{
    struct redis_in *in = peer;
    in->most = most;
    in->waits = waits;
    in->is_asked = true;
    in->is_put = false;
    const enum bridge_result result = connection_is_up(&in->connection) ? put_asked(in) : BRIDGE_OK;
    connection_flush(&in->connection); /* the next ones come while those before are sent here */
    return result;
}

static enum bridge_result work(void *peer, struct incoming_items *items, bool *ret_answered, bool *ret_settled)
{
    struct redis_in *in = peer;
    redisReply *reply;
    enum bridge_result result = connection_work(&in->connection);
    const bool is_up = connection_is_up(&in->connection);
    if (result == BRIDGE_OK && is_up && in->is_asked && !in->is_put && !bridge_is_ending(in->bridge))
        result = put_asked(in);
    while (result == BRIDGE_OK && is_up && in->first < in->end && connection_reply(&in->connection, &reply)) {
        result = take(in, reply, items);
        freeReplyObject(reply);
    }
    /* A question that was not put before a signal came never is. */
    *ret_answered = !in->is_asked || (!in->is_put && bridge_is_ending(in->bridge));
    *ret_settled = in->unsettled == 0;
    connection_flush(&in->connection);
    return result;
}

/* What is released stays with this consumer, which gets it first when it connects again. A rejected entry is told, and stays
   in the stream. */
static enum bridge_result settle(void *peer, enum incoming_end end, const struct incoming_item *items, size_t count,
                                 const char *words)
{
    struct redis_in *in = peer;
    (void)words;
    if (end == INCOMING_RELEASE)
        return BRIDGE_OK;
    bool done = begin_ack(in);
    for (size_t i = 0; i < count && done; i++)
        done = say(in, items[i].token);
    done = done && put_ack(in);
    connection_flush(&in->connection);
    return done ? BRIDGE_OK : out_of_memory(in);
}

static enum bridge_result finish(void *peer, bool all_settled)
{
    struct redis_in *in = peer;
    (void)all_settled;
    connection_close(&in->connection);
    return BRIDGE_OK;
}

static const struct inlet inlet = {.open = start, .ask = ask, .work = work, .settle = settle, .close = finish};

int redis_in(struct bridge *bridge, const char *queue, const struct place *place)
{
    struct redis_in in = {.bridge = bridge, .place = place, .removed = {.bridge = bridge}};
    entries_begin(&in.entries, bridge, place);
    const int status = incoming_run(bridge, queue, &inlet, &in);
    entries_release(&in.entries);
    fields_release(&in.words);
    free(in.questions);
    connection_release(&in.connection);
    return status;
}
