/* The directories of a lane. */
#include "store/lane_dir.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_list.h"
#include "store/access.h"
#include "store/lane_cuts.h"

#define PATH_SIZE (sizeof "lanes//q" + LANE_KEY_SIZE)

/* A q/ that has never held much takes messages itself: a directory of this size has a block. */
#define SMALL 4096

static void close_dir(int dir)
{
    if (dir >= 0)
        close(dir);
}

/* ---- opening ---------------------------------------------------------------------- */

static const char *path_of(const char *key, const char *rest, char path[PATH_SIZE])
{
    snprintf(path, PATH_SIZE, "lanes/%.*s%s", NAME_LANE_KEY, key, rest);
    return path;
}

int lane_dir_open(int queue_dir, const char *key, struct lane_dir *ret_lane)
{
    const int dir = fs_open_dir_below(queue_dir, "lanes", key);
    if (dir < 0)
        return bucket_is_missing(dir) ? 0 : dir;
    const int queue = fs_open_dir(dir, "q");
    if (queue < 0 && queue != -ENOENT) {
        close(dir);
        return queue;
    }
    *ret_lane = (struct lane_dir){dir, queue < 0 ? -1 : queue};
    return 1;
}

void lane_dir_close(struct lane_dir *lane)
{
    close_dir(lane->dir);
    close_dir(lane->queue);
}

/* `path` is that of the lane, seen from `at`. */
static int has_gen(int at, const char *path, const char *generation)
{
    char gen[LANE_GEN_SIZE], text[PATH_SIZE + LANE_GEN_SIZE];
    lane_name_format_gen(generation, gen);
    snprintf(text, sizeof text, "%s%s", path, gen);
    const int has = fs_has(at, text);
    if (has)
        return has;
    lane_name_format_cut_gen(generation, gen);
    snprintf(text, sizeof text, "%s%s", path, gen);
    const int is_cut = fs_has(at, text);
    return is_cut == 1 ? LANE_DIR_CUT : is_cut;
}

int lane_dir_is(int queue_dir, const char *generation)
{
    char path[PATH_SIZE];
    return has_gen(queue_dir, path_of(generation, "/", path), generation);
}

int lane_dir_has_gen(const struct lane_dir *lane, const char *generation)
{
    return has_gen(lane->dir, "", generation);
}

int lane_dir_is_of(int q, const char *generation)
{
    return has_gen(q, "../", generation);
}

struct find_gen {
    const char *key;
    char *lane;
};

static int note_gen(void *context, const char *name, unsigned char type)
{
    const struct find_gen *find = context;
    return type == DT_REG && lane_name_parse_gen(find->key, name, find->lane);
}

int lane_dir_read_gen(const struct lane_dir *lane, const char *key, char ret_lane[NAME_LANE_SIZE])
{
    return fs_list_at(lane->dir, ".", note_gen, &(struct find_gen){key, ret_lane});
}

int lane_dir_open_file(int queue_dir, const char *key, uint64_t position, const char *file)
{
    char path[PATH_SIZE + NAME_BUCKET_SIZE], in[PATH_SIZE], bucket[NAME_BUCKET_SIZE];
    const int in_queue = fs_open_unchecked_below(queue_dir, path_of(key, "/q", in), file);
    if (in_queue != -ENOENT)
        return in_queue;
    lane_name_format_bucket(position, bucket);
    snprintf(path, sizeof path, "lanes/%.*s/q/%s", NAME_LANE_KEY, key, bucket);
    return fs_open_unchecked_below(queue_dir, path, file);
}

int64_t lane_dir_size(int queue_dir, const struct message_name *token)
{
    char text[NAME_SIZE];
    struct stat status;
    if (token->length)
        return token->length;
    lane_name_head(token, text);
    const int file = lane_dir_open_file(queue_dir, token->lane, token->head, text);
    const bool has = file >= 0 && fstat(file, &status) == 0;
    close_dir(file);
    return has ? name_bytes_in(token, status.st_size) : 0;
}

int lane_dir_open_bucket(int queue_dir, const char *key, uint64_t position)
{
    char path[PATH_SIZE], bucket[NAME_BUCKET_SIZE];
    lane_name_format_bucket(position, bucket);
    return fs_open_dir_below(queue_dir, path_of(key, "/q", path), bucket);
}

int lane_dir_open_queue(int queue_dir, const char *key)
{
    char path[PATH_SIZE];
    return fs_open_dir_below(queue_dir, path_of(key, "", path), "q");
}

/* ---- making and removing ------------------------------------------------------------ */

