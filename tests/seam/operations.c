/* Everything that libmq does, each with what it finds. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seam.h"
#include "stage.h"

#define HURRIED ((struct letter){.priority = 8})

static const struct mq_send_options sending = {MQ_SEND_DEFAULTS};
static const struct mq_receive_options at_once = {.wait = 0, .cancel_fd = -1};

/* ---- files of a scene -------------------------------------------------------------------- */

static void path_of(const struct scene *scene, const char *file, char ret_path[400])
{
    snprintf(ret_path, 400, "%s/%s", scene->spool, file);
}

static void put_file(const struct scene *scene, const char *file)
{
    char path[400];
    path_of(scene, file, path);
    const int made = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    stage_must(made, path);
    close(made);
}

static void put_dir(const struct scene *scene, const char *dir)
{
    char path[400];
    path_of(scene, dir, path);
    stage_must(mkdir(path, 0755), path);
}

static void put_fifo(const struct scene *scene, const char *fifo)
{
    char path[400];
    path_of(scene, fifo, path);
    stage_must(mkfifo(path, 0644), path);
}

/* ---- queues -------------------------------------------------------------------------------- */

static int create_other(struct scene *scene)
{
    return mq_create(scene->spool, "other");
}

static int open_other(struct scene *scene)
{
    mq_queue *queue;
    const int error = mq_open(scene->spool, "other", MQ_CREATE, &queue);
    if (!error)
        mq_close(queue);
    return error;
}

static int open_again(struct scene *scene)
{
    mq_queue *queue;
    const int error = mq_open(scene->spool, "jobs", 0, &queue);
    if (!error)
        mq_close(queue);
    return error;
}

/* The page of this host is a hint, and goes: whoever opens the queue next counts what lies there. */
static void without_page(struct scene *scene)
{
    char host[400], aside[400];
    path_of(scene, "jobs/host", host);
    path_of(scene, "jobs/aside", aside);
    stage_must(rename(host, aside), host);
    put_dir(scene, "jobs/host");
    stage_send_three(scene->queue, LETTER_PLAIN);
}

static void with_other(struct scene *scene)
{
    stage_must(mq_open(scene->spool, "other", MQ_CREATE, &scene->other), "mq_open");
}

static void with_other_full(struct scene *scene)
{
    with_other(scene);
    stage_send(scene->other, "doomed", LETTER_PLAIN);
    stage_send(scene->other, "doomed later", (struct letter){.delay = STAGE_DAY});
}

static int delete_other(struct scene *scene)
{
    const int error = mq_delete(scene->spool, "other", false);
    return error == -ENOTEMPTY ? 0 : error;
}

static int delete_other_forced(struct scene *scene)
{
    return mq_delete(scene->spool, "other", true);
}

static int count_queue(const char *queue, void *context)
{
    (void)queue;
    ++*(int *)context;
    return 0;
}

static int list_queues(struct scene *scene)
{
    int count = 0;
    return mq_list(scene->spool, count_queue, &count);
}

static int reply(struct scene *scene)
{
    mq_queue *queue;
    const int error = mq_reply_open(scene->spool, &queue);
    if (!error)
        mq_reply_close(queue);
    return error;
}

static int set_key(struct scene *scene)
{
    return mq_config_set(scene->spool, "jobs", "max-attempts", "7");
}

static int unset_key(struct scene *scene)
{
    char value[64];
    mq_queue *queue;
    int error = mq_config_set(scene->spool, "jobs", "max-attempts", NULL);
    if (!error)
        error = mq_open(scene->spool, "jobs", 0, &queue);
    if (error)
        return error;
    stage_must(mq_config_get(queue, "max-attempts", value, sizeof value), "mq_config_get");
    mq_close(queue);
    return strcmp(value, "5") == 0 ? 0 : OPERATION_LIED;
}

static void with_keys(struct scene *scene)
{
    stage_set(scene, "max-attempts", "9");
    stage_set(scene, "ttl", "1h");
}

static int explain(struct scene *scene)
{
    char text[200];
    return mq_config_explain(scene->spool, "jobs", text, sizeof text);
}

/* ---- sending ------------------------------------------------------------------------------- */

static int send_new(struct scene *scene)
{
    return stage_try_send(scene->queue, "new", LETTER_PLAIN);
}

static int send_to_new_bucket(struct scene *scene)
{
    return stage_try_send(scene->queue, "new", (struct letter){.priority = 7});
}

static int send_later(struct scene *scene)
{
    return stage_try_send(scene->queue, "new", (struct letter){.delay = STAGE_DAY});
}

static mq_message *new_message(const char *body)
{
    mq_message *message;
    if (mq_message_new(&message) != 0)
        return NULL;
    mq_message_set_body(message, body, strlen(body));
    return message;
}

/* A file without a name, of more than is held in memory. */
static int long_text(void)
{
    char text[1000];
    memset(text, 'x', sizeof text);
    const int file = memfd_create("body", MFD_CLOEXEC);
    for (int i = 0; i < 150 && file >= 0; i++)
        stage_must(write(file, text, sizeof text) == sizeof text ? 0 : -1, "write");
    lseek(file, 0, SEEK_SET);
    return file;
}

static int send_stream(struct scene *scene)
{
    mq_message *message;
    int error = mq_message_new(&message);
    if (error)
        return error;
    error = mq_message_set_header(message, "Type", "long");
    const int body = scene->file; /* what is read of it the first time is not there the second */
    if (!error && lseek(body, 0, SEEK_SET) == 0) {
        mq_message_set_body_fd(message, body);
        error = mq_send(scene->queue, message, &sending, NULL);
    }
    mq_message_free(message);
    return error;
}

static void with_long_text(struct scene *scene)
{
    scene->file = long_text();
}

/* ---- sending once --------------------------------------------------------------------------- */

static int try_send_once(struct scene *scene, const char *id, const char *text, int body)
{
    struct mq_send_options once = {MQ_SEND_DEFAULTS};
    once.once = true;
    mq_message *message = new_message(text);
    if (!message)
        return -ENOMEM;
    int error = id ? mq_message_set_id(message, id) : 0;
    if (body >= 0 && lseek(body, 0, SEEK_SET) == 0)
        mq_message_set_body_fd(message, body);
    if (!error)
        error = mq_send(scene->queue, message, &once, NULL);
    mq_message_free(message);
    return error;
}

