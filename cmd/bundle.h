/*
 * Messages on their way: collected as the input has them, and sent together.
 *
 *     struct bundle *bundle = bundle_new(capacity, make_message);
 *     bundle_add_bytes(bundle, line, size) …
 *     bundle_send(bundle, queue, options, ids, &sent);
 *     bundle_free(bundle);
 *
 * What was added must stay where it is until it is sent.
 */
#ifndef BUNDLE_H
#define BUNDLE_H

#include <mq.h>
#include <stdbool.h>
#include <stddef.h>

struct bundle;

/* Up to `capacity` messages, each made by `make`, which says what is common to all and reports what is wrong. */
struct bundle *bundle_new(size_t capacity, mq_message *(*make)(int *ret_status));
void bundle_free(struct bundle *bundle);

size_t bundle_count(const struct bundle *bundle);
bool bundle_is_full(const struct bundle *bundle);

/* Add a message with this body. An exit status. One bundle takes either these or JSON. */
int bundle_add_bytes(struct bundle *bundle, char *data, size_t size);

/* Add the message that an object of JSON says. STATUS_DATA, and what is wrong with it in `ret_problem`, which lives
   until the next call. */
int bundle_add_json(struct bundle *bundle, const char *text, size_t size, const char **ret_problem);

/* Send them all, into the transaction `tx` if that is not NULL; then the bundle is empty, whatever came of it. As mq_send_batch. */
int bundle_send(struct bundle *bundle, mq_tx *tx, mq_queue *queue, const struct mq_send_options *options,
                char (*ret_ids)[MQ_ID_SIZE], size_t *ret_sent);

#endif
