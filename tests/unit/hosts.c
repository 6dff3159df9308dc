/*
 * Several hosts that share a file system, one of which has a clock that is ahead: what one of them has made is judged by the
 * file system's time, and what cannot be known of the file system is not guessed.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../seam/scene.h"
#include "../seam/seam.h"
#include "../seam/stage.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/fs_hosts.h"
#include "base/fs_network.h"
#include "format/spool_name.h"
#include "route/topic.h"
#include "store/held.h"
#include "unit.h"

/* Seconds; more than the leases, windows and ages below. */
#define AHEAD 150

#define MINUTE (60 * STAGE_SECOND)

static const struct mq_receive_options at_once = {.wait = 0, .cancel_fd = -1};

static void set_nothing(struct scene *scene)
{
    (void)scene;
}

static const struct operation nothing = {.name = "nothing", .stage = set_nothing};

/* From now on this is another host. Its page is the same, and is read again, since its clock differs. */
static void become_host(long ahead)
{
    seam_skew(ahead);
}

static mq_message *message_of(const char *id)
{
    mq_message *message;
    EXPECT(mq_message_new(&message) == 0 && mq_message_set_id(message, id) == 0);
    mq_message_set_body(message, id, strlen(id));
    return message;
}

/* ---- transactions ------------------------------------------------------------------------ */

static mq_tx *begin(const struct scene *scene, int64_t timeout)
{
    mq_tx *tx = NULL;
    mq_message *message = message_of("in-transaction");
    const struct mq_send_options options = {MQ_SEND_DEFAULTS};
    EXPECT(mq_tx_begin(scene->spool, timeout, &tx) == 0);
    EXPECT(mq_tx_send(tx, scene->queue, message, &options, NULL) == 0);
    mq_message_free(message);
    return tx;
}

static int see_deadline(const struct mq_tx_entry *entry, void *context)
{
    *(int64_t *)context = entry->deadline;
    return 0;
}

static void deadlines_of_transactions_are_the_file_systems(const struct scene *scene)
{
    int64_t deadline = 0;
    mq_tx *tx = begin(scene, MINUTE);
    become_host(AHEAD);
    EXPECT(mq_tx_finish(scene->spool) == 0 && mq_sweep_spool(scene->spool) >= 0);
    EXPECT(mq_tx_list(scene->spool, see_deadline, &deadline) == 0);
    EXPECT(deadline > clock_now() + MINUTE / 2 && deadline <= clock_now() + MINUTE);
    EXPECT(mq_tx_commit(tx) == 0);
    mq_tx_free(tx);
    tx = begin(scene, 2 * MINUTE);
    EXPECT(mq_tx_extend(tx, MINUTE) == 0);
    become_host(0);
    seam_pass(70);
    EXPECT(mq_tx_finish(scene->spool) == 0);
    EXPECT(mq_tx_commit(tx) == -ESTALE);
    mq_tx_free(tx);
    seam_pass(0);
}

/* ---- sending once -------------------------------------------------------------------------- */

static bool is_duplicate_in_queue(const struct scene *scene, const char *id)
{
    bool duplicate = false;
    mq_message *message = message_of(id);
    const struct mq_send_options options = {.once = true, .ret_duplicates = &duplicate};
    EXPECT(mq_send(scene->queue, message, &options, NULL) == 0);
    mq_message_free(message);
    return duplicate;
}

static bool is_duplicate_in_topic(const struct scene *scene, const char *id)
{
    bool duplicate = false;
    mq_topic *topic = NULL;
    mq_message *message = message_of(id);
    const struct mq_send_options options = {.once = true, .ret_duplicates = &duplicate};
    EXPECT(mq_topic_open(scene->spool, "news", &topic) == 0);
    EXPECT(mq_topic_send(topic, NULL, message, &options, NULL) == 0);
    mq_topic_close(topic);
    mq_message_free(message);
    return duplicate;
}

