/* The order in which the messages of a batch are sent. */
#include "lifecycle/send_order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/encode.h"
#include "format/message.h"
#include "lifecycle/draft.h"

/* A lane that the batch has messages for, in a table by its key. */
struct slot {
    char lane[LANE_KEY_SIZE];
    bool used;
    size_t number;
};

struct table {
    struct slot *slots;
    size_t room, used;
    size_t *lanes;  /* of each message */
    size_t *starts; /* of each lane: where its messages begin */
};

bool send_order_fits_lane(const mq_message *message)
{
    struct message_name name = message->name;
    name.count = NAME_COUNT_MAX;
    return name_fits_lane(&name);
}

bool send_order_may_share(const mq_queue *queue, const mq_message *message, char ret_lane[LANE_KEY_SIZE])
{
    const struct config *config = &queue->config;
    const int is = draft_lane(queue, message, ret_lane);
    if (is < 0 || (is == 1 && (message->name.id[0] || queue->outlet || !send_order_fits_lane(message))))
        return false;
    return message->body_fd < 0 && !message->died && draft_check(queue, message) == 0 &&
           message->body_size <= config->max_size && encode_room(message) <= config->batch_size;
}

/* A key is made from a digest, so any bytes of it will do. */
static size_t hash(const char *lane)
{
    uint64_t word = 0;
    memcpy(&word, lane, lane[0] ? sizeof word : 0);
    return (size_t)(word * 0x9e3779b97f4a7c15u >> 32);
}

static struct slot *find(const struct table *table, const char *lane)
{
    size_t at = hash(lane) % table->room;
    while (table->slots[at].used && strcmp(table->slots[at].lane, lane) != 0)
        at = (at + 1) % table->room;
    return &table->slots[at];
}

/* Put a message's lane into the table, and count how many it has in starts[number + 1]. */
static void note(struct table *table, const char *lane, size_t message)
{
    struct slot *slot = find(table, lane);
    if (!slot->used) {
        slot->used = true;
        slot->number = table->used++;
        memcpy(slot->lane, lane, sizeof slot->lane);
    }
    table->lanes[message] = slot->number;
    table->starts[slot->number + 1]++;
}

static void arrange(struct table *table, mq_message *const *messages, struct send_order *order)
{
    for (size_t i = 1; i <= table->used; i++)
        table->starts[i] += table->starts[i - 1];
    for (size_t i = 0; i < order->count; i++) {
        const size_t at = table->starts[table->lanes[i]]++;
        order->numbers[at] = i;
        order->messages[at] = messages[i];
    }
}

int send_order_make(const mq_queue *queue, mq_message *const *messages, size_t count, struct send_order *ret_order)
{
    char lane[LANE_KEY_SIZE];
    struct table table = {.slots = calloc(2 * count, sizeof *table.slots),
                          .room = 2 * count,
                          .lanes = calloc(count, sizeof *table.lanes),
                          .starts = calloc(count + 1, sizeof *table.starts)};
    struct send_order order = {.numbers = calloc(count, sizeof *order.numbers),
                               .messages = calloc(count, sizeof *order.messages),
                               .ids = calloc(count, sizeof *order.ids)};
    const bool has = table.slots && table.lanes && table.starts && order.numbers && order.messages && order.ids;
    for (; has && order.count < count && send_order_may_share(queue, messages[order.count], lane); order.count++)
        note(&table, lane, order.count);
    if (has)
        arrange(&table, messages, &order);
    free(table.slots);
    free(table.lanes);
    free(table.starts);
    *ret_order = order;
    return has ? table.used > 1 && table.used < order.count : -ENOMEM;
}

void send_order_free(struct send_order *order)
{
    free(order->numbers);
    free(order->messages);
    free(order->ids);
}
