/* Out by ssh. */
#include "bridge/ssh_out.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bridge/outgoing.h"
#include "bridge/ssh.h"
#include "cli/cli.h"
#include "message/body_error.h"
#include "message/json_write.h"

#define AT_END (5 * CLOCK_SECOND)

static const char script[] = "exec sh -c '"
                             "IFS= read -r queue && IFS= read -r spool && IFS= read -r option && "
                             "if [ -n \"$spool\" ]; then export MQ_SPOOL=\"$spool\"; fi && "
                             "echo " SSH_GREETING " && exec mq-send -j --once -- \"$queue\"'";

struct ssh_out {
    struct bridge *bridge;
    const struct url *url;
    const char *queue; /* there */
    struct stream stream;
    bool is_up;
    uint64_t put, seen; /* messages, and ids that came */
};

static enum bridge_result start(void *peer)
{
    struct ssh_out *out = peer;
    out->is_up = false;
    out->put = out->seen = 0;
    return ssh_open(&out->stream, out->bridge, out->url, out->queue, script, "");
}

static enum bridge_result put(void *peer, mq_message *message)
{
    struct ssh_out *out = peer;
    struct json_text text = {0};
    /* What is sent once has no limit of its own. */
    const struct json_shown shown = {.queue = out->queue, .no_max_attempts = true};
    int error = json_from_message(message, &shown, &text);
    if (!error)
        error = json_text_end(&text);
    const bool done = !error && stream_put(&out->stream, text.data, text.size);
    json_text_release(&text);
    out->put += done;
    if (error && body_error_is_of_message(error, message))
        return bridge_trouble(out->bridge, BRIDGE_REFUSED, STATUS_DATA, "%s", body_error_reason(error));
    return done ? BRIDGE_OK
                : bridge_trouble(out->bridge, BRIDGE_LOST, STATUS_TRY_LATER, "cannot read a message here: %s",
                                 cli_reason(error ? error : -ENOMEM));
}

static void take_lines(struct ssh_out *out, uint64_t *ret_confirmed)
{
    char *line;
    size_t size;
    while (stream_line(&out->stream, &line, &size)) {
        if (out->is_up)
            ++*ret_confirmed, out->seen++;
        else if (strcmp(line, SSH_GREETING) == 0) {
            out->is_up = true;
            bridge_is_up(out->bridge);
        }
    }
}

/* Whether mq-send has named the first record whose id it has not printed: it is what it refuses. */
static bool names_next(const struct ssh_out *out)
{
    char named[64];
    (void)snprintf(named, sizeof named, ": record %ju: ", (uintmax_t)out->seen + 1);
    return out->is_up && strstr(out->stream.words, named);
}

static enum bridge_result ended(struct ssh_out *out)
{
    const int status = stream_end(&out->stream, AT_END);
    if (status == STATUS_DATA && names_next(out))
        return bridge_trouble(out->bridge, BRIDGE_REFUSED, status, "%s", out->stream.words);
    return ssh_ended(&out->stream, out->bridge, status);
}

static enum bridge_result work(void *peer, uint64_t *ret_confirmed)
{
    struct ssh_out *out = peer;
    if (!stream_work(&out->stream))
        return bridge_trouble(out->bridge, BRIDGE_LOST, STATUS_TRY_LATER, "%s", cli_reason(-ENOMEM));
    take_lines(out, ret_confirmed);
    if (out->stream.is_ended)
        return ended(out);
    return (!out->is_up || out->seen < out->put) && stream_is_silent(&out->stream) ? BRIDGE_LOST : BRIDGE_OK;
}

static size_t held(const void *peer)
{
    return stream_held(&((const struct ssh_out *)peer)->stream);
}

static enum bridge_result finish(void *peer, bool all_confirmed)
{
    struct ssh_out *out = peer;
    const int status = stream_end(&out->stream, all_confirmed ? AT_END : 0);
    return status == 0 || !all_confirmed ? BRIDGE_OK : ssh_ended(&out->stream, out->bridge, status);
}

static const struct outlet outlet = {.open = start, .put = put, .work = work, .held = held, .close = finish};

int ssh_out(struct bridge *bridge, const char *queue, const struct url *url)
{
    struct ssh_out out = {.bridge = bridge, .url = url, .queue = ssh_queue(url, false)};
    const int status = outgoing_run(bridge, queue, &outlet, &out);
    stream_release(&out.stream);
    return status;
}
