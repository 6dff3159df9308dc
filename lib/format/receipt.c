/* The grammar of receipts. */
#include "format/receipt.h"

#include <errno.h>
#include <string.h>

#include "base/put.h"
#include "format/spool_name.h"

bool receipt_parse(const char *receipt, char ret_queue[MQ_QUEUE_NAME_SIZE], struct message_name *ret_name)
{
    char queue[MQ_QUEUE_NAME_SIZE];
    const char *end = strrchr(receipt, '/'); /* a group's name has one, too */
    const size_t length = end ? (size_t)(end - receipt) : 0;
    if (!end || length >= sizeof queue)
        return false;
    memcpy(queue, receipt, length);
    queue[length] = '\0';
    if (!name_is_queue(queue) || !name_parse(MQ_INFLIGHT, receipt + length + 1, ret_name))
        return false;
    memcpy(ret_queue, queue, length + 1);
    return true;
}

void receipt_format(const char *queue, const struct message_name *name, char ret_receipt[MQ_RECEIPT_SIZE])
{
    char *at = put_text(ret_receipt, queue);
    *at++ = '/';
    name_format(MQ_INFLIGHT, name, at);
}

int mq_receipt_queue(const char *receipt, char *ret_queue)
{
    struct message_name name;
    return receipt_parse(receipt, ret_queue, &name) ? 0 : -EBADMSG;
}
