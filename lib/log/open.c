/* Opening queues and groups: what the queue itself knows neither of topics nor of logs. */
#include "format/spool_name.h"
#include "log/group.h"
#include "route/send_on.h"

int mq_open(const char *spool, const char *name, unsigned flags, mq_queue **ret_queue)
{
    mq_queue *queue;
    int error = queue_open(spool, name, flags, &queue);
    if (!error && name_group_part(name)) {
        error = group_attach(queue);
        if (error)
            mq_close(queue);
    }
    if (error)
        return error;
    queue->send_on = send_on;
    *ret_queue = queue;
    return 0;
}
