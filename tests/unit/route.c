/* Bindings as text, and where messages go by them. */
#include "route/route.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "route/groups.h"
#include "route/pattern.h"
#include "unit.h"

/* ---- bindings ------------------------------------------------------------------------------ */

static bool parses(const char *text)
{
    struct bindings bindings = {0};
    char problem[BINDINGS_PROBLEM_SIZE] = "";
    const int error = bindings_parse(&bindings, text, strlen(text), problem);
    EXPECT(error == 0 ? !problem[0] : bindings.count == 0 && strncmp(problem, "line ", 5) == 0);
    bindings_release(&bindings);
    return error == 0;
}

static void test_garbage(void)
{
    EXPECT(parses(""));
    EXPECT(parses("jobs\n"));
    EXPECT(parses("jobs"));
    EXPECT(parses("jobs key a.#\njobs key \njobs key\n"));
    EXPECT(parses("jobs all Type: invoice\tUrgent\n"));
    EXPECT(parses("jobs any Type:\n"));
    EXPECT(!parses("\n"));
    EXPECT(!parses(".jobs\n"));
    EXPECT(!parses("jobs \n"));
    EXPECT(!parses("jobs a.b\n"));
    EXPECT(!parses("jobs keys a\n"));
    EXPECT(!parses("jobs key a\tb\n"));
    EXPECT(!parses("jobs\tkey a\n"));
    EXPECT(!parses("jobs key \x01\n"));
    EXPECT(!parses("jobs all\n"));
    EXPECT(!parses("jobs all \n"));
    EXPECT(!parses("jobs all A\t\tB\n"));
    EXPECT(!parses("jobs all A\t\n"));
    EXPECT(!parses("jobs all \tA\n"));
    EXPECT(!parses("jobs all : x\n"));
    EXPECT(!parses("jobs all A_B: x\n"));
    EXPECT(!parses("jobs any A: \xff\n"));
}

static void test_problem_names_the_line(void)
{
    struct bindings bindings = {0};
    char problem[BINDINGS_PROBLEM_SIZE];
    const char text[] = "jobs\nmail key a\n-bad\n";
    EXPECT(bindings_parse(&bindings, text, strlen(text), problem) == -EBADMSG);
    EXPECT_TEXT(problem, "line 3: the destination is not a name");
    EXPECT(bindings.count == 0);
    EXPECT(bindings_parse(&bindings, "a\0b\n", 4, problem) == -EBADMSG);
    bindings_release(&bindings);
}

static void test_longest(void)
{
    char problem[BINDINGS_PROBLEM_SIZE], pattern[PATTERN_SIZE + 1], name[130];
    struct binding binding;
    memset(pattern, 'x', sizeof pattern);
    memset(name, 'q', sizeof name);
    pattern[PATTERN_SIZE] = name[129] = '\0';
    EXPECT(binding_make(BINDING_KEY, "jobs", &(const char *){pattern}, 1, &binding, problem) == -EINVAL);
    EXPECT(binding_make(BINDING_KEY, name, &(const char *){"a"}, 1, &binding, problem) == -EINVAL);
    pattern[PATTERN_SIZE - 1] = name[128] = '\0';
    EXPECT(binding_make(BINDING_KEY, name, &(const char *){pattern}, 1, &binding, problem) == 0);
    EXPECT_TEXT(binding.destination, name);
    EXPECT_TEXT(binding.terms, pattern);
    binding_release(&binding);
    EXPECT(binding_make(BINDING_KEY, "jobs", &(const char *){"a\nb"}, 1, &binding, problem) == -EINVAL);
    EXPECT(binding_make(BINDING_KEY, "jobs\nmail", &(const char *){"a"}, 1, &binding, problem) == -EINVAL);
    EXPECT(binding_make(BINDING_ALL, "jobs", (const char *[]){"A", "B: c\td"}, 2, &binding, problem) == -EINVAL);
    EXPECT(binding_make(BINDING_ALL, "jobs", (const char *[]){"A", ""}, 2, &binding, problem) == -EINVAL);
    EXPECT(binding_make(BINDING_ALL, "jobs", NULL, 0, &binding, problem) == -EINVAL);
}

static void expect_lines(const struct bindings *bindings, const char *lines)
{
    char *text;
    size_t size;
    if (!EXPECT(bindings_format(bindings, &text, &size) == 0))
        return;
    EXPECT_TEXT(text, lines);
    EXPECT(size == strlen(text));
    free(text);
}

