/* Feed files to a fuzz target, and with MUTATIONS=N in the environment N changed forms of each: usage: TARGET FILE…

   The changes are the same at each run. They replace nothing that libFuzzer does (`make fuzz`), which knows what an
   input has reached; but they need no clang. */
#include "fuzz.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* The next of Marsaglia's xorshift numbers ("Xorshift RNGs", 2003), below LIMIT. */
static size_t random_below(size_t limit)
{
    static uint64_t state = 88172645463325252U;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)(state % limit);
}

/* Change one place of DATA, in which there is room for twice SIZE bytes, and return its new size. */
static size_t mutate(uint8_t *data, size_t size)
{
    static const uint8_t telling[] = "\n\0\xff -:=,.#*\"\\{}[]09eE/";
    if (size == 0)
        return 0;
    const size_t from = random_below(size), count = 1 + random_below(size - from);
    switch (random_below(5)) {
    case 0:
        data[from] ^= (uint8_t)(1U << random_below(8));
        return size;
    case 1:
        data[from] = telling[random_below(sizeof telling)];
        return size;
    case 2:
        memmove(data + from, data + from + count, size - from - count);
        return size - count;
    case 3:
        memmove(data + from + count, data + from, size - from);
        return size + count;
    default:
        return from;
    }
}

/* The target gets memory of exactly its size, so that valgrind or a sanitizer sees when it reads beyond the end. */
static void feed(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size);
    if (!exact && size > 0)
        abort();
    if (size > 0)
        memcpy(exact, data, size);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static void feed_changed(const uint8_t *data, size_t size, long mutations)
{
    enum { CHANGES = 3 }; /* at most, each of which doubles the size at most */
    uint8_t *changed = malloc((size << CHANGES) + 1);
    for (long i = 0; changed && i < mutations; i++) {
        size_t changed_size = size;
        memcpy(changed, data, size);
        for (size_t n = 1 + random_below(CHANGES); n > 0; n--)
            changed_size = mutate(changed, changed_size);
        feed(changed, changed_size);
    }
    free(changed);
}

static void replay(const char *path, long mutations)
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
    feed(data, (size_t)size);
    feed_changed(data, (size_t)size, mutations);
    free(data);
}

int main(int argc, char **argv)
{
    const char *mutations = getenv("MUTATIONS");
    for (int i = 1; i < argc; i++)
        replay(argv[i], mutations ? atol(mutations) : 0);
    return 0;
}
