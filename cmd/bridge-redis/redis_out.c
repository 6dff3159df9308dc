/* Out to a stream. */
#include "bridge-redis/redis_out.h"

#include <errno.h>
#include <string.h>

#include "bridge-redis/connection.h"
#include "bridge-redis/fields.h"
#include "bridge-redis/verdict.h"
#include "bridge/outgoing.h"
#include "cli/cli.h"
#include "message/body_error.h"

struct redis_out {
    struct bridge *bridge;
    const struct place *place;
    struct connection connection;
    struct fields fields; /* of the message that is put */
};

static enum bridge_result start(void *peer)
{
    struct redis_out *out = peer;
    return connection_open(&out->connection, out->bridge, out->place);
}

static int add_text(struct fields *fields, const char *text)
{
    return fields_add(fields, text, strlen(text));
}

static int add_command(struct fields *fields, const struct place *place)
{
    const char *words[] = {"XADD", place->stream, "MAXLEN", "~", place->most, "*"};
    int error = 0;
    fields->count = 0;
    for (size_t i = 0; i < 6 && !error; i++)
        if (place->most || i < 2 || i == 5)
            error = add_text(fields, words[i]);
    return error;
}

static enum bridge_result put(void *peer, mq_message *message)
{
    struct redis_out *out = peer;
    int error = add_command(&out->fields, out->place);
    if (!error)
        error = fields_of_message(&out->fields, out->place, message);
    if (error && body_error_is_of_message(error, message))
        return bridge_trouble(out->bridge, BRIDGE_REFUSED, STATUS_DATA, "%s", body_error_reason(error));
    if (!error && !connection_put(&out->connection, out->fields.words, out->fields.count))
        error = -ENOMEM;
    return error ? bridge_trouble(out->bridge, BRIDGE_LOST, STATUS_TRY_LATER, "cannot read a message here: %s",
                                  cli_reason(error))
                 : BRIDGE_OK;
}

/* Nothing behind an error counts as confirmed, since confirmations are in order. */
static enum bridge_result work(void *peer, uint64_t *ret_confirmed)
{
    struct redis_out *out = peer;
    redisReply *reply;
    enum bridge_result result = connection_work(&out->connection);
    while (result == BRIDGE_OK && connection_is_up(&out->connection) && connection_reply(&out->connection, &reply)) {
        if (reply->type == REDIS_REPLY_ERROR)
            result = verdict(out->bridge, out->place, reply->str);
        else
            ++*ret_confirmed;
        freeReplyObject(reply);
    }
    return result;
}

/* Nothing is claimed before the server has let us in. */
static size_t held(const void *peer)
{
    const struct redis_out *out = peer;
    return connection_is_up(&out->connection) ? connection_held(&out->connection) : SIZE_MAX;
}

static enum bridge_result finish(void *peer, bool all_confirmed)
{
    struct redis_out *out = peer;
    (void)all_confirmed;
    connection_close(&out->connection);
    return BRIDGE_OK;
}

static const struct outlet outlet = {.open = start, .put = put, .work = work, .held = held, .close = finish};

int redis_out(struct bridge *bridge, const char *queue, const struct place *place)
{
    struct redis_out out = {.bridge = bridge, .place = place};
    const int status = outgoing_run(bridge, queue, &outlet, &out);
    fields_release(&out.fields);
    connection_release(&out.connection);
    return status;
}
