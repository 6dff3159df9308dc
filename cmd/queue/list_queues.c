/* mq-queue list. */
#include "queue/list_queues.h"

#include <stdio.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "message/json_write.h"

static int print_name(const char *queue, void *context)
{
    *(bool *)context = true;
    if (cli_json)
        json_print(json_pack("{s:s}", "queue", queue));
    else
        puts(queue);
    return 0;
}

int list_queues(char **words, int count)
{
    (void)words;
    (void)count;
    bool any = false;
    const int status = cli_check_spool();
    if (status != STATUS_DONE)
        return status;
    const int error = mq_list(cli_spool, print_name, &any);
    if (error)
        return cli_error(error, NULL, "cannot list the queues");
    if (!any && output_is_terminal())
        cli_say_none();
    return STATUS_DONE;
}
