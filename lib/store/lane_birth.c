/* The birth of a lane. */
#include "store/lane_birth.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/id.h"
#include "store/access.h"
#include "store/bucket.h"
#include "store/lane_dir.h"

/* Other processes may remove a bucket between the moment that this process opens it and the making of a file in it. */
#define TRIES 100

/* For this long a process that moves a token on is given time. Then another one does what it has left. */
#define LEASE (2 * CLOCK_SECOND)

void lane_birth_note_end(struct message_name *token, unsigned how, int64_t now)
{
    token->settled = how;
    token->claimed = true;
    token->token = token->token ? id_random_after(token->token) : id_random();
    token->begun = 0;
    token->owner.process = 0;
    token->time = name_time_after(now, LEASE);
}

int64_t lane_birth_settled_at(const struct message_name *token)
{
    return token->time > LEASE ? token->time - LEASE : 0;
}

static int make_file(const struct lane_place *place, const char *gen, int dir, const char *name)
{
    if (gen)
        return fs_link(place->tmp, gen, dir, name);
    const int error = fs_make_empty(dir, name, access_mode(place->sharing, ACCESS_FILE));
    return error || access_is_shared(place->sharing) ? error : fs_give_to_owner_of(dir, name);
}

int lane_birth_make_token(const struct lane_place *place, const struct message_name *like, const char *gen,
                          struct lane_birth *birth)
{
    char bucket[NAME_BUCKET_SIZE];
    struct message_name token = lane_name_token(like, birth->lane);
    token.head = token.of = token.offset = token.length = 0;
    token.token = 0;
    token.count = 1;
    token.position = like->position;
    lane_birth_note_end(&token, LANE_DONE, place->now);
    name_format_bucket(MQ_INFLIGHT, &token, bucket);
    name_format(MQ_INFLIGHT, &token, birth->token);
    birth->deadline = token.time;
    for (int tries = 0; tries < TRIES; tries++) {
        birth->bucket = bucket_make(place->dir, place->sharing, MQ_INFLIGHT, bucket);
        const int error = birth->bucket < 0 ? birth->bucket : make_file(place, gen, birth->bucket, birth->token);
        if (!error)
            return 0;
        if (birth->bucket < 0)
            return error;
        (void)fs_unlink(birth->bucket, birth->token);
        close(birth->bucket);
        if (error != -ENOENT)
            return error;
    }
    return -EBUSY;
}

/* Nothing can have the name that the lane is to have, or what has it is a lane that is going. */
static int name_lane(const struct lane_place *place, const char *name, const char *key)
{
    char path[sizeof "lanes/" + LANE_KEY_SIZE];
    snprintf(path, sizeof path, "lanes/%.*s", NAME_LANE_KEY, key);
    int error = fs_rename(place->tmp, name, place->dir, path);
    if (error != -ENOENT || fs_has(place->dir, "lanes") != 0)
        return error;
    error = access_make_dir(place->dir, place->sharing, place->dir, "lanes");
    return error && error != -EEXIST ? error : fs_rename(place->tmp, name, place->dir, path);
}

int lane_birth_make(const struct lane_place *place, const char *key, const struct message_name *like,
                    struct lane_birth *ret_birth)
{
    char name[LANE_NEW_SIZE], gen[LANE_GEN_SIZE], path[LANE_NEW_SIZE + LANE_GEN_SIZE];
    lane_name_make(key, id_random(), ret_birth->lane);
    lane_name_format_new(ret_birth->lane, name);
    int error = lane_dir_make(place->tmp, place->sharing, ret_birth->lane);
    if (error)
        return error;
    lane_name_format_gen(ret_birth->lane, gen);
    snprintf(path, sizeof path, "%s/%s", name, gen);
    error = lane_birth_make_token(place, like, path, ret_birth);
    if (error) {
        lane_dir_unmake(place->tmp, name);
        return error;
    }
    error = name_lane(place, name, key);
    if (!error)
        return 1;
    lane_dir_unmake(place->tmp, name);
    (void)fs_unlink(ret_birth->bucket, ret_birth->token);
    close(ret_birth->bucket);
    return error == -EEXIST || error == -ENOTEMPTY || error == -ENOENT ? 0 : error;
}
