/*
 * The floor: what the system calls of a queue of files cost with nothing around them.
 *
 *     floor DIR single SIZE COUNT fast|durable    one message a file
 *     floor DIR batch SIZE COUNT fast|durable     256 messages a file, or as many as make 1 MiB
 *     floor DIR fan-out SIZE COUNT fast|durable   one message that gets into 10 directories, all or none
 *
 * In goes a file without a name, written at once and linked; out, a rename into another directory, an open, a read
 * and an unlink. Durable: the content is written back before the link, the file and its directory are synced after it.
 * Fan-out: a directory is made, the file is linked into it under 10 names and one more, it is renamed, each name goes
 * into its directory by a rename and the last by an unlink, and it is removed; durable, it is synced after its rename.
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
#define WAYS 10
#define WRITE_BACK (SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER)

static int home, ready, inflight, ways[WAYS];
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

/* A file without a name, written, and linked as `name`. */
static int write_file(int dir, const char *name, size_t size)
{
    char path[32];
    const int file = must(openat(ready, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), "O_TMPFILE");
    must(write(file, buffer, size) == (ssize_t)size ? 0 : -1, "write");
    if (durable)
        must(sync_file_range(file, 0, 0, WRITE_BACK), "sync_file_range");
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    must(linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW), "link");
    return file;
}

static void publish(int number, size_t size)
{
    char name[16];
    name_file(number, name);
    const int file = write_file(ready, name, size);
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

static void fan_out(int number, size_t size)
{
    char name[16], way[16];
    name_file(number, name);
    must(mkdirat(home, "open", 0700), "mkdir");
    const int dir = must(openat(home, "open", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open");
    close(write_file(dir, "all", size));
    for (int i = 0; i < WAYS; i++) {
        snprintf(way, sizeof way, "%d", i);
        must(linkat(dir, "all", dir, way, 0), "link");
    }
    must(renameat(home, "open", home, "decided"), "rename");
    if (durable)
        must(fsync(home), "fsync");
    for (int i = 0; i < WAYS; i++) {
        snprintf(way, sizeof way, "%d", i);
        must(renameat(dir, way, ways[i], name), "rename");
    }
    must(unlinkat(dir, "all", 0), "unlink");
    must(unlinkat(home, "decided", AT_REMOVEDIR), "rmdir");
    close(dir);
}

static void remove_ways(int number, size_t size)
{
    char name[16];
    (void)size;
    name_file(number, name);
    for (int i = 0; i < WAYS; i++)
        must(unlinkat(ways[i], name, 0), "unlink");
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

static void measure_fan_out(int count, size_t size)
{
    char name[16];
    for (int i = 0; i < WAYS; i++) {
        snprintf(name, sizeof name, "way-%d", i);
        ways[i] = make_dir(home, name);
    }
    const double seconds = step("fan_out", fan_out, count, size);
    printf("in=%.0f\n", count * WAYS / seconds);
    for (int i = 0; i < count; i++)
        remove_ways(i, size);
    for (int i = 0; i < WAYS; i++) {
        snprintf(name, sizeof name, "way-%d", i);
        unlinkat(home, name, AT_REMOVEDIR);
    }
}

/* `count` messages of `size` bytes, `each` to a file. */
static void measure(int count, size_t size, int each)
{
    const int files = (count + each - 1) / each;
    const size_t bytes = (size_t)each * size;
    const double in = step("publish", publish, files, bytes);
    double out = step("claim", claim, files, bytes);
    out += step("read", read_back, files, bytes);
    out += step("ack", ack, files, bytes);
    printf("in=%.0f out=%.0f\n", files * each / in, files * each / out);
}

static void prepare_buffer(size_t size)
{
    buffer = malloc(size);
    must(buffer ? 0 : -1, "malloc");
    memset(buffer, 'x', size);
}

int main(int argc, char **argv)
{
    const bool batch = argc == 6 && strcmp(argv[2], "batch") == 0, fans = argc == 6 && strcmp(argv[2], "fan-out") == 0;
    const int size = argc == 6 ? atoi(argv[3]) : 0, count = argc == 6 ? atoi(argv[4]) : 0;
    if (size < 1 || size > BATCH_BYTES || count < 1 || (!batch && !fans && strcmp(argv[2], "single") != 0)) {
        fprintf(stderr, "usage: floor DIR single|batch|fan-out SIZE COUNT fast|durable\n");
        return 64;
    }
    char path[] = "floor-XXXXXX";
    must(chdir(argv[1]), argv[1]);
    must(mkdtemp(path) ? 0 : -1, path);
    home = must(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), path);
    ready = make_dir(home, "ready");
    inflight = make_dir(home, "inflight");
    durable = strcmp(argv[5], "durable") == 0;
    const int each = !batch ? 1 : BATCH * size > BATCH_BYTES ? BATCH_BYTES / size : BATCH;
    prepare_buffer((size_t)size * (size_t)each);
    if (fans)
        measure_fan_out(count, (size_t)size);
    else
        measure(count, (size_t)size, each);
    free(buffer);
    unlinkat(home, "ready", AT_REMOVEDIR);
    unlinkat(home, "inflight", AT_REMOVEDIR);
    rmdir(path);
    return 0;
}
