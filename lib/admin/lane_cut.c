/* Taking one message out of a lane. */
#include "admin/lane_cut.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/browse.h"
#include "admin/lane_browse.h"
#include "admin/lane_tokens.h"
#include "base/fs.h"
#include "base/id.h"
#include "format/batch.h"
#include "format/group_name.h"
#include "lane/lane.h"
#include "lane/lane_pass.h"
#include "queue/move.h"
#include "store/bucket.h"
#include "store/lane_cuts.h"
#include "store/lane_dir.h"

/* A walk may miss a token that moves. A lane that has none after so many has lost it, and nothing of it can be claimed. */
#define LOOKS 10

/* A message of a lane. */
struct target {
    mq_queue *queue;
    const char *key;
    enum mq_state state;
    int dir;          /* where its file lies */
    const char *file; /* and what that is called there */
    struct message_name one;
    uint64_t head;                  /* the position of the file */
    uint32_t of;                    /* how many messages it has */
    const struct lane_token *token; /* where the lane's was not long ago; NULL: not known */
    bool in_flight;                 /* it is being worked on, and is to be taken out all the same */
};

/* ---- a cut --------------------------------------------------------------------------- */

/* By the tokens of the queue, or of one bucket of it. */
static int look_at_tokens(const struct target *target, const char *generation, int bucket)
{
    struct lane_tokens tokens = {0};
    const int error = bucket < 0 ? lane_tokens_read(target->queue, &tokens) : lane_tokens_read_bucket(bucket, &tokens);
    const int passed = error ? error
                             : lane_tokens_have_passed(&tokens, generation, target->head, target->of,
                                                       target->one.position - target->head);
    lane_tokens_free(&tokens);
    return passed;
}

/* Whether a process has claimed or settled the message, as seen after the cut was made. A token that this process has moved
   on lies in the bucket that it moved something to last. */
static int has_passed(const struct target *target, const char *generation)
{
    const struct lane_token *token = target->token;
    const int bucket = target->queue->target[MQ_READY].dir;
    int passed = -EAGAIN;
    if (token && strcmp(token->lane, generation) == 0 && lane_token_is_there(target->queue, token) == 1)
        return lane_token_has_passed(token, target->head, target->of, target->one.position - target->head);
    if (bucket >= 0)
        passed = look_at_tokens(target, generation, bucket);
    for (int looks = 0; looks < LOOKS && passed == -EAGAIN; looks++)
        passed = look_at_tokens(target, generation, -1);
    return passed == -EAGAIN ? 0 : passed;
}

/* 1: it can be taken out. 0: it is too late for that. */
static int may_act(const struct target *target, const char *generation)
{
    const int passed = target->in_flight ? 0 : has_passed(target, generation);
    return passed < 0 ? passed : passed ? 0 : fs_has(target->dir, target->file);
}