static void add(struct bindings *bindings, enum binding_kind kind, const char *destination, const char *term,
                int expected)
{
    struct binding binding;
    char problem[BINDINGS_PROBLEM_SIZE];
    if (EXPECT(binding_make(kind, destination, &term, term ? 1 : 0, &binding, problem) == 0))
        EXPECT(bindings_add(bindings, &binding) == expected);
}

static void test_adding_and_removing(void)
{
    struct bindings bindings = {0};
    struct binding binding;
    char problem[BINDINGS_PROBLEM_SIZE];
    add(&bindings, BINDING_EVERYTHING, "audit", NULL, 1);
    add(&bindings, BINDING_KEY, "jobs", "a.#", 1);
    add(&bindings, BINDING_KEY, "jobs", "", 1);
    add(&bindings, BINDING_KEY, "jobs", "a.#", 0);
    add(&bindings, BINDING_ALL, "jobs", "Type: x", 1);
    add(&bindings, BINDING_ANY, "jobs", "Type: x", 1);
    expect_lines(&bindings, "audit\njobs key a.#\njobs key \njobs all Type: x\njobs any Type: x\n");
    EXPECT(binding_make(BINDING_KEY, "jobs", &(const char *){""}, 1, &binding, problem) == 0);
    EXPECT(bindings_remove(&bindings, &binding, true) == 1);
    EXPECT(bindings_remove(&bindings, &binding, true) == 0);
    expect_lines(&bindings, "audit\njobs key a.#\njobs all Type: x\njobs any Type: x\n");
    EXPECT(bindings_remove(&bindings, &binding, false) == 3);
    expect_lines(&bindings, "audit\n");
    binding_release(&binding);
    bindings_release(&bindings);
}

static bool matches(const char *line, const char *key, const mq_message *message)
{
    struct bindings bindings = {0};
    char problem[BINDINGS_PROBLEM_SIZE];
    EXPECT(bindings_parse(&bindings, line, strlen(line), problem) == 0);
    const bool is = bindings.count == 1 && binding_matches(&bindings.list[0], key, message);
    bindings_release(&bindings);
    return is;
}

static void test_matching(void)
{
    mq_message *message;
    EXPECT(mq_message_new(&message) == 0);
    EXPECT(mq_message_set_header(message, "Type", "invoice") == 0);
    EXPECT(mq_message_set_header(message, "Empty", "") == 0);
    EXPECT(matches("q", NULL, message));
    EXPECT(matches("q key #", NULL, message));
    EXPECT(matches("q key ", NULL, message));
    EXPECT(!matches("q key *", NULL, message));
    EXPECT(matches("q key a b", "a b", message));
    EXPECT(matches("q all Type: invoice", NULL, message));
    EXPECT(matches("q all Type:invoice", NULL, message));
    EXPECT(matches("q all type: invoice", NULL, message));
    EXPECT(!matches("q all Type: Invoice", NULL, message));
    EXPECT(matches("q all Type\tEmpty", NULL, message));
    EXPECT(matches("q all Empty:", NULL, message));
    EXPECT(!matches("q all Type:", NULL, message));
    EXPECT(!matches("q all Type\tOther", NULL, message));
    EXPECT(matches("q any Type: x\tEmpty", NULL, message));
    EXPECT(!matches("q any Type: x\tOther", NULL, message));
    mq_message_free(message);
}

/* ---- routes ---------------------------------------------------------------------------------- */

struct world {
    struct {
        const char *name;
        struct bindings bindings;
        struct route_topic topic;
    } topics[8];
    size_t count;
};

static void add_topic(struct world *world, const char *name, const char *lines, enum route_unroutable unroutable,
                      const char *alternate)
{
    char problem[BINDINGS_PROBLEM_SIZE];
    struct bindings *bindings = &world->topics[world->count].bindings;
    EXPECT(bindings_parse(bindings, lines, strlen(lines), problem) == 0);
    world->topics[world->count].name = name;
    world->topics[world->count].topic = (struct route_topic){.bindings = bindings, .unroutable = unroutable};
    strcpy(world->topics[world->count++].topic.alternate, alternate);
}

static int look(void *context, const char *name, struct route_topic *ret_topic)
{
    const struct world *world = context;
    if (strcmp(name, "unreadable") == 0)
        return -EIO;
    for (size_t i = 0; i < world->count; i++)
        if (strcmp(world->topics[i].name, name) == 0) {
            *ret_topic = world->topics[i].topic;
            return 1;
        }
    return 0;
}

