/* Following a topic. */
#include "topic/topic_follow.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/signals.h"
#include "recv/receiving.h"
#include "recv/sources.h"

/* A binding for each pattern, or one. The private queue is the destination. */
static size_t make_bindings(const struct topic_terms *terms, struct mq_binding *bindings)
{
    for (size_t i = 0; i < terms->key_count; i++)
        bindings[i] = (struct mq_binding){.pattern = terms->keys[i]};
    if (terms->key_count > 0)
        return terms->key_count;
    bindings[0] = (struct mq_binding){
        .conditions = terms->conditions, .condition_count = terms->condition_count, .any = terms->any};
    return 1;
}

static int open_queue(const char *topic, const struct topic_terms *terms, mq_queue **ret_queue)
{
    struct mq_binding *bindings = cli_must(calloc(terms->key_count + 1, sizeof *bindings));
    const int error = mq_topic_follow(cli_spool, topic, bindings, make_bindings(terms, bindings), ret_queue);
    free(bindings);
    if (error == -EINVAL)
        return cli_fail(STATUS_DATA, topic, "not a pattern of up to 255 bytes, or not `NAME` or `NAME: VALUE`");
    return error ? cli_topic_error(error, topic, "cannot follow the topic") : STATUS_DONE;
}

struct followed {
    const char *topic, *queue;
};

static int is_ours(const struct mq_binding *binding, void *context)
{
    const struct followed *followed = context;
    return strcmp(binding->destination, followed->queue) == 0;
}

/* What cannot be known now is looked at again. */
static int look(const void *context)
{
    struct followed followed = *(const struct followed *)context;
    const int found = mq_topic_bindings(cli_spool, followed.topic, is_ours, &followed);
    if (found == -ENOENT)
        return cli_fail(STATUS_NO_QUEUE, followed.topic, "the topic was deleted");
    return found != 0 ? STATUS_DONE
                      : cli_fail(STATUS_NO_QUEUE, followed.topic, "the topic does not pass messages on here any more");
}

int topic_follow(const char *topic, const struct topic_terms *terms, const struct topic_following *following)
{
    struct receiving receiving = {.options = {MQ_RECEIVE_DEFAULTS},
                                  .most = following->most,
                                  .auto_ack = true,
                                  .may_be_stopped = true,
                                  .framing = cli_json ? 'j' : following->framing};
    int status = cli_check_name(topic);
    if (status != STATUS_DONE)
        return status;
    signal(SIGPIPE, SIG_IGN);
    receiving.options.wait = following->wait;
    receiving.options.cancel_fd = signals_open();
    if (receiving.options.cancel_fd < 0)
        return cli_error(receiving.options.cancel_fd, NULL, "cannot watch for signals");
    cli_survive_cut_pages();
    mq_queue *queue;
    status = open_queue(topic, terms, &queue);
    if (status != STATUS_DONE)
        return status;
    const struct followed followed = {topic, mq_queue_name(queue)};
    receiving.sources = sources_of(&queue, 1, 0);
    receiving.look = look;
    receiving.context = &followed;
    cli_note(topic, "following by the queue %s", mq_queue_name(queue));
    status = receiving_run(&receiving);
    mq_sources_free(receiving.sources);
    mq_topic_unfollow(topic, queue);
    return status;
}