static int send_once(struct scene *scene)
{
    return try_send_once(scene, "an-id", "sent once", -1);
}

static int send_stream_once(struct scene *scene)
{
    return try_send_once(scene, NULL, "", scene->file);
}

/* The directories are there. */
static void sent_once(struct scene *scene)
{
    stage_must(try_send_once(scene, "other-id", "sent before", -1), "mq_send");
}

/* A sender died between its mark and its last rename. */
static void left_draft(struct scene *scene)
{
    char command[400];
    stage_must(try_send_once(scene, "an-id", "sent once", -1), "mq_send");
    snprintf(command, sizeof command,
             "cd %s/jobs && mark=$(echo sent/*/an-id) && says=$(readlink $mark) && slot=${mark%%/an-id} && "
             "mv ready/*/*.an-id.a0 tmp/once-${slot#sent/}.$says.an-id.a0",
             scene->spool);
    stage_must(-system(command), command);
}

/* The slot of that mark is over. */
static void left_draft_and_slot(struct scene *scene)
{
    char command[400];
    left_draft(scene);
    snprintf(command, sizeof command,
             "cd %s/jobs/sent/slot && for slot in *; do mv $slot ${slot%%%%-*}-0000000000000-0000000000000; done",
             scene->spool);
    stage_must(-system(command), command);
    mq_close(scene->queue);
    stage_must(mq_open(scene->spool, "jobs", MQ_CREATE, &scene->queue), "mq_open");
}

static void full(struct scene *scene)
{
    with_other(scene);
    stage_must(mq_config_set(scene->spool, "other", "max-depth", "1"), "mq_config_set");
    mq_close(scene->other);
    with_other(scene);
    stage_send(scene->other, "enough", LETTER_PLAIN);
}

static int send_to_full(struct scene *scene)
{
    mq_message *message = new_message("too much");
    if (!message)
        return -ENOMEM;
    const struct mq_send_options blocking = {.block = 1, .cancel_fd = -1};
    const int error = mq_send(scene->other, message, &blocking, NULL);
    mq_message_free(message);
    return error == -ENOBUFS ? 0 : error;
}

/* Two are ready, and there is room for two. */
static void full_of_old(struct scene *scene)
{
    with_other(scene);
    stage_must(mq_config_set(scene->spool, "other", "max-depth", "2"), "mq_config_set");
    stage_must(mq_config_set(scene->spool, "other", "max-bytes", "1M"), "mq_config_set");
    stage_must(mq_config_set(scene->spool, "other", "overflow", "dead-oldest"), "mq_config_set");
    mq_close(scene->other);
    with_other(scene);
    stage_send(scene->other, "old", LETTER_PLAIN);
    stage_send(scene->other, "older", LETTER_PLAIN);
}

static int send_over(struct scene *scene)
{
    mq_message *message = new_message("over");
    if (!message)
        return -ENOMEM;
    const int error = mq_send(scene->other, message, &(struct mq_send_options){MQ_SEND_DEFAULTS}, NULL);
    mq_message_free(message);
    return error;
}

/* Another one has deleted the queue. */
static void deleted(struct scene *scene)
{
    stage_must(mq_delete(scene->spool, "jobs", true), "mq_delete");
}

#define MANY 5

static char many[MANY][8] = {"many 1", "many 2", "many 3", "many 4", "many 5"};

/* Two that go together, one that goes later, and two more; done again, those that are left. */
static int send_many(struct scene *scene)
{
    mq_message *messages[MANY];
    size_t sent = 0;
    int error = 0;
    for (int i = 0; i < MANY; i++) {
        messages[i] = new_message(many[i]);
        if (!messages[i])
            error = -ENOMEM;
    }
    if (!error)
        error = mq_message_set_delay(messages[2], STAGE_DAY);
    if (!error)
        error = mq_send_batch(scene->queue, messages + scene->sent, MANY - scene->sent, &sending, NULL, &sent);
    scene->sent += sent;
    for (int i = 0; i < MANY; i++)
        mq_message_free(messages[i]);
    return error;
}

/* The same number by one message. */
static int send_bodies(struct scene *scene)
{
    struct iovec bodies[MANY];
    size_t sent = 0;
    mq_message *message = new_message("not sent");
    if (!message)
        return -ENOMEM;
    for (int i = 0; i < MANY; i++)
        bodies[i] = (struct iovec){many[i], strlen(many[i])};
    const int error = mq_send_bodies(scene->queue, message, bodies + scene->sent, MANY - scene->sent, &sending, NULL,
                                     &sent);
    scene->sent += sent;
    mq_message_free(message);
    return error;
}

/* ---- receiving ----------------------------------------------------------------------------- */

static void ready(struct scene *scene)
{
    stage_send(scene->queue, "work", LETTER_PLAIN);
}

static void three_ready(struct scene *scene)
{
    stage_send_three(scene->queue, LETTER_PLAIN);
}

static int receive_from(mq_queue *queue, const struct mq_receive_options *options)
{
    mq_message *message = NULL;
    char text[64];
    int got = mq_receive(queue, options, &message);
    if (got == 1) {
        const ssize_t size = mq_message_read(message, text, sizeof text);
        got = size < 0 ? (int)size : 1;
        mq_message_free(message);
    }
    return got;
}

static int receive(struct scene *scene)
{
    return receive_from(scene->queue, &at_once);
}

static int wait_for_none(struct scene *scene)
{
    return receive_from(scene->other, &(struct mq_receive_options){.wait = 2000, .cancel_fd = -1});
}

static void with_leader(struct scene *scene)
{
    char path[400];
    with_other(scene);
    path_of(scene, "other/waiters", path);
    scene->file = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    stage_must(flock(scene->file, LOCK_EX), "flock");
}

static void lapsed(struct scene *scene)
{
    stage_send(scene->queue, "lapsing", HURRIED);
    stage_claim(scene, 1);
    seam_pass(1); /* on a network file system a claim is left to its owner for a while */
}

static void lapsed_for_good(struct scene *scene)
{
    stage_set(scene, "max-attempts", "1");
    lapsed(scene);
}

static void due(struct scene *scene)
{
    stage_send(scene->queue, "due", (struct letter){.priority = 8, .delay = 1});
}

