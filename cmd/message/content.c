/* What its sender gave a message. */
#include "message/content.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "io/space.h"

int content_read(mq_message *message, char *data)
{
    const size_t size = (size_t)mq_message_size(message);
    for (size_t have = 0; have < size;) {
        const ssize_t got = mq_message_read(message, data + have, size - have);
        if (got <= 0)
            return got < 0 ? (int)got : -EBADMSG;
        have += (size_t)got;
    }
    return 0;
}

int content_copy(mq_message *message, char **ret_body)
{
    const size_t size = (size_t)mq_message_size(message);
    char *body = space_check_memory(size) == 0 ? malloc(size + 1) : NULL;
    const int error = body ? content_read(message, body) : -ENOMEM;
    if (error)
        free(body);
    else
        *ret_body = body;
    return error;
}

bool content_is_property(const char *name)
{
    static const char *const members[] = {"Id", "Timestamp", "Content-Length", "Priority", "Expires"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if ((*name | 0x20) == (*members[i] | 0x20) && strcasecmp(name, members[i]) == 0)
            return true;
    return false;
}

bool content_is_header(const char *name)
{
    return !content_is_property(name) && strncasecmp(name, "Mq-", 3) != 0;
}
