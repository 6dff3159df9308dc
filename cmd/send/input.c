/* What mq-send sends. */
#include "send/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/output.h"

void input_add_file(struct input *input, const struct argp_state *state, const char *file)
{
    if (!input->files)
        input->files = cli_must(calloc((size_t)state->argc, sizeof *input->files));
    input->files[input->file_count++] = file;
}

void input_take_body(struct input *input, struct argp_state *state)
{
    input->words = state->argv + state->next - 1;
    input->word_count = state->argc - state->next + 1;
    state->next = state->argc;
    if (input->word_count == 1 && strcmp(input->words[0], "-") == 0)
        input->word_count = 0; /* standard input */
}

static int send_file(struct sending *sending, const char *name)
{
    if (strcmp(name, "-") == 0)
        return sending_stream(sending, STDIN_FILENO, NULL);
    const int file = open(name, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return sending_fail_file(sending, -errno, name, "cannot open");
    const int status = sending_stream(sending, file, name);
    close(file);
    return status;
}

static int send_words(struct sending *sending, char **words, int count)
{
    size_t size = 0;
    for (int i = 0; i < count; i++)
        size += strlen(words[i]) + 1;
    char *body = cli_must(malloc(size)), *end = body;
    for (int i = 0; i < count; i++) {
        end = stpcpy(end, words[i]);
        *end++ = ' ';
    }
    const int status = sending_bytes(sending, body, size - 1, NULL);
    free(body);
    return status;
}

/* How much of a file is left to read; 0: that is not known. */
static uint64_t size_of_file(int file)
{
    struct stat status;
    const off_t at = fstat(file, &status) == 0 && S_ISREG(status.st_mode) ? lseek(file, 0, SEEK_CUR) : -1;
    return at < 0 || status.st_size < at ? 0 : (uint64_t)(status.st_size - at);
}

static uint64_t size_by_name(const char *name)
{
    struct stat status;
    if (strcmp(name, "-") == 0)
        return size_of_file(STDIN_FILENO);
    return stat(name, &status) == 0 && S_ISREG(status.st_mode) ? (uint64_t)status.st_size : 0;
}

static uint64_t size_of_all(const struct input *input)
{
    uint64_t all = 0;
    for (int i = 0; i < input->file_count; i++) {
        const uint64_t size = size_by_name(input->files[i]);
        if (size == 0)
            return 0;
        all += size;
    }
    return input->file_count == 0 ? size_of_file(STDIN_FILENO) : all;
}

static int send_inputs(const struct input *input, struct sending *sending)
{
    if (input->file_count == 0)
        return sending_stream(sending, STDIN_FILENO, NULL);
    int status = STATUS_DONE;
    for (int i = 0; i < input->file_count && status == STATUS_DONE; i++)
        status = send_file(sending, input->files[i]);
    return status;
}

int input_send(const struct input *input, struct sending *sending)
{
    if (input->word_count > 0)
        return send_words(sending, input->words, input->word_count);
    if (input->progress && (cli_quiet || !output_is_terminal())) {
        sending->progress = progress_new("sent");
        sending->bytes_in_all = size_of_all(input);
    }
    const int status = send_inputs(input, sending);
    progress_end(sending->progress);
    return status;
}