static int act_on_draft(const struct target *target, int cuts, const char *draft, single_out_fn *act,
                        const void *argument)
{
    struct stat status;
    if (fstatat(cuts, draft, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return fs_error_unless_gone();
    const int done = act(target->queue, target->state, cuts, draft, &target->one, argument);
    if (done == 1 && target->in_flight) /* it is counted until its claim ends */
        move_count_in(target->queue, target->state, &target->one, name_bytes_in(&target->one, status.st_size));
    return done;
}

static int cut_in(const struct target *target, int cuts, const char *generation, single_out_fn *act,
                  const void *argument)
{
    const uint64_t random = id_random();
    char draft[LANE_DRAFT_SIZE];
    lane_name_format_draft(LANE_DRAFT_OUT, random, draft);
    int done = fs_link_unique(target->dir, target->file, cuts, draft);
    if (done)
        return done == -ENOENT ? 0 : done;
    done = lane_cuts_make(cuts, target->one.position, random, target->in_flight);
    if (done != 1) {
        (void)fs_unlink(cuts, draft);
        return done;
    }
    done = may_act(target, generation);
    if (done == 1)
        done = act_on_draft(target, cuts, draft, act, argument);
    if (done != 1)
        (void)lane_cuts_void(cuts, random);
    return done;
}

/* A listing may miss the generation while another process renames it. */
static int open_cuts(const struct target *target, const struct lane_dir *lane, char generation[NAME_LANE_SIZE])
{
    mq_queue *queue = target->queue;
    for (int looks = 0; looks < LOOKS; looks++) {
        const int found = lane_dir_read_gen(lane, target->key, generation);
        const int cuts = found == 1 ? lane_dir_open_cuts(queue->dir, queue->sharing, lane, generation) : found;
        if (found < 0 || (found == 1 && cuts != -ENOENT))
            return cuts;
    }
    return -ENOENT;
}

static int cut(const struct target *target, single_out_fn *act, const void *argument)
{
    struct lane_dir lane;
    char generation[NAME_LANE_SIZE];
    const int opened = lane_dir_open(target->queue->dir, target->key, &lane);
    if (opened != 1)
        return opened;
    const int cuts = open_cuts(target, &lane, generation);
    const int done = cuts < 0 ? cuts : cut_in(target, cuts, generation, act, argument);
    if (cuts >= 0)
        close(cuts);
    lane_dir_close(&lane);
    return cuts == -ENOENT ? 0 : done;
}

int lane_cut_waiting(mq_queue *queue, const char *key, int dir, const char *file, enum mq_state state,
                     const struct message_name *one, const struct lane_token *token, single_out_fn *act,
                     const void *argument)
{
    struct message_name name;
    if (!name_parse(MQ_READY, file, &name))
        return -EINVAL;
    struct target target = {queue, key, state, dir, file, *one, name.position, name.count, token, false};
    target.one.time = one->due;
    target.one.due = 0;
    return cut(&target, act, argument);
}

/* ---- the message of an entry ----------------------------------------------------------- */

struct search {
    uint64_t offset;
    struct message_name *one;
};

static int is_it(void *context, const struct message_name *one)
{
    const struct search *search = context;
    if (one->offset != search->offset)
        return 0;
    *search->one = *one;
    return 1;
}

/* The one of several messages that begins at the offset. 1, or 0: it is not among them. */
static int find_one(int dir, const char *file, const struct message_name *several, uint64_t offset,
                    struct message_name *ret_one)
{
    if (several->count == 1) {
        *ret_one = *several;
        return several->offset == offset;
    }
    const int opened = fs_open_file(dir, file);
    if (opened < 0)
        return opened == -ENOENT ? 0 : opened;
    const int found = batch_walk(opened, several, is_it, &(struct search){offset, ret_one});
    close(opened);
    return found;
}

static int cut_behind(mq_queue *queue, const struct mq_entry *entry, single_out_fn *act, const void *argument)
{
    struct message_name name, one;
    const int dir = lane_browse_find(queue, entry->bucket, entry->file, &name);
    if (dir < 0)
        return dir == -ENOENT ? 0 : dir;
    int done = find_one(dir, entry->file, &name, entry->offset, &one);
    if (done == 1)
        done = lane_cut_waiting(queue, entry->bucket, dir, entry->file, entry->state, &one,
                                lane_browse_token(queue, entry), act, argument);
    /* The messages of a log may come again under their names, so there the cut and the file go together. */
    if (done == 1 && name.count == 1 && !group_name_has_offset(name.position))
        (void)fs_unlink(dir, entry->file);
    close(dir);
    return done;
}

/* What the head's message is called as one of the state. */
static struct message_name without_claim(const struct message_name *one, const struct message_name *token)
{
    struct message_name name = *one;
    name.of = 0;
    name.due = 0;
    name.claimed = name.split = false;
    name.begun = 0;
    name.owner.process = 0;
    if (one->position != token->head + token->skipped)
        name.attempts = 0;
    return name;
}

static int cut_head(mq_queue *queue, const struct mq_entry *entry, const struct message_name *token, single_out_fn *act,
                    const void *argument)
{
    char key[LANE_KEY_SIZE];
    struct target target = {.queue = queue, .key = key, .state = entry->state, .head = token->head};
    target.of = token->of ? token->of : 1;
    const struct message_name several = lane_name_without(token);
    struct message_name name, one;
    char file[NAME_SIZE];
    lane_name_key_of(token->lane, key);
    lane_name_head(token, file);
    target.file = file;
    target.in_flight = entry->state == MQ_INFLIGHT;
    target.dir = lane_browse_find(queue, key, file, &name);
    if (target.dir < 0)
        return target.dir == -ENOENT ? 0 : target.dir;
    int done = find_one(target.dir, file, &several, entry->offset, &one);
    const struct lane_token seen = lane_token_of(
        &(struct bucket_file){.state = entry->state, .bucket = entry->bucket, .file = entry->file, .name = *token});
    target.token = &seen;
    if (done == 1) {
        target.one = without_claim(&one, token);
        done = cut(&target, act, argument);
    }
    close(target.dir);
    return done;
}

/* ---- entries --------------------------------------------------------------------------- */

static bool is_token(const struct mq_entry *entry, struct message_name *ret_token)
{
    return !lane_browse_is(entry) && name_parse(entry->state, entry->file, ret_token) && lane_is_token(ret_token);
}

bool lane_cut_is_meant(const struct mq_entry *entry)
{
    struct message_name token;
    return lane_browse_is(entry) || is_token(entry, &token);
}

/* The first message that a token stands for, unless the token has moved. -EOPNOTSUPP: it is another one, or the action cannot
   act on tokens. */
static int act_on_first(mq_queue *queue, const struct mq_entry *entry, const struct browse_place *place,
                        single_out_fn *act, const void *argument)
{
    struct message_name one = place->name;
    if (entry->offset != place->name.offset)
        return -EOPNOTSUPP;
    const int error = one.count > 1 ? lane_name_one(queue, &place->name, &one) : 0;
    if (error && error != -EBADMSG)
        return error == -ENOENT ? 0 : error;
    return act(queue, entry->state, place->dir, place->file, &one, argument);
}

static int pass_first(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *name,
                      const void *argument)
{
    (void)argument;
    return lane_pass_waiting(queue, state, dir, file, name);
}

/* Of a message in flight there is no other one behind its token, unless several were claimed at once. */
static int act_on_token(mq_queue *queue, const struct mq_entry *entry, const struct message_name *token,
                        single_out_fn *act, const void *argument)
{
    struct browse_place place;
    const int found = browse_find(queue, entry, &place);
    if (found < 0 || (found == 0 && entry->state == MQ_INFLIGHT))
        return found;
    int done = found == 1 ? act_on_first(queue, entry, &place, act, argument) : -EOPNOTSUPP;
    if (done == -EOPNOTSUPP) {
        done = cut_head(queue, entry, token, act, argument);
        if (done == 1 && found == 1 && entry->state != MQ_INFLIGHT) /* else its claimer passes over it */
            (void)act_on_first(queue, entry, &place, pass_first, NULL);
    }
    if (found == 1)
        close(place.dir);
    return done;
}

int lane_cut(mq_queue *queue, const struct mq_entry *entry, single_out_fn *act, const void *argument)
{
    struct message_name token;
    return is_token(entry, &token) ? act_on_token(queue, entry, &token, act, argument)
                                   : cut_behind(queue, entry, act, argument);
}
