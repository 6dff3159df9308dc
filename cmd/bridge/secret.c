/* What a bridge shows to the other side to be let in. */
#include "bridge/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

#define IN_FILE "MQ_BRIDGE_PASSWORD_FILE"
#define AS_TEXT "MQ_BRIDGE_PASSWORD"

static char *first_line(const char *path)
{
    char *line = NULL;
    size_t room = 0;
    FILE *file = fopen(path, "re");
    if (!file)
        exit(cli_fail(STATUS_CONFIG, IN_FILE, "cannot open %s: %s", path, strerror(errno)));
    const ssize_t size = getline(&line, &room, file);
    const int error = ferror(file) ? errno : 0;
    (void)fclose(file);
    if (error)
        exit(cli_fail(STATUS_CONFIG, IN_FILE, "cannot read %s: %s", path, strerror(error)));
    if (size <= 0 || line[0] == '\n' || memchr(line, '\0', (size_t)size))
        exit(cli_fail(STATUS_CONFIG, IN_FILE, "the first line of %s is no password", path));
    line[strcspn(line, "\n")] = '\0';
    return line;
}

const char *secret_password(void)
{
    const char *path = getenv(IN_FILE), *text = getenv(AS_TEXT);
    static char *password;
    password = path && *path ? first_line(path) : text && *text ? strdup(text) : NULL;
    if (!password && text && *text)
        exit(cli_error(-ENOMEM, NULL, "cannot go on"));
    (void)unsetenv(AS_TEXT);
    return password;
}

static const char *file_of(const struct url *url, const char *parameter)
{
    const char *path = url_parameter(url, parameter);
    if (path && access(path, R_OK) < 0)
        exit(cli_fail(STATUS_CONFIG, url->shown, "%s: cannot read %s: %s", parameter, path, strerror(errno)));
    return path;
}

struct secret_files secret_files(const struct url *url)
{
    const struct secret_files files = {file_of(url, "cacertfile"), file_of(url, "certfile"), file_of(url, "keyfile")};
    if (!files.certificate != !files.key)
        exit(cli_fail(STATUS_USAGE, url->shown, "certfile and keyfile go together"));
    return files;
}
