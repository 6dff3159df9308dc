/* Checking the lanes of an ordered queue, and their tokens. */
#include "admin/check_lanes.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "admin/lane_tokens.h"
#include "base/fs.h"
#include "base/fs_list.h"
#include "lane/lane.h"
#include "store/bucket.h"
#include "store/lane_dir.h"

/* Where in a lane the check is. */
static const char *place_in_lane(const struct check *check, char place[64])
{
    snprintf(place, 64, "lanes/%s/q%s%s", check->lane, check->bucket[0] ? "/" : "", check->bucket);
    return place;
}

static int check_waiting(void *context, const char *file, unsigned char type)
{
    struct check *check = context;
    struct message_name name;
    char place[64];
    if (type == DT_DIR && !check->bucket[0] && lane_name_is_bucket(file))
        return 0;
    place_in_lane(check, place);
    if (type != DT_REG)
        return finding_report(check, place, file, finding_type(type));
    if (!name_parse(MQ_READY, file, &name) || lane_is_token(&name))
        return finding_report(check, place, file, "not a message's name");
    const int error = finding_in_content(check->queue, check->dir, file, &name);
    return error == -EBADMSG ? finding_report(check, place, file, "empty, truncated or malformed message") : 0;
}

static int check_lane_bucket(void *context, const char *bucket, unsigned char type)
{
    struct check *check = context;
    if (type != DT_DIR || !lane_name_is_bucket(bucket))
        return 0;
    const int outer = check->dir, dir = fs_open_dir(outer, bucket);
    if (dir < 0)
        return dir == -ENOENT ? 0 : dir;
    check->bucket = bucket;
    const int error = finding_list(check, dir, check_waiting);
    check->bucket = "";
    check->dir = outer;
    return error;
}

static int check_cut(void *context, const char *name, unsigned char type)
{
    struct check *check = context;
    char place[64];
    uint64_t position;
    if ((type == DT_LNK && lane_name_parse_cut(name, &position)) || (type == DT_REG && lane_name_is_draft(name)))
        return 0;
    snprintf(place, sizeof place, "lanes/%s/" LANE_CUTS, check->lane);
    return finding_report(check, place, name, "not a cut");
}

static int check_lane_entry(void *context, const char *name, unsigned char type)
{
    struct check *check = context;
    char place[64], lane[NAME_LANE_SIZE];
    const char *file;
    struct message_name token;
    if (type == DT_DIR && strcmp(name, LANE_CUTS) == 0) {
        const int error = finding_list_inside(check, name, check_cut);
        check->bucket = "";
        return error;
    }
    if (strcmp(name, "q") == 0 ? type == DT_DIR
                               : type == DT_REG && (lane_name_parse_gen(check->lane, name, lane) ||
                                                    lane_name_parse_note(name, &file, &token)))
        return 0;
    snprintf(place, sizeof place, "lanes/%s", check->lane);
    return finding_report(check, place, name, "not a part of a lane");
}

/* A lane that is being closed is half gone for a moment. Only one that stays so is a finding. */
#define HALF_LOOKS 5
#define HALF_PAUSE 5 /* milliseconds */

/* Its token is removed after it: if that is there, another process goes on when its lease is over. */
static int has_token(struct check *check, const char *key)
{
    struct lane_tokens tokens = {0};
    const int error = lane_tokens_read(check->queue, &tokens);
    const struct lane_token *token = error ? NULL : lane_tokens_find(&tokens, key);
    const int has = error ? error : token && token->settled;
    lane_tokens_free(&tokens);
    return has;
}

static int check_half_lane(struct check *check, const char *key)
{
    for (int looks = 0; looks < HALF_LOOKS; looks++) {
        struct lane_dir lane;
        const int opened = lane_dir_open(check->queue->dir, key, &lane);
        if (opened != 1)
            return opened;
        const bool is_half = lane.queue < 0, last = looks == HALF_LOOKS - 1;
        const int has = is_half && last ? has_token(check, key) : 0;
        const int cleared = has == 0 && is_half && last && check->repair ? lane_dir_clear(check->queue->dir, key, &lane)
                                                                         : 0;
        lane_dir_close(&lane);
        if (has || cleared || !is_half)
            return has < 0 ? has : cleared;
        (void)poll(NULL, 0, HALF_PAUSE);
    }
    finding_tell(check, "lanes", key, "a lane that is half made or half gone");
    return 0;
}