static void expired(struct scene *scene)
{
    stage_send(scene->queue, "stale", (struct letter){.priority = 8, .ttl = 1});
    stage_send_three(scene->queue, (struct letter){.priority = 8, .ttl = 1});
}

static void expired_to_drop(struct scene *scene)
{
    stage_set(scene, "on-expiry", "drop");
    expired(scene);
}

/* Of the same priority, and an older one. */
static void behind_empty_bucket(struct scene *scene)
{
    put_dir(scene, "jobs/ready/5-0000000000001");
    ready(scene);
}

static void with_batch(struct scene *scene)
{
    three_ready(scene);
    stage_must(mq_batch_new(&scene->batch), "mq_batch_new");
}

static int receive_three(struct scene *scene)
{
    mq_message *message;
    int got = mq_receive_batch(scene->queue, &at_once, 3, scene->batch);
    while (got == 1)
        got = mq_batch_next(scene->batch, &message);
    return got;
}

static int receive_new_batch(struct scene *scene)
{
    mq_batch_free(scene->batch);
    scene->batch = NULL;
    const int error = mq_batch_new(&scene->batch);
    return error ? error : receive_three(scene);
}

static void with_batch_claimed(struct scene *scene)
{
    with_batch(scene);
    stage_must(receive_three(scene), "mq_receive_batch");
}

static void with_batch_partly_acked(struct scene *scene)
{
    with_batch_claimed(scene);
    stage_must(mq_batch_ack(scene->queue, scene->batch, 1), "mq_batch_ack");
}

static int ack_two(struct scene *scene)
{
    return mq_batch_ack(scene->queue, scene->batch, 2);
}

static int ack_three(struct scene *scene)
{
    return mq_batch_ack(scene->queue, scene->batch, 3);
}

static int release_after_one(struct scene *scene)
{
    return mq_batch_release(scene->queue, scene->batch, 1);
}

static int keep_batch(struct scene *scene)
{
    return mq_batch_keep(scene->queue, scene->batch);
}

static void with_batch_half_through(struct scene *scene)
{
    with_batch_claimed(scene);
    seam_pass(20);
}

/* ---- settling ------------------------------------------------------------------------------ */

static void claimed(struct scene *scene)
{
    ready(scene);
    stage_claim(scene, STAGE_DAY);
}

static void extended(struct scene *scene)
{
    claimed(scene);
    stage_must(mq_extend(scene->queue, scene->receipt, 2 * STAGE_DAY), "mq_extend");
}

static void claimed_last(struct scene *scene)
{
    stage_set(scene, "max-attempts", "1");
    claimed(scene);
}

static void add_failure(struct scene *scene)
{
    stage_must(mq_failure_add(scene->queue, scene->receipt, "it broke\n", 9), "mq_failure_add");
}

static void failed(struct scene *scene)
{
    claimed(scene);
    add_failure(scene);
}

static void failed_often(struct scene *scene)
{
    static char line[32768];
    claimed(scene);
    memset(line, '.', sizeof line);
    line[sizeof line - 1] = '\n';
    for (int i = 0; i < 8; i++)
        stage_must(mq_failure_add(scene->queue, scene->receipt, line, sizeof line), "mq_failure_add");
}

static int ack(struct scene *scene)
{
    return mq_ack(scene->queue, scene->receipt);
}

static int ack_once(struct scene *scene)
{
    return mq_ack_once(scene->queue, scene->receipt);
}

static int nack(struct scene *scene)
{
    return mq_nack(scene->queue, scene->receipt, 0);
}

static int nack_with_back_off(struct scene *scene)
{
    return mq_nack(scene->queue, scene->receipt, MQ_BACK_OFF);
}

static int reject(struct scene *scene)
{
    return mq_reject(scene->queue, scene->receipt, "no good");
}

static int release(struct scene *scene)
{
    return mq_release(scene->queue, scene->receipt);
}

static int extend(struct scene *scene)
{
    return mq_extend(scene->queue, scene->receipt, 3 * STAGE_DAY);
}

static int tell_failure(struct scene *scene)
{
    return mq_failure_add(scene->queue, scene->receipt, "it broke\n", 9);
}

static int remember(const struct mq_entry *entry, void *context)
{
    memcpy(context, entry->id, strlen(entry->id) + 1);
    return 1;
}

static int read_failures(struct scene *scene)
{
    char id[MQ_ID_SIZE], *text;
    size_t size;
    int got = mq_browse(scene->queue, MQ_INFLIGHT, remember, id);
    if (got == 1)
        got = mq_failures(scene->queue, id, &text, &size);
    if (got == 1)
        free(text);
    return got;
}

static int was_acked(struct scene *scene)
{
    return mq_was_acked(scene->queue, "some-id");
}

static void acked_once(struct scene *scene)
{
    claimed(scene);
    stage_must(mq_ack_once(scene->queue, scene->receipt), "mq_ack_once");
    claimed(scene);
}

/* ---- looking --------------------------------------------------------------------------------- */

struct look {
    mq_queue *queue, *to;
    int (*act)(const struct look *look, const struct mq_entry *entry);
    bool many;
};

static int act_on(const struct mq_entry *entry, void *context)
{
    const struct look *look = context;
    const int done = look->act(look, entry);
    return done < 0 ? done : !look->many;
}

static int open_entry(const struct look *look, const struct mq_entry *entry)
{
    mq_message *message;
    const int got = mq_entry_open(look->queue, entry, &message);
    if (got == 1)
        mq_message_free(message);
    return got;
}

static int remove_entry(const struct look *look, const struct mq_entry *entry)
{
    return entry->offset == 0 ? mq_entry_remove(look->queue, entry) : 0;
}

static int remove_last_entry(const struct look *look, const struct mq_entry *entry)
{
    char text[8] = "";
    mq_message *message;
    const int got = mq_entry_open(look->queue, entry, &message);
    if (got != 1)
        return got;
    (void)mq_message_read(message, text, sizeof text - 1);
    mq_message_free(message);
    return strcmp(text, "three") == 0 ? mq_entry_remove(look->queue, entry) : 0;
}

static int retry_entry(const struct look *look, const struct mq_entry *entry)
{
    return mq_entry_retry(look->queue, entry, look->to);
}

static int move_entry(const struct look *look, const struct mq_entry *entry)
{
    return mq_entry_move(look->queue, entry, look->to);
}

