/* Calling a function for each queue. */
#include "cli/queues.h"

#include <errno.h>

#include "cli/cli.h"

struct walk {
    int (*act)(mq_queue *queue, void *context);
    void *context;
    int status;
};

static void visit(mq_queue *queue, struct walk *walk)
{
    walk->status = cli_worse(walk->status, walk->act(queue, walk->context));
    mq_close(queue);
}

static int visit_named(const char *name, struct walk *walk)
{
    mq_queue *queue;
    const int status = cli_open(name, 0, &queue);
    walk->status = cli_worse(walk->status, status);
    if (status == STATUS_DONE)
        visit(queue, walk);
    return status;
}

static int visit_listed(const char *name, void *context)
{
    mq_queue *queue;
    struct walk *walk = context;
    const int error = mq_open(cli_spool, name, 0, &queue);
    if (!error)
        visit(queue, walk);
    else if (error != -ENOENT) /* it was deleted after it was listed */
        walk->status = cli_worse(walk->status, cli_queue_error(error, name, "cannot open the queue"));
    return 0;
}

static int visit_all(struct walk *walk)
{
    char spool[CLI_SPOOL_SIZE];
    const int status = cli_check_spool();
    if (status != STATUS_DONE)
        return status;
    const int error = mq_list(cli_spool, visit_listed, walk);
    if (error)
        return cli_worse(walk->status, cli_error(error, NULL, "cannot list the queues"));
    cli_describe_spool(spool);
    cli_note(NULL, "the spool is %s", spool);
    return walk->status;
}

int queues_each(char *const *names, int count, int (*act)(mq_queue *queue, void *context), void *context)
{
    struct walk walk = {.act = act, .context = context, .status = STATUS_DONE};
    cli_survive_cut_pages();
    for (int i = 0; i < count; i++)
        (void)visit_named(names[i], &walk);
    return count > 0 ? walk.status : visit_all(&walk);
}
