/* Configuration files: what loads can be read and set key by key; what does not is explained on one line. */
#include "store/config.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "fuzz.h"
#include "mq.h"

static int queue_dir = -1;

static void fill(const uint8_t *data, size_t size)
{
    const int file = openat(queue_dir, "config", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    REQUIRE(file >= 0 && write(file, data, size) == (ssize_t)size);
    close(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config config;
    char problem[CONFIG_PROBLEM_SIZE] = "", value[CONFIG_VALUE_SIZE], text[CONFIG_PROBLEM_SIZE];
    if (queue_dir < 0)
        queue_dir = open(fuzz_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fill(data, size);
    const int error = config_load(queue_dir, &config, problem);
    REQUIRE(error == 0 || error == -EBADMSG);
    if (error) {
        REQUIRE(problem[0] && !strchr(problem, '\n'));
        return 0;
    }
    for (const char *const *key = mq_config_keys(); *key; key++) {
        REQUIRE(config_get(&config, *key, value));
        REQUIRE(mq_config_check(*key, value, text, sizeof text) == 0);
    }
    return 0;
}
