/* The words of the host page: positions, hints and counters. No other module uses atomics. */
#include "store/page.h"

#include "base/average.h"
#include "base/clock.h"
#include "store/page_layout.h"

#define BIRTH_MAX ((UINT64_C(1) << 52) - 1)

/* ---- a new page ------------------------------------------------------------------ */

void page_clear_words(struct contents *contents)
{
    for (int priority = 0; priority < NAME_PRIORITIES; priority++)
        atomic_store(&contents->heads[priority], PAGE_NO_BUCKET);
    atomic_store(&contents->averaged_at, (uint64_t)clock_now());
    atomic_store(&contents->outbox, PAGE_OUTBOX_UNKNOWN);
}

uint64_t page_read_word(const word *at)
{
    return atomic_load_explicit(at, memory_order_relaxed);
}

void page_write_word(word *at, uint64_t value)
{
    atomic_store_explicit(at, value, memory_order_relaxed);
}

/* ---- words ---------------------------------------------------------------------- */

static void lower(word *at, uint64_t value)
{
    uint64_t have = atomic_load(at);
    while (value < have && !atomic_compare_exchange_weak(at, &have, value))
        ;
}

static void raise_to(word *at, uint64_t value)
{
    uint64_t have = atomic_load(at);
    while (value > have && !atomic_compare_exchange_weak(at, &have, value))
        ;
}

/* ---- positions ------------------------------------------------------------------ */

/* How many slots of a bucket files of `count` messages may use: those of PAGE_BUCKET_FILES files, or all that there
   are. */
static uint64_t slots_for(unsigned count)
{
    return count < NAME_COUNT_MAX / PAGE_BUCKET_FILES ? count * PAGE_BUCKET_FILES : NAME_COUNT_MAX;
}

static uint64_t position_after(uint64_t last, unsigned count, uint64_t now)
{
    const uint64_t birth = name_birth(last), slot = (last & 0xfff) + 1;
    if (birth != 0 && birth < BIRTH_MAX && slot + count <= slots_for(count))
        return last + 1;
    /* A birth at the end of the range can only be noise. */
    const uint64_t after = birth < BIRTH_MAX ? birth + 1 : 0;
    return name_position(now > after ? now : after, 0);
}

uint64_t page_next_positions(struct page *page, int priority, unsigned count, int64_t now)
{
    word *at = &page->contents->positions[priority];
    uint64_t last = atomic_load(at), next;
    do
        next = position_after(last, count, (uint64_t)now);
    while (!atomic_compare_exchange_weak(at, &last, next + count - 1));
    return next;
}

uint64_t page_last_position(const struct page *page, int priority)
{
    return atomic_load(&page->contents->positions[priority]);
}

void page_raise_position(struct page *page, int priority, uint64_t position)
{
    raise_to(&page->contents->positions[priority], position);
}

/* ---- heads ---------------------------------------------------------------------- */

uint64_t page_head(const struct page *page, int priority)
{
    return atomic_load(&page->contents->heads[priority]);
}

uint64_t page_arrivals(const struct page *page, int priority)
{
    return atomic_load(&page->contents->arrivals[priority]);
}

uint64_t page_returns(const struct page *page)
{
    return atomic_load(&page->contents->returns);
}

uint64_t page_splits(const struct page *page)
{
    return atomic_load(&page->contents->splits);
}

void page_note_split(struct page *page)
{
    atomic_fetch_add(&page->contents->splits, 1);
}

uint64_t page_configured(const struct page *page)
{
    return atomic_load(&page->contents->configured);
}

void page_note_configured(struct page *page)
{
    atomic_fetch_add(&page->contents->configured, 1);
}

void page_note_arrival(struct page *page, int priority, uint64_t birth, bool returned)
{
    /* First the count, then the head: see page_move_head. */
    atomic_fetch_add(&page->contents->arrivals[priority], 1);
    if (returned)
        atomic_fetch_add(&page->contents->returns, 1);
    lower(&page->contents->heads[priority], birth);
}

void page_move_head(struct page *page, int priority, uint64_t head, uint64_t birth, uint64_t arrivals)
{
    uint64_t expected = head;
    if (!atomic_compare_exchange_strong(&page->contents->heads[priority], &expected, birth))
        return;
    /* A sender counts first and lowers the head then. If it counted before this load, the old head is restored here; if
       it counts later, it lowers the head itself. Either way its bucket is not hidden. */
    if (atomic_load(&page->contents->arrivals[priority]) != arrivals)
        lower(&page->contents->heads[priority], head);
}

