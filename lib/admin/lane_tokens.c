/* The tokens of an ordered queue's lanes. */
#include "admin/lane_tokens.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_list.h"
#include "base/grow.h"
#include "store/bucket.h"
#include "store/lane_dir.h"
#include "store/outbox_dir.h"
#include "store/spool.h"

/* A token that moves may be missed by a walk. That so many walks miss it is unlikely, and does no harm: see lane_revive. */
#define LOOKS 3

static int compare(const void *one, const void *other)
{
    return strcmp(((const struct lane_token *)one)->lane, ((const struct lane_token *)other)->lane);
}

void lane_tokens_sort(struct lane_tokens *tokens)
{
    if (tokens->count > 1)
        qsort(tokens->all, tokens->count, sizeof *tokens->all, compare);
}

static uint32_t count_passed(const struct bucket_file *file)
{
    const struct message_name *token = &file->name;
    if (token->settled && !lane_name_is_part(token))
        return UINT32_MAX;
    return token->skipped + (token->settled || file->state == MQ_INFLIGHT ? token->count : 0);
}

struct lane_token lane_token_of(const struct bucket_file *file)
{
    const bool is_part = lane_name_is_part(&file->name);
    struct lane_token token = {.state = file->state,
                               .head = file->name.head,
                               .of = file->name.of ? file->name.of : 1,
                               .settled = file->name.settled != 0,
                               .passed = count_passed(file),
                               .ahead = is_part ? file->name.skipped + file->name.count : UINT32_MAX};
    memcpy(token.lane, file->name.lane, sizeof token.lane);
    snprintf(token.bucket, sizeof token.bucket, "%s", file->bucket);
    snprintf(token.file, sizeof token.file, "%s", file->file);
    return token;
}

int lane_tokens_add(struct lane_tokens *tokens, const struct bucket_file *file)
{
    if (!file->name.lane[0])
        return 0;
    if (!GROW(tokens->all, tokens->count + 1, tokens->room))
        return -ENOMEM;
    tokens->all[tokens->count++] = lane_token_of(file);
    return 0;
}

static int add(void *context, const struct bucket_file *file)
{
    return lane_tokens_add(context, file);
}

static int add_hidden(void *context, const struct message_name *name)
{
    return add(context, &(struct bucket_file){.state = MQ_INFLIGHT, .bucket = "", .file = "", .name = *name});
}

/* Those that lie in transactions, as claims that were taken into them. */
static int read_hidden(mq_queue *queue, struct lane_tokens *tokens)
{
    const int spool = spool_open(queue->spool, false);
    if (spool < 0)
        return spool;
    const int error = outbox_each_claim(spool, queue->name, queue->dir, queue->sharing != ACCESS_PRIVATE, add_hidden,
                                        tokens);
    close(spool);
    return error;
}

int lane_tokens_read(mq_queue *queue, struct lane_tokens *tokens)
{
    static const enum mq_state states[] = {MQ_READY, MQ_DELAYED, MQ_INFLIGHT};
    int error = 0;
    for (size_t i = 0; i < sizeof states / sizeof *states && !error; i++)
        error = bucket_walk(queue->dir, states[i], add, tokens);
    if (!error)
        error = read_hidden(queue, tokens);
    lane_tokens_sort(tokens);
    return error;
}

int lane_tokens_read_bucket(int dir, struct lane_tokens *tokens)
{
    struct listing files = {0};
    struct bucket_file file = {.state = MQ_READY, .bucket = ""};
    const int fresh = fs_open_dir(dir, ".");
    int error = fresh < 0 ? fresh : bucket_read(fresh, MQ_READY, &files);
    for (size_t i = 0; i < files.count && !error; i++) {
        file.file = listing_at(&files, i);
        if (name_parse(MQ_READY, file.file, &file.name))
            error = lane_tokens_add(tokens, &file);
    }
    if (fresh >= 0)
        close(fresh);
    listing_free(&files);
    lane_tokens_sort(tokens);
    return error;
}

void lane_tokens_free(struct lane_tokens *tokens)
{
    free(tokens->all);
    *tokens = (struct lane_tokens){0};
}

bool lane_tokens_has(const struct lane_tokens *tokens, const char *generation)
{
    struct lane_token wanted = {0};
    snprintf(wanted.lane, sizeof wanted.lane, "%s", generation);
    return tokens->count > 0 && bsearch(&wanted, tokens->all, tokens->count, sizeof wanted, compare);
}

