/* Conditions on figures: what is taken apart, what is refused, what holds, and what no figure meets. */
#include "stat/condition.h"

#include <stdlib.h>

#include "unit.h"

static struct figures jobs(void)
{
    struct figures figures = {.queue = "jobs"};
    figures.stats.count[MQ_READY] = 100;
    return figures;
}

static bool holds(const char *text)
{
    const struct figures figures = jobs();
    struct condition condition;
    const char *problem = condition_parse(text, &condition);
    if (problem)
        fprintf(stderr, "%s: %s\n", text, problem);
    return EXPECT(!problem) && condition_holds(&condition, &figures);
}

static void comparisons(void)
{
    EXPECT(holds("ready>99") && !holds("ready>100"));
    EXPECT(holds("ready>=100") && !holds("ready>=101"));
    EXPECT(holds("ready<101") && !holds("ready<100"));
    EXPECT(holds("ready<=100") && !holds("ready<=99"));
    EXPECT(holds("ready=100") && !holds("ready=99"));
    EXPECT(holds("ready!=99") && !holds("ready!=100"));
    EXPECT(holds("queue=jobs") && !holds("queue=job") && holds("queue!=other") && !holds("queue!=jobs"));
}

static void nothing_to_compare(void)
{
    const struct figures none = {.queue = "none"};
    static const char *const texts[] = {"oldest>0", "oldest>=0", "oldest<1d", "oldest<=1d", "oldest=0", "oldest!=5s"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct condition condition;
        EXPECT(!condition_parse(texts[i], &condition) && !condition_holds(&condition, &none));
    }
}

static void refusals(void)
{
    static const char *const texts[] = {"",       "ready",        "ready>",   "ready>x",     ">5",       "nothing>5",
                                        "ready5", "ready=>5",     "ready>5 ", "oldest>1x",   "ready>-1", "queue>jobs",
                                        "read>5", "oldest>=30m ", "ready>>5", "queue<=jobs", "ready!5",  "Ready>5"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct condition condition;
        const char *problem = condition_parse(texts[i], &condition);
        if (!EXPECT(problem && *problem))
            fprintf(stderr, "taken: \"%s\"\n", texts[i]);
    }
}

static void several(void)
{
    const struct figures figures = jobs();
    struct condition good, bad;
    struct conditions conditions = {0};
    EXPECT(!condition_parse("ready>1", &good) && !condition_parse("ready>1000", &bad));
    EXPECT(conditions_hold(&conditions, &figures));
    conditions_add(&conditions, &good);
    EXPECT(conditions_hold(&conditions, &figures));
    conditions_add(&conditions, &bad);
    EXPECT(!conditions_hold(&conditions, &figures));
    EXPECT(conditions.count == 2);
    free(conditions.items);
}

int main(void)
{
    comparisons();
    nothing_to_compare();
    refusals();
    several();
    return unit_failures > 0;
}
