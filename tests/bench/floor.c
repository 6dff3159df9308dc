/*
 * The floor: what the system calls of a queue of files cost with nothing around them.
 *
 *     floor DIR single SIZE COUNT fast|durable    one message a file
 *     floor DIR batch SIZE COUNT fast|durable     256 messages a file, or as many as make 1 MiB
 *
 * In goes a file without a name, written at once and linked; out, a rename into another directory, an open, a read
 * and an unlink. Durable: the content is written back before the link, the file and its directory are synced after it.
 * Prints name=value: the median microseconds of a file for each step, and the messages a second in and out. The files
 * are removed again.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "measure.h"

#define BATCH 256
#define BATCH_BYTES (1 << 20)
#define WRITE_BACK (SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER)

static int ready, inflight;
static bool durable;
static char *buffer;

static int must(ssize_t result, const char *what)
{
    if (result >= 0)
        return (int)result;
    perror(what);
    exit(1);
}

static void name_file(int number, char name[16])
{
    snprintf(name, 16, "%09d", number);
}

static void publish(int number, size_t size)
{
    char path[32], name[16];
    name_file(number, name);
    const int file = must(openat(ready, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), "O_TMPFILE");
    must(write(file, buffer, size) == (ssize_t)size ? 0 : -1, "write");
    if (durable)
        must(sync_file_range(file, 0, 0, WRITE_BACK), "sync_file_range");
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    must(linkat(AT_FDCWD, path, ready, name, AT_SYMLINK_FOLLOW), "link");
    if (durable) {
        must(fsync(file), "fsync");
        must(fsync(ready), "fsync");
    }
    close(file);
}

static void claim(int number, size_t size)
{
    char name[16];
    (void)size;
    name_file(number, name);
    must(renameat(ready, name, inflight, name), "rename");
}

static void read_back(int number, size_t size)
{
    char name[16];
    name_file(number, name);
    const int file = must(openat(inflight, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), "open");
    must(read(file, buffer, size) == (ssize_t)size ? 0 : -1, "read");
    close(file);
}

static void ack(int number, size_t size)
{
    char name[16];
    (void)size;
    name_file(number, name);
    must(unlinkat(inflight, name, 0), "unlink");
}

/* Take a step for each file, and say what it took; the seconds of all. */
static double step(const char *what, void (*take)(int, size_t), int files, size_t size)
{
    double *times = calloc((size_t)files, sizeof *times), sum = 0;
    must(times ? 0 : -1, "calloc");
    for (int i = 0; i < files; i++) {
        const double begun = microseconds();
        take(i, size);
        times[i] = microseconds() - begun;
        sum += times[i];
    }
    printf("%s_us=%.1f ", what, percentile(times, files, 50));
    free(times);
    return sum / 1e6;
}

static int make_dir(int parent, const char *name)
{
    must(mkdirat(parent, name, 0700), name);
    return must(openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), name);
}

/* `count` messages of `size` bytes, `each` to a file. */
static void measure(int count, size_t size, int each)
{
    const int files = (count + each - 1) / each;
    const size_t bytes = (size_t)each * size;
    buffer = malloc(bytes);
    must(buffer ? 0 : -1, "malloc");
    memset(buffer, 'x', bytes);
    const double in = step("publish", publish, files, bytes);
    double out = step("claim", claim, files, bytes);
    out += step("read", read_back, files, bytes);
    out += step("ack", ack, files, bytes);
    printf("in=%.0f out=%.0f\n", files * each / in, files * each / out);
    free(buffer);
}

int main(int argc, char **argv)
{
    const bool batch = argc == 6 && strcmp(argv[2], "batch") == 0;
    const int size = argc == 6 ? atoi(argv[3]) : 0, count = argc == 6 ? atoi(argv[4]) : 0;
    if (size < 1 || size > BATCH_BYTES || count < 1 || (!batch && strcmp(argv[2], "single") != 0)) {
        fprintf(stderr, "usage: floor DIR single|batch SIZE COUNT fast|durable\n");
        return 64;
    }
    char home[] = "floor-XXXXXX";
    must(chdir(argv[1]), argv[1]);
    must(mkdtemp(home) ? 0 : -1, home);
    const int dir = must(open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC), home);
    ready = make_dir(dir, "ready");
    inflight = make_dir(dir, "inflight");
    durable = strcmp(argv[5], "durable") == 0;
    measure(count, (size_t)size, !batch ? 1 : BATCH * size > BATCH_BYTES ? BATCH_BYTES / size : BATCH);
    unlinkat(dir, "ready", AT_REMOVEDIR);
    unlinkat(dir, "inflight", AT_REMOVEDIR);
    rmdir(home);
    return 0;
}
