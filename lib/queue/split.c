/* Splitting: taking the first message off a batch. */
#include "queue/split.h"

#include <errno.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/id.h"
#include "format/batch.h"
#include "queue/blame.h"
#include "queue/move.h"

/* Read where the first message ends and the next one begins. */
static int read_parts(int file, const struct message_name *batch, struct split *split)
{
    struct batch_part first, next;
    char next_id[MQ_ID_SIZE];
    batch_step_id(batch->id, 1, next_id);
    int error = batch_read_part(file, batch->offset, batch->id, &first);
    if (!error)
        error = batch_read_part(file, first.offset + first.length, next_id, &next);
    if (!error && batch->length && batch->length <= next.offset - batch->offset) /* a forged name */
        error = -EBADMSG;
    if (error)
        return error;
    split->part = batch_first(batch, &first);
    split->rest = batch_rest(batch, &next);
    split->rest.split = true;
    split->rest.split_offset = first.offset;
    split->rest.split_mark = id_random() >> (64 - NAME_SPLIT_BITS);
    return 0;
}

/* Prepare a split: no name changes yet. */
static int read_split(const mq_queue *queue, int dir, const char *file_name, const struct message_name *batch,
                      struct split *split)
{
    const int file = fs_open_file(dir, file_name);
    if (file < 0)
        return file == -ENOENT ? 0 : blame_file(queue, dir, file_name, file);
    const int error = read_parts(file, batch, split);
    close(file);
    return error ? error : 1;
}

/* If the batch has kept its name, or another process has renamed it, no name will have the mark of this process's link.
   Then the link is removed. */
static int rename_to_rest(int dir, const char *file, int rest_dir, const char *rest, int tmp, const char *in_tmp)
{
    const int error = fs_rename_unique(dir, file, rest_dir, rest);
    if (error == -ENOENT || (error && fs_exists(dir, file)))
        fs_unlink(tmp, in_tmp);
    return error;
}

/* The bucket of the rest. Only the messages of a log's entry can lie in two. */
static int find_rest_dir(mq_queue *queue, enum mq_state state, int dir, const struct split *split, int *ret_dir)
{
    char bucket[NAME_BUCKET_SIZE];
    *ret_dir = dir;
    if (split_stays(state, &split->part, &split->rest))
        return 0;
    name_format_bucket(state, &split->rest, bucket);
    return queue_target(queue, state, bucket, ret_dir);
}

int split_off(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *batch,
              struct split *ret_split)
{
    struct split split = {.state = state};
    char in_tmp[NAME_SIZE], rest[NAME_SIZE];
    int tmp;
    int done = queue_tmp(queue, &tmp);
    if (!done)
        done = read_split(queue, dir, file, batch, &split);
    if (done != 1)
        return done;
    name_format_split(&split.rest, in_tmp);
    name_format(state, &split.rest, rest);
    int rest_dir, error = find_rest_dir(queue, state, dir, &split, &rest_dir);
    if (error)
        return error;
    error = blame_file(queue, dir, file, fs_link_unique(dir, file, tmp, in_tmp));
    /* Before the rename: a receiver that misses the old name must learn of a new one. */
    if (!error && state == MQ_READY)
        page_note_split(queue->page);
    if (!error)
        error = rename_to_rest(dir, file, rest_dir, rest, tmp, in_tmp);
    if (error && rest_dir != dir)
        queue_forget_target(queue, state); /* the bucket may have been removed */
    if (error)
        return error == -ENOENT ? 0 : error;
    if (rest_dir != dir)
        page_note_arrival(queue->page, split.rest.priority, name_birth(split.rest.position), true);
    *ret_split = split;
    return 1;
}

int split_find(mq_queue *queue, enum mq_state state, const struct message_name *rest, struct split *ret_split)
{
    char in_tmp[NAME_SIZE], id[MQ_ID_SIZE];
    struct batch_part part;
    int tmp, error = queue_tmp(queue, &tmp);
    if (error)
        return error;
    name_format_split(rest, in_tmp);
    batch_step_id(rest->id, -1, id);
    const int file = fs_open_file(tmp, in_tmp);
    if (file < 0)
        return file == -ENOENT ? 0 : blame_file(queue, tmp, in_tmp, file);
    error = batch_read_part(file, rest->split_offset, id, &part);
    close(file);
    if (error)
        return error;
    *ret_split = (struct split){.state = state, .part = batch_first(rest, &part), .rest = *rest};
    ret_split->part.position--;
    ret_split->part.length = part.length;
    return 1;
}

/* The name in tmp/ of a message that was split off. */
static int locate(mq_queue *queue, const struct split *split, int *ret_tmp, char ret_file[NAME_SIZE])
{
    name_format_split(&split->rest, ret_file);
    return queue_tmp(queue, ret_tmp);
}

int split_take(mq_queue *queue, const struct split *split, enum mq_state to, const struct message_name *name)
{
    char file[NAME_SIZE];
    int tmp = -1;
    const int error = locate(queue, split, &tmp, file);
    return error ? error : move_message(queue, split->state, tmp, file, to, name);
}

int split_claim(mq_queue *queue, const struct split *split, const struct message_name *name, int *ret_dir)
{
    char file[NAME_SIZE];
    int tmp = -1;
    const int error = locate(queue, split, &tmp, file);
    return error ? error : move_claim(queue, tmp, file, name, ret_dir);
}

int split_remove(mq_queue *queue, const struct split *split)
{
    char file[NAME_SIZE];
    int tmp = -1;
    const int error = locate(queue, split, &tmp, file);
    return error ? error : move_out(queue, split->state, tmp, file, &split->part);
}

int split_finish(mq_queue *queue, enum mq_state state, struct message_name *name)
{
    struct split split = {0};
    if (name->lane[0])
        return 0; /* the mark in a token's name is of another kind: lane_bury.h */
    if (!name->split)
        return 0;
    int done = split_find(queue, state, name, &split);
    if (done == 1)
        done = split_take(queue, &split, state, &split.part);
    if (done < 0)
        return done == -EEXIST ? -EBADMSG : done; /* -EEXIST: a forged file has the name of the message */
    name->split = false;
    return 0;
}
