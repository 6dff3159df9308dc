/* mq-queue create. */
#include "queue/create.h"

#include "cli/cli.h"
#include "queue/settings.h"

int create_queue(const struct sharing *sharing, char **words, int count)
{
    mq_queue *queue;
    int status = settings_check(words[0], words + 1, count - 1);
    if (status == STATUS_DONE && sharing->mode)
        status = sharing_create(sharing, words[0]);
    if (status == STATUS_DONE)
        status = cli_open(words[0], MQ_CREATE, &queue);
    if (status != STATUS_DONE)
        return status;
    mq_close(queue);
    const int whole = mq_create(cli_spool, words[0]); /* a directory of an existing queue may be missing */
    if (whole < 0)
        return cli_error(whole, words[0], "cannot create the queue");
    cli_note(words[0], "is there");
    return settings_set(words[0], words + 1, count - 1);
}
