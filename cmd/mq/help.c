/* `mq help`. */
#include "mq/help.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "text/text.h"

#define LINE_MOST 200 /* bytes of a line about a program */

/* ---- others' lines --------------------------------------------------------------- */

/* Start `whatis mq-NAME...` for the programs that are not ours. Returns its output; NULL: it cannot be asked. */
static FILE *ask_whatis(const struct programs *programs, pid_t *ret_pid)
{
    int ends[2], error;
    size_t count = 0;
    posix_spawn_file_actions_t actions;
    char **words = cli_must(calloc(programs->count + 2, sizeof *words));
    words[count++] = (char[]){"whatis"};
    for (size_t i = 0; i < programs->count; i++)
        if (programs->all[i].runs && !programs_line(programs->all[i].name))
            words[count++] = strrchr(programs->all[i].path, '/') + 1;
    if (count == 1 || pipe2(ends, O_CLOEXEC) < 0) {
        free(words);
        return NULL;
    }
    if (posix_spawn_file_actions_init(&actions) != 0)
        cli_must(NULL);
    error = posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    if (!error)
        error = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (!error)
        error = posix_spawnp(ret_pid, words[0], &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    free(words);
    close(ends[1]);
    FILE *output = error ? NULL : fdopen(ends[0], "r");
    if (!output)
        close(ends[0]);
    return output;
}

/* A line of whatis reads "mq-NAME (1) - what it does", with or without blanks. */
static void take_line(const struct programs *programs, char *line, char **lines)
{
    const size_t length = strcspn(line, " (");
    char *what = strstr(line, " - ");
    if (!what || strncmp(line, PROGRAM_PREFIX, strlen(PROGRAM_PREFIX)) != 0)
        return;
    what += strspn(what, " -");
    what[strcspn(what, "\n")] = '\0';
    line[length] = '\0';
    const struct program *program = programs_get(programs, line + strlen(PROGRAM_PREFIX));
    if (program && !lines[program - programs->all])
        lines[program - programs->all] = cli_must(strndup(what, LINE_MOST));
}

static void read_lines(const struct programs *programs, char **lines)
{
    pid_t pid;
    char *line = NULL;
    size_t room = 0;
    FILE *output = ask_whatis(programs, &pid);
    if (!output)
        return;
    while (getline(&line, &room, output) > 0)
        take_line(programs, line, lines);
    free(line);
    fclose(output);
    (void)waitpid(pid, NULL, 0);
}

/* ---- the list -------------------------------------------------------------------- */

static void print_program(FILE *stream, int width, const char *name, const char *line)
{
    char escaped_name[TEXT_ESCAPED(256)], escaped_line[TEXT_ESCAPED(4096)];
    text_escape(name, strnlen(name, 256), "", escaped_name);
    text_escape(line, strnlen(line, 4096), "", escaped_line);
    fprintf(stream, "  %-*s  %s\n", width, escaped_name, escaped_line);
}

static int widest(const struct programs *programs)
{
    size_t width = 5;
    for (size_t i = 0; i < programs->count; i++)
        if (programs->all[i].runs && strlen(programs->all[i].name) > width)
            width = strlen(programs->all[i].name);
    return width < 20 ? (int)width : 20;
}

void help_list(const struct programs *programs, FILE *stream)
{
    const int width = widest(programs);
    char **lines = cli_must(calloc(programs->count + 1, sizeof *lines));
    bool others = false;
    read_lines(programs, lines);
    fputs("mq NAME [ARGUMENT...] runs the program mq-NAME. There are:\n", stream);
    for (size_t i = 0; i < programs->count; i++) {
        const char *name = programs->all[i].name, *line = programs_line(name);
        if (line && programs->all[i].runs)
            print_program(stream, width, name, line);
        others |= !line && programs->all[i].runs;
    }
    if (others)
        fputs("\nOthers in PATH:\n", stream);
    for (size_t i = 0; i < programs->count; i++) {
        const struct program *program = &programs->all[i];
        if (!programs_line(program->name) && program->runs)
            print_program(stream, width, program->name, lines[i] ? lines[i] : program->path);
        free(lines[i]);
    }
    free(lines);
    fputs("\n`mq help NAME` opens the manual page of one, and `mq help tutorial` is the way in.\n", stream);
}

/* ---- pages ----------------------------------------------------------------------- */

/* The section and name of a page that is not a program's. */
static const struct page {
    const char *topic, *section, *name;
} pages[] = {
    {"mq", "7", "mq"},   {"libmq", "3", "libmq"}, {"spool", "5", "mq-spool"}, {"tutorial", "7", "mq-tutorial"},
    {"help", "1", "mq"},
};

static int become_man(const char *section, const char *name)
{
    execvp("man", (char *const[]){(char[]){"man"}, (char *)(uintptr_t)section, (char *)(uintptr_t)name, NULL});
    return cli_fail(errno == ENOENT ? STATUS_NO_COMMAND : STATUS_CANNOT_RUN, "man", "cannot open the page %s(%s): %s",
                    name, section, strerror(errno));
}

int help_open(const struct programs *programs, const char *topic)
{
    char *name;
    const size_t prefix = strncmp(topic, PROGRAM_PREFIX, strlen(PROGRAM_PREFIX)) == 0 ? strlen(PROGRAM_PREFIX) : 0;
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        if (strcmp(topic + (i == 0 ? 0 : prefix), pages[i].topic) == 0)
            return become_man(pages[i].section, pages[i].name);
    if (!programs_get(programs, topic + prefix) && !programs_line(topic + prefix))
        return help_no_such(programs, topic);
    if (asprintf(&name, PROGRAM_PREFIX "%s", topic + prefix) < 0)
        name = NULL;
    const int status = become_man("1", cli_must(name));
    free(name);
    return status;
}

int help_no_such(const struct programs *programs, const char *name)
{
    const char *nearest = programs_nearest(programs, name);
    if (nearest)
        return cli_fail(STATUS_USAGE, NULL, "'%s': no such command; did you mean '%s'?", name, nearest);
    return cli_fail(STATUS_USAGE, NULL, "'%s': no such command; see 'mq help'", name);
}
