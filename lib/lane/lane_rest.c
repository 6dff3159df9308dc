/* Lanes at rest. */
#include "lane/lane_rest.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
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
#include "store/lane_dir.h"

/* The lease of a settled token is that of lane_birth.c: twice the time since the group was empty before. */
#define LEASE_SUFFICES CLOCK_SECOND

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

/* Notes and gen.G lie beside q/, which is all of the lane that is open. */
#define BESIDE_SIZE (sizeof "../" + NAME_SIZE)

static const char *beside(const char *name, char path[BESIDE_SIZE])
{
    snprintf(path, BESIDE_SIZE, "../%s", name);
    return path;
}

/* Give a note that is found another name, and remove the others. -ENOENT: there is none. */
static int rename_found(int q, const char *note)
{
    struct notes notes = {0};
    char path[BESIDE_SIZE];
    const int error = fs_list_at(q, "..", add_note, &notes);
    for (size_t i = 1; i < notes.count && !error; i++)
        (void)fs_unlink(q, beside(notes.text[i], path));
    return error ? error : notes.count > 0 ? fs_rename(q, beside(notes.text[0], path), q, note) : -ENOENT;
}

/* A note is one more name of gen.G, so it is there only if the lane is of that generation. 1 written; 0: it is not. */
static int write_note(int q, const char *generation, const char *note, struct lane_memory *memory)
{
    char to[BESIDE_SIZE], from[BESIDE_SIZE], gen[LANE_GEN_SIZE];
    beside(note, to);
    int error = strcmp(memory->lane, generation) == 0 ? fs_rename(q, beside(memory->note, from), q, to) : -ENOENT;
    if (error != -ENOENT)
        return error ? error : 1;
    const int is = lane_dir_is_of(q, generation);
    if (is != 1)
        return is;
    error = rename_found(q, to);
    if (error != -ENOENT)
        return error ? error : 1;
    lane_name_format_gen(generation, gen);
    error = fs_link(q, beside(gen, from), q, to);
    return error == -ENOENT ? 0 : error ? error : 1;
}

static void remember_note(struct lane_memory *memory, const char *generation, const char *note)
{
    strcpy(memory->lane, generation);
    strcpy(memory->note, note);
}

/* The lease of a token that has just been settled is short. It has to last until the next message of the group may come. */
static bool lengthen(struct message_name *token, int64_t since, int64_t now)
{
    if (since < LEASE_SUFFICES || since == INT64_MAX)
        return false;
    token->time = name_time_after(now, 3 * since);
    token->token = id_random();
    return true;
}

/* The token gets its last name before the lane is listed once more. */
static int rest(mq_queue *queue, int dir, const char *file, struct message_name *token, int q, int64_t since)
{
    struct message_name head;
    char name[NAME_SIZE], note[NAME_SIZE];
    const bool is_longer = lengthen(token, since, queue_now(queue));
    struct lane_memory *memory = lane_kept_remember(queue->lane, token->lane);
    name_format(MQ_INFLIGHT, token, name);
    page_note_rest(queue->page, token->time);
    if (!lane_name_format_note(name, note) || write_note(q, token->lane, note, memory) != 1)
        return 0;
    remember_note(memory, token->lane, note);
    const int moved = is_longer ? move_token(queue, dir, file, MQ_INFLIGHT, token, &dir) : 1;
    if (moved != 1)
        return moved < 0 ? moved : 1;
    const int found = lane_first(queue, token->lane, q, &head);
    memory->rests = memory->was_empty = found == 0;
    return found == 1 ? lane_show(queue, dir, name, &head, token->lane) : found < 0 ? found : 1;
}

void lane_rest_note(mq_queue *queue, const char *key, bool is_empty)
{
    struct lane_memory *memory = lane_kept_memory(queue->lane, key);
    if (memory)
        memory->was_empty = is_empty;
}

bool lane_rest_is_expected(const mq_queue *queue, const struct message_name *token)
{
    const struct lane_memory *memory = lane_kept_memory(queue->lane, token->lane);
    return memory && memory->was_empty && token->settled == 1 && !lane_name_is_part(token);
}

bool lane_rest_is_known(const mq_queue *queue, const char *key)
{
    const struct lane_memory *memory = lane_kept_memory(queue->lane, key);
    return memory && memory->rests && page_has_rest(queue->page, queue_now(queue));
}

int lane_rest(mq_queue *queue, int dir, const char *file, const struct message_name *token, int q)
{
    struct message_name resting = *token;
    struct lane_kept *kept = lane_kept_of(&queue->lane);
    if (!token->settled || q < 0 || !kept)
        return 0;
    const int64_t since = lane_kept_note_empty(kept, token->lane, queue_now(queue));
    return lane_kept_may_rest(kept, since) ? rest(queue, dir, file, &resting, q, since) : 0;
}

void lane_rest_remove_note(mq_queue *queue, const char *generation, int lane)
{
    struct lane_memory *memory = lane_kept_memory(queue->lane, generation);
    if (!memory || strcmp(memory->lane, generation) != 0)
        return;
    (void)fs_unlink(lane, memory->note);
    memory->lane[0] = '\0';
    memory->rests = false;
}

/* ---- going on -------------------------------------------------------------------------- */

/* The bucket that the handle has open may have been removed, and made anew. */
static int show(mq_queue *queue, const char *file, const struct message_name *token, const struct message_name *head)
{
    char bucket[NAME_BUCKET_SIZE];
    name_format_bucket(MQ_INFLIGHT, token, bucket);
    const int open = queue_has_open(queue, bucket);
    const int moved = open < 0 ? 0 : lane_show(queue, open, file, head, token->lane);
    const int dir = moved ? -1 : bucket_open(queue->dir, MQ_INFLIGHT, bucket);
    if (dir < 0)
        return moved;
    const int shown = lane_show(queue, dir, file, head, token->lane);
    close(dir);
    return shown;
}

/* The token that a note names shows the first message of the lane, whose q/ was not read yet. 1: it did. */
static int go_on(mq_queue *queue, const char *key, int q, const char *note)
{
    const char *file;
    struct message_name token, head;
    if (!lane_name_parse_note(note, &file, &token) || strncmp(token.lane, key, NAME_LANE_KEY) != 0)
        return 0;
    const int found = lane_first(queue, token.lane, q, &head);
    return found == 1 ? show(queue, file, &token, &head) : found;
}

/* Go by the notes in the lane. */
static void look_and_go_on(mq_queue *queue, const char *key, int lane)
{
    struct notes notes = {0};
    if (fs_list(lane, add_note, &notes) != 0)
        return;
    for (size_t i = 0; i < notes.count; i++) {
        const int q = fs_open_dir(lane, "q");
        if (q < 0)
            return;
        (void)go_on(queue, key, q, notes.text[i]);
        close(q);
    }
}

/* What this process remembers of the lane is tried first. */
void lane_wake(mq_queue *queue, const char *key, int q)
{
    const int64_t now = queue_now(queue);
    if (!page_has_rest(queue->page, now))
        return;
    struct lane_memory *memory = lane_kept_memory(queue->lane, key);
    if (memory && memory->rests && q >= 0) {
        memory->rests = false;
        if (go_on(queue, key, q, memory->note) == 1)
            return;
    }
    const int lane = fs_open_dir_below(queue->dir, "lanes", key);
    if (lane < 0)
        return;
    look_and_go_on(queue, key, lane);
    close(lane);
}
