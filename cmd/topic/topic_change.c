/* Changing topics. */
#include "topic/topic_change.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

int topic_delete(const char *topic)
{
    char source[MQ_QUEUE_NAME_SIZE] = "";
    const int error = mq_topic_delete(cli_spool, topic);
    if (error == -EBUSY || error == -EBADMSG) {
        const int found = mq_topic_find_source(cli_spool, topic, source);
        if (found == 1)
            return cli_fail(STATUS_TRY_LATER, topic,
                            "cannot delete the topic: the topic %s passes messages on to it: mq-topic unbind %s %s, or "
                            "change its unroutable",
                            source, source, topic);
        if (found == -EBADMSG)
            return cli_topic_error(found, source, "cannot delete the topic");
    }
    return error ? cli_topic_error(error, topic, "cannot delete the topic") : STATUS_DONE;
}

/* ---- bindings -------------------------------------------------------------------- */

static int change(topic_change_fn *act, const char *topic, const char *destination, const struct topic_terms *terms,
                  const char *pattern)
{
    const struct mq_binding binding = {.destination = destination,
                                       .pattern = pattern,
                                       .conditions = terms->conditions,
                                       .condition_count = terms->condition_count,
                                       .any = terms->any};
    const int changed = act(cli_spool, topic, &binding);
    if (changed == -ELOOP)
        return cli_fail(STATUS_USAGE, topic, "a topic is not bound to itself");
    if (changed == -EINVAL)
        return cli_fail(STATUS_DATA, topic, "%s: not a pattern of up to 255 bytes, or not `NAME` or `NAME: VALUE`",
                        pattern ? pattern : destination);
    if (changed == -ENOTDIR)
        return cli_fail(STATUS_NO_QUEUE, topic, "cannot bind %s: it is not a queue, a topic or a log", destination);
    if (changed < 0)
        return cli_topic_error(changed, topic, "cannot change the bindings");
    cli_note(topic, "%d changed", changed);
    return changed > 0 ? STATUS_DONE : STATUS_NOTHING;
}

int topic_change(topic_change_fn *act, const char *topic, const char *destination, const struct topic_terms *terms)
{
    int status = cli_check_name(destination);
    for (size_t i = 0; i < terms->key_count && status <= STATUS_NOTHING; i++)
        status = cli_worse(status, change(act, topic, destination, terms, terms->keys[i]));
    if (terms->key_count > 0 || status != STATUS_DONE)
        return status;
    return change(act, topic, destination, terms, NULL);
}