static int look_at(struct scene *scene, enum mq_state state, struct look look)
{
    look.queue = scene->queue;
    return mq_browse(scene->queue, state, act_on, &look);
}

static int open_ready(struct scene *scene)
{
    return look_at(scene, MQ_READY, (struct look){.act = open_entry, .many = true});
}

static int remove_ready(struct scene *scene)
{
    return look_at(scene, MQ_READY, (struct look){.act = remove_entry});
}

static int remove_last(struct scene *scene)
{
    return look_at(scene, MQ_READY, (struct look){.act = remove_last_entry, .many = true});
}

static int retry_dead(struct scene *scene)
{
    return look_at(scene, MQ_DEAD, (struct look){.act = retry_entry, .to = scene->queue});
}

static int retry_dead_elsewhere(struct scene *scene)
{
    return look_at(scene, MQ_DEAD, (struct look){.act = retry_entry, .to = scene->other});
}

static void dead(struct scene *scene)
{
    failed(scene);
    stage_must(mq_reject(scene->queue, scene->receipt, NULL), "mq_reject");
}

static int move_ready(struct scene *scene)
{
    return look_at(scene, MQ_READY, (struct look){.act = move_entry, .to = scene->other});
}

static int move_dead(struct scene *scene)
{
    return look_at(scene, MQ_DEAD, (struct look){.act = move_entry, .to = scene->other});
}

static void ready_and_other(struct scene *scene)
{
    ready(scene);
    with_other(scene);
}

static void three_ready_and_other(struct scene *scene)
{
    three_ready(scene);
    with_other(scene);
}

static void dead_and_other(struct scene *scene)
{
    dead(scene);
    with_other(scene);
}

/* Whose files are others' to read, so that the letter's cannot stay as it is. */
static void dead_and_other_shared(struct scene *scene)
{
    dead(scene);
    stage_must(mq_create_shared(scene->spool, "other", 0666, MQ_OWN_GROUP), "mq_create_shared");
    with_other(scene);
}

static int purge_ready(struct scene *scene)
{
    uint64_t purged;
    return mq_purge(scene->queue, MQ_READY, &purged);
}

static int purge_dead(struct scene *scene)
{
    uint64_t purged;
    return mq_purge(scene->queue, MQ_DEAD, &purged);
}

/* ---- figures and upkeep ------------------------------------------------------------------------ */

static void find_ready(const struct scene *scene, char ret_path[400])
{
    char pattern[400];
    glob_t found;
    path_of(scene, "jobs/ready/*/*", pattern);
    ret_path[0] = '\0';
    if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0)
        snprintf(ret_path, 400, "%s", found.gl_pathv[0]);
    globfree(&found);
}

/* If a message is ready all the time, the oldest one is known, or there is an error. */
static int look_at_oldest(struct scene *scene, bool exact)
{
    char ready[400];
    struct mq_stats stats;
    struct stat status;
    find_ready(scene, ready);
    const int error = mq_stat(scene->queue, exact, &stats);
    const bool is_missed = !error && stats.oldest == 0 && ready[0] && stat(ready, &status) == 0;
    return is_missed ? OPERATION_LIED : error;
}

static int stat_queue(struct scene *scene)
{
    return look_at_oldest(scene, false);
}

static int stat_exactly(struct scene *scene)
{
    return look_at_oldest(scene, true);
}

static int ages(struct scene *scene)
{
    static const int64_t limits[] = {STAGE_SECOND, STAGE_DAY};
    uint64_t counts[3];
    return mq_ages(scene->queue, MQ_READY, limits, 2, counts);
}

static int room(struct scene *scene)
{
    struct mq_room left;
    return mq_room(scene->queue, &left);
}

static int sweep(struct scene *scene)
{
    struct mq_swept swept;
    return mq_sweep(scene->queue, &swept);
}

static void littered(struct scene *scene)
{
    lapsed(scene);
    due(scene);
    expired(scene);
    put_file(scene, "jobs/tmp/0123456789abcdef");
    put_fifo(scene, "jobs/waiters/.waiter-0123456789abcdef");
    put_fifo(scene, "jobs/waiters/waiter-0123456789abcdef");
    put_dir(scene, "jobs/ready/5-0000000000001");
    seam_pass(40 * 3600);
}

static void marked(struct scene *scene)
{
    claimed(scene);
    stage_must(mq_ack_once(scene->queue, scene->receipt), "mq_ack_once");
    failed(scene);
    put_file(scene, "jobs/failures/of-nobody");
    seam_pass(4 * 3600);
}

static void to_bury(struct scene *scene)
{
    dead(scene);
    stage_set(scene, "dead-ttl", "1h");
    seam_pass(2 * 3600);
}

static void ignore_finding(const char *path, const char *problem, void *context)
{
    (void)path;
    (void)problem;
    (void)context;
}

static int check(struct scene *scene)
{
    return mq_check(scene->queue, false, ignore_finding, NULL);
}

static int repair(struct scene *scene)
{
    return mq_check(scene->queue, true, ignore_finding, NULL);
}

static void with_strangers(struct scene *scene)
{
    three_ready(scene);
    put_file(scene, "jobs/stray");
    put_file(scene, "jobs/ready/stray");
    put_file(scene, "jobs/waiters/stray");
    put_dir(scene, "jobs/tmp/stray");
    put_dir(scene, "jobs/host/stray");
}

static int sweep_spool(struct scene *scene)
{
    return mq_sweep_spool(scene->spool);
}

/* A deletion that was cut off before it looked, one that was to go, and a creation. */
static void cut_off(struct scene *scene)
{
    char path[400], held[400];
    with_other_full(scene);
    path_of(scene, "other", path);
    path_of(scene, ".held-other-0123456789abcdef", held);
    stage_must(rename(path, held), path);
    put_dir(scene, ".gone-third-0123456789abcdef");
    put_dir(scene, ".new-fourth-0123456789abcdef");
    seam_pass(40 * 3600);
}

/* ---- transactions ------------------------------------------------------------------------------ */

static int put_message(mq_tx *tx, mq_queue *queue, const char *body)
{
    mq_message *message;
    int error = mq_message_new(&message);
    if (error)
        return error;
    mq_message_set_body(message, body, strlen(body));
    error = mq_tx_send(tx, queue, message, &sending, NULL);
    mq_message_free(message);
    return error;
}