static int check_lane(void *context, const char *name, unsigned char type)
{
    struct check *check = context;
    struct lane_dir lane;
    if (!lane_name_is_key(name))
        return finding_report(check, "lanes", name, "not a lane's name");
    if (type != DT_DIR)
        return finding_report(check, "lanes", name, "not a directory");
    const int outer = check->dir, opened = lane_dir_open(check->queue->dir, name, &lane);
    if (opened != 1)
        return opened;
    snprintf(check->lane, sizeof check->lane, "%s", name);
    check->bucket = "";
    check->dir = lane.dir;
    int error = fs_list_at(lane.dir, ".", check_lane_entry, check);
    if (!error && lane.queue < 0)
        error = check_half_lane(check, name);
    check->dir = lane.queue;
    if (!error && lane.queue >= 0)
        error = fs_list_at(lane.queue, ".", check_waiting, check);
    if (!error && lane.queue >= 0)
        error = fs_list_at(lane.queue, ".", check_lane_bucket, check);
    lane_dir_close(&lane);
    check->dir = outer;
    return error;
}

static int report_missing(void *context, const char *generation)
{
    struct check *check = context;
    char key[LANE_KEY_SIZE];
    lane_name_key_of(generation, key);
    const int revived = check->repair ? lane_revive(check->queue, generation) : 1;
    if (revived == 1)
        finding_tell(check, "lanes", key, "a lane without a token");
    return revived < 0 ? revived : 0;
}

static int report_token(struct check *check, const struct lane_token *token, const char *problem)
{
    char place[64];
    const int dir = bucket_open(check->queue->dir, token->state, token->bucket);
    if (dir < 0)
        return bucket_is_missing(dir) ? 0 : dir;
    snprintf(place, sizeof place, "%s/%s", name_of_state(token->state), token->bucket);
    check->dir = dir;
    const int has = fs_has(dir, token->file),
              error = has == 1 ? finding_report(check, place, token->file, problem) : has;
    close(dir);
    return error;
}

/* Two names that are there at the same time, as the second look at the first one shows, are no token that moves. */
static int is_twice(mq_queue *queue, const struct lane_token *one, const struct lane_token *other)
{
    if (strcmp(one->lane, other->lane) != 0)
        return 0;
    int there = lane_token_is_there(queue, one);
    if (there == 1)
        there = lane_token_is_there(queue, other);
    return there == 1 ? lane_token_is_there(queue, one) : there;
}

static int check_tokens(struct check *check, const struct lane_tokens *tokens)
{
    int error = 0;
    for (size_t i = 0; i < tokens->count && !error; i++) {
        const struct lane_token *token = &tokens->all[i];
        const int has = token->settled ? 1 : lane_dir_is(check->queue->dir, token->lane);
        const int twice = has > 0 && i > 0 ? is_twice(check->queue, token - 1, token) : 0;
        error = has < 0 ? has : twice < 0 ? twice : 0;
        if (has == 0)
            error = report_token(check, token, "a token without a lane");
        else if (twice == 1)
            error = report_token(check, token, "a second token of a lane");
    }
    return error;
}

int check_lanes(struct check *check)
{
    struct lane_tokens tokens = {0};
    const int lanes = fs_open_dir(check->queue->dir, "lanes");
    if (lanes < 0)
        return lanes == -ENOENT ? 0 : lanes;
    int error = finding_list(check, lanes, check_lane);
    if (!error)
        error = lane_tokens_read(check->queue, &tokens);
    if (!error)
        error = check_tokens(check, &tokens);
    lane_tokens_free(&tokens);
    return error ? error : lane_tokens_find_missing(check->queue, report_missing, check);
}
