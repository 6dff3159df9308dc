/* What a file's way from name to name means. */
#include "admin/transition.h"

#include "unit.h"

#define POSITION "500063f2a1b3c4001"
#define EARLY "0063f2a1b3000"
#define LATE "0063f2a1b4000"
#define NOW INT64_C(0x0063f2a1b3800)

#define NEXT "500063f2a1b3c4002"

static struct place place(enum mq_state state, const char *text)
{
    struct place place = {.state = state};
    EXPECT(name_parse(state, text, &place.name));
    return place;
}

static void expect(const struct place *from, const struct place *to, enum mq_event_kind kind)
{
    EXPECT(transition_kind(from, to, NOW) == kind);
}

int main(void)
{
    const struct place ready = place(MQ_READY, POSITION ".abc.a0"), tried = place(MQ_READY, POSITION ".abc.a1");
    const struct place stale = place(MQ_READY, POSITION ".abc.a0.x" EARLY);
    const struct place delayed = place(MQ_DELAYED, LATE "." POSITION ".abc.a0");
    const struct place delayed_again = place(MQ_DELAYED, LATE "." POSITION ".abc.a1");
    const struct place claim = place(MQ_INFLIGHT, LATE "." POSITION ".abc.a1.c0123456789abcdef");
    const struct place lapsed = place(MQ_INFLIGHT, EARLY "." POSITION ".abc.a1.c0123456789abcdef");
    const struct place dead = place(MQ_DEAD, EARLY "." POSITION ".abc.a1.rrejected");
    const struct place expired = place(MQ_DEAD, EARLY "." POSITION ".abc.a0.rexpired");
    expect(NULL, &ready, MQ_EVENT_SENT);
    expect(NULL, &delayed, MQ_EVENT_SENT);
    expect(&delayed, &ready, MQ_EVENT_DUE);
    expect(&ready, &claim, MQ_EVENT_CLAIMED);
    expect(&lapsed, &claim, MQ_EVENT_EXTENDED);
    expect(&claim, NULL, MQ_EVENT_ACKED);
    expect(&claim, &tried, MQ_EVENT_RETRIED);
    expect(&claim, &delayed_again, MQ_EVENT_RETRIED);
    expect(&claim, &ready, MQ_EVENT_RELEASED);
    expect(&lapsed, &tried, MQ_EVENT_LEASE_EXPIRED);
    expect(&claim, &dead, MQ_EVENT_DEAD);
    expect(&ready, &expired, MQ_EVENT_EXPIRED);
    expect(&stale, NULL, MQ_EVENT_EXPIRED);
    expect(&ready, NULL, MQ_EVENT_REMOVED);
    expect(&dead, NULL, MQ_EVENT_REMOVED);
    expect(&dead, &ready, MQ_EVENT_REVIVED);
    expect(&ready, &tried, MQ_EVENT_NONE); /* within a state */

    const struct place batch = place(MQ_READY, POSITION ".abc.a0.n5"),
                       rest = place(MQ_READY, NEXT ".def.a0.n4.o80.s0-0123456789ab");
    const struct place part = place(MQ_READY, POSITION ".abc.a0.l80");
    const struct place whole = place(MQ_INFLIGHT, LATE "." POSITION ".abc.a1.n5.c0123456789abcdef");
    const struct place some = place(MQ_INFLIGHT, LATE "." NEXT ".def.a1.n4.o80.c0123456789abcdef");
    expect(NULL, &batch, MQ_EVENT_SENT);
    expect(&batch, &rest, MQ_EVENT_NONE); /* one was split off */
    expect(NULL, &part, MQ_EVENT_NONE);   /* and brought back */
    expect(&batch, &whole, MQ_EVENT_CLAIMED);
    expect(&whole, &some, MQ_EVENT_ACKED);
    EXPECT(transition_count(NULL, &batch) == 5 && transition_count(&batch, &whole) == 5);
    EXPECT(transition_count(&whole, &some) == 1 && transition_count(&some, NULL) == 4);
    EXPECT(transition_count(&some, &rest) == 4);
    return unit_failures != 0;
}