static int open_or_make_bucket(int queue_dir, unsigned sharing, int queue, uint64_t position)
{
    char bucket[NAME_BUCKET_SIZE];
    lane_name_format_bucket(position, bucket);
    const int dir = fs_open_dir(queue, bucket);
    if (dir != -ENOENT)
        return dir;
    const int error = access_make_dir(queue_dir, sharing, queue, bucket);
    return !error || error == -EEXIST ? fs_open_dir(queue, bucket) : error;
}

int lane_dir_open_for(int queue_dir, unsigned sharing, const char *key, uint64_t position, bool *ret_is_queue)
{
    struct stat status;
    const int queue = lane_dir_open_queue(queue_dir, key);
    *ret_is_queue = true;
    if (queue < 0)
        return queue;
    if (fstat(queue, &status) == 0 && status.st_size <= SMALL)
        return queue;
    const int dir = open_or_make_bucket(queue_dir, sharing, queue, position);
    if (dir == -ENOSPC || dir == -EDQUOT)
        return queue;
    close(queue);
    *ret_is_queue = false;
    return dir;
}

/* Only root ever makes a lane for another user. */
static int give_parts(int tmp, const char *name, int dir, const char *gen)
{
    const int differs = fs_has_other_owner(tmp, name);
    if (differs != 1)
        return differs;
    int error = fs_give_to_owner_of(tmp, name);
    if (!error)
        error = fs_give_to_owner_of(dir, "q");
    return error ? error : fs_give_to_owner_of(dir, gen);
}

static int fill(int tmp, const char *name, int dir, unsigned sharing, const char *generation)
{
    char gen[LANE_GEN_SIZE];
    lane_name_format_gen(generation, gen);
    int error = fs_make_dir(dir, "q");
    if (!error)
        error = fs_make_empty(dir, gen, access_mode(sharing, ACCESS_FILE));
    if (error)
        return error;
    if (!access_is_shared(sharing))
        return give_parts(tmp, name, dir, gen);
    error = access_apply(sharing, ACCESS_DIR, tmp, name);
    return error ? error : access_apply(sharing, ACCESS_DIR, dir, "q");
}

int lane_dir_make(int tmp, unsigned sharing, const char *generation)
{
    char name[LANE_NEW_SIZE];
    lane_name_format_new(generation, name);
    int error = fs_make_dir(tmp, name);
    const int dir = error ? error : fs_open_dir(tmp, name);
    error = dir < 0 ? dir : fill(tmp, name, dir, sharing, generation);
    close_dir(dir);
    if (error)
        lane_dir_unmake(tmp, name);
    return error;
}

static int remove_note(void *context, const char *name, unsigned char type)
{
    const int dir = *(const int *)context;
    const char *token;
    struct message_name resting;
    if (type == DT_REG && lane_name_parse_note(name, &token, &resting))
        (void)fs_unlink(dir, name);
    return 0;
}

static int remove_part(void *context, const char *name, unsigned char type)
{
    char lane[NAME_LANE_SIZE];
    static const char any[LANE_KEY_SIZE] = "AAAAAAAAAAAAAAAA";
    const int dir = *(const int *)context;
    if (type == DT_REG && lane_name_parse_gen(any, name, lane))
        (void)fs_unlink(dir, name);
    else if (type == DT_DIR && strcmp(name, LANE_CUTS) == 0)
        lane_cuts_remove(dir);
    return remove_note(context, name, type);
}

int lane_dir_open_cuts(int queue_dir, unsigned sharing, const struct lane_dir *lane, const char *generation)
{
    char gen[LANE_GEN_SIZE], cut[LANE_GEN_SIZE];
    lane_name_format_gen(generation, gen);
    lane_name_format_cut_gen(generation, cut);
    int error = fs_rename_unique(lane->dir, gen, lane->dir, cut);
    if (!error)
        error = fs_list_at(lane->dir, ".", remove_note, (int[]){lane->dir});
    else if (error == -ENOENT && fs_has(lane->dir, cut) == 1)
        error = 0;
    const int dir = error ? error : fs_open_dir(lane->dir, LANE_CUTS);
    if (dir != -ENOENT || error)
        return dir;
    error = access_make_dir(queue_dir, sharing, lane->dir, LANE_CUTS);
    return !error || error == -EEXIST ? fs_open_dir(lane->dir, LANE_CUTS) : error;
}

void lane_dir_unmake(int tmp, const char *name)
{
    const int dir = fs_open_dir(tmp, name);
    if (dir < 0)
        return;
    (void)fs_remove_dir(dir, "q");
    (void)fs_list_at(dir, ".", remove_part, &(int){dir});
    close(dir);
    (void)fs_remove_dir(tmp, name);
}

int lane_dir_clear(int queue_dir, const char *key, const struct lane_dir *lane)
{
    const int error = fs_list_at(lane->dir, ".", remove_part, &(int){lane->dir});
    const int lanes = error ? error : fs_open_dir(queue_dir, "lanes");
    if (lanes < 0)
        return lanes;
    const int removed = fs_remove_dir(lanes, key);
    close(lanes);
    return removed == -ENOENT || removed == -ENOTEMPTY ? 0 : removed;
}

