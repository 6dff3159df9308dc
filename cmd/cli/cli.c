/* What the programs share. */
#include "cli/cli.h"

#include "base/clock.h"
#include "base/units.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text/text.h"

#define MESSAGE_SIZE 1536
#define LAST_WAIT 1000 /* milliseconds */
#define MILLISECONDS_MOST INT64_C(86400000)

const char *cli_spool;
bool cli_quiet, cli_verbose, cli_json;
int cli_signals = -1;
bool cli_is_ending;

/* ---- options -------------------------------------------------------------------- */

static const struct argp_option common_options[] = {
    {"spool", 'S', "DIR", 0, "The directory of the queues, instead of $MQ_SPOOL", -2},
    {"quiet", 'q', NULL, 0, "Print nothing but results and errors", -2},
    {"verbose", 'v', NULL, 0, "Say on standard error what is done", -2},
    {0},
};
static const struct argp_option json_options[] = {
    {"json", 'j', NULL, 0, "Print JSON Lines, an object a line", -2},
    {0},
};

static error_t parse_common(int key, char *argument, struct argp_state *state)
{
    switch (key) {
    case 'S':
        if (!*argument)
            cli_usage(state, "--spool: empty");
        cli_spool = argument;
        return 0;
    case 'q':
        cli_quiet = true;
        cli_verbose = false;
        return 0;
    case 'v':
        cli_verbose = true;
        return 0;
    case 'j':
        cli_json = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The end of --help. */
static char *filter_help(int key, const char *text, void *input)
{
    char spool[CLI_SPOOL_SIZE], *line;
    (void)input;
    if (key != ARGP_KEY_HELP_EXTRA)
        return (char *)(uintptr_t)text;
    cli_describe_spool(spool);
    return asprintf(&line, "The spool in force is %s.", spool) < 0 ? NULL : line;
}

const struct argp cli_argp = {.options = common_options, .parser = parse_common, .help_filter = filter_help};
static const struct argp json_argp = {.options = json_options, .parser = parse_common};

const struct argp_child cli_children[] = {{&cli_argp, 0, NULL, 0}, {0}};
const struct argp_child cli_json_children[] = {{&cli_argp, 0, NULL, 0}, {&json_argp, 0, NULL, 0}, {0}};

static void print_version(FILE *stream, struct argp_state *state)
{
    (void)state;
    fprintf(stream, "%s (mq) %s\n", program_invocation_short_name, mq_version());
}

/*
 * Where a standard descriptor is closed the next file opened would take its number, and what we
 * print would go into the queue. O_PATH gives one that can be neither read nor written.
 */
static void guard_standard_descriptors(void)
{
    struct pollfd standard[3] = {{.fd = 0}, {.fd = 1}, {.fd = 2}};
    if (poll(standard, 3, 0) <= 0)
        return;
    for (int i = 0; i < 3; i++)
        if (standard[i].revents & POLLNVAL && open("/", O_PATH) < 0)
            _exit(STATUS_IO);
}

/* --help and --version print, and end the program without a look at what became of that. */
static bool is_parsing;

static void check_output(void)
{
    if (is_parsing && (ferror(stdout) || fflush(stdout) != 0))
        _exit(cli_fail(STATUS_IO, NULL, "cannot write the output: %s", strerror(errno)));
}

static void parse(const struct argp *argp, int argc, char **argv, unsigned flags)
{
    guard_standard_descriptors();
    (void)signal(SIGXFSZ, SIG_IGN); /* a file at its limit (ulimit -f) is a full disk, and no reason to be killed */
    argp_err_exit_status = STATUS_USAGE;
    argp_program_version_hook = print_version;
    is_parsing = atexit(check_output) == 0;
    const error_t error = argp_parse(argp, argc, argv, flags, NULL, NULL);
    is_parsing = false;
    if (error)
        exit(cli_error(-error, NULL, "cannot read the command line"));
}

void cli_parse(const struct argp *argp, int argc, char **argv)
{
    parse(argp, argc, argv, 0);
}

void cli_parse_in_order(const struct argp *argp, int argc, char **argv)
{
    parse(argp, argc, argv, ARGP_IN_ORDER);
}

void cli_usage(const struct argp_state *state, const char *format, ...)
{
    char text[MESSAGE_SIZE], escaped[TEXT_ESCAPED(MESSAGE_SIZE)];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    text_escape(text, strlen(text), "", escaped);
    argp_error(state, "%s", escaped);
    exit(STATUS_USAGE);
}

int64_t cli_duration(const struct argp_state *state, const char *option, const char *text)
{
    int64_t duration;
    if (!units_parse_duration(text, &duration))
        cli_usage(state, "%s: '%s' is not a duration such as 500ms, 30s or 2h", option, text);
    return duration;
}

int64_t cli_delay(const struct argp_state *state, const char *option, const char *text)
{
    const int64_t delay = cli_duration(state, option, text);
    if (delay > UNITS_DURATION_MAX - clock_now())
        cli_usage(state, "%s: '%s' lies beyond 2112, the last year that a message can tell", option, text);
    return delay;
}

int64_t cli_period(const struct argp_state *state, const char *option, const char *text)
{
    const int64_t period = cli_duration(state, option, text);
    if (period == 0)
        cli_usage(state, "%s: must be longer than 0", option);
    return period;
}

int cli_milliseconds(const struct argp_state *state, const char *option, const char *text)
{
    const int64_t duration = cli_duration(state, option, text);
    if (duration > MILLISECONDS_MOST * 1000)
        cli_usage(state, "%s: longer than a day", option);
    return (int)(duration / 1000);
}

uint64_t cli_number(const struct argp_state *state, const char *option, const char *text, uint64_t least, uint64_t most)
{
    uint64_t number;
    if (!units_parse_number(text, most, &number) || number < least) {
        if (most == UINT64_MAX)
            cli_usage(state, "%s: '%s' is not a number from %ju", option, text, (uintmax_t)least);
        cli_usage(state, "%s: '%s' is not a number from %ju to %ju", option, text, (uintmax_t)least, (uintmax_t)most);
    }
    return number;
}

/* ---- talk ----------------------------------------------------------------------- */

/* Signals that are blocked cannot end a write: wait for the reader and for them, and once one has come for a moment
   only. True: there is room. */
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
    if (cli_signals >= 0 && !wait_for_reader())
        return;
    /* Where the complaint cannot be written there is nobody to tell: the status has to do. */
    if (write(STDERR_FILENO, text, size) < 0)
        return;
}

/* One write a line: programs of a pipeline share the terminal. */
static void say(const char *subject, const char *format, va_list arguments)
{
    char text[MESSAGE_SIZE], escaped[TEXT_ESCAPED(MESSAGE_SIZE) + 1];
    const char *colon = subject ? ": " : "";
    const int head = snprintf(text, sizeof text, "%s: %.800s%s", program_invocation_short_name, subject ? subject : "",
                              colon);
    if (head > 0 && (size_t)head < sizeof text)
        vsnprintf(text + head, sizeof text - (size_t)head, format, arguments);
    size_t size = text_escape(text, strlen(text), "", escaped);
    escaped[size++] = '\n';
    cli_say(escaped, size);
}

int cli_fail(int status, const char *subject, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(subject, format, arguments);
    va_end(arguments);
    return status;
}

void cli_note(const char *subject, const char *format, ...)
{
    va_list arguments;
    if (!cli_verbose)
        return;
    va_start(arguments, format);
    say(subject, format, arguments);
    va_end(arguments);
}

const char *cli_reason(int error)
{
    switch (-error) {
    case ENOBUFS:
        return "the queue is full";
    case EMSGSIZE:
        return "the body is larger than max-size";
    case E2BIG:
        return "the headers are over 64 KiB";
    case ESTALE:
        return "the claim has ended";
    case EBADMSG:
        return "malformed";
    case EFBIG:
        return "a file may not become so large here (ulimit -f)";
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
    case E2BIG:
    case EISDIR:
        return STATUS_DATA;
    case ENOENT:
    case ENOTDIR:
        return STATUS_NO_QUEUE;
    case EROFS:
    case ENOSYS:
    case EOPNOTSUPP:
        return STATUS_UNAVAILABLE;
    case ENOBUFS:
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

int cli_queue_error(int error, const char *queue, const char *what)
{
    char problem[256];
    if (error == -EBADMSG && mq_config_explain(cli_spool, queue, problem, sizeof problem) == 1)
        return cli_fail(STATUS_CONFIG, queue, "bad configuration: %s", problem);
    if (error == -ENOENT)
        return cli_fail(STATUS_NO_QUEUE, queue, "%s: the queue is gone", what);
    return cli_error(error, queue, what);
}

/* ---- the spool ------------------------------------------------------------------ */

const char *cli_advice;

bool cli_spool_is_named(void)
{
    const char *said = getenv("MQ_SPOOL");
    return cli_spool || (said && *said);
}

/* Whoever becomes root for one command does not think of root's spool. */
static const char *user_behind_root(void)
{
    const char *user = getenv("SUDO_USER");
    user = user ? user : getenv("DOAS_USER");
    return !cli_spool_is_named() && geteuid() == 0 && user && strcmp(user, "root") != 0 ? user : NULL;
}

void cli_describe_spool(char text[CLI_SPOOL_SIZE])
{
    char path[PATH_MAX];
    const char *user = user_behind_root();
    if (mq_spool_path(cli_spool, path, sizeof path) != 0)
        snprintf(text, CLI_SPOOL_SIZE, "not known, since none of -S, MQ_SPOOL and HOME is set");
    else if (user)
        snprintf(text, CLI_SPOOL_SIZE, "%s (root's own; name that of %.64s with -S or MQ_SPOOL)", path, user);
    else
        snprintf(text, CLI_SPOOL_SIZE, "%s", path);
}

/* The spool cannot be used at all: 0, or the exit status of what was reported. */
static int check_path(void)
{
    char path[PATH_MAX];
    const int error = mq_spool_path(cli_spool, path, sizeof path);
    if (error == -ENOENT)
        return cli_fail(STATUS_CONFIG, NULL, "no spool: none of -S, MQ_SPOOL and HOME is set");
    return error ? cli_error(error, NULL, "no spool") : STATUS_DONE;
}

int cli_check_spool(void)
{
    char path[PATH_MAX], described[CLI_SPOOL_SIZE];
    struct stat status;
    const int status_of_path = check_path();
    if (status_of_path != STATUS_DONE || mq_spool_path(cli_spool, path, sizeof path) != 0)
        return status_of_path;
    const int error = stat(path, &status) < 0 ? errno : S_ISDIR(status.st_mode) ? 0 : ENOTDIR;
    if (!error)
        return STATUS_DONE;
    cli_describe_spool(described);
    if (error == ENOENT)
        return cli_fail(STATUS_NO_QUEUE, NULL, "there is no spool %s", described);
    return cli_fail(cli_status(-error), NULL, "cannot look into the spool %s: %s", described, cli_reason(-error));
}

void cli_say_none(void)
{
    char described[CLI_SPOOL_SIZE];
    cli_describe_spool(described);
    if (!cli_quiet)
        (void)cli_fail(STATUS_DONE, NULL, "no queues in %s", described);
}

/* A queue could not be made, because the directory that it is to be in could not. */
static int cannot_make_spool(int error)
{
    char described[CLI_SPOOL_SIZE];
    const int status = check_path();
    if (status != STATUS_DONE)
        return status;
    cli_describe_spool(described);
    return cli_fail(STATUS_CANNOT_CREATE, NULL, "cannot make the spool %s: %s", described, cli_reason(error));
}

/* ---- queues --------------------------------------------------------------------- */

int cli_no_queue(const char *name)
{
    char described[CLI_SPOOL_SIZE];
    const int status = check_path();
    if (status != STATUS_DONE)
        return status;
    cli_describe_spool(described);
    return cli_fail(STATUS_NO_QUEUE, name, "no such queue in %s%s%s", described, cli_advice ? ": " : "",
                    cli_advice ? cli_advice : "");
}

/* From the linker: where this program lies in memory. */
extern const char __executable_start[], _end[];

/* A file that a mapping is of was cut short, and it is not the program's own. */
static bool is_of_cut_file(const siginfo_t *info)
{
    const uintptr_t at = (uintptr_t)info->si_addr;
    return info->si_code == BUS_ADRERR && (at < (uintptr_t)__executable_start || at >= (uintptr_t)_end);
}

/*
 * The queue's shared page is a mapped file: cut it short, and touching it is SIGBUS. An empty page in its
 * place is as good as any to go on with, since the page is only a hint; the library sees that it is not the
 * file any more, and makes a new one. Any other SIGBUS, as one that somebody sends, does what it does by itself.
 */
static void replace_page(int signal, siginfo_t *info, void *context)
{
    const uintptr_t size = (uintptr_t)sysconf(_SC_PAGESIZE), at = (uintptr_t)info->si_addr;
    const int error = errno;
    (void)context;
    if (!is_of_cut_file(info) || mmap((void *)(at - at % size), size, PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
        (void)sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
        (void)raise(signal); /* delivered on return */
    }
    errno = error;
}

void cli_survive_cut_pages(void)
{
    (void)sigaction(SIGBUS, &(struct sigaction){.sa_sigaction = replace_page, .sa_flags = SA_SIGINFO}, NULL);
}

int cli_check_name(const char *name)
{
    if (mq_queue_name_is_valid(name))
        return STATUS_DONE;
    return cli_fail(STATUS_USAGE, NULL,
                    "'%s': not a queue name: it takes 1 to 128 of A-Z a-z 0-9 _ . - and begins with no . or -", name);
}

int cli_cannot_create(int error, const char *queue)
{
    char path[CLI_SPOOL_SIZE];
    struct stat status;
    const bool has_spool = mq_spool_path(cli_spool, path, sizeof path) == 0 && stat(path, &status) == 0 &&
                           S_ISDIR(status.st_mode);
    if (cli_status(error) == STATUS_NO_QUEUE && !has_spool)
        return cannot_make_spool(error);
    return cli_queue_error(error, queue, "cannot open or create the queue");
}

/* There is no such queue: if there is a topic of that name it is opened, or where only a queue will do that is told.
   -1: there is none. */
static int open_topic(const char *name, unsigned flags, mq_topic **ret_topic)
{
    mq_topic *topic;
    if (mq_topic_open(cli_spool, name, &topic) != 0)
        return -1;
    if (ret_topic) {
        *ret_topic = topic;
        return STATUS_DONE;
    }
    mq_topic_close(topic);
    return cli_fail(flags & MQ_CREATE ? STATUS_CANNOT_CREATE : STATUS_NO_QUEUE, name, "it is a topic, not a queue");
}

int cli_open(const char *name, unsigned flags, mq_queue **ret_queue)
{
    return cli_open_either(name, flags, ret_queue, NULL);
}

int cli_open_either(const char *name, unsigned flags, mq_queue **ret_queue, mq_topic **ret_topic)
{
    const int status_of_name = cli_check_name(name);
    if (status_of_name != STATUS_DONE)
        return status_of_name;
    cli_survive_cut_pages();
    const int error = mq_open(cli_spool, name, flags, ret_queue);
    if (!error && mq_queue_is_alone(*ret_queue) && !cli_quiet)
        (void)cli_fail(STATUS_DONE, name,
                       "a directory lies in the place of this host's page: figures, order and "
                       "wake-ups suffer until mq-queue check --repair has moved it");
    if (!error)
        return STATUS_DONE;
    const int topic = error == -ENOTDIR || error == -ENOENT ? open_topic(name, flags, ret_topic) : -1;
    if (topic >= 0)
        return topic;
    if (flags & MQ_CREATE)
        return cli_cannot_create(error, name);
    return error == -ENOENT ? cli_no_queue(name) : cli_queue_error(error, name, "cannot open the queue");
}

void *cli_must(void *allocated)
{
    if (!allocated)
        exit(cli_error(-ENOMEM, NULL, "cannot go on"));
    return allocated;
}