/* ---- times ---------------------------------------------------------------------- */

int64_t page_time(const struct page *page, enum page_time which, int64_t now)
{
    const uint64_t at = atomic_load(&page->contents->times[which]);
    /* No process sets a later time than this: the clock was set back, or the word is noise. */
    return at > (uint64_t)(now + PAGE_LOOK_EVERY) ? now : (int64_t)at;
}

bool page_announce(struct page *page, enum page_time which, int64_t moment, int64_t now)
{
    const bool sooner = moment < page_time(page, which, now);
    if (sooner)
        lower(&page->contents->times[which], (uint64_t)moment);
    return sooner;
}

static bool take(word *at, int64_t now)
{
    uint64_t have = atomic_load(at);
    const bool wanted = have <= (uint64_t)now || have > (uint64_t)(now + PAGE_LOOK_EVERY);
    return wanted && atomic_compare_exchange_strong(at, &have, (uint64_t)(now + PAGE_LOOK_EVERY));
}

bool page_take_duty(struct page *page, enum page_time which, int64_t now)
{
    return take(&page->contents->times[which], now);
}

/* ---- transactions: the word is 0, or the time of the next look; its last bit says that the last look found nothing --- */

void page_announce_outbox(struct page *page, int64_t now)
{
    word *outbox = &page->contents->outbox;
    uint64_t seen = atomic_load(outbox), announced;
    do {
        announced = ((uint64_t)(now + PAGE_LOOK_EVERY) & ~UINT64_C(1));
        if (announced <= seen && seen - announced < 2 * PAGE_LOOK_EVERY)
            announced = (seen & ~UINT64_C(1)) + 2; /* another value, which ends no look that goes on */
    } while (!atomic_compare_exchange_weak(outbox, &seen, announced));
}

/* One microsecond more or less does no harm, and the last word of two that are written at once is as good. */
void page_note_rest(struct page *page, int64_t deadline)
{
    word *rests = &page->contents->rests;
    if (atomic_load(rests) < (uint64_t)deadline || atomic_load(rests) > (uint64_t)deadline + 60 * PAGE_LOOK_EVERY)
        atomic_store(rests, (uint64_t)deadline);
}

/* A lane rests until somebody looks for overdue claims. A process that receives later than this looks first. */
#define REST_GRACE (10 * (uint64_t)PAGE_LOOK_EVERY)

bool page_has_rest(const struct page *page, int64_t now)
{
    return atomic_load(&page->contents->rests) + REST_GRACE >= (uint64_t)now;
}

int64_t page_outbox_time(const struct page *page)
{
    const uint64_t time = atomic_load(&page->contents->outbox);
    return time == 0 || time > INT64_MAX ? INT64_MAX : (int64_t)time;
}

/* A time that is too far ahead is noise, or the clock was set back. */
bool page_take_outbox(struct page *page, int64_t now, uint64_t *ret_duty)
{
    word *outbox = &page->contents->outbox;
    uint64_t seen = atomic_load(outbox);
    if (seen == 0 || (seen > (uint64_t)now && seen - (uint64_t)now < 4 * (uint64_t)PAGE_LOOK_EVERY))
        return false;
    *ret_duty = ((uint64_t)(now + PAGE_LOOK_EVERY) & ~UINT64_C(1)) | (seen & 1);
    return atomic_compare_exchange_strong(outbox, &seen, *ret_duty);
}

void page_end_outbox(struct page *page, uint64_t duty, bool any)
{
    const uint64_t next = any ? duty & ~UINT64_C(1) : duty & 1 ? 0 : duty | 1;
    if (next != duty)
        atomic_compare_exchange_strong(&page->contents->outbox, &duty, next);
}

bool page_take_recount(struct page *page, int64_t now)
{
    return take(&page->contents->recounted, now);
}

/* ---- receivers that wait --------------------------------------------------------- */

uint64_t page_leader(const struct page *page)
{
    /* The link of the sender must be visible before this load. */
    atomic_thread_fence(memory_order_seq_cst);
    return atomic_load(&page->contents->leader);
}

void page_set_leader(struct page *page, uint64_t leader)
{
    atomic_store(&page->contents->leader, leader);
    atomic_thread_fence(memory_order_seq_cst);
}