/* The first token whose lane is not before `key`. */
static size_t find_key(const struct lane_tokens *tokens, const char *key)
{
    size_t low = 0, high = tokens->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strncmp(tokens->all[middle].lane, key, NAME_LANE_KEY) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* A dead letter that was the first of its file comes back beside it, at the same place. */
static bool is_at(const struct lane_token *token, uint64_t position, uint32_t of)
{
    return token->head == position && token->of == of;
}

uint32_t lane_tokens_count_ahead(const struct lane_tokens *tokens, const char *key, const struct message_name *file)
{
    uint32_t ahead = 0; /* of a token that is there twice the later one counts */
    for (size_t i = find_key(tokens, key); i < tokens->count && strncmp(tokens->all[i].lane, key, NAME_LANE_KEY) == 0;
         i++)
        if (is_at(&tokens->all[i], file->position, file->count) && tokens->all[i].ahead > ahead)
            ahead = tokens->all[i].ahead;
    return ahead;
}

const struct lane_token *lane_tokens_find(const struct lane_tokens *tokens, const char *key)
{
    const size_t i = find_key(tokens, key);
    return i < tokens->count && strncmp(tokens->all[i].lane, key, NAME_LANE_KEY) == 0 ? &tokens->all[i] : NULL;
}

bool lane_token_has_passed(const struct lane_token *token, uint64_t position, uint32_t of, uint64_t index)
{
    return is_at(token, position, of) && index < token->passed;
}

int lane_tokens_have_passed(const struct lane_tokens *tokens, const char *generation, uint64_t position, uint32_t of,
                            uint64_t index)
{
    int passed = -EAGAIN;
    for (size_t i = find_key(tokens, generation); i < tokens->count; i++) {
        const struct lane_token *token = &tokens->all[i];
        if (strncmp(token->lane, generation, NAME_LANE_KEY) != 0)
            break;
        if (strcmp(token->lane, generation) != 0)
            continue;
        if (lane_token_has_passed(token, position, of, index))
            return 1;
        passed = 0;
    }
    return passed;
}

int lane_token_is_there(mq_queue *queue, const struct lane_token *token)
{
    const int dir = bucket_open(queue->dir, token->state, token->bucket);
    if (dir < 0)
        return bucket_is_missing(dir) ? 0 : dir;
    const int has = fs_has(dir, token->file);
    close(dir);
    return has;
}

/* ---- lanes without a token ---------------------------------------------------------- */

/* 1, or 0 if the lane has none. */
static int read_gen(mq_queue *queue, const char *key, char ret_lane[NAME_LANE_SIZE])
{
    struct lane_dir lane;
    const int opened = lane_dir_open(queue->dir, key, &lane);
    if (opened != 1)
        return opened;
    const int found = lane.queue < 0 ? 0 : lane_dir_read_gen(&lane, key, ret_lane);
    lane_dir_close(&lane);
    return found;
}

/* The generations come first: a lane that is born later is none of ours. */
static int read_gens(mq_queue *queue, const struct listing *keys, char (*lanes)[NAME_LANE_SIZE], size_t *ret_count)
{
    *ret_count = 0;
    for (size_t i = 0; i < keys->count; i++) {
        const char *key = listing_at(keys, i);
        const int found = lane_name_is_key(key) ? read_gen(queue, key, lanes[*ret_count]) : 0;
        if (found < 0)
            return found;
        *ret_count += found == 1;
    }
    return 0;
}

static int look(mq_queue *queue, struct lane_tokens *tokens)
{
    int error = 0;
    for (int looks = 0; looks < LOOKS && !error; looks++)
        error = lane_tokens_read(queue, tokens);
    return error;
}

int lane_tokens_find_missing(mq_queue *queue, int (*each)(void *context, const char *generation), void *context)
{
    struct listing keys = {0};
    struct lane_tokens tokens = {0};
    size_t count = 0;
    int error = lane_dir_list(queue->dir, &keys);
    char(*lanes)[NAME_LANE_SIZE] = error || keys.count == 0 ? NULL : calloc(keys.count, sizeof *lanes);
    if (!error && keys.count > 0)
        error = lanes ? read_gens(queue, &keys, lanes, &count) : -ENOMEM;
    if (!error && count > 0)
        error = look(queue, &tokens);
    for (size_t i = 0; i < count && !error; i++)
        if (!lane_tokens_has(&tokens, lanes[i]))
            error = each(context, lanes[i]);
    free(lanes);
    listing_free(&keys);
    lane_tokens_free(&tokens);
    return error;
}
