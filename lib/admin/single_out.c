/* One message, without those that share its file. */
#include "admin/single_out.h"

#include <errno.h>
#include <unistd.h>

#include "admin/browse.h"
#include "queue/split.h"

struct action {
    single_out_fn *act;
    const void *argument;
};

static int act_on(mq_queue *queue, enum mq_state state, const struct browse_place *place, const struct action *action)
{
    return action->act(queue, state, place->dir, place->file, &place->name, action->argument);
}

/* Its link lies in tmp/ until the action moves or removes it. If the action refuses, the message gets a name of its own. */
static int act_on_split(mq_queue *queue, const struct split *split, const struct action *action)
{
    char file[NAME_SIZE];
    int tmp, done = queue_tmp(queue, &tmp);
    name_format_split(&split->rest, file);
    if (!done)
        done = action->act(queue, split->state, tmp, file, &split->part, action->argument);
    if (done < 0)
        (void)split_take(queue, split, split->state, &split->part);
    return done;
}

/* Split off the messages in front of the one at `offset`, then that one. */
static int act_at(mq_queue *queue, enum mq_state state, struct browse_place *place, uint64_t offset,
                  const struct action *action)
{
    struct message_name *rest = &place->name;
    while (rest->count > 1) {
        struct split split;
        int done = split_off(queue, state, place->dir, place->file, rest, &split);
        if ((done == -EBADMSG || done == -EAGAIN) && rest->offset == offset)
            return act_on(queue, state, place, action);
        if (done != 1)
            return done;
        if (split.part.offset == offset)
            return act_on_split(queue, &split, action);
        done = split_take(queue, &split, state, &split.part);
        if (done < 0)
            return done;
        *rest = split.rest;
        name_format(state, rest, place->file);
        rest->split = false; /* the split is finished */
    }
    return rest->offset == offset ? act_on(queue, state, place, action) : 0;
}

int single_out(mq_queue *queue, const struct mq_entry *entry, single_out_fn *act, const void *argument)
{
    struct browse_place place;
    int done = browse_find(queue, entry, &place);
    if (done != 1)
        return done;
    done = split_finish(queue, entry->state, &place.name);
    if (!done || done == -EBADMSG || done == -EAGAIN) /* a forged split, which cannot be finished, prevents nothing */
        done = act_at(queue, entry->state, &place, entry->offset, &(struct action){act, argument});
    close(place.dir);
    return done;
}
