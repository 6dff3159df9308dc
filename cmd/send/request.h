/* A request: a message that is sent with a private queue for its reply, and the wait for that. */
#ifndef REQUEST_H
#define REQUEST_H

#include <mq.h>
#include <stdint.h>

/* Begin: the queue for the reply, named in the message, which is to be sent to `queue` and expires with the timeout (or
   MQ_FOREVER). Reports what is wrong; an exit status. */
int request_open(mq_queue *queue, mq_message *message, int64_t timeout, mq_queue **ret_replies);

/* Wait for the reply to the message of that id, which was sent to `asked`, and print its body: an exit status. Where
   none comes the message is withdrawn, unless it was claimed. */
int request_wait(mq_queue *replies, mq_queue *asked, const char *id, int64_t timeout);

/* End, the reply's queue too. Ends the program where a signal asks for it. */
int request_close(mq_queue *replies, int status);

/* What becomes readable once a signal asks us to end. */
int request_cancel_fd(void);

#endif
