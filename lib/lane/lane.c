/* Lanes: birth, joining, and the token's way from head to head. */
#include "lane/lane.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/id.h"
#include "format/batch.h"
#include "format/death.h"
#include "format/group_name.h"
#include "format/work_name.h"
#include "lane/lane_bury.h"
#include "lane/lane_first.h"
#include "lane/lane_out.h"
#include "lane/lane_rest.h"
#include "lane/lane_show.h"
#include "queue/bell.h"
#include "queue/move.h"
#include "store/lane_birth.h"
#include "store/lane_dir.h"

/* Lanes end and begin while this process sends. After this many times it fails with -EBUSY. */
#define TRIES 100

/* ---- going on ----------------------------------------------------------------------- */

/* 1, or 0 if another process has removed the token. */
static int drop(int dir, const char *file)
{
    const int error = fs_unlink(dir, file);
    return error == -ENOENT ? 0 : error ? error : 1;
}

/* The token goes, so the lane that it was made for must not be born any more. */
static int forbid_birth(mq_queue *queue, const struct message_name *token)
{
    char name[LANE_NEW_SIZE], forbidden[NAME_NEW_BUCKET_SIZE];
    int tmp, error = queue_tmp(queue, &tmp);
    if (error)
        return error;
    lane_name_format_new(token->lane, name);
    name_format_new_bucket(id_random(), forbidden);
    error = fs_rename(tmp, name, tmp, forbidden);
    if (!error)
        lane_dir_unmake(tmp, forbidden);
    return error == -ENOENT ? 0 : error;
}

/* What is left of a lane whose q/ is gone is removed by whoever comes by. */
static int clear_remains(mq_queue *queue, const char *key)
{
    struct lane_dir lane;
    const int opened = lane_dir_open(queue->dir, key, &lane);
    if (opened != 1)
        return opened;
    const int error = lane.queue < 0 ? lane_dir_clear(queue->dir, key, &lane) : 0;
    lane_dir_close(&lane);
    return error;
}

/* Close a lane in which nothing is left, as rmdir decides. 1 closed; 0 there is something. */
static int close_lane(mq_queue *queue, const char *key, const struct message_name *token, const struct lane_dir *lane)
{
    const int error = lane->queue < 0 ? 0 : fs_remove_dir(lane->dir, "q");
    if (error == -ENOTEMPTY)
        return 0;
    if (error && error != -ENOENT)
        return error;
    lane_rest_remove_note(queue, token->lane, lane->dir);
    const int cleared = lane_dir_clear_of(queue->dir, key, lane, token->lane);
    return cleared ? cleared : 1;
}

/* Close the lane, which seems to be empty, or show its next message. */
static int close_or_show(mq_queue *queue, int dir, const char *file, const struct message_name *token, const char *key,
                         const struct lane_dir *lane)
{
    struct message_name head;
    for (int tries = 0; tries < TRIES; tries++) {
        const int closed = close_lane(queue, key, token, lane);
        if (closed)
            return closed < 0 ? closed : drop(dir, file);
        const int q = fs_open_dir(lane->queue, ".");
        const int found = q < 0 ? 0 : lane_first(queue, key, q, &head);
        if (q >= 0)
            close(q);
        if (found < 0 || (q < 0 && q != -ENOENT))
            return found < 0 ? found : q;
        if (found == 1)
            return lane_show(queue, dir, file, &head, token->lane);
    }
    return -EBUSY;
}

/* 1 opened, and the lane is of the token's generation. */
static int open_lane(mq_queue *queue, const struct message_name *token, const char *key, struct lane_dir *ret_lane)
{
    const int opened = lane_dir_open(queue->dir, key, ret_lane);
    const int is = opened == 1 ? lane_dir_has_gen(ret_lane, token->lane) : opened;
    if (opened == 1 && is <= 0)
        lane_dir_close(ret_lane);
    return is > 0 ? 1 : is;
}

