/* Whether a message's own body caused an error of reading or copying it. */
#include "message/body_error.h"

#include "base/io.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "io/temporary.h"

/* A body up to this size never lacks space by its own fault. */
#define SMALL ((size_t)64 << 10)

static bool is_lack_of_space(int error)
{
    return error == -ENOMEM || error == -ENOSPC || error == -EDQUOT || error == -EFBIG;
}

static bool has_space_for_small_body(void)
{
    char *small = calloc(1, SMALL);
    const int file = small ? temporary_open() : -ENOMEM;
    const int error = file < 0 ? file : io_write_all(file, small, SMALL);
    if (file >= 0)
        close(file);
    free(small);
    return error == 0;
}

bool body_error_is_of_message(int error, const mq_message *message)
{
    if (error == -EBADMSG)
        return true;
    return is_lack_of_space(error) && mq_message_size(message) > SMALL && has_space_for_small_body();
}

const char *body_error_reason(int error)
{
    return error == -EBADMSG ? "it is cut short" : cli_reason(error);
}