/* Most lanes have nothing else in them. */
int lane_dir_clear_of(int queue_dir, const char *key, const struct lane_dir *lane, const char *generation)
{
    char gen[LANE_GEN_SIZE], path[PATH_SIZE];
    lane_name_format_gen(generation, gen);
    const int error = fs_unlink(lane->dir, gen);
    const int removed = error ? error : fs_remove_dir(queue_dir, path_of(key, "", path));
    return removed ? lane_dir_clear(queue_dir, key, lane) : 0;
}

/* From the top, so that the mark of the lowest directory says that all are durable. */
int lane_dir_persist(int queue_dir, const char *key, int dir)
{
    struct lane_dir lane;
    if (fs_is_persisted(dir))
        return 0;
    const int lanes = fs_open_dir(queue_dir, "lanes");
    const int opened = lanes < 0 ? lanes : lane_dir_open(queue_dir, key, &lane);
    if (opened != 1) {
        close_dir(lanes);
        return opened; /* a receiver has emptied it */
    }
    int error = fs_persist_dir(queue_dir, lanes);
    if (!error)
        error = fs_persist_dir(lanes, lane.dir);
    if (!error && lane.queue >= 0)
        error = fs_persist_dir(lane.dir, lane.queue);
    if (!error && lane.queue >= 0)
        error = fs_persist_dir(lane.queue, dir);
    lane_dir_close(&lane);
    close(lanes);
    return error;
}

/* ---- walking ---------------------------------------------------------------------- */

struct walk {
    const char *key;
    struct listing files, buckets, in_bucket;
    lane_visit_fn *visit;
    void *context;
};

static int visit_files(const struct walk *walk, int dir, const struct listing *files)
{
    struct lane_file file = {.key = walk->key, .dir = dir};
    int stop = 0;
    for (size_t i = 0; i < files->count && !stop; i++) {
        file.file = listing_at(files, i);
        name_parse(MQ_READY, file.file, &file.name);
        stop = walk->visit(walk->context, &file);
    }
    return stop;
}

static int visit_bucket(struct walk *walk, int queue, const char *bucket)
{
    const int dir = fs_open_dir(queue, bucket);
    if (dir < 0)
        return bucket_is_missing(dir) ? 0 : dir;
    int stop = bucket_read(dir, MQ_READY, &walk->in_bucket);
    if (!stop)
        stop = visit_files(walk, dir, &walk->in_bucket);
    close(dir);
    return stop;
}

static int visit_lane(struct walk *walk, int queue_dir)
{
    const int queue = lane_dir_open_queue(queue_dir, walk->key);
    if (queue < 0)
        return bucket_is_missing(queue) ? 0 : queue;
    int stop = bucket_read_all(queue, MQ_READY, &walk->files, &walk->buckets);
    if (!stop)
        stop = visit_files(walk, queue, &walk->files);
    for (size_t i = 0; i < walk->buckets.count && !stop; i++)
        if (lane_name_is_bucket(listing_at(&walk->buckets, i)))
            stop = visit_bucket(walk, queue, listing_at(&walk->buckets, i));
    close(queue);
    return stop;
}

static void end_walk(struct walk *walk)
{
    listing_free(&walk->files);
    listing_free(&walk->buckets);
    listing_free(&walk->in_bucket);
}

int lane_dir_walk(int queue_dir, const char *key, lane_visit_fn *visit, void *context)
{
    struct walk walk = {.key = key, .visit = visit, .context = context};
    const int stop = visit_lane(&walk, queue_dir);
    end_walk(&walk);
    return stop;
}

int lane_dir_list(int queue_dir, struct listing *ret_keys)
{
    struct listing messages = {0};
    const int dir = fs_open_dir(queue_dir, "lanes");
    ret_keys->text_size = ret_keys->count = 0;
    if (dir < 0)
        return dir == -ENOENT ? 0 : dir;
    const int error = bucket_read_all(dir, MQ_READY, &messages, ret_keys);
    close(dir);
    listing_free(&messages);
    return error;
}

int lane_dir_walk_all(int queue_dir, lane_visit_fn *visit, void *context)
{
    struct walk walk = {.visit = visit, .context = context};
    struct listing keys = {0};
    int stop = lane_dir_list(queue_dir, &keys);
    for (size_t i = 0; i < keys.count && !stop; i++) {
        walk.key = listing_at(&keys, i);
        stop = lane_name_is_key(walk.key) ? visit_lane(&walk, queue_dir) : 0;
    }
    listing_free(&keys);
    end_walk(&walk);
    return stop;
}