void page_forget_leader(struct page *page, uint64_t leader)
{
    (void)atomic_compare_exchange_strong(&page->contents->leader, &leader, 0);
}

/* The lower half of the word is their number, the upper half counts those that were noted. */
#define FOLLOWERS UINT64_C(0xffffffff)

uint64_t page_followers(const struct page *page)
{
    return page_followed(page) & FOLLOWERS;
}

uint64_t page_followed(const struct page *page)
{
    return atomic_load(&page->contents->followers);
}

void page_set_followers(struct page *page, uint64_t followers)
{
    uint64_t before = page_followed(page);
    while (!atomic_compare_exchange_weak(&page->contents->followers, &before,
                                         (before & ~FOLLOWERS) | (followers & FOLLOWERS)))
        ;
}

void page_note_follower(struct page *page)
{
    uint64_t before = page_followed(page);
    while (!atomic_compare_exchange_weak(&page->contents->followers, &before,
                                         before + FOLLOWERS + 1 + (before & FOLLOWERS ? 0 : 1)))
        ;
}

void page_forget_followers(struct page *page, uint64_t followed)
{
    (void)atomic_compare_exchange_strong(&page->contents->followers, &followed, followed & ~FOLLOWERS);
}

/* ---- counters ------------------------------------------------------------------- */

static const enum page_counter rate_counters[PAGE_RATES] = {
    [PAGE_RATE_SENT] = PAGE_SENT,
    [PAGE_RATE_ACKED] = PAGE_ACKED,
    [PAGE_RATE_FAILED] = PAGE_FAILED,
};

static bool is_averaged(enum page_counter counter)
{
    return counter == PAGE_SENT || counter == PAGE_ACKED || counter == PAGE_FAILED;
}

void page_count(struct page *page, enum page_counter counter, uint64_t number)
{
    if (is_averaged(counter))
        page_average(page, clock_now());
    atomic_fetch_add_explicit(&page->contents->counters[counter], number, memory_order_relaxed);
}

uint64_t page_counter(const struct page *page, enum page_counter counter)
{
    return atomic_load(&page->contents->counters[counter]);
}

int64_t page_add_messages(struct page *page, enum mq_state state, int64_t change)
{
    return page_sum((int64_t)atomic_fetch_add(&page->contents->messages[state], (uint64_t)change), change);
}

int64_t page_messages(const struct page *page, enum mq_state state)
{
    return (int64_t)atomic_load(&page->contents->messages[state]);
}

void page_add_bytes(struct page *page, int64_t change)
{
    atomic_fetch_add_explicit(&page->contents->bytes, (uint64_t)change, memory_order_relaxed);
}

int64_t page_bytes(const struct page *page)
{
    return (int64_t)atomic_load(&page->contents->bytes);
}

void page_add_waiting(struct page *page, int64_t change)
{
    atomic_fetch_add_explicit(&page->contents->waiting, (uint64_t)change, memory_order_relaxed);
}

int64_t page_waiting(const struct page *page)
{
    return (int64_t)atomic_load(&page->contents->waiting);
}

static bool take_excess(word *number, const struct page_excess *excess)
{
    uint64_t now = atomic_load(number);
    do {
        const int64_t total = page_sum((int64_t)now, excess->elsewhere);
        if (total <= excess->limit || (!excess->below && page_difference(total, excess->amount) < excess->limit))
            return false;
    } while (!atomic_compare_exchange_weak(number, &now, now - (uint64_t)excess->amount));
    return true;
}

bool page_take_excess_messages(struct page *page, enum mq_state state, const struct page_excess *excess)
{
    return take_excess(&page->contents->messages[state], excess);
}

bool page_take_excess_waiting(struct page *page, const struct page_excess *excess)
{
    return take_excess(&page->contents->waiting, excess);
}

/* ---- averages ------------------------------------------------------------------- */

#define MILLIONTHS 1e6

/* More messages a second than there can be: noise. */
#define RATE_MAX 1e12

/* A counter that went back is noise. */
static uint64_t growth(uint64_t count, uint64_t before)
{
    return count > before ? count - before : 0;
}

static double average_by(const struct page *page, enum page_rate which, enum mq_span span, uint64_t count,
                         int64_t elapsed)
{
    const double kept = (double)atomic_load(&page->contents->rates[which].averages[span]) / MILLIONTHS;
    const int64_t counting = elapsed < PAGE_AVERAGE_EVERY ? elapsed : PAGE_AVERAGE_EVERY;
    double average = average_after(kept < RATE_MAX ? kept : 0, count, counting, span);
    if (elapsed > counting)
        average = average_after(average, 0, elapsed - counting, span);
    return average < RATE_MAX ? average : RATE_MAX;
}

