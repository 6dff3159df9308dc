/*
 * Messages of a queue as JSON Lines, and back. The first line says which format and queue it is, the last one how many
 * messages came between; so a stream that was cut, or put together from several, is noticed. The others are as mq-recv -j
 * prints messages, with state, due, died and reason as mq-queue peek -j has them.
 *
 * Both return an exit status.
 */
#ifndef EXPORT_H
#define EXPORT_H

#include <stdbool.h>

#include "message/selection.h"

#define EXPORT_BEGIN "mq_export"
#define EXPORT_END "mq_export_end"
#define EXPORT_VERSION 1

/* Print the messages of the selected states, or all. */
int export_queue(const char *name, const struct selection *selection);

/* Send what standard input holds; with `once` nothing that was imported, or sent once, within the dedup-window. */
int import_queue(const char *name, bool once);

#endif
