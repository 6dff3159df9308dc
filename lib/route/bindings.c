/* The bindings of a topic. */
#include "route/bindings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "format/message.h"
#include "route/pattern.h"

static const char *const words[] = {
    [BINDING_EVERYTHING] = "", [BINDING_KEY] = "key", [BINDING_ALL] = "all", [BINDING_ANY] = "any"};

static bool has_conditions(enum binding_kind kind)
{
    return kind == BINDING_ALL || kind == BINDING_ANY;
}

static int explain(char *ret_problem, const char *problem)
{
    snprintf(ret_problem, BINDINGS_PROBLEM_SIZE, "%s", problem);
    return -EINVAL;
}

/* ---- conditions: NAME or NAME: VALUE -------------------------------------------------------- */

/* The value behind the colon and its blank, or NULL where only the name is there. */
static const char *condition_value(const char *condition)
{
    const char *colon = strchr(condition, ':');
    return !colon ? NULL : colon[1] == ' ' ? colon + 2 : colon + 1;
}

static bool condition_is_valid(const char *condition)
{
    return message_is_header_name(condition, strcspn(condition, ":")) &&
           message_is_one_line(condition, strlen(condition));
}

static bool condition_holds(const char *condition, const mq_message *message)
{
    char name[BINDING_LINE_MAX];
    const size_t length = strcspn(condition, ":");
    memcpy(name, condition, length);
    name[length] = '\0';
    const char *value = mq_message_header(message, name), *wanted = condition_value(condition);
    return value && (!wanted || strcmp(value, wanted) == 0);
}

static bool conditions_hold(const struct binding *binding, const mq_message *message)
{
    const bool any = binding->kind == BINDING_ANY;
    for (const char *condition = binding->terms; *condition; condition += strlen(condition) + 1)
        if (condition_holds(condition, message) == any)
            return any;
    return !any;
}

bool binding_matches(const struct binding *binding, const char *key, const mq_message *message)
{
    switch (binding->kind) {
    case BINDING_EVERYTHING:
        return true;
    case BINDING_KEY:
        return pattern_matches(binding->terms, key ? key : "");
    default:
        return conditions_hold(binding, message);
    }
}

/* ---- one line -------------------------------------------------------------------------------- */

/* An empty condition would hide those behind it. */
static const char *problem_of_conditions(const char *condition, const char *end)
{
    if (condition == end)
        return "there is no condition";
    for (; condition < end; condition += strlen(condition) + 1)
        if (!condition_is_valid(condition))
            return "a condition is neither `NAME` nor `NAME: VALUE`";
    return condition == end ? "a condition is neither `NAME` nor `NAME: VALUE`" : NULL;
}

/* NULL, or what is wrong with it; its line ends at `end`. */
static const char *problem_of(const struct binding *binding, const char *end)
{
    if (!mq_queue_name_is_valid(binding->destination))
        return "the destination is not a name";
    if (binding->kind == BINDING_KEY && !pattern_is_valid(binding->terms))
        return "the pattern is longer than 255 bytes or has control characters";
    return has_conditions(binding->kind) ? problem_of_conditions(binding->terms, end) : NULL;
}

/* The word behind the destination. */
static bool parse_kind(const char *word, enum binding_kind *ret_kind)
{
    for (int kind = BINDING_KEY; kind <= BINDING_ANY; kind++)
        if (strcmp(words[kind], word) == 0) {
            *ret_kind = (enum binding_kind)kind;
            return true;
        }
    return false;
}

/* Cut the line into its texts. It has room for a second NUL behind its end. */
static bool cut_line(char *line, struct binding *binding)
{
    char *const end = line + strlen(line), *word = line + strcspn(line, " ");
    *binding = (struct binding){.kind = BINDING_EVERYTHING, .destination = line, .terms = end, .line = line};
    if (word == end)
        return true;
    *word++ = '\0';
    char *terms = word + strcspn(word, " ");
    if (terms < end)
        *terms++ = '\0';
    binding->terms = terms;
    for (char *tab = terms; (tab = strchr(tab, '\t'));)
        *tab++ = '\0';
    end[1] = '\0';
    return parse_kind(word, &binding->kind);
}

static int parse_line(const char *text, size_t size, struct binding *ret_binding, char *ret_problem)
{
    struct binding binding;
    if (size >= BINDING_LINE_MAX || memchr(text, '\0', size))
        return explain(ret_problem, "too long, or not a line of text");
    char *line = malloc(size + 2);
    if (!line)
        return -ENOMEM;
    memcpy(line, text, size);
    line[size] = line[size + 1] = '\0';
    const bool cut = cut_line(line, &binding);
    const char *problem = problem_of(&binding, line + size);
    if (!cut)
        problem = "the word behind the destination is none of key, all, any";
    else if (!problem && !has_conditions(binding.kind) && memchr(text, '\t', size))
        problem = "there is a tab in it";
    if (!problem) {
        *ret_binding = binding;
        return 0;
    }
    free(line);
    return explain(ret_problem, problem);
}