/* The lane, which is open, has no message. */
static int end_empty(mq_queue *queue, int dir, const char *file, const struct message_name *token, const char *key,
                     const struct lane_dir *lane)
{
    const int done = close_or_show(queue, dir, file, token, key, lane);
    if (done == 1 && queue->source)
        bell_ring(queue); /* a strict group takes more of its log now */
    return done;
}

/* The lane has no q/, or is not the token's any more. */
static int end_strange(mq_queue *queue, int dir, const char *file, const struct message_name *token)
{
    char key[LANE_KEY_SIZE];
    struct lane_dir lane;
    lane_name_key_of(token->lane, key);
    int opened = open_lane(queue, token, key, &lane);
    if (opened == 0) {
        const int error = forbid_birth(queue, token);
        opened = error ? error : open_lane(queue, token, key, &lane); /* or it was born meanwhile */
    }
    if (opened == 0)
        opened = clear_remains(queue, key);
    if (opened != 1)
        return opened < 0 ? opened : drop(dir, file);
    const int done = end_empty(queue, dir, file, token, key, &lane);
    lane_dir_close(&lane);
    return done;
}

/* The lane is the token's; `q` is its q/, in which no message was found. */
static int end_lane(mq_queue *queue, int dir, const char *file, const struct message_name *token, int q, bool may_rest)
{
    char key[LANE_KEY_SIZE];
    const int unread = may_rest ? fs_open_dir(q, ".") : -1;
    const int rests = unread < 0 ? 0 : lane_rest(queue, dir, file, token, unread);
    if (unread >= 0)
        close(unread);
    if (rests)
        return rests;
    const struct lane_dir lane = {fs_open_dir(q, ".."), q};
    if (lane.dir < 0)
        return lane.dir == -ENOENT ? end_strange(queue, dir, file, token) : lane.dir;
    lane_name_key_of(token->lane, key);
    const int done = end_empty(queue, dir, file, token, key, &lane);
    close(lane.dir);
    return done;
}

/* The token goes on to the next message. `q` is the lane's q/, open and not read yet, or -1. */
static int go_on(mq_queue *queue, int dir, const char *file, const struct message_name *token, int q, bool may_rest)
{
    struct message_name head;
    const int is = q < 0 ? 0 : lane_dir_is_of(q, token->lane);
    if (is > 0 && token->settled && lane_name_is_part(token))
        return lane_show_rest(queue, dir, file, token);
    if (is == LANE_DIR_CUT)
        lane_out_clear(queue, token);
    const int found = is > 0 ? lane_first(queue, token->lane, q, &head) : is;
    if (found < 0)
        return found;
    lane_rest_note(queue, token->lane, found == 0);
    if (found == 1)
        return lane_show(queue, dir, file, &head, token->lane);
    return is > 0 ? end_lane(queue, dir, file, token, q, may_rest) : end_strange(queue, dir, file, token);
}

/* ---- the head --------------------------------------------------------------------- */

int lane_open_head(mq_queue *queue, const struct message_name *token, bool *ret_has_cuts)
{
    char text[NAME_SIZE];
    lane_name_head(token, text);
    const int file = lane_dir_open_file(queue->dir, token->lane, token->head, text);
    if (file < 0)
        return bucket_is_missing(file) ? -ENOENT : file;
    const int is = lane_dir_is(queue->dir, token->lane);
    if (is > 0) {
        if (ret_has_cuts)
            *ret_has_cuts = is == LANE_DIR_CUT;
        return token->count > 1 || lane_name_is_part(token) ? fs_must_be_regular(file) : file;
    }
    close(file);
    return is < 0 ? is : -ENOENT;
}

/* The token of a head that is dead waits until that is settled: see lane_halt.h. */
static int park(mq_queue *queue, int dir, const char *file, const struct message_name *token)
{
    struct message_name parked = *token;
    int there;
    parked.claimed = parked.split = false;
    parked.begun = 0;
    parked.owner.process = 0;
    parked.time = NAME_TIME_MAX;
    return move_token(queue, dir, file, MQ_DELAYED, &parked, &there);
}