/* What does not end here ends at its deadline, when the spool is swept. */
static int end_transaction(mq_tx *tx, int error, int end(mq_tx *tx))
{
    if (!error)
        error = end(tx);
    if (error)
        (void)mq_tx_abort(tx);
    mq_tx_free(tx);
    return error;
}

static int consume_and_produce(struct scene *scene, unsigned flags, int end(mq_tx *tx))
{
    mq_tx *tx;
    int error = mq_tx_begin(scene->spool, STAGE_SECOND, &tx);
    if (error)
        return error;
    error = put_message(tx, scene->other, "result");
    if (!error)
        error = mq_tx_take(tx, scene->queue, scene->receipt, flags);
    if (!error)
        error = put_message(tx, scene->queue, "log");
    return end_transaction(tx, error, end);
}

static int commit(struct scene *scene)
{
    return consume_and_produce(scene, 0, mq_tx_commit);
}

static int commit_once(struct scene *scene)
{
    return consume_and_produce(scene, MQ_TX_ONCE, mq_tx_commit);
}

static int abort_transaction(struct scene *scene)
{
    return consume_and_produce(scene, 0, mq_tx_abort);
}

static void claimed_beside_other(struct scene *scene)
{
    claimed(scene);
    with_other(scene);
}

/* Its dead letters go on to the other queue. */
static void claimed_before_other(struct scene *scene)
{
    claimed_beside_other(scene);
    stage_must(mq_config_set(scene->spool, "jobs", "dead-letter", "other"), "mq_config_set");
    mq_close(scene->queue);
    stage_must(mq_open(scene->spool, "jobs", 0, &scene->queue), "mq_open");
}

static int replace_file(struct scene *scene)
{
    char path[400];
    mq_tx *tx;
    int error = mq_tx_begin(scene->spool, STAGE_SECOND, &tx);
    if (error)
        return error;
    path_of(scene, "state", path);
    error = lseek(scene->file, 0, SEEK_SET) < 0 ? -errno : mq_tx_put(tx, scene->file, path, 0600);
    return end_transaction(tx, error, mq_tx_commit);
}

/* What a process leaves that dies right behind its decision. */
static void decide(struct scene *scene, mq_tx *tx)
{
    char from[400], to[400], id[MQ_TX_SIZE];
    snprintf(id, sizeof id, "%s", mq_tx_id(tx));
    mq_tx_free(tx);
    path_of(scene, ".outbox", from);
    const int outbox = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fdopendir(outbox);
    for (struct dirent *entry; (entry = readdir(entries));)
        if (strstr(entry->d_name, id))
            snprintf(from, sizeof from, "%.60s/.outbox/%.64s", scene->spool, entry->d_name);
    closedir(entries);
    snprintf(to, sizeof to, "%.60s/.outbox/%s.committed", scene->spool, id);
    stage_must(rename(from, to), to);
}

static void committed(struct scene *scene)
{
    mq_tx *tx;
    with_other(scene);
    stage_must(mq_tx_begin(scene->spool, STAGE_DAY, &tx), "mq_tx_begin");
    stage_must(put_message(tx, scene->other, "result"), "mq_tx_send");
    stage_must(put_message(tx, scene->queue, "log"), "mq_tx_send");
    decide(scene, tx);
}

static int finish_transactions(struct scene *scene)
{
    return mq_tx_finish(scene->spool);
}

static int count_transaction(const struct mq_tx_entry *entry, void *context)
{
    *(uint64_t *)context += entry->messages;
    return 0;
}

static int list_transactions(struct scene *scene)
{
    uint64_t messages = 0;
    return mq_tx_list(scene->spool, count_transaction, &messages);
}

/* ---- topics ------------------------------------------------------------------------------------ */

static void with_topic(struct scene *scene)
{
    with_other(scene);
    stage_must(mq_topic_create(scene->spool, "events"), "mq_topic_create");
    stage_must(mq_topic_bind(scene->spool, "events", &(struct mq_binding){.destination = "other", .pattern = "a.#"}),
               "mq_topic_bind");
}

static int bind_other(struct scene *scene)
{
    return mq_topic_bind(scene->spool, "events", &(struct mq_binding){.destination = "other", .pattern = "a.*"});
}

/* Two messages, which are sent together or not; not durable, since a sync that fails comes after the decision. */
static int publish_to_topic(struct scene *scene)
{
    static const struct iovec bodies[] = {{(void *)(uintptr_t) "news 1", 6}, {(void *)(uintptr_t) "news 2", 6}};
    const struct mq_send_options options = {.cancel_fd = -1, .no_sync = true};
    mq_topic *topic;
    mq_message *message = NULL;
    size_t sent;
    int error = mq_topic_open(scene->spool, "events", &topic);
    if (error)
        return error;
    error = mq_message_new(&message);
    if (!error)
        error = mq_message_set_header(message, MQ_ROUTING_KEY, "a.b");
    if (!error)
        error = mq_topic_send_bodies(topic, NULL, message, bodies, 2, &options, NULL, &sent);
    mq_message_free(message);
    mq_topic_close(topic);
    return error;
}

/* ---- logs --------------------------------------------------------------------------------------- */

/* Append bodies, each of them its number in decimal. */
static int append_batches(struct scene *scene, size_t count, size_t batch, bool no_sync)
{
    static char digits[10] = "0123456789";
    struct iovec *bodies = calloc(count, sizeof *bodies);
    const struct mq_send_options options = {.cancel_fd = -1, .no_sync = no_sync, .batch = batch};
    mq_log *log = NULL;
    mq_message *message = NULL;
    size_t sent;
    int error = bodies ? mq_log_open(scene->spool, "clicks", &log) : -ENOMEM;
    for (size_t i = 0; i < count && !error; i++)
        bodies[i] = (struct iovec){&digits[i % 10], 1};
    if (!error)
        error = mq_message_new(&message);
    if (!error)
        error = mq_log_send_bodies(log, NULL, message, bodies, count, &options, NULL, NULL, &sent);
    mq_message_free(message);
    mq_log_close(log);
    free(bodies);
    return error;
}

static int append_bodies(struct scene *scene, size_t count, bool no_sync)
{
    return append_batches(scene, count, 4096, no_sync);
}