/* The queues, with blanks between, that a key leads to from a topic. */
static int expect_route(struct world *world, const char *topic, const char *key, const char *wanted)
{
    mq_message *message;
    struct route route = {0};
    char got[1024] = "";
    EXPECT(mq_message_new(&message) == 0);
    const int found = route_find(&route, topic, &(struct route_query){.key = key, .message = message}, look, world);
    for (size_t i = 0; i < route.queues.count; i++)
        strcat(strcat(got, i ? " " : ""), route.queues.list[i]);
    EXPECT_TEXT(got, wanted);
    route_release(&route);
    mq_message_free(message);
    return found;
}

static void test_routes(void)
{
    struct world world = {0};
    add_topic(&world, "events", "audit\njobs key a.#\njobs key *.b\nmore key a.*\n", ROUTE_REFUSE, "");
    add_topic(&world, "more", "jobs\nmail key a.m\nevents\n", ROUTE_DROP, "");
    add_topic(&world, "round", "around\n", ROUTE_REFUSE, "");
    add_topic(&world, "around", "round\naround\n", ROUTE_DROP, "");
    add_topic(&world, "narrow", "jobs key a\n", ROUTE_ALTERNATE, "others");
    add_topic(&world, "others", "lost key #.z\n", ROUTE_DROP, "");
    add_topic(&world, "dropping", "", ROUTE_DROP, "");
    add_topic(&world, "broken", "audit\nunreadable\n", ROUTE_DROP, "");
    EXPECT(expect_route(&world, "events", "c", "audit") == 1);
    EXPECT(expect_route(&world, "events", "a.b", "audit jobs") == 1);
    EXPECT(expect_route(&world, "events", "a.m", "audit jobs mail") == 1);
    EXPECT(expect_route(&world, "round", "a", "") == -ENXIO);
    EXPECT(expect_route(&world, "around", "a", "") == 0);
    EXPECT(expect_route(&world, "narrow", "a", "jobs") == 1);
    EXPECT(expect_route(&world, "narrow", "z", "lost") == 1);
    EXPECT(expect_route(&world, "narrow", "b", "") == 0);
    EXPECT(expect_route(&world, "dropping", "a", "") == 0);
    EXPECT(expect_route(&world, "nothing", "a", "") == -ENOENT);
    EXPECT(expect_route(&world, "broken", "a", "audit") == -EIO);
    for (size_t i = 0; i < world.count; i++)
        bindings_release(&world.topics[i].bindings);
}

/* Ten thousand bindings, each to a queue of its own: read and gone through in far less than a second. */
static void test_many(void)
{
    enum { MANY = 10000 };
    struct world world = {0};
    char *text = malloc(MANY * 80), *end = text;
    for (int i = 0; i < MANY; i++)
        end += sprintf(end, "queue-%d key #.%d.*\nqueue-%d key all.#\n", i, i, i);
    const int64_t begun = clock_monotonic();
    add_topic(&world, "events", text, ROUTE_REFUSE, "");
    EXPECT(expect_route(&world, "events", "a.77.b", "queue-77") == 1);
    struct route route = {0};
    EXPECT(route_find(&route, "events", &(struct route_query){.key = "all.of.them"}, look, &world) == 1);
    EXPECT(route.queues.count == MANY);
    EXPECT_TEXT(route.queues.list[MANY - 1], "queue-9999");
    EXPECT(clock_monotonic() - begun < 2 * CLOCK_SECOND);
    route_release(&route);
    bindings_release(&world.topics[0].bindings);
    free(text);
}

/* Each message is a word whose letters are its queues. Expect the groups, a digit for each message. */
static void expect_groups(const char *messages, size_t back, const char *wanted)
{
    struct route routes[16] = {0};
    size_t groups[16], count = 0;
    char got[17] = "";
    for (const char *at = messages; *at; at++)
        if (*at == ' ')
            count++;
        else
            EXPECT(route_names_add(&routes[count].queues, (char[]){*at, '\0'}) == 1);
    (void)groups_make(routes, ++count, back, groups);
    for (size_t i = 0; i < count; i++) {
        got[i] = (char)('0' + groups[i]);
        route_release(&routes[i]);
    }
    EXPECT_TEXT(got, wanted);
}

static void test_groups(void)
{
    expect_groups("a b a b a", 16, "01010");
    expect_groups("ab b ab b", 16, "0123");
    expect_groups("ab c ab b c ab", 16, "010213");
    expect_groups("a ab b a b", 16, "01232");
    expect_groups("a b c a b c", 2, "012345");
    expect_groups("a a b a", 1, "0012");
    expect_groups("ab ba", 16, "01");
}

int main(void)
{
    test_garbage();
    test_problem_names_the_line();
    test_longest();
    test_adding_and_removing();
    test_matching();
    test_routes();
    test_many();
    test_groups();
    return unit_failures != 0;
}