int lane_name_one(mq_queue *queue, const struct message_name *token, struct message_name *ret_one)
{
    struct batch_part part;
    const int file = lane_open_head(queue, token, NULL);
    if (file < 0)
        return file;
    const int error = batch_read_part(file, token->offset, token->id, &part);
    close(file);
    if (error)
        return error;
    *ret_one = batch_first(token, &part);
    strcpy(ret_one->id, token->id);
    return 0;
}

/* What the token says is done: then it goes on. */
static int finish_in(mq_queue *queue, enum mq_state state, int dir, const char *name, const struct message_name *token,
                     bool may_rest, int q, lane_end_fn *end, const void *argument)
{
    struct message_name now = *token;
    char file[NAME_SIZE];
    snprintf(file, sizeof file, "%s", name);
    int done = q >= 0 && lane_bury_needs_link(token)
                   ? lane_head_end(queue, state, token, q, lane_bury_link, &(struct lane_bury_token){&dir, file, &now})
                   : 0;
    if (done >= 0 && q >= 0)
        done = lane_head_end(queue, state, &now, q, end, argument);
    if (done < 0)
        return done;
    const bool halts = queue->config.halts && token->settled > LANE_DONE;
    const int moved = halts ? park(queue, dir, file, &now) : go_on(queue, dir, file, &now, q, may_rest);
    return moved < 0 ? moved : done;
}

/* A lane that was empty whenever this process was done with a head of it is expected to be empty now, and rests without a
   look before. 1, or 0: it does not rest. */
static int finish_to_rest(mq_queue *queue, enum mq_state state, int dir, const char *file,
                          const struct message_name *token, int q, lane_end_fn *end, const void *argument,
                          int *ret_ended)
{
    *ret_ended = lane_head_end(queue, state, token, q, end, argument);
    return *ret_ended < 0 ? *ret_ended : lane_rest(queue, dir, file, token, q);
}

/* `may_rest`: this process has just settled the token, whose lease is not over. */
static int finish(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *token,
                  bool may_rest, lane_end_fn *end, const void *argument)
{
    int ended = 0;
    const int q = lane_dir_open_queue(queue->dir, token->lane);
    if (q < 0 && !bucket_is_missing(q))
        return q;
    const int rests = q >= 0 && may_rest && lane_rest_is_expected(queue, token)
                          ? finish_to_rest(queue, state, dir, file, token, q, end, argument, &ended)
                          : 0;
    const int done = rests ? (rests < 0 ? rests : ended)
                           : finish_in(queue, state, dir, file, token, may_rest, q, end, argument);
    if (q >= 0)
        close(q);
    return done;
}

int lane_end(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *token,
             unsigned how, lane_end_fn *end, const void *argument)
{
    struct message_name ended = *token;
    char text[NAME_SIZE];
    int there;
    lane_birth_note_end(&ended, how, queue_now(queue));
    const int moved = move_token(queue, dir, file, MQ_INFLIGHT, &ended, &there);
    if (moved != 1)
        return moved;
    name_format(MQ_INFLIGHT, &ended, text);
    /* what fails here is done at the end of the lease */
    (void)finish(queue, state, there, text, &ended, true, end, argument);
    return 1;
}

int lane_go_on(mq_queue *queue, int dir, const char *file, const struct message_name *token)
{
    const int q = lane_dir_open_queue(queue->dir, token->lane);
    const int moved = q < 0 && !bucket_is_missing(q) ? q : go_on(queue, dir, file, token, q, false);
    if (q >= 0)
        close(q);
    return moved;
}

int lane_skip(mq_queue *queue, int dir, const char *file, const struct message_name *token)
{
    page_add_messages(queue->page, MQ_INFLIGHT, -1); /* it was counted as ready when it was purged, and then claimed */
    page_add_messages(queue->page, MQ_READY, 1);
    const int moved = lane_go_on(queue, dir, file, token);
    return moved < 0 ? moved : 0;
}

