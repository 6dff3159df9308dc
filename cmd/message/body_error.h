/* Whether a message's own body caused an error of reading or copying it. */
#ifndef BODY_ERROR_H
#define BODY_ERROR_H

#include <mq.h>
#include <stdbool.h>

/*
 * Whether the body caused the error: its file was truncated, or it is so large that there is no space for it, though
 * there is space for a small one. Then this attempt has failed. If the message were given back instead, the same
 * receiver would claim it again at once. If there is no space for anything, no message is the cause.
 */
bool body_error_is_of_message(int error, const mq_message *message);

/* The reason of such a failed attempt, for people. */
const char *body_error_reason(int error);

#endif
