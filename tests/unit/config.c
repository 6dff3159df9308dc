/* The configuration file: defaults, what is refused and how that is told, and that writing keeps what it does not
   change. */
#include "store/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

static int dir;

static void write_config(const char *text, size_t size)
{
    const int file = openat(dir, "config", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    EXPECT(write(file, text, size) == (ssize_t)size);
    close(file);
}

static void expect_problem(const char *text, const char *line, const char *key)
{
    struct config config;
    char problem[CONFIG_PROBLEM_SIZE] = "";
    write_config(text, strlen(text));
    EXPECT(config_load(dir, &config, problem) == -EBADMSG);
    if (!EXPECT(strstr(problem, line) && strstr(problem, key)))
        fprintf(stderr, "said: %s\n", problem);
}

static void defaults(void)
{
    struct config config;
    char value[CONFIG_VALUE_SIZE];
    EXPECT(config_load(dir, &config, NULL) == 0); /* there is no file */
    EXPECT(config.durable && !config.drop_expired && config.max_attempts == 5 && config.max_size == 262144);
    EXPECT(config.ack_timeout == 30000000 && config.ttl == 0 && config.max_depth == 0);
    EXPECT(config_get(&config, "retry-max-delay", value));
    EXPECT_TEXT(value, "1h");
    EXPECT(config_get(&config, "ttl", value));
    EXPECT_TEXT(value, "none");
    EXPECT(!config_get(&config, "colour", value));
}

static void reading(void)
{
    static const char text[] = "# ours\n\n  ttl=5m # short\nmax-attempts = none\r\ndurability = none\n";
    struct config config;
    write_config(text, sizeof text - 1);
    EXPECT(config_load(dir, &config, NULL) == 0);
    EXPECT(config.ttl == 300000000 && config.max_attempts == 0 && !config.durable);
}

static void what_is_refused(void)
{
    expect_problem("ttl = 5m\ncolour = red\n", "line 2", "colour");
    expect_problem("\n\nack-timeout = soon\n", "line 3", "ack-timeout");
    expect_problem("ack-timeout = 0s\n", "line 1", "ack-timeout");
    expect_problem("ack-timeout = none\n", "line 1", "ack-timeout");
    expect_problem("durability = perhaps\n", "line 1", "durability");
    expect_problem("max-size = -1\n", "line 1", "max-size");
    expect_problem("max-size = 18446744073709551616\n", "line 1", "max-size");
    expect_problem("max-depth = 18446744073709551617\n", "line 1", "max-depth");
    expect_problem("ttl = 9223372036854775807us\n", "line 1", "ttl");
    expect_problem("just words\n", "line 1", "key = value");
    struct config config;
    write_config("ttl\0= 5m", 8);
    EXPECT(config_load(dir, &config, NULL) == -EBADMSG);
    unlinkat(dir, "config", 0);
    mkdirat(dir, "config", 0700);
    EXPECT(config_load(dir, &config, NULL) == -EBADMSG);
    unlinkat(dir, "config", AT_REMOVEDIR);
}

static void writing_keeps_the_rest(void)
{
    static const char text[] = "# ours\nttl = 5m\nmax-depth = 9";
    char back[200] = "";
    struct config config;
    write_config(text, sizeof text - 1);
    mkdirat(dir, "tmp", 0700);
    const int tmp = openat(dir, "tmp", O_RDONLY | O_DIRECTORY);
    EXPECT(config_store(dir, tmp, "ttl", "7d") == 0);
    EXPECT(config_store(dir, tmp, "max-depth", NULL) == 0);
    EXPECT(config_store(dir, tmp, "ttl", "soon") == -EINVAL);
    EXPECT(config_store(dir, tmp, "colour", "red") == -EINVAL);
    close(tmp);
    const int file = openat(dir, "config", O_RDONLY);
    EXPECT(read(file, back, sizeof back - 1) > 0);
    close(file);
    EXPECT_TEXT(back, "# ours\nttl = 7d\n");
    EXPECT(unlinkat(dir, "tmp", AT_REMOVEDIR) == 0);
    EXPECT(config_load(dir, &config, NULL) == 0 && config.max_depth == 0);
}

int main(void)
{
    char *const path = unit_directory();
    dir = open(path, O_RDONLY | O_DIRECTORY);
    defaults();
    reading();
    what_is_refused();
    writing_keeps_the_rest();
    unlinkat(dir, "config", 0);
    close(dir);
    rmdir(path);
    free(path);
    return unit_failures != 0;
}