int lane_remove(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *name)
{
    lane_end_fn *const end = state == MQ_INFLIGHT ? lane_head_remove : lane_head_remove_waiting;
    return lane_is_token(name) ? lane_end(queue, state, dir, file, name, LANE_DONE, end, NULL)
                               : move_out(queue, state, dir, file, name);
}

static void count_burial(mq_queue *queue, const struct message_name *dead)
{
    page_count(queue->page, PAGE_DIED, dead->count);
    page_count(queue->page, PAGE_DEATHS + death_cause(dead->reason), dead->count);
}

static int bury_it(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *head,
                   const void *argument)
{
    struct message_name dead = *head;
    const unsigned cause = *(const unsigned *)argument;
    dead.time = queue_now(queue);
    name_escape_reason(mq_death_name(cause < MQ_DEATHS ? (enum mq_death)cause : MQ_DEATH_REJECTED), dead.reason);
    return lane_bury(queue, state, dir, file, &dead, true, lane_birth_settled_at(head), count_burial);
}

int lane_resume(mq_queue *queue, int dir, const char *file, const struct message_name *token)
{
    const unsigned cause = token->settled - lane_dead_of(0);
    const int done = token->settled == LANE_DONE
                         ? finish(queue, MQ_INFLIGHT, dir, file, token, false, lane_head_remove, NULL)
                         : finish(queue, MQ_INFLIGHT, dir, file, token, false, bury_it, &cause);
    return done < 0 ? done : 1;
}

static int resume_it(void *context, const struct bucket_file *file)
{
    const int done = file->name.settled ? lane_resume(context, file->dir, file->file, &file->name) : 0;
    return done < 0 ? done : 0;
}

int lane_resume_all(mq_queue *queue)
{
    return queue->config.order ? bucket_walk(queue->dir, MQ_INFLIGHT, resume_it, queue) : 0;
}

/* ---- birth ------------------------------------------------------------------------ */

static int place_of(mq_queue *queue, struct lane_place *ret_place)
{
    *ret_place = (struct lane_place){.dir = queue->dir, .sharing = queue->sharing, .now = queue_now(queue)};
    return queue_tmp(queue, &ret_place->tmp);
}

/* What a new token is named by: its place is behind those of the lanes that wait. */
static struct message_name like(mq_queue *queue, const struct message_name *name)
{
    struct message_name token = *name;
    token.position = page_next_positions(queue->page, token.priority, 1, queue_now(queue));
    return token;
}

static void announce_birth(mq_queue *queue, const struct lane_birth *birth)
{
    move_announce(queue, MQ_INFLIGHT, &(struct message_name){.time = birth->deadline}, false);
}

/* 1 born; 0 somebody else's lane has the name. */
static int make_lane(mq_queue *queue, const char *key, const struct message_name *name, struct lane_birth *ret_birth)
{
    struct lane_place place;
    const int error = place_of(queue, &place);
    if (error)
        return error;
    const struct message_name token = like(queue, name);
    const int born = lane_birth_make(&place, key, &token, ret_birth);
    if (born == 1)
        announce_birth(queue, ret_birth);
    return born ? born : clear_remains(queue, key);
}

