/* Lanes at rest. */
#include "lane/lane_rest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/fs_list.h"
#include "base/id.h"
#include "format/lane_name.h"
#include "lane/lane_first.h"
#include "lane/lane_show.h"
#include "queue/lane_kept.h"
#include "queue/move.h"
#include "store/bucket.h"

/* The lease of a settled token is that of lane_birth.c: enough for a group that was empty so short a time ago. */
#define LEASE_SUFFICES (CLOCK_SECOND / 2)

/* Two processes may write a note of one lane at the same time, one of them too late. More is noise. */
#define NOTES 4

struct notes {
    size_t count;
    char text[NOTES][NAME_SIZE];
};

static int add_note(void *context, const char *name, unsigned char type)
{
    struct notes *notes = context;
    const char *token;
    struct message_name parsed;
    if (type == DT_REG && notes->count < NOTES && lane_name_parse_note(name, &token, &parsed))
        strcpy(notes->text[notes->count++], name);
    return 0;
}

/* ---- resting -------------------------------------------------------------------------- */

/* A note is one more name of gen.G, which is there as long as the lane is of that generation. */
static int write_note(const struct lane_dir *lane, const char *generation, const char *file)
{
    struct notes notes = {0};
    char note[NAME_SIZE], gen[LANE_GEN_SIZE];
    if (!lane_name_format_note(file, note))
        return -ENAMETOOLONG;
    lane_name_format_gen(generation, gen);
    int error = fs_list(lane->dir, add_note, &notes);
    for (size_t i = 1; i < notes.count && !error; i++)
        (void)fs_unlink(lane->dir, notes.text[i]);
    if (!error)
        error = notes.count > 0 ? fs_rename(lane->dir, notes.text[0], lane->dir, note) : -ENOENT;
    return error == -ENOENT ? fs_link(lane->dir, gen, lane->dir, note) : error;
}

/* The lease of a token that has just been settled is short. It has to last until the next message of the group may come. */
static bool lengthen(struct message_name *token, int64_t since)
{
    if (since < LEASE_SUFFICES)
        return false;
    token->time = name_time_after(clock_now(), 3 * since);
    token->token = id_random();
    return true;
}

/* The handle closes the bucket of settled tokens when it opens another one. */
static int move_away(mq_queue *queue, int *dir, const char *file, const struct message_name *token)
{
    const int from = fcntl(*dir, F_DUPFD_CLOEXEC, 0);
    if (from < 0)
        return -errno;
    const int moved = move_token(queue, from, file, MQ_INFLIGHT, token, dir);
    close(from);
    return moved;
}

/* The token gets its last name before the lane is listed once more. */
static int rest(mq_queue *queue, int dir, const char *file, struct message_name *token, const struct lane_dir *lane,
                int64_t since)
{
    struct message_name head;
    char name[NAME_SIZE];
    const bool is_longer = lengthen(token, since);
    name_format(MQ_INFLIGHT, token, name);
    page_note_rest(queue->page, token->time);
    if (write_note(lane, token->lane, name) < 0)
        return 0;
    const int moved = is_longer ? move_away(queue, &dir, file, token) : 1;
    if (moved != 1)
        return moved < 0 ? moved : 1;
    const int found = lane_first(queue, token->lane, lane->queue, &head);
    return found == 1 ? lane_show(queue, dir, name, &head, token->lane) : found < 0 ? found : 1;
}

int lane_rest(mq_queue *queue, int dir, const char *file, const struct message_name *token, const struct lane_dir *lane)
{
    struct message_name resting = *token;
    struct lane_kept *kept = lane_kept_of(&queue->lane);
    if (!token->settled || lane->queue < 0 || !kept)
        return 0;
    const int64_t since = lane_kept_note_empty(kept, token->lane, clock_now());
    return since == INT64_MAX ? 0 : rest(queue, dir, file, &resting, lane, since);
}

/* ---- going on -------------------------------------------------------------------------- */

static void go_on(mq_queue *queue, const char *key, int lane, const char *note)
{
    const char *file;
    struct message_name token, head;
    char bucket[NAME_BUCKET_SIZE];
    lane_name_parse_note(note, &file, &token);
    const int q = strncmp(token.lane, key, NAME_LANE_KEY) == 0 ? fs_open_dir(lane, "q") : -ENOENT;
    if (q < 0)
        return;
    name_format_bucket(MQ_INFLIGHT, &token, bucket);
    const int dir = bucket_open(queue->dir, MQ_INFLIGHT, bucket);
    if (dir >= 0) {
        if (lane_first(queue, token.lane, q, &head) == 1)
            (void)lane_show(queue, dir, file, &head, token.lane);
        close(dir);
    }
    close(q);
}

void lane_wake(mq_queue *queue, const char *key)
{
    struct notes notes = {0};
    const int64_t now = clock_now();
    if (!page_has_rest(queue->page, now))
        return;
    const int lane = fs_open_dir_below(queue->dir, "lanes", key);
    if (lane < 0)
        return;
    if (fs_list(lane, add_note, &notes) == 0)
        for (size_t i = 0; i < notes.count; i++)
            go_on(queue, key, lane, notes.text[i]);
    close(lane);
}
