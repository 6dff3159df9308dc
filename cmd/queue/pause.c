/* mq-queue pause and resume. */
#include "queue/pause.h"

#include <errno.h>
#include <mq.h>

#include "cli/cli.h"

static int change(const char *name, unsigned what, int (*act)(mq_queue *queue, unsigned what), const char *verb)
{
    static const char *const whom[] = {"", " for receivers", " for senders", ""};
    mq_queue *queue;
    const int status = cli_open(name, 0, &queue);
    if (status != STATUS_DONE)
        return status;
    const int error = act(queue, what ? what : MQ_PAUSE_RECEIVE | MQ_PAUSE_SEND);
    mq_close(queue);
    if (error == -EAGAIN)
        return cli_fail(STATUS_TRY_LATER, name,
                        "cannot be %sd: another process holds the lock of its settings: try again later", verb);
    if (error)
        return cli_fail(cli_status(error), name, "cannot be %sd: %s", verb, cli_reason(error));
    cli_note(name, "%sd%s", verb, whom[what]);
    return STATUS_DONE;
}

int pause_queue(const char *name, unsigned what)
{
    return change(name, what, mq_pause, "pause");
}

int pause_resume(const char *name, unsigned what)
{
    return change(name, what, mq_resume, "resume");
}
