/* Reading a file ahead. */
#include "io/read_ahead.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* For a file of this many blocks or more, reading ahead gains more than the thread and the memory cost. */
#define WORTH_IT 8

/* The caller works on one block while the thread reads into the other. */
#define BLOCKS 2

struct block {
    char *memory;
    ssize_t got;  /* the result of read, with an error as -errno */
    bool is_read; /* the caller may use it; otherwise the thread may */
};

struct read_ahead {
    int fd;
    size_t block_size;
    struct block blocks[BLOCKS];
    unsigned next; /* the block to return next, counted from the first */
    bool stopping;
    pthread_t thread;
    pthread_mutex_t mutex; /* protects is_read and stopping */
    pthread_cond_t changed;
};

static struct block *block_at(struct read_ahead *ahead, unsigned number)
{
    return &ahead->blocks[number % BLOCKS];
}

/* ---- the thread ------------------------------------------------------------------ */

static bool wait_until_free(struct read_ahead *ahead, const struct block *block)
{
    pthread_mutex_lock(&ahead->mutex);
    while (block->is_read && !ahead->stopping)
        pthread_cond_wait(&ahead->changed, &ahead->mutex);
    const bool stopping = ahead->stopping;
    pthread_mutex_unlock(&ahead->mutex);
    return !stopping;
}

static void hand_over(struct read_ahead *ahead, struct block *block, bool is_read)
{
    pthread_mutex_lock(&ahead->mutex);
    block->is_read = is_read;
    pthread_mutex_unlock(&ahead->mutex);
    pthread_cond_signal(&ahead->changed);
}

static ssize_t read_block(int fd, char *memory, size_t size)
{
    ssize_t got;
    do
        got = read(fd, memory, size);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

static void *read_all(void *argument)
{
    struct read_ahead *ahead = argument;
    bool ended = false;
    for (unsigned number = 0; !ended && wait_until_free(ahead, block_at(ahead, number)); number++) {
        struct block *block = block_at(ahead, number);
        block->got = read_block(ahead->fd, block->memory + AHEAD_FRONT, ahead->block_size);
        ended = block->got <= 0;
        hand_over(ahead, block, true);
    }
    return NULL;
}

/* ---- who uses it ------------------------------------------------------------------ */

static bool is_worth_it(int fd, size_t block_size)
{
    struct stat status;
    const off_t at = lseek(fd, 0, SEEK_CUR);
    return at >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
           status.st_size - at >= (off_t)(block_size * WORTH_IT);
}

static void release(struct read_ahead *ahead)
{
    pthread_cond_destroy(&ahead->changed);
    pthread_mutex_destroy(&ahead->mutex);
    for (unsigned i = 0; i < BLOCKS; i++)
        free(ahead->blocks[i].memory);
    free(ahead);
}

/* Signals are blocked in the new thread, so that the main thread handles them. */
static bool start_thread(struct read_ahead *ahead)
{
    sigset_t all, before;
    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return false;
    const bool started = pthread_create(&ahead->thread, NULL, read_all, ahead) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

struct read_ahead *read_ahead_start(int fd, size_t block_size)
{
    struct read_ahead *ahead = is_worth_it(fd, block_size) ? calloc(1, sizeof *ahead) : NULL;
    if (!ahead)
        return NULL;
    ahead->fd = fd;
    ahead->block_size = block_size;
    pthread_mutex_init(&ahead->mutex, NULL);
    pthread_cond_init(&ahead->changed, NULL);
    bool has_memory = true;
    for (unsigned i = 0; i < BLOCKS; i++) {
        ahead->blocks[i].memory = malloc(AHEAD_FRONT + block_size + 1);
        has_memory = has_memory && ahead->blocks[i].memory;
    }
    if (has_memory && start_thread(ahead))
        return ahead;
    release(ahead);
    return NULL;
}

ssize_t read_ahead_next(struct read_ahead *ahead, char **ret_block)
{
    const struct block *block = block_at(ahead, ahead->next++);
    pthread_mutex_lock(&ahead->mutex);
    while (!block->is_read)
        pthread_cond_wait(&ahead->changed, &ahead->mutex);
    pthread_mutex_unlock(&ahead->mutex);
    *ret_block = block->memory + AHEAD_FRONT;
    return block->got;
}

void read_ahead_reuse(struct read_ahead *ahead)
{
    if (ahead->next > 1)
        hand_over(ahead, block_at(ahead, ahead->next - 2), false);
}

void read_ahead_stop(struct read_ahead *ahead)
{
    if (!ahead)
        return;
    pthread_mutex_lock(&ahead->mutex);
    ahead->stopping = true;
    pthread_mutex_unlock(&ahead->mutex);
    pthread_cond_signal(&ahead->changed);
    pthread_join(ahead->thread, NULL);
    release(ahead);
}