static bool is_duplicate_in_log(const struct scene *scene, const char *id)
{
    bool duplicate = false;
    mq_log *log = NULL;
    mq_message *message = message_of(id);
    const struct mq_send_options options = {.once = true, .ret_duplicates = &duplicate};
    EXPECT(mq_log_open(scene->spool, "kept", &log) == 0);
    EXPECT(mq_log_send(log, NULL, message, &options, NULL, NULL) == 0);
    mq_log_close(log);
    mq_message_free(message);
    return duplicate;
}

static void windows_are_the_file_systems(const struct scene *scene)
{
    static bool (*const is_duplicate[])(const struct scene *, const char *) = {
        is_duplicate_in_queue, is_duplicate_in_topic, is_duplicate_in_log};
    for (size_t i = 0; i < sizeof is_duplicate / sizeof *is_duplicate; i++) {
        EXPECT(!is_duplicate[i](scene, "one"));
        become_host(AHEAD);
        EXPECT(mq_sweep_spool(scene->spool) >= 0);
        EXPECT(is_duplicate[i](scene, "one"));
        EXPECT(!is_duplicate[i](scene, "other"));
        become_host(0);
        EXPECT(is_duplicate[i](scene, "other"));
    }
}

/* ---- topics, logs, deletions ----------------------------------------------------------------- */

static void delays_through_topics_are_the_file_systems(const struct scene *scene)
{
    mq_topic *topic = NULL;
    mq_queue *queue = NULL;
    mq_message *message = message_of("delayed"), *got = NULL;
    const struct mq_send_options options = {MQ_SEND_DEFAULTS};
    become_host(AHEAD);
    EXPECT(mq_message_set_delay(message, 2 * MINUTE) == 0);
    EXPECT(mq_topic_open(scene->spool, "news", &topic) == 0 &&
           mq_topic_send(topic, NULL, message, &options, NULL) == 0);
    mq_topic_close(topic);
    mq_message_free(message);
    become_host(0);
    EXPECT(mq_open(scene->spool, "one", 0, &queue) == 0);
    seam_pass(110);
    EXPECT(mq_receive(queue, &at_once, &got) == 0);
    seam_pass(121);
    EXPECT(mq_receive(queue, &at_once, &got) == 1);
    mq_message_free(got);
    mq_close(queue);
    seam_pass(0);
}

static void what_a_log_keeps_is_as_old_as_the_file_system_says(const struct scene *scene)
{
    enum { MANY = 9000 };
    static struct iovec bodies[MANY];
    mq_log *log = NULL;
    mq_message *model = NULL;
    uint64_t removed = 0;
    size_t sent = 0;
    const struct mq_send_options options = {.no_sync = true, .batch = 1000};
    for (size_t i = 0; i < MANY; i++)
        bodies[i] = (struct iovec){(char[]){"body"}, 4};
    EXPECT(mq_log_config_set(scene->spool, "kept", "retain-time", "100s") == 0);
    EXPECT(mq_log_open(scene->spool, "kept", &log) == 0 && mq_message_new(&model) == 0);
    EXPECT(mq_log_send_bodies(log, NULL, model, bodies, MANY, &options, NULL, NULL, &sent) == 0 && sent == MANY);
    become_host(AHEAD);
    EXPECT(mq_log_trim(log, &removed) == 0 && removed == 0);
    become_host(0);
    mq_message_free(model);
    mq_log_close(log);
}

