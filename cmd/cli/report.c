/* Errors and notes on standard error. */
#include "cli/report.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "text/text.h"

#define MESSAGE_SIZE 1536
#define PRIORITY_SIZE 3 /* of "<3>" in front of a message to the journal, see sd-daemon(3) */
#define LAST_WAIT 1000  /* milliseconds */

bool cli_quiet, cli_verbose;
int cli_signals = -1;
bool cli_is_ending;
void (*cli_before_say)(void);

/* ---- writing --------------------------------------------------------------------- */

/* A blocked signal cannot end a write. So wait for the reader and for a signal at once; after a signal, wait only a
   moment. True: there is room. */
static bool wait_for_reader(void)
{
    static bool given_up;
    struct pollfd both[2] = {{.fd = STDERR_FILENO, .events = POLLOUT}, {.fd = cli_signals, .events = POLLIN}};
    int ready;
    do
        ready = poll(both, 2, given_up ? 0 : cli_is_ending ? LAST_WAIT : -1);
    while (ready < 0 && errno == EINTR);
    given_up = ready == 0;
    return ready < 0 || both[0].revents;
}

void cli_say(const char *text, size_t size)
{
    if (cli_before_say)
        cli_before_say();
    if (cli_signals >= 0 && !wait_for_reader())
        return;
    /* If the message cannot be written, only the exit status tells. */
    if (write(STDERR_FILENO, text, size) < 0)
        return;
}

/* Whether standard error is the stream to the journal that JOURNAL_STREAM names, as DEVICE:INODE. */
static bool is_journal(void)
{
    struct stat status;
    char ours[64];
    const char *journal = getenv("JOURNAL_STREAM");
    if (!journal || fstat(STDERR_FILENO, &status) < 0)
        return false;
    snprintf(ours, sizeof ours, "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
    return strcmp(ours, journal) == 0;
}

/* Each line is one write, since the programs of a pipeline share the terminal. */
static void say(int priority, const char *subject, const char *format, va_list arguments)
{
    char text[MESSAGE_SIZE], escaped[PRIORITY_SIZE + TEXT_ESCAPED(MESSAGE_SIZE) + 1];
    size_t size = is_journal() ? (size_t)sprintf(escaped, "<%d>", priority) : 0;
    const char *colon = subject ? ": " : "";
    const int head = snprintf(text, sizeof text, "%s: %.800s%s", program_invocation_short_name, subject ? subject : "",
                              colon);
    if (head > 0 && (size_t)head < sizeof text)
        vsnprintf(text + head, sizeof text - (size_t)head, format, arguments);
    size += text_escape(text, strlen(text), "", escaped + size);
    escaped[size++] = '\n';
    cli_say(escaped, size);
}

int cli_fail(int status, const char *subject, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(status == STATUS_DONE ? LOG_WARNING : LOG_ERR, subject, format, arguments);
    va_end(arguments);
    return status;
}

void cli_note(const char *subject, const char *format, ...)
{
    va_list arguments;
    if (!cli_verbose)
        return;
    va_start(arguments, format);
    say(LOG_INFO, subject, format, arguments);
    va_end(arguments);
}

/* ---- errors ---------------------------------------------------------------------- */

const char *cli_reason(int error)
{
    switch (-error) {
    case ENOBUFS:
        return "the queue is full";
    case ESHUTDOWN:
        return "the queue is paused";
    case ENODATA:
        return "it lacks a header that the queue requires";
    case EMSGSIZE:
        return "the body is larger than max-size";
    case EOVERFLOW:
        return "the message is larger than max-bytes";
    case ERANGE:
        return "the offsets of the log are used up";
    case E2BIG:
        return "the headers are over 64 KiB";
    case ESTALE:
        return "the claim has ended";
    case EBADMSG:
        return "malformed";
    case EFBIG:
        return "a file may not become so large here (ulimit -f)";
    case EINPROGRESS:
        return "a sync failed; a loss of power may undo it";
    default:
        return strerror(-error);
    }
}

int cli_status(int error)
{
    switch (-error) {
    case ESTALE:
        return STATUS_NOTHING;
    case EINVAL:
    case EBADMSG:
    case EMSGSIZE:
    case EOVERFLOW:
    case ENODATA:
    case E2BIG:
    case EISDIR:
        return STATUS_DATA;
    case ENOENT:
    case ENOTDIR:
        return STATUS_NO_QUEUE;
    case EROFS:
    case ENOSYS:
    case EOPNOTSUPP:
    case ERANGE:
        return STATUS_UNAVAILABLE;
    case EINPROGRESS:
        return STATUS_UNSAFE;
    case ENOBUFS:
    case ESHUTDOWN:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
    case EBUSY:
    case ENOTEMPTY:
        return STATUS_TRY_LATER;
    case EACCES:
    case EPERM:
        return STATUS_PERMISSION;
    default:
        return STATUS_IO;
    }
}

int cli_error(int error, const char *subject, const char *what)
{
    return cli_fail(cli_status(error), subject, "%s: %s", what, cli_reason(error));
}

void *cli_must(void *allocated)
{
    if (!allocated)
        exit(cli_error(-ENOMEM, NULL, "cannot go on"));
    return allocated;
}