int lane_revive(mq_queue *queue, const char *generation)
{
    struct lane_birth birth = {.bucket = -1};
    struct lane_place place;
    struct lane_dir lane;
    struct message_name token = {.priority = MQ_PRIORITY_DEFAULT, .count = 1};
    char key[LANE_KEY_SIZE], old[LANE_GEN_SIZE], new[LANE_GEN_SIZE];
    lane_name_key_of(generation, key);
    lane_name_make(key, id_random(), birth.lane);
    lane_name_format_gen(generation, old);
    lane_name_format_gen(birth.lane, new);
    id_make(queue_now(queue), token.id);
    token = like(queue, &token);
    const int opened = lane_dir_open(queue->dir, key, &lane);
    if (opened != 1)
        return opened;
    int error = place_of(queue, &place);
    if (!error)
        error = lane_birth_make_token(&place, &token, NULL, &birth);
    if (!error) {
        error = fs_rename(lane.dir, old, lane.dir, new);
        if (error == -ENOENT) { /* messages were taken out of it */
            lane_name_format_cut_gen(generation, old);
            lane_name_format_cut_gen(birth.lane, new);
            error = fs_rename(lane.dir, old, lane.dir, new);
        }
        if (error)
            (void)fs_unlink(birth.bucket, birth.token);
        else
            error = name_parse(MQ_INFLIGHT, birth.token, &token)
                        ? go_on(queue, birth.bucket, birth.token, &token, -1, false)
                        : 1;
        close(birth.bucket);
    }
    lane_dir_close(&lane);
    return error == -ENOENT ? 0 : error;
}

/* ---- putting something in ------------------------------------------------------------- */

struct put {
    mq_queue *queue;
    const char *key;
    struct message_name *name;
    bool keeps_position;
    lane_link_fn *give_name;
    void *context;
};

static int link_in(const struct put *put, int dir)
{
    char text[NAME_SIZE];
    name_format(MQ_READY, put->name, text);
    return put->give_name(put->context, dir, text);
}

/* As late as possible, so that the order of positions is the order of publication. */
static void place(const struct put *put)
{
    if (!put->keeps_position)
        put->name->position = page_next_positions(put->queue->page, put->name->priority, put->name->count,
                                                  queue_now(put->queue));
}

/* 1 done; 0 the lane is gone. What is to come first does not go behind others into a bucket, unless it is of a log: see
   lane_first.c. Nor does the message of a lane that is probably at rest. */
static int join(const struct put *put, int *ret_dir)
{
    mq_queue *queue = put->queue;
    bool is_queue = true;
    place(put);
    const bool is_first = put->keeps_position && !group_name_has_offset(put->name->position);
    const int dir = is_first || lane_rest_is_known(queue, put->key)
                        ? lane_dir_open_queue(queue->dir, put->key)
                        : lane_dir_open_for(queue->dir, queue->sharing, put->key, put->name->position, &is_queue);
    const int error = dir < 0 ? dir : link_in(put, dir);
    if (!error) {
        *ret_dir = dir;
        lane_wake(queue, put->key, is_queue ? dir : -1);
    } else if (dir >= 0) {
        close(dir);
    }
    return error == -ENOENT ? 0 : error ? error : 1;
}

/* The first message of a lane, which is its head. 1 done; 0 try again. */
static int begin(const struct put *put, int *ret_dir)
{
    struct lane_birth birth;
    const int born = make_lane(put->queue, put->key, put->name, &birth);
    if (born != 1)
        return born;
    place(put);
    const int dir = lane_dir_open_queue(put->queue->dir, put->key);
    const int error = dir < 0 ? dir : link_in(put, dir);
    if (!error) {
        *ret_dir = dir; /* a token that is not moved now is moved at the end of its lease */
        (void)lane_show(put->queue, birth.bucket, birth.token, put->name, birth.lane);
    } else if (dir >= 0) {
        close(dir);
    }
    close(birth.bucket);
    return error == -ENOENT ? 0 : error ? error : 1;
}

int lane_put(mq_queue *queue, const char *key, struct message_name *name, bool keeps_position, lane_link_fn *give_name,
             void *context, int *ret_dir)
{
    const struct put put = {queue, key, name, keeps_position, give_name, context};
    for (int tries = 0; tries < TRIES; tries++) {
        int done = join(&put, ret_dir);
        if (done == 0)
            done = begin(&put, ret_dir);
        if (done)
            return done < 0 ? done : 0;
    }
    return -EBUSY;
}