int binding_make(enum binding_kind kind, const char *destination, const char *const *terms, size_t count,
                 struct binding *ret_binding, char ret_problem[BINDINGS_PROBLEM_SIZE])
{
    char line[BINDING_LINE_MAX];
    size_t size = (size_t)snprintf(line, sizeof line, "%s%s%s", destination, kind ? " " : "", words[kind]);
    for (size_t i = 0; i < count && size < sizeof line; i++) {
        if (strpbrk(terms[i], "\t\n"))
            return explain(ret_problem, "there is a tab or a newline in it");
        size += (size_t)snprintf(line + size, sizeof line - size, "%s%s", i == 0 ? " " : "\t", terms[i]);
    }
    if (strchr(destination, ' ') || strchr(destination, '\n'))
        return explain(ret_problem, "the destination is not a name");
    return parse_line(line, size, ret_binding, ret_problem);
}

void binding_release(struct binding *binding)
{
    free(binding->line);
    binding->line = NULL;
}

void binding_format(const struct binding *binding, char ret_line[BINDING_LINE_MAX])
{
    char *at = stpcpy(ret_line, binding->destination);
    if (binding->kind == BINDING_EVERYTHING)
        return;
    *at++ = ' ';
    at = stpcpy(at, words[binding->kind]);
    *at++ = ' ';
    at = stpcpy(at, binding->terms);
    const char *term = binding->terms;
    while (has_conditions(binding->kind) && *(term += strlen(term) + 1)) {
        *at++ = '\t';
        at = stpcpy(at, term);
    }
}

/* ---- all lines ------------------------------------------------------------------------------- */

static bool is_same(const struct binding *one, const struct binding *other)
{
    char line[BINDING_LINE_MAX], other_line[BINDING_LINE_MAX];
    if (one->kind != other->kind || strcmp(one->destination, other->destination) != 0)
        return false;
    binding_format(one, line);
    binding_format(other, other_line);
    return strcmp(line, other_line) == 0;
}

/* The list owns it then; or it is released. */
static int append(struct bindings *bindings, struct binding *binding)
{
    if (!GROW(bindings->list, bindings->count + 1, bindings->room)) {
        binding_release(binding);
        return -ENOMEM;
    }
    bindings->list[bindings->count++] = *binding;
    return 0;
}

static void cut_back(struct bindings *bindings, size_t count)
{
    while (bindings->count > count)
        binding_release(&bindings->list[--bindings->count]);
}

static int add_line(struct bindings *bindings, const char *text, size_t size, unsigned number, char *ret_problem)
{
    struct binding binding;
    char problem[BINDINGS_PROBLEM_SIZE];
    int error = parse_line(text, size, &binding, problem);
    if (error == -EINVAL) {
        snprintf(ret_problem, BINDINGS_PROBLEM_SIZE, "line %u: %.100s", number, problem);
        return -EBADMSG;
    }
    if (!error)
        error = append(bindings, &binding);
    return error;
}

int bindings_parse(struct bindings *bindings, const char *text, size_t size, char ret_problem[BINDINGS_PROBLEM_SIZE])
{
    const size_t before = bindings->count;
    const char *const end = text + size;
    int error = 0;
    for (unsigned number = 1; text < end && !error; number++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const size_t length = (size_t)((newline ? newline : end) - text);
        error = add_line(bindings, text, length, number, ret_problem);
        text += length + 1;
    }
    if (error)
        cut_back(bindings, before);
    return error;
}

int bindings_add(struct bindings *bindings, struct binding *binding)
{
    for (size_t i = 0; i < bindings->count; i++)
        if (is_same(&bindings->list[i], binding)) {
            binding_release(binding);
            return 0;
        }
    const int error = append(bindings, binding);
    return error ? error : 1;
}

size_t bindings_remove(struct bindings *bindings, const struct binding *binding, bool terms_too)
{
    size_t kept = 0;
    for (size_t i = 0; i < bindings->count; i++) {
        struct binding *one = &bindings->list[i];
        const bool goes = terms_too ? is_same(one, binding) : strcmp(one->destination, binding->destination) == 0;
        if (goes)
            binding_release(one);
        else
            bindings->list[kept++] = *one;
    }
    const size_t removed = bindings->count - kept;
    bindings->count = kept;
    return removed;
}

int bindings_format(const struct bindings *bindings, char **ret_text, size_t *ret_size)
{
    char *text = NULL, line[BINDING_LINE_MAX];
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return -ENOMEM;
    for (size_t i = 0; i < bindings->count; i++) {
        binding_format(&bindings->list[i], line);
        fprintf(out, "%s\n", line);
    }
    const bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(text);
        return -ENOMEM;
    }
    *ret_text = text;
    *ret_size = size;
    return 0;
}

void bindings_release(struct bindings *bindings)
{
    cut_back(bindings, 0);
    free(bindings->list);
    *bindings = (struct bindings){0};
}