static void with_log(struct scene *scene)
{
    stage_must(mq_log_create(scene->spool, "clicks"), "mq_log_create");
    stage_must(append_bodies(scene, 3, true), "mq_log_send_bodies");
}

/* With a full bucket, which may go. */
static void with_old_log(struct scene *scene)
{
    with_log(scene);
    stage_must(append_bodies(scene, 4096, true), "mq_log_send_bodies");
    stage_must(append_bodies(scene, 3, true), "mq_log_send_bodies");
    stage_must(mq_log_config_set(scene->spool, "clicks", "retain-count", "1"), "mq_log_config_set");
}

/* With a full bucket of many entries, which the next append packs. */
static void with_full_log(struct scene *scene)
{
    with_log(scene);
    stage_must(append_bodies(scene, 4053, true), "mq_log_send_bodies");
    stage_must(append_batches(scene, 40, 1, true), "mq_log_send_bodies");
}

static int create_log(struct scene *scene)
{
    return mq_log_create(scene->spool, "clicks");
}

/* Whatever fails, the log is one sequence of whole entries, from its beginning to its end. */
static int read_log(struct scene *scene)
{
    mq_log *log;
    mq_log_reader *reader = NULL;
    mq_message *message;
    uint64_t begin = 0, end = 0, offset = 0, next;
    int got = mq_log_open(scene->spool, "clicks", &log);
    if (got)
        return got;
    got = mq_log_bounds(log, &begin, &end);
    if (!got)
        got = mq_log_reader_new(log, begin, &reader);
    for (next = begin; got >= 0 && (got = mq_log_next(reader, &message, &offset)) == 1; next++)
        if (offset != next || mq_message_size(message) != 1)
            got = OPERATION_LIED;
    mq_log_reader_free(reader);
    mq_log_close(log);
    return got == 0 && next != end ? OPERATION_LIED : got;
}

static int put_in_log(struct scene *scene, mq_tx *tx)
{
    static const struct mq_send_options options = {MQ_SEND_DEFAULTS};
    mq_log *log;
    mq_message *message = NULL;
    int error = mq_log_open(scene->spool, "clicks", &log);
    if (error)
        return error;
    error = mq_message_new(&message);
    if (!error)
        mq_message_set_body(message, "x", 1);
    if (!error)
        error = mq_log_send(log, tx, message, &options, NULL, NULL);
    mq_message_free(message);
    mq_log_close(log);
    return error;
}

static void committed_to_log(struct scene *scene)
{
    mq_tx *tx;
    with_log(scene);
    stage_must(mq_tx_begin(scene->spool, STAGE_DAY, &tx), "mq_tx_begin");
    stage_must(put_in_log(scene, tx), "mq_log_send");
    stage_must(put_in_log(scene, tx), "mq_log_send");
    decide(scene, tx);
}

/* Behind the three that the log had, each once. */
static int finish_into_log(struct scene *scene)
{
    struct mq_log_stats stats;
    mq_log *log = NULL;
    int error = mq_tx_finish(scene->spool);
    if (!error)
        error = read_log(scene);
    if (!error)
        error = mq_log_open(scene->spool, "clicks", &log);
    if (!error)
        error = mq_log_stat(log, &stats);
    mq_log_close(log);
    return error ? error : stats.end == 5 ? 0 : OPERATION_LIED;
}

static int commit_into_log(struct scene *scene)
{
    mq_tx *tx;
    int error = mq_tx_begin(scene->spool, STAGE_DAY, &tx);
    if (error)
        return error;
    error = put_in_log(scene, tx);
    if (!error)
        error = mq_tx_commit(tx);
    mq_tx_free(tx);
    return error;
}

static int append_to_log(struct scene *scene)
{
    const int error = append_bodies(scene, 2, false);
    return error ? error : read_log(scene);
}

static int trim_log(struct scene *scene)
{
    uint64_t removed;
    mq_log *log;
    int error = mq_log_open(scene->spool, "clicks", &log);
    if (error)
        return error;
    error = mq_log_trim(log, &removed);
    mq_log_close(log);
    return error;
}

static int stat_log(struct scene *scene)
{
    struct mq_log_stats stats;
    uint64_t offset;
    mq_log *log;
    int error = mq_log_open(scene->spool, "clicks", &log);
    if (error)
        return error;
    error = mq_log_stat(log, &stats);
    if (!error)
        error = mq_log_find(log, 1, &offset);
    mq_log_close(log);
    return error;
}

static int delete_log(struct scene *scene)
{
    return mq_log_delete(scene->spool, "clicks", true);
}

/* ---- groups ------------------------------------------------------------------------------------- */

static void with_group(struct scene *scene)
{
    with_log(scene);
    stage_must(mq_group_create(scene->spool, "clicks/billing", 0), "mq_group_create");
}

/* Whether the group still has `count` messages: in the log, ready or in flight. */
static int count_in_group(struct scene *scene, uint64_t count)
{
    struct mq_stats stats;
    mq_queue *group;
    int error = mq_open(scene->spool, "clicks/billing", 0, &group);
    if (error)
        return error;
    error = mq_stat(group, false, &stats);
    mq_close(group);
    return error ? error : stats.count[MQ_READY] + stats.count[MQ_INFLIGHT] == count ? 0 : OPERATION_LIED;
}

static int create_group(struct scene *scene)
{
    const int error = mq_group_create(scene->spool, "clicks/billing", 1);
    return error < 0 ? error : count_in_group(scene, 2);
}

/* It is claimed by a receiver that forgets it. */
static int take_from_group(struct scene *scene)
{
    mq_queue *group;
    mq_message *message;
    int got = mq_open(scene->spool, "clicks/billing", 0, &group);
    if (got)
        return got;
    got = mq_receive(group, &at_once, &message);
    if (got == 1)
        mq_message_free(message);
    mq_close(group);
    return got < 0 ? got : count_in_group(scene, 3);
}

static int seek_group(struct scene *scene)
{
    uint64_t from = 0;
    const int error = mq_group_seek(scene->spool, "clicks/billing", 2, &from);
    return error ? error : count_in_group(scene, 1);
}

/* Bound to two queues by their keys. */
static void with_two_keys(struct scene *scene)
{
    with_topic(scene);
    stage_must(mq_topic_bind(scene->spool, "events", &(struct mq_binding){.destination = "jobs", .pattern = "b.#"}),
               "mq_topic_bind");
}

