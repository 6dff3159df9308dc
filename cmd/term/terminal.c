/* The whole terminal as a screen. */
#include "term/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "cli/output.h"

#define ENTER "\033[?1049h\033[?25l" /* the alternate screen, without a cursor */
#define LEAVE "\033[m\033[?25h\033[?1049l"
#define LAST_WAIT 100 /* milliseconds that terminal_close waits for a terminal that takes no output */
#define HOME "\033[H"
#define REST_OF_LINE "\033[K"
#define REST_OF_SCREEN "\033[J"

static int keyboard = -1;
static volatile sig_atomic_t is_open;
static struct termios before;
static struct output_patience patience; /* how to wait while the terminal takes no output */

/* ---- opening and closing -------------------------------------------------------------- */

/* Whether the terminal takes some bytes soon. The user may have stopped its output (^S), or may have closed it. */
static bool is_ready(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    if (poll(&out, 1, 0) == 0)
        (void)tcflow(STDOUT_FILENO, TCOON);
    return poll(&out, 1, LAST_WAIT) > 0;
}

/* Signal handlers call this, so it makes only calls that are safe in them. It does not wait until the terminal has
   shown what was drawn. */
void terminal_close(void)
{
    if (!is_open)
        return;
    is_open = 0;
    (void)tcsetattr(keyboard, TCSANOW, &before);
    if (is_ready() && write(STDOUT_FILENO, LEAVE, sizeof LEAVE - 1) < 0)
        return; /* the terminal is gone */
}

static void crash(int number)
{
    terminal_close();
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

/* Restore the terminal also if another function ends the program, or if it crashes. */
static void close_at_the_end(void)
{
    static const int crashes[] = {SIGSEGV, SIGABRT, SIGFPE, SIGILL};
    static bool done;
    if (done)
        return;
    done = true;
    atexit(terminal_close);
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        (void)signal(crashes[i], crash);
}

static int print(const char *text, size_t size)
{
    size_t written;
    return output_write(text, size, &patience, &written);
}

int terminal_open(int cancel_fd)
{
    patience = (struct output_patience){.cancel_fd = cancel_fd, .milliseconds = -1};
    if (keyboard < 0)
        keyboard = open("/dev/tty", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (keyboard < 0 || tcgetattr(keyboard, &before) < 0)
        return -errno;
    close_at_the_end();
    struct termios raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    is_open = 1;
    if (tcsetattr(keyboard, TCSANOW, &raw) < 0)
        return -errno;
    return print(ENTER, sizeof ENTER - 1);
}

int terminal_fd(void)
{
    return keyboard;
}

/* ---- keys ------------------------------------------------------------------------------ */

static const struct {
    const char *sequence;
    int key;
} sequences[] = {
    {"\033[A", TERMINAL_UP},         {"\033OA", TERMINAL_UP},    {"\033[B", TERMINAL_DOWN},
    {"\033OB", TERMINAL_DOWN},       {"\033[C", TERMINAL_RIGHT}, {"\033OC", TERMINAL_RIGHT},
    {"\033[D", TERMINAL_LEFT},       {"\033OD", TERMINAL_LEFT},  {"\033[5~", TERMINAL_PAGE_UP},
    {"\033[6~", TERMINAL_PAGE_DOWN}, {"\033[H", TERMINAL_HOME},  {"\033[F", TERMINAL_END},
    {"\033[1~", TERMINAL_HOME},      {"\033[4~", TERMINAL_END},
};

/* Bytes that were typed and that terminal_key has not returned yet. */
static char typed[64];
static size_t typed_size;

static int take(size_t length, int key)
{
    memmove(typed, typed + length, typed_size - length);
    typed_size -= length;
    return key;
}

/* The length of an unknown sequence, which ends at its first letter or tilde. */
static size_t length_of_sequence(void)
{
    size_t length = 2;
    while (length < typed_size && typed[length - 1] != '~' && (typed[length - 1] < '@' || length == 2))
        length++;
    return length;
}

static int take_escape(void)
{
    for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++) {
        const size_t length = strlen(sequences[i].sequence);
        if (length <= typed_size && memcmp(typed, sequences[i].sequence, length) == 0)
            return take(length, sequences[i].key);
    }
    if (typed_size > 2 && (typed[1] == '[' || typed[1] == 'O'))
        return take(length_of_sequence(), 0);
    return take(1, TERMINAL_ESCAPE);
}

int terminal_key(void)
{
    if (typed_size == 0) {
        const ssize_t got = read(keyboard, typed, sizeof typed);
        if (got < 0 && errno != EAGAIN && errno != EINTR)
            return TERMINAL_GONE;
        typed_size = got > 0 ? (size_t)got : 0;
    }
    if (typed_size == 0)
        return TERMINAL_NONE;
    return typed[0] == '\033' ? take_escape() : take(1, (unsigned char)typed[0]);
}

/* ---- the screen ------------------------------------------------------------------------ */

void terminal_size(size_t *ret_columns, size_t *ret_rows)
{
    struct winsize window;
    const bool told = ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0 && window.ws_row > 0;
    *ret_columns = told ? window.ws_col : 80;
    *ret_rows = told ? window.ws_row : 24;
}

int terminal_draw(const char *text, size_t size)
{
    char *out = NULL;
    size_t length = 0, columns, rows;
    FILE *stream = open_memstream(&out, &length);
    if (!stream)
        return -ENOMEM;
    terminal_size(&columns, &rows);
    fputs(HOME, stream);
    for (const char *at = text, *const end = text + size; at < end && rows > 0; rows--) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        if (!line_end)
            line_end = end;
        fprintf(stream, "%.*s" REST_OF_LINE "%s", (int)(line_end - at), at, rows > 1 ? "\r\n" : "");
        at = line_end + 1;
    }
    if (rows > 0)
        fputs(REST_OF_SCREEN, stream);
    const int error = fclose(stream) == 0 ? print(out, length) : -ENOMEM;
    free(out);
    return error;
}
