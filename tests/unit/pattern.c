/* Routing keys and patterns, as RabbitMQ's topic exchanges have them. */
#include "route/pattern.h"

#include "unit.h"

struct sample {
    const char *pattern, *key;
    bool matches;
};

static const struct sample samples[] = {
    {"", "", true},
    {"#", "", true},
    {"#.#", "", true},
    {"*", "", false},
    {"*.#", "", false},
    {"", "a", false},
    {"#", "a", true},
    {"#", "a.b.c", true},
    {"a", "a", true},
    {"a", "A", false},
    {"a", "ab", false},
    {"ab", "a", false},
    {"*", "a", true},
    {"*", "a.b", false},
    {"*.*", "a.b", true},
    {"a.*", "a.b", true},
    {"a.*", "a", false},
    {"a.#", "a", true},
    {"#.a", "a", true},
    {"*.#", "a", true},
    {"#.*", "a", true},
    {"a.#", "a.b.c", true},
    {"#.c", "a.b.c", true},
    {"#.b", "a.b.c", false},
    {"a.#.c", "a.c", true},
    {"a.#.c", "a.b.c", true},
    {"a.#.c", "a.b.b.c", true},
    {"a.#.c", "a.b.c.d", false},
    {"a.*", "a.", true},
    {"a.#", "a.", true},
    {"*.*", "a.", true},
    {"a", "a.", false},
    {"*.*", ".", true},
    {"*", ".", false},
    {"#", ".", true},
    {"a.*.b", "a..b", true},
    {"a.b", "a..b", false},
    {"a.#.b", "a..b", true},
    {"a*", "a*", true},
    {"a*", "ab", false},
    {"a.**", "a.**", true},
    {"a.**", "a.b", false},
    {"a#", "a#", true},
    {"a#", "a.b", false},
    {"a.##", "a.b", false},
    {"##", "a", false},
    {"#.#", "a.b", true},
    {"#.a.#", "b.a.c", true},
    {"#.a.#.b", "a.a.c.b", true},
    {"#.a.#.b", "c.c", false},
    {"#.a.b.#.c", "a.a.b.b.c.c", true},
    {"*.#.*", "a", false},
    {"*.#.*", "a.b", true},
    {"#.*.#", "", false},
    {"..", "..", true},
    {"*.*.*", "..", true},
    {"*.*", "..", false},
    {"a.b.*", "a.b.c.d", false},
    {"\xc3\xa9.*", "\xc3\xa9.x", true},
};

/* The meaning, written down without care for time. */
static bool matches_slowly(const char *const *wanted, size_t wanted_count, const char *const *words, size_t count)
{
    if (wanted_count == 0)
        return count == 0;
    if (strcmp(wanted[0], "#") == 0)
        return matches_slowly(wanted + 1, wanted_count - 1, words, count) ||
               (count > 0 && matches_slowly(wanted, wanted_count, words + 1, count - 1));
    return count > 0 && (strcmp(wanted[0], "*") == 0 || strcmp(wanted[0], words[0]) == 0) &&
           matches_slowly(wanted + 1, wanted_count - 1, words + 1, count - 1);
}

static size_t draw(unsigned *state, const char *const *from, size_t kinds, const char **ret_words, char *ret_text)
{
    *state = *state * 1664525 + 1013904223;
    const size_t count = *state >> 16 & 7;
    ret_text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        *state = *state * 1664525 + 1013904223;
        ret_words[i] = from[(*state >> 16) % kinds];
        if (i > 0)
            strcat(ret_text, ".");
        strcat(ret_text, ret_words[i]);
    }
    return count;
}

static void test_against_the_meaning(void)
{
    static const char *const words[] = {"a", "b", "*", "#", "#"};
    unsigned state = 1;
    for (int i = 0; i < 200000; i++) {
        const char *wanted[8], *key[8];
        char pattern[32], text[32];
        const size_t wanted_count = draw(&state, words, 5, wanted, pattern), count = draw(&state, words, 2, key, text);
        if (pattern_matches(pattern, text) != matches_slowly(wanted, wanted_count, key, count)) {
            unit_failures++;
            fprintf(stderr, "%s and %s\n", pattern, text);
        }
    }
}

static void test_limits(void)
{
    char text[PATTERN_SIZE + 1];
    memset(text, 'x', sizeof text);
    text[PATTERN_SIZE] = '\0';
    EXPECT(!pattern_is_valid(text));
    text[PATTERN_SIZE - 1] = '\0';
    EXPECT(pattern_is_valid(text));
    EXPECT(pattern_is_valid(""));
    EXPECT(pattern_is_valid("a b"));
    EXPECT(!pattern_is_valid("a\tb"));
    EXPECT(!pattern_is_valid("a\nb"));
    EXPECT(!pattern_is_valid("a\x7f"));
    EXPECT(!pattern_is_valid("\xff"));
}

/* What would take for ever if each `#` were tried against each. */
static void test_many_hashes(void)
{
    char pattern[PATTERN_SIZE] = "#", key[PATTERN_SIZE] = "a";
    for (int i = 0; i < 60; i++)
        strcat(pattern, ".a.#");
    strcat(pattern, ".b");
    for (int i = 0; i < 126; i++)
        strcat(key, ".a");
    EXPECT(!pattern_matches(pattern, key));
    strcat(key, ".b");
    EXPECT(pattern_matches(pattern, key));
}

int main(void)
{
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        if (pattern_matches(samples[i].pattern, samples[i].key) != samples[i].matches) {
            unit_failures++;
            fprintf(stderr, "\"%s\" and \"%s\"\n", samples[i].pattern, samples[i].key);
        }
    test_against_the_meaning();
    test_many_hashes();
    test_limits();
    return unit_failures != 0;
}
