/* Entries of a stream as messages. */
#include "bridge-redis/entries.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/grow.h"
#include "base/sha256.h"
#include "bridge-redis/fields.h"
#include "cli/cli.h"

/* Entries of other streams, of which some may go to the same queue, have the same ids: they are times. */
void entries_begin(struct entries *entries, struct bridge *bridge, const struct place *place)
{
    const char *parts[] = {place->url->host, place->port, place->database, place->stream};
    char digest[SHA256_TEXT_SIZE];
    struct sha256 hash = sha256_begin();
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        sha256_add(&hash, parts[i], strlen(parts[i]) + 1);
    sha256_end(&hash, digest);
    *entries = (struct entries){.bridge = bridge, .place = place};
    (void)snprintf(entries->prefix, sizeof entries->prefix, "redis-%.16s", digest);
}

void entries_release(struct entries *entries)
{
    free(entries->done);
    entries->done = NULL;
    entries->done_room = 0;
}

static enum bridge_result out_of_memory(const struct entries *entries)
{
    return bridge_trouble(entries->bridge, BRIDGE_LOST, STATUS_TRY_LATER, "%s", cli_reason(-ENOMEM));
}

static enum bridge_result malformed(const struct entries *entries)
{
    return bridge_trouble(entries->bridge, BRIDGE_FAILED, STATUS_DATA, "the server's answer is not understood here");
}

static bool note_done(struct entries *entries, const char *id)
{
    if (!GROW(entries->done, entries->done_count + 1, entries->done_room))
        return false;
    entries->done[entries->done_count++] = id;
    return true;
}

/* A message that comes without an id has that of its entry, so that it is the same one whenever it comes. */
static bool set_id(const struct entries *entries, const char *entry, mq_message *message)
{
    char id[MQ_ID_SIZE];
    return (size_t)snprintf(id, sizeof id, "%s-%s", entries->prefix, entry) < sizeof id &&
           mq_message_set_id(message, id) == 0;
}

/* Make the message of an item. An error leaves the item as it is. */
static enum bridge_result make_message(struct entries *entries, const char *id, const redisReply *fields,
                                       struct incoming_item *item)
{
    char words[FIELDS_WORDS_SIZE] = "";
    item->token = strdup(id);
    if (!item->token || mq_message_new(&item->message) < 0)
        return out_of_memory(entries);
    if (!set_id(entries, id, item->message))
        return malformed(entries);
    if (fields_to_message(entries->place, fields->element, fields->elements, item->message, &item->record.decoded,
                          words))
        return BRIDGE_OK;
    return *words ? bridge_trouble(entries->bridge, BRIDGE_REFUSED, STATUS_DATA, "%s", words) : out_of_memory(entries);
}

static enum bridge_result take_fields(struct entries *entries, const char *id, const redisReply *fields,
                                      struct incoming_items *items)
{
    struct incoming_item item = {0};
    const enum bridge_result result = make_message(entries, id, fields, &item);
    struct incoming_item *added = result == BRIDGE_OK ? incoming_add(items) : NULL;
    if (added) {
        *added = item;
        return BRIDGE_OK;
    }
    mq_message_free(item.message);
    free(item.record.decoded);
    free(item.token);
    if (result != BRIDGE_REFUSED)
        return result == BRIDGE_OK ? out_of_memory(entries) : result;
    bridge_refused(entries->bridge, id);
    return note_done(entries, id) ? BRIDGE_OK : out_of_memory(entries);
}

/* An entry is its id and a list of words, which is nil if the stream no longer has it. */
static enum bridge_result take_entry(struct entries *entries, const redisReply *entry, struct incoming_items *items)
{
    const redisReply *const *parts = (const redisReply *const *)entry->element;
    if (entry->type == REDIS_REPLY_NIL) /* of a server before 7.0, which does not say which one it was */
        return BRIDGE_OK;
    if (entry->type != REDIS_REPLY_ARRAY || entry->elements != 2 || parts[0]->type != REDIS_REPLY_STRING ||
        parts[0]->len >= ENTRY_ID_SIZE || parts[0]->len != strspn(parts[0]->str, "0123456789-"))
        return malformed(entries);
    memcpy(entries->last, parts[0]->str, parts[0]->len + 1);
    if (parts[1]->type != REDIS_REPLY_ARRAY) {
        entries->removed++;
        return note_done(entries, parts[0]->str) ? BRIDGE_OK : out_of_memory(entries);
    }
    for (size_t i = 0; i < parts[1]->elements; i++)
        if (parts[1]->element[i]->type != REDIS_REPLY_STRING)
            return malformed(entries);
    return take_fields(entries, parts[0]->str, parts[1], items);
}

enum bridge_result entries_take(struct entries *entries, const redisReply *list, struct incoming_items *items)
{
    enum bridge_result result = BRIDGE_OK;
    entries->done_count = 0;
    entries->removed = 0;
    if (list->type != REDIS_REPLY_ARRAY)
        return malformed(entries);
    for (size_t i = 0; i < list->elements && result == BRIDGE_OK; i++)
        result = take_entry(entries, list->element[i], items);
    return result;
}
