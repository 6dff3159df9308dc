/*
 * The floor of a send: what the file system takes to create a file without a name, write 1 KiB and link it.
 *
 *     link DIR COUNT
 *
 * Prints the median in microseconds. The files are removed again.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "measure.h"

static double create_and_link(int dir, int number)
{
    static const char body[1024];
    char path[32], name[32];
    const double begun = microseconds();
    const int file = openat(dir, ".", O_TMPFILE | O_RDWR, 0600);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    snprintf(name, sizeof name, "floor-%d", number);
    if (file < 0 || write(file, body, sizeof body) != sizeof body ||
        linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW) < 0) {
        perror("link");
        exit(1);
    }
    close(file);
    const double taken = microseconds() - begun;
    unlinkat(dir, name, 0);
    return taken;
}

int main(int argc, char **argv)
{
    const int count = argc == 3 ? atoi(argv[2]) : 0, dir = argc == 3 ? open(argv[1], O_RDONLY | O_DIRECTORY) : -1;
    double *times = count > 0 && dir >= 0 ? calloc((size_t)count, sizeof *times) : NULL;
    if (!times) {
        fprintf(stderr, "usage: link DIR COUNT\n");
        return 64;
    }
    for (int i = 0; i < count; i++)
        times[i] = create_and_link(dir, i);
    printf("%.1f\n", percentile(times, count, 50));
    free(times);
    return 0;
}
