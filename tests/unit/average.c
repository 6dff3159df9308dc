/* Averages: they follow a steady rate, forget by the same law however often they are looked at, and lose nothing. */
#include "base/average.h"

#include "base/clock.h"
#include "unit.h"

#define E 2.718281828459045

static bool is_near(double one, double other)
{
    return one - other < 1e-6 && other - one < 1e-6;
}

static void a_steady_rate_is_reached(void)
{
    double average = 0;
    for (int second = 0; second < 60; second++)
        average = average_after(average, 7, CLOCK_SECOND, MQ_1_MINUTE);
    EXPECT(is_near(average, 7 * (1 - 1 / E)));
    for (int second = 0; second < 3600; second++)
        average = average_after(average, 7, CLOCK_SECOND, MQ_1_MINUTE);
    EXPECT(is_near(average, 7));
}

static void looking_often_or_seldom_is_the_same(void)
{
    for (int span = 0; span < MQ_SPANS; span++) {
        double often = 5;
        for (int tenth = 0; tenth < 3000; tenth++)
            often = average_after(often, 0, CLOCK_SECOND / 10, (enum mq_span)span);
        EXPECT(is_near(often, average_after(5, 0, 300 * CLOCK_SECOND, (enum mq_span)span)));
    }
    EXPECT(is_near(average_after(E, 0, 300 * CLOCK_SECOND, MQ_5_MINUTES), 1));
    EXPECT(average_after(5, 0, INT64_C(1) << 52, MQ_1_MINUTE) == 0);
}

static void what_is_counted_in_an_instant_is_not_lost(void)
{
    EXPECT(is_near(average_after(1, 60, 0, MQ_1_MINUTE), 2));
    EXPECT(is_near(average_after(0, 60, 1, MQ_1_MINUTE), 1));
    EXPECT(is_near(average_after(1, 900, -5, MQ_15_MINUTES), 2));
}

int main(void)
{
    a_steady_rate_is_reached();
    looking_often_or_seldom_is_the_same();
    what_is_counted_in_an_instant_is_not_lost();
    return unit_failures != 0;
}
