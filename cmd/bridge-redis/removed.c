/* Entries that were removed before this bridge had carried them. */
#include "bridge-redis/removed.h"

#include <string.h>

#include "cli/cli.h"

/* The value that a list of names and values has for a name; NULL: none. */
static const redisReply *value_of(const redisReply *list, const char *name)
{
    for (size_t i = 0; list->type == REDIS_REPLY_ARRAY && i + 1 < list->elements; i += 2)
        if (list->element[i]->type == REDIS_REPLY_STRING && strcmp(list->element[i]->str, name) == 0)
            return list->element[i + 1];
    return NULL;
}

/* False: the server does not know. */
static bool number_of(const redisReply *list, const char *name, uint64_t *ret_number)
{
    const redisReply *value = value_of(list, name);
    if (!value || value->type != REDIS_REPLY_INTEGER || value->integer < 0)
        return false;
    *ret_number = (uint64_t)value->integer;
    return true;
}

void removed_tell(const struct removed *removed, uint64_t count)
{
    if (count > 0 && !cli_quiet)
        (void)cli_fail(STATUS_DONE, removed->bridge->shown,
                       "%ju entries were removed from the stream before they were carried", (uintmax_t)count);
}

/* The server counts entries in the order of the stream, also those that are gone, and how far the group has come. */
static void look_at_group(struct removed *removed, const redisReply *group)
{
    uint64_t read;
    if (!number_of(group, "entries-read", &read))
        return;
    const uint64_t known = read > removed->told ? read : removed->told;
    if (removed->gone <= known)
        return;
    removed->told = removed->gone;
    removed_tell(removed, removed->gone - known);
}

void removed_look(struct removed *removed, const struct place *place, const redisReply *reply, bool is_stream)
{
    uint64_t added, length;
    if (is_stream) {
        const bool is_known = number_of(reply, "entries-added", &added) && number_of(reply, "length", &length);
        removed->gone = is_known && added > length ? added - length : 0;
        return;
    }
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++) {
        const redisReply *name = value_of(reply->element[i], "name");
        if (name && name->type == REDIS_REPLY_STRING && strcmp(name->str, place->group) == 0)
            look_at_group(removed, reply->element[i]);
    }
}
