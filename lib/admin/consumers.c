/* Who receives from a queue. */
#include "admin/consumers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/fs_fifo.h"
#include "base/fs_list.h"
#include "base/grow.h"
#include "format/work_name.h"
#include "store/bucket.h"

/* A process: its host, as in the names of claims, and its number. */
struct process {
    char host[NAME_HOST_SIZE];
    uint32_t number;
};

struct processes {
    struct process *items;
    size_t count, room;
};

static int add(struct processes *processes, const char *host, uint32_t number)
{
    if (!GROW(processes->items, processes->count + 1, processes->room))
        return -ENOMEM;
    struct process *process = &processes->items[processes->count++];
    memset(process, 0, sizeof *process);
    memccpy(process->host, host, '\0', sizeof process->host - 1);
    process->number = number;
    return 0;
}

static int compare(const void *one, const void *other)
{
    return memcmp(one, other, sizeof(struct process));
}

/* Sort, and keep one of each. */
static void unite(struct processes *processes)
{
    size_t kept = 0;
    if (processes->count > 0)
        qsort(processes->items, processes->count, sizeof *processes->items, compare);
    for (size_t i = 0; i < processes->count; i++)
        if (i == 0 || compare(&processes->items[kept - 1], &processes->items[i]) != 0)
            processes->items[kept++] = processes->items[i];
    processes->count = kept;
}

/* ---- waiting ------------------------------------------------------------------------ */

struct waiting {
    mq_queue *queue;
    struct processes *processes;
    int dir;
};

/* Whether a process reads the FIFO. One that this process may not write to counts as read. */
static bool is_read(int dir, const char *name)
{
    const int fifo = fs_open_fifo(dir, name);
    if (fifo >= 0)
        close(fifo);
    return fifo >= 0 || fifo == -EACCES;
}

static int add_waiter(void *context, const char *name, unsigned char type)
{
    const struct waiting *waiting = context;
    uint64_t number;
    (void)type;
    if (!name_parse_waiter(name, &number) || !is_read(waiting->dir, name))
        return 0;
    return add(waiting->processes, waiting->queue->owner.host, name_waiter_process(number));
}

static int find_waiting(mq_queue *queue, struct processes *processes)
{
    const uint64_t leader = page_leader(queue->page);
    if (leader == 0 && page_followers(queue->page) == 0 && !page_is_private(queue->page))
        return 0;
    struct waiting waiting = {queue, processes, fs_open_dir(queue->dir, "waiters")};
    if (waiting.dir < 0)
        return waiting.dir == -ENOENT ? 0 : waiting.dir;
    int error = fs_list_at(waiting.dir, ".", add_waiter, &waiting);
    if (!error && leader != 0 && is_read(waiting.dir, NAME_BELL))
        error = add(processes, queue->owner.host, name_waiter_process(leader));
    close(waiting.dir);
    return error;
}

/* ---- working ------------------------------------------------------------------------ */

struct working {
    struct processes *processes;
    int64_t now;
    uint64_t left;
};

static int add_owner(void *context, const struct bucket_file *file)
{
    struct working *working = context;
    if (working->left-- == 0)
        return 1;
    if (!file->name.owner.process || file->name.time < working->now)
        return 0;
    return add(working->processes, file->name.owner.host, file->name.owner.process);
}

static int find_working(mq_queue *queue, struct processes *processes)
{
    struct working working = {processes, queue_now(queue), CONSUMERS_CLAIMS};
    const int error = bucket_walk(queue->dir, MQ_INFLIGHT, add_owner, &working);
    return error < 0 ? error : 0;
}

int consumers_count(mq_queue *queue, uint64_t in_flight, struct consumers *ret_consumers)
{
    struct processes waiting = {0}, all = {0};
    int error = find_waiting(queue, &waiting);
    if (!error && in_flight > 0)
        error = find_working(queue, &all);
    unite(&waiting);
    unite(&all);
    struct consumers consumers = {.waiting = waiting.count, .working = all.count};
    for (size_t i = 0; i < waiting.count && !error; i++)
        error = add(&all, waiting.items[i].host, waiting.items[i].number);
    unite(&all);
    consumers.all = all.count;
    free(waiting.items);
    free(all.items);
    if (!error)
        *ret_consumers = consumers;
    return error;
}
