/* A request: a message with a private queue for its reply, and the wait for that reply. */
#ifndef REQUEST_H
#define REQUEST_H

#include <mq.h>
#include <stdint.h>

/* Make the queue for the reply and name it in the message, which is about to be sent to `queue`. The message expires
   with the timeout, which may be MQ_FOREVER. Returns an exit status; an error was reported. */
int request_open(mq_queue *queue, mq_message *message, int64_t timeout, mq_queue **ret_replies);

/* Wait for the reply to the message with this id, which was sent to `asked`, and print its body. If no reply comes, the
   message is withdrawn, unless it was claimed. Returns an exit status. */
int request_wait(mq_queue *replies, mq_queue *asked, const char *id, int64_t timeout);

/* Remove the reply's queue. If a signal came, it ends the program. */
int request_close(mq_queue *replies, int status);

/* A descriptor that becomes readable when a signal comes. */
int request_cancel_fd(void);

#endif