/* Keys that alternate, so that the messages are sent in a file for each of the two queues; done again, those that are
   left. */
static int publish_two_keys(struct scene *scene)
{
    static const char *const bodies[] = {"news 1", "news 2", "news 3", "news 4"}, *const keys[] = {"a.x", "b.x"};
    const struct mq_send_options options = {.cancel_fd = -1, .no_sync = true};
    mq_message *messages[4] = {0};
    mq_topic *topic;
    size_t sent = 0;
    int error = mq_topic_open(scene->spool, "events", &topic);
    if (error)
        return error;
    for (size_t i = 0; i < 4 && !error; i++) {
        error = mq_message_new(&messages[i]);
        if (!error)
            error = mq_message_set_header(messages[i], MQ_ROUTING_KEY, keys[i % 2]);
        if (!error)
            mq_message_set_body(messages[i], bodies[i], 6);
    }
    if (!error)
        error = mq_topic_send_batch(topic, NULL, messages + scene->sent, 4 - scene->sent, &options, NULL, &sent);
    scene->sent += sent;
    for (size_t i = 0; i < 4; i++)
        mq_message_free(messages[i]);
    mq_topic_close(topic);
    return error;
}

static int count_use(const struct mq_binding *binding, void *context)
{
    *(uint64_t *)context += binding->used;
    return 0;
}

static void published(struct scene *scene)
{
    with_topic(scene);
    stage_must(publish_to_topic(scene), "publish_to_topic");
}

/* The counters are as true as the page: they may be missing after a fault, and tell nothing that did not happen. */
static int look_at_topic(struct scene *scene)
{
    struct mq_topic_stats stats;
    uint64_t used = 0;
    int error = mq_topic_stat(scene->spool, "events", &stats);
    if (!error)
        error = mq_topic_bindings(scene->spool, "events", count_use, &used);
    return error ? error : stats.bindings != 1 || stats.published > 2 || used > 2 ? OPERATION_LIED : 0;
}

static int follow_topic(struct scene *scene)
{
    const struct mq_binding binding = {.pattern = "z"};
    mq_queue *feed;
    const int error = mq_topic_follow(scene->spool, "events", &binding, 1, &feed);
    if (!error)
        mq_topic_unfollow("events", feed);
    return error;
}

/* ---- following --------------------------------------------------------------------------------- */

static int follow(struct scene *scene)
{
    struct mq_event event;
    mq_watch *watch;
    int error = mq_watch_new(&watch);
    if (error)
        return error;
    error = mq_watch_add(watch, scene->queue, true);
    if (!error && scene->sent == 0) {
        error = stage_try_send(scene->queue, "seen", (struct letter){.priority = 6});
        scene->sent += !error;
    }
    while (!error && (error = mq_watch_next(watch, 0, -1, &event)) == 1)
        error = 0;
    mq_watch_free(watch);
    return error;
}