/* A deleter that is at work has a second, whatever the clock of whoever looks. */
static void a_deletion_is_left_to_its_host(const struct scene *scene)
{
    char held[NAME_PENDING_SIZE];
    const int spool = open(scene->spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    EXPECT(mq_create(scene->spool, "doomed") == 1);
    name_format_pending(NAME_HELD, "doomed", 1, held);
    EXPECT(renameat(spool, "doomed", spool, held) == 0);
    become_host(AHEAD);
    EXPECT(held_give_back(spool, "doomed", false) == -EAGAIN);
    become_host(-AHEAD);
    EXPECT(held_give_back(spool, "doomed", false) == -EAGAIN);
    become_host(0);
    EXPECT(held_give_back(spool, "doomed", true) == 1);
    close(spool);
}

/* ---- leases -------------------------------------------------------------------------------------- */

struct theft {
    mq_queue *queue; /* of another host, which has another time */
    char receipt[MQ_RECEIPT_SIZE];
    long frozen;
    bool done;
};

/* This host is stopped for longer than the lease, and another one makes the claim lapse. */
static void steal(void *context)
{
    struct theft *theft = context;
    theft->frozen += AHEAD;
    seam_freeze(theft->frozen);
    theft->done = mq_nack(theft->queue, theft->receipt, 0) == 0;
}

/* Whatever it was about to do when it was stopped. */
static void who_was_stopped_past_its_lease_has_not_acked(const struct scene *scene)
{
    bool struck = true;
    unsigned thefts = 0;
    struct theft theft = {0};
    EXPECT(mq_open(scene->spool, "jobs", 0, &theft.queue) == 0);
    EXPECT(mq_purge(scene->queue, MQ_READY, &(uint64_t){0}) == 0);
    for (unsigned nth = 1; struck; nth++) {
        mq_message *got = NULL;
        stage_send(scene->queue, "body", LETTER_PLAIN);
        EXPECT(mq_receive(scene->queue, &(struct mq_receive_options){.ack_timeout = MINUTE, .cancel_fd = -1}, &got) ==
               1);
        strcpy(theft.receipt, mq_message_receipt(got));
        theft.done = false;
        seam_open(&(struct seam){.faults = SEAM_BROKEN, .nth = nth, .strike = steal, .context = &theft});
        const int acked = mq_ack(scene->queue, theft.receipt);
        struck = seam_close();
        if (!EXPECT(theft.done ? acked < 0 : acked == 0))
            fprintf(stderr, "call %u: %d\n", nth, acked);
        thefts += theft.done;
        mq_message_free(got);
        if (theft.done && mq_receive(scene->queue, &at_once, &got) == 1) {
            EXPECT(mq_ack(scene->queue, mq_message_receipt(got)) == 0);
            mq_message_free(got);
        }
    }
    seam_freeze(0);
    EXPECT(thefts > 0);
    mq_close(theft.queue);
}

/* ---- what cannot be known ----------------------------------------------------------------------- */

/* A handle that opens knows what file system it is on. */
static void a_file_system_is_never_guessed(const struct scene *scene)
{
    bool struck = true;
    for (unsigned nth = 1; struck; nth++) {
        char name[32];
        mq_queue *queue = NULL;
        snprintf(name, sizeof name, "new-%u", nth);
        seam_open(&(struct seam){.faults = SEAM_BROKEN, .nth = nth});
        const int error = mq_open(scene->spool, name, MQ_CREATE, &queue);
        struck = seam_close();
        if (!error)
            EXPECT(mq_queue_is_on_network(queue));
        mq_close(queue);
    }
}

/* A lock on a directory does not reach other hosts, one on a file does. */
static void a_topic_is_held_for_all_hosts(const struct scene *scene)
{
    const int spool = open(scene->spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC), held = topic_hold(spool, "news", LOCK_SH);
    EXPECT(held >= 0 && fs_is_lock_of_hosts(held));
    EXPECT(topic_hold(spool, "news", LOCK_EX | LOCK_NB) == -EWOULDBLOCK);
    close(held);
    EXPECT(mq_topic_delete(scene->spool, "news") == 0);
    EXPECT(topic_hold(spool, "news", LOCK_SH) == -ENOENT);
    close(spool);
}

/* A host that was cut off has lost its lock: what another one has changed meanwhile is not undone, nor what it is changing. */
static void a_lock_that_was_lost_is_noticed(const struct scene *scene)
{
    const int spool = open(scene->spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC), dir = topic_open_dir(spool, "news");
    const int feed = topic_open_feed(dir), lock = fs_lock(feed);
    const struct mq_binding binding = {.destination = "of-another-host"};
    struct fs_guard guard;
    EXPECT(fs_guard(lock, dir, TOPIC_BINDINGS, &guard) == 0 && fs_guard_holds(&guard, dir, TOPIC_BINDINGS) == 0);
    EXPECT(flock(lock, LOCK_UN) == 0);
    const int other = fs_lock(feed);
    EXPECT(topic_write_file(dir, feed, TOPIC_BINDINGS, "mine\n", 5, &guard) == -EAGAIN);
    close(other);
    EXPECT(mq_topic_bind(scene->spool, "news", &binding) == 1);
    EXPECT(topic_write_file(dir, feed, TOPIC_BINDINGS, "mine\n", 5, &guard) == -EAGAIN);
    EXPECT(flock(lock, LOCK_UN) == 0); /* which it has again now */
    EXPECT(mq_topic_unbind(scene->spool, "news", &binding) == 1);
    EXPECT(flock(lock, LOCK_EX) == 0);
    EXPECT(fs_guard(lock, dir, TOPIC_SETTINGS, &guard) == 0 && fs_guard_holds(&guard, dir, TOPIC_SETTINGS) == 0);
    EXPECT(flock(lock, LOCK_UN) == 0);
    EXPECT(mq_topic_config_set(scene->spool, "news", "unroutable", "drop") == 0);
    EXPECT(fs_guard_holds(&guard, dir, TOPIC_SETTINGS) == -EAGAIN);
    close(lock);
    close(feed);
    close(dir);
    close(spool);
}

static void what_fails_is_no_answer(const struct scene *scene)
{
    const int spool = open(scene->spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    seam_open(&(struct seam){.faults = SEAM_BROKEN, .nth = 1});
    EXPECT(fs_is_network(spool) == -EIO);
    EXPECT(seam_close());
    seam_open(&(struct seam){.faults = SEAM_BROKEN, .nth = 1});
    EXPECT(fs_open_lock(spool) == -EIO);
    EXPECT(seam_close());
    close(spool);
}

/* A server that is asked twice may say so of what it has done. Of several that have copies one may have done it, which does
   not count: another host has the name. */
static void no_such_name_is_an_answer_of_copies(const struct scene *scene)
{
    static const struct {
        unsigned world;
        int answer;
    } worlds[] = {{SEAM_ON_COPIES, -ENOENT}, {SEAM_ON_NETWORK, 0}};
    const int spool = open(scene->spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    EXPECT(mkdirat(spool, "old", 0700) == 0);
    for (size_t i = 0; i < 2; i++) {
        seam_do_without(worlds[i].world);
        seam_open(&(struct seam){.faults = SEAM_LOST_ANSWER, .nth = 1});
        EXPECT(fs_rename_unique(spool, "old", spool, "new") == worlds[i].answer);
        EXPECT(seam_close() && renameat(spool, "new", spool, "old") == 0);
    }
    close(spool);
}

static void set_up(const struct scene *scene)
{
    static const char *const queues[] = {"one", "two"};
    EXPECT(mq_config_set(scene->spool, "jobs", "dedup-window", "60s") == 0);
    EXPECT(mq_log_create(scene->spool, "kept") == 1 &&
           mq_log_config_set(scene->spool, "kept", "dedup-window", "60s") == 0);
    EXPECT(mq_topic_create(scene->spool, "news") == 1 &&
           mq_topic_config_set(scene->spool, "news", "dedup-window", "60s") == 0);
    for (size_t i = 0; i < 2; i++)
        EXPECT(mq_create(scene->spool, queues[i]) == 1 &&
               mq_topic_bind(scene->spool, "news", &(struct mq_binding){.destination = queues[i]}) == 1);
}

int main(void)
{
    struct scene scene;
    seam_do_without(SEAM_ON_NETWORK);
    scene_begin(&scene, &nothing);
    set_up(&scene);
    deadlines_of_transactions_are_the_file_systems(&scene);
    delays_through_topics_are_the_file_systems(&scene);
    windows_are_the_file_systems(&scene);
    what_a_log_keeps_is_as_old_as_the_file_system_says(&scene);
    a_deletion_is_left_to_its_host(&scene);
    who_was_stopped_past_its_lease_has_not_acked(&scene);
    a_file_system_is_never_guessed(&scene);
    a_lock_that_was_lost_is_noticed(&scene);
    a_topic_is_held_for_all_hosts(&scene);
    what_fails_is_no_answer(&scene);
    no_such_name_is_an_answer_of_copies(&scene);
    scene_end(&scene);
    return unit_failures != 0;
}
