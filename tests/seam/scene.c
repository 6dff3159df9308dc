/* Scenes: making them, and judging what is left. */
#include "scene.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "seam.h"
#include "stage.h"

/* ---- beginning and ending -------------------------------------------------------------- */

/* Thousands of scenes are set: in memory, where there is some. */
static const char *place(void)
{
    const char *wanted = getenv("TMPDIR");
    return wanted ? wanted : access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

void scene_begin(struct scene *ret_scene, const struct operation *operation)
{
    *ret_scene = (struct scene){.file = -1};
    seam_pass(0);
    snprintf(ret_scene->spool, sizeof ret_scene->spool, "%.60s/mq-unit-XXXXXX", place());
    stage_must(mkdtemp(ret_scene->spool) ? 0 : -1, "mkdtemp");
    stage_must(mq_open(ret_scene->spool, "jobs", MQ_CREATE, &ret_scene->queue), "mq_open");
    stage_send(ret_scene->queue, "bystander", (struct letter){.priority = 0});
    stage_send(ret_scene->queue, "held", (struct letter){.priority = 9});
    stage_claim(ret_scene, STAGE_DAY);
    if (operation->stage)
        operation->stage(ret_scene);
}

static int remove_path(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

void scene_end(struct scene *scene)
{
    mq_message_free(scene->message);
    mq_batch_free(scene->batch);
    mq_close(scene->queue);
    mq_close(scene->other);
    if (scene->file >= 0)
        close(scene->file);
    nftw(scene->spool, remove_path, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- every operation ------------------------------------------------------------------- */

/* Every so many of them, from the first on. */
static bool try_some(const char *only, int (*try)(const struct operation *), size_t first, size_t every)
{
    int failures = 0;
    for (size_t i = first; i < operations_count + lane_operations_count; i += every) {
        const struct operation *operation = i < operations_count ? &operations[i]
                                                                 : &lane_operations[i - operations_count];
        if (!only || strcmp(only, operation->name) == 0)
            failures = try(operation);
    }
    return failures == 0;
}

bool scene_each_operation(const char *only, int (*try)(const struct operation *operation))
{
    const long processors = only ? 1 : sysconf(_SC_NPROCESSORS_ONLN);
    const size_t children = processors > 1 ? (size_t)processors : 1;
    bool good = true;
    for (size_t i = 0; i < children; i++) {
        const pid_t child = fork();
        stage_must(child, "fork");
        if (child == 0)
            exit(try_some(only, try, i, children) ? 0 : 1);
    }
    for (int status; wait(&status) > 0;)
        good = good && status == 0;
    return good;
}

/* ---- reading --------------------------------------------------------------------------- */

void scene_sweep_spool(const struct scene *scene)
{
    seam_pass(40 * 3600);
    (void)mq_sweep_spool(scene->spool);
    seam_pass(0);
}

unsigned scene_stride(unsigned stride, int argument_count, const char *variable)
{
    const char *wanted = getenv(variable);
    return argument_count > 1 || (wanted && strcmp(wanted, "all") == 0) ? 1 : stride;
}

unsigned scene_first_call(unsigned stride)
{
    static unsigned asked;
    return 1 + ((unsigned)time(NULL) + asked++) % stride;
}

struct reading {
    mq_queue *queue;
    struct content *content;
};

static void read_body(mq_message *message, struct placed *ret_placed)
{
    const ssize_t got = mq_message_read(message, ret_placed->body, sizeof ret_placed->body - 1);
    ret_placed->body[got > 0 ? got : 0] = '\0';
    ret_placed->size = mq_message_size(message);
}

static int note(const struct mq_entry *entry, void *context)
{
    const struct reading *reading = context;
    struct placed *placed = &reading->content->all[reading->content->count];
    mq_message *message;
    *placed = (struct placed){.state = entry->state, .body = "(unreadable)"};
    if (mq_entry_open(reading->queue, entry, &message) == 1) {
        read_body(message, placed);
        mq_message_free(message);
    }
    return ++reading->content->count == SCENE_MESSAGES;
}

/* What a process has settled in a group is another one's to finish by then. */
#define SETTLED_SECONDS 3
/* And all leases are over and all is due. */
#define LEASES_SECONDS (4 * 86400)

static bool is_ordered(mq_queue *queue)
{
    char order[16];
    stage_must(mq_config_get(queue, "order", order, sizeof order), "mq_config_get");
    return strcmp(order, "none") != 0;
}

static void read_all(mq_queue *queue, struct content *content)
{
    struct reading reading = {.queue = queue, .content = content};
    struct mq_swept swept;
    if (is_ordered(queue))
        seam_pass(SETTLED_SECONDS);
    stage_must(mq_sweep(queue, &swept), "mq_sweep");
    for (int state = 0; state < MQ_STATES; state++)
        stage_must(mq_browse(queue, (enum mq_state)state, note, &reading), "mq_browse");
}

struct spool_reading {
    const struct scene *scene;
    struct content *content;
};

static int read_queue(const char *name, void *context)
{
    const struct spool_reading *reading = context;
    mq_queue *queue;
    stage_must(mq_open(reading->scene->spool, name, 0, &queue), "mq_open");
    read_all(queue, reading->content);
    mq_close(queue);
    return 0;
}

void scene_read(const struct scene *scene, struct content *ret_content)
{
    ret_content->count = 0;
    stage_must(mq_list(scene->spool, read_queue, &(struct spool_reading){scene, ret_content}), "mq_list");
}

static bool is_same(const struct placed *one, const struct placed *other)
{
    return strcmp(one->body, other->body) == 0 && one->size == other->size;
}

size_t content_count(const struct content *content, const struct placed *message)
{
    size_t count = 0;
    for (size_t i = 0; i < content->count; i++)
        count += is_same(&content->all[i], message);
    return count;
}

const struct placed *content_find(const struct content *content, const struct placed *message)
{
    for (size_t i = 0; i < content->count; i++)
        if (is_same(&content->all[i], message))
            return &content->all[i];
    return NULL;
}

/* ---- judging --------------------------------------------------------------------------- */

static void ignore_finding(const char *path, const char *problem, void *context)
{
    (void)path;
    (void)problem;
    (void)context;
}

/* The bodies of a group's messages, in order. */
static bool is_before(const char *body, const char *later)
{
    static const char all[] = "one two three zzz";
    const char *one = strstr(all, body), *other = strstr(all, later);
    return !one || !other || one < other;
}

/* All that is ready, and no more, comes out; in order. */
static const char *drain(mq_queue *queue, size_t ready)
{
    const struct mq_receive_options options = {.wait = 0, .cancel_fd = -1};
    mq_message *message;
    struct placed last = {.body = "-"}, now;
    size_t received = 0;
    const bool in_order = is_ordered(queue);
    int got;
    while ((got = mq_receive(queue, &options, &message)) == 1) {
        received++;
        read_body(message, &now);
        const bool is_late = in_order && !is_before(last.body, now.body);
        const int acked = mq_ack(queue, mq_message_receipt(message));
        mq_message_free(message);
        if (is_late || acked != 0)
            return is_late ? "a later message of a group came first" : "a message cannot be acked";
        last = now;
    }
    return got < 0 ? "it cannot be received from" : received != ready ? "not all is received that is ready" : NULL;
}

/* What waits behind a claim, or for a dead letter, is not received. */
static void end_leases(mq_queue *queue)
{
    uint64_t purged;
    seam_pass(LEASES_SECONDS);
    for (int steps = 0; steps < 2; steps++) {
        struct mq_swept swept;
        stage_must(mq_sweep(queue, &swept), "mq_sweep");
        stage_must(mq_purge(queue, MQ_DEAD, &purged), "mq_purge");
    }
}

static const char *use(mq_queue *queue)
{
    struct content content = {0};
    size_t ready = 0;
    if (mq_check(queue, false, ignore_finding, NULL) != 0)
        return "mq_check finds something";
    if (stage_try_send(queue, "afterwards", is_ordered(queue) ? LETTER_PLAIN : (struct letter){.priority = 5}) != 0)
        return "it cannot be sent to";
    if (is_ordered(queue))
        end_leases(queue);
    read_all(queue, &content);
    for (size_t i = 0; i < content.count; i++)
        ready += content.all[i].state == MQ_READY;
    return drain(queue, ready);
}

const char *scene_problem(const struct scene *scene)
{
    mq_queue *queue;
    if (mq_open(scene->spool, "jobs", MQ_CREATE, &queue) != 0)
        return "it cannot be opened";
    const char *problem = use(queue);
    mq_close(queue);
    return problem;
}

size_t scene_descriptors(void)
{
    size_t count = 0;
    DIR *all = opendir("/proc/self/fd");
    while (all && readdir(all))
        count++;
    if (all)
        closedir(all);
    return count;
}