const struct operation operations[] = {
    {"create", NULL, create_other, OPERATION_WHOLE, 0},
    {"open and create", NULL, open_other, OPERATION_WHOLE, 0},
    {"open", three_ready, open_again, OPERATION_WHOLE, 0},
    {"open without a page", without_page, open_again, OPERATION_WHOLE, 0},
    {"delete", with_other, delete_other, OPERATION_WHOLE, -ENOENT},
    {"delete what is not empty", with_other_full, delete_other, OPERATION_WHOLE, 0},
    {"delete by force", with_other_full, delete_other_forced, OPERATION_STEPS | OPERATION_REMOVES, -ENOENT},
    {"list", with_other, list_queues, OPERATION_WHOLE, 0},
    {"reply queue", NULL, reply, OPERATION_WHOLE, 0},
    {"set a key", NULL, set_key, OPERATION_WHOLE, 0},
    {"unset a key", with_keys, unset_key, OPERATION_WHOLE, 0},
    {"explain", with_keys, explain, OPERATION_WHOLE, 0},
    {"send", NULL, send_new, OPERATION_WHOLE, 0},
    {"send to a new bucket", NULL, send_to_new_bucket, OPERATION_WHOLE, 0},
    {"send later", NULL, send_later, OPERATION_WHOLE, 0},
    {"send a stream", with_long_text, send_stream, OPERATION_WHOLE, 0},
    {"send once", sent_once, send_once, OPERATION_STEPS, 0},
    {"send once for the first time", NULL, send_once, OPERATION_STEPS, 0},
    {"send once what a dead sender left", left_draft, send_once, OPERATION_STEPS, 0},
    {"send once, in a new slot", left_draft_and_slot, send_once, OPERATION_STEPS, 0},
    {"send a stream once", with_long_text, send_stream_once, OPERATION_STEPS, 0},
    {"send once to a deleted queue", deleted, send_once, OPERATION_STEPS, 0},
    {"send to a full queue", full, send_to_full, OPERATION_WHOLE, 0},
    {"send, and the oldest ends", full_of_old, send_over, OPERATION_STEPS, 0},
    {"send to a deleted queue", deleted, send_new, OPERATION_WHOLE, 0},
    {"send many", NULL, send_many, OPERATION_STEPS, 0},
    {"send many bodies", NULL, send_bodies, OPERATION_STEPS, 0},
    {"send many to a deleted queue", deleted, send_many, OPERATION_STEPS, 0},
    {"receive", ready, receive, OPERATION_WHOLE, 0},
    {"receive behind an empty bucket", behind_empty_bucket, receive, OPERATION_WHOLE, 0},
    {"receive one of three", three_ready, receive, OPERATION_WHOLE, 0},
    {"receive three", with_batch, receive_three, OPERATION_WHOLE, 0},
    {"receive three anew", with_batch, receive_new_batch, OPERATION_WHOLE, 0},
    {"receive from a deleted queue", deleted, receive, OPERATION_WHOLE, 0},
    {"receive what lapsed", lapsed, receive, OPERATION_STEPS, 0},
    {"receive what died", lapsed_for_good, receive, OPERATION_STEPS, 0},
    {"receive what is due", due, receive, OPERATION_STEPS, 0},
    {"receive past what expired", expired, receive, OPERATION_STEPS, 0},
    {"receive past what is dropped", expired_to_drop, receive, OPERATION_STEPS, 0},
    {"wait, leading", with_other, wait_for_none, OPERATION_WHOLE, 0},
    {"wait, following", with_leader, wait_for_none, OPERATION_WHOLE, 0},
    {"ack", claimed, ack, OPERATION_WHOLE, -ESTALE},
    {"ack what was extended", extended, ack, OPERATION_WHOLE, -ESTALE},
    {"ack what had failed", failed, ack, OPERATION_WHOLE, -ESTALE},
    {"ack once", claimed, ack_once, OPERATION_WHOLE, -ESTALE},
    {"ack once, again", acked_once, ack_once, OPERATION_WHOLE, -ESTALE},
    {"was acked", acked_once, was_acked, OPERATION_WHOLE, 0},
    {"ack two of three", with_batch_claimed, ack_two, OPERATION_WHOLE, -ESTALE},
    {"ack three", with_batch_claimed, ack_three, OPERATION_WHOLE, -ESTALE},
    {"release after one", with_batch_claimed, release_after_one, OPERATION_WHOLE, -ESTALE},
    {"release all that is not acked", with_batch_partly_acked, release_after_one, OPERATION_WHOLE, -ESTALE},
    {"keep", with_batch_half_through, keep_batch, OPERATION_WHOLE, 0},
    {"nack", claimed, nack, OPERATION_WHOLE, -ESTALE},
    {"nack with back-off", claimed, nack_with_back_off, OPERATION_WHOLE, -ESTALE},
    {"last nack", claimed_last, nack, OPERATION_WHOLE, -ESTALE},
    {"reject", claimed, reject, OPERATION_WHOLE, -ESTALE},
    {"reject, and go on", claimed_before_other, reject, OPERATION_STEPS | OPERATION_BY_OUTBOX, -ESTALE},
    {"release", claimed, release, OPERATION_WHOLE, -ESTALE},
    {"extend", claimed, extend, OPERATION_WHOLE, 0},
    {"tell a failure", claimed, tell_failure, OPERATION_WHOLE, 0},
    {"tell one failure too many", failed_often, tell_failure, OPERATION_WHOLE, 0},
    {"read failures", failed, read_failures, OPERATION_WHOLE, 0},
    {"open entries", three_ready, open_ready, OPERATION_WHOLE, 0},
    {"remove the first of three", three_ready, remove_ready, OPERATION_STEPS | OPERATION_REMOVES, 0},
    {"remove the last of three", three_ready, remove_last, OPERATION_STEPS, 0},
    {"retry", dead, retry_dead, OPERATION_WHOLE, 0},
    {"retry elsewhere", dead_and_other, retry_dead_elsewhere, OPERATION_WHOLE, 0},
    {"retry among others", dead_and_other_shared, retry_dead_elsewhere, OPERATION_WHOLE, 0},
    {"move", ready_and_other, move_ready, OPERATION_WHOLE, 0},
    {"move the first of three", three_ready_and_other, move_ready, OPERATION_STEPS, 0},
    {"move a dead letter", dead_and_other, move_dead, OPERATION_WHOLE, 0},
    {"purge", three_ready, purge_ready, OPERATION_STEPS | OPERATION_REMOVES, 0},
    {"purge the dead", dead, purge_dead, OPERATION_STEPS | OPERATION_REMOVES, 0},
    {"stat", three_ready, stat_queue, OPERATION_WHOLE, 0},
    {"stat, exactly", three_ready, stat_exactly, OPERATION_WHOLE, 0},
    {"ages", three_ready, ages, OPERATION_WHOLE, 0},
    {"room", NULL, room, OPERATION_WHOLE, 0},
    {"sweep", littered, sweep, OPERATION_STEPS, 0},
    {"sweep marks", marked, sweep, OPERATION_STEPS, 0},
    {"bury", to_bury, sweep, OPERATION_STEPS, 0},
    {"sweep the spool", cut_off, sweep_spool, OPERATION_STEPS, 0},
    {"check", three_ready, check, OPERATION_WHOLE, 0},
    {"repair", with_strangers, repair, OPERATION_STEPS, 0},
    {"commit", claimed_beside_other, commit, OPERATION_STEPS, -ESTALE},
    {"commit once", claimed_beside_other, commit_once, OPERATION_STEPS, -ESTALE},
    {"abort", claimed_beside_other, abort_transaction, OPERATION_WHOLE, -ESTALE},
    {"replace a file", with_long_text, replace_file, OPERATION_STEPS, 0},
    {"finish what was committed", committed, finish_transactions, OPERATION_STEPS, 0},
    {"list transactions", committed, list_transactions, OPERATION_WHOLE, 0},
    {"bind", with_topic, bind_other, OPERATION_WHOLE, 0},
    {"publish", with_topic, publish_to_topic, OPERATION_STEPS, 0},
    {"create a log", NULL, create_log, OPERATION_WHOLE, 0},
    {"append", with_log, append_to_log, OPERATION_STEPS, 0},
    {"commit into a log", with_log, commit_into_log, OPERATION_STEPS, 0},
    {"finish what was committed into a log", committed_to_log, finish_into_log, OPERATION_STEPS, 0},
    {"append to the next bucket", with_old_log, append_to_log, OPERATION_STEPS, 0},
    {"append and pack", with_full_log, append_to_log, OPERATION_STEPS, 0},
    {"read a log", with_log, read_log, OPERATION_WHOLE, 0},
    {"stat a log", with_old_log, stat_log, OPERATION_WHOLE, 0},
    {"trim", with_old_log, trim_log, OPERATION_STEPS, 0},
    {"delete a log", with_log, delete_log, OPERATION_STEPS, -ENOENT},
    {"create a group", with_log, create_group, OPERATION_STEPS, 0},
    {"take from a group", with_group, take_from_group, OPERATION_STEPS, 0},
    {"seek", with_group, seek_group, OPERATION_STEPS, 0},
    {"publish two keys together", with_two_keys, publish_two_keys, OPERATION_STEPS, 0},
    {"look at a topic", published, look_at_topic, OPERATION_WHOLE, 0},
    {"follow a topic", with_topic, follow_topic, OPERATION_WHOLE, 0},
    {"follow", three_ready, follow, OPERATION_STEPS, 0},
};
const size_t operations_count = sizeof operations / sizeof *operations;