void page_average(struct page *page, int64_t now)
{
    struct contents *contents = page->contents;
    uint64_t since = atomic_load(&contents->averaged_at);
    /* If the moment is in the future, it is noise or the clock was set back: nothing is known of the time since. */
    const int64_t elapsed = since <= (uint64_t)now ? now - (int64_t)since : 0;
    if ((elapsed < PAGE_AVERAGE_EVERY && since <= (uint64_t)now) ||
        !atomic_compare_exchange_strong(&contents->averaged_at, &since, (uint64_t)now))
        return;
    for (int which = 0; which < PAGE_RATES; which++) {
        const uint64_t counted = page_counter(page, rate_counters[which]);
        const uint64_t count = growth(counted, atomic_exchange(&contents->rates[which].counted, counted));
        for (int span = 0; span < MQ_SPANS; span++)
            atomic_store(
                &contents->rates[which].averages[span],
                (uint64_t)(average_by(page, (enum page_rate)which, (enum mq_span)span, count, elapsed) * MILLIONTHS));
    }
}

double page_rate(const struct page *page, enum page_rate which, enum mq_span span, int64_t now)
{
    const uint64_t since = atomic_load(&page->contents->averaged_at);
    const int64_t elapsed = since <= (uint64_t)now ? now - (int64_t)since : 0;
    const uint64_t count = growth(page_counter(page, rate_counters[which]),
                                  atomic_load(&page->contents->rates[which].counted));
    return average_by(page, which, span, count, elapsed);
}

/* ---- how long messages are held -------------------------------------------------- */

static int held_bucket(uint64_t held)
{
    int bucket = 0;
    while (bucket < MQ_HELD_BUCKETS - 1 && held >= (uint64_t)MQ_HELD_LIMIT(bucket))
        bucket++;
    return bucket;
}

void page_note_held(struct page *page, int64_t held, uint64_t number)
{
    const uint64_t time = held > 0 ? (uint64_t)held : 0; /* the clock may have been set back */
    atomic_fetch_add_explicit(&page->contents->held[held_bucket(time)], number, memory_order_relaxed);
    atomic_fetch_add_explicit(&page->contents->held_total, time * number, memory_order_relaxed);
}

uint64_t page_held(const struct page *page, int bucket)
{
    return atomic_load(&page->contents->held[bucket]);
}

uint64_t page_held_total(const struct page *page)
{
    return atomic_load(&page->contents->held_total);
}

/* ---- tables of counters ---------------------------------------------------------- */

/* So many slots are tried for a key. */
#define PROBES 64

/* The slot that has the key; with `take` also one that was free. NULL: there is none. */
static const struct page_slot *find_slot(const struct page_slot *slots, size_t room, uint64_t key, bool take)
{
    for (size_t probe = 0; probe < PROBES && probe < room; probe++) {
        const struct page_slot *slot = &slots[(key + probe) % room];
        uint64_t have = atomic_load_explicit(&slot->key, memory_order_relaxed);
        if (have == 0 && take && atomic_compare_exchange_strong(&((struct page_slot *)slot)->key, &have, key))
            have = key;
        if (have == key)
            return slot;
        if (have == 0)
            return NULL;
    }
    return NULL;
}

void page_slots_add(struct page_slot *slots, size_t room, uint64_t key, uint64_t number)
{
    struct page_slot *slot = (struct page_slot *)find_slot(slots, room, key, true);
    if (slot)
        atomic_fetch_add_explicit(&slot->count, number, memory_order_relaxed);
}

uint64_t page_slots_read(const struct page_slot *slots, size_t room, uint64_t key)
{
    const struct page_slot *slot = find_slot(slots, room, key, false);
    return slot ? atomic_load_explicit(&slot->count, memory_order_relaxed) : 0;
}

void page_slots_copy(const struct page_slot *from, size_t from_room, struct page_slot *to, size_t to_room)
{
    for (size_t i = 0; i < from_room; i++) {
        const uint64_t key = atomic_load(&from[i].key);
        if (key)
            page_slots_add(to, to_room, key, atomic_load(&from[i].count));
    }
}
