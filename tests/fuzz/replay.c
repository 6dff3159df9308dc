/* Feed files to a fuzz target: usage: TARGET FILE… */
#include "fuzz.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void replay(const char *path)
{
    struct stat status;
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &status) < 0) {
        perror(path);
        exit(1);
    }
    uint8_t *data = malloc((size_t)status.st_size + 1);
    const ssize_t size = data ? read(file, data, (size_t)status.st_size) : -1;
    close(file);
    if (size < 0) {
        perror(path);
        exit(1);
    }
    (void)LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    return 0;
}
