/*
 * The bindings of a topic: which messages go to which destination. Text and matching; no I/O.
 *
 * One line says one binding:
 *
 *     DESTINATION                          every message
 *     DESTINATION key PATTERN              those whose routing key the pattern matches; all that follows `key `
 *     DESTINATION all NAME: VALUE⇥NAME     those that have all of these headers, with that value or with any; a tab
 *     DESTINATION any NAME: VALUE⇥NAME     is between two conditions; or those that have any of them
 *
 *     struct bindings bindings = {0};
 *     bindings_parse(&bindings, text, size, problem);   … bindings_add, bindings_remove, binding_matches …
 *     bindings_format(&bindings, &text, &size);
 *     bindings_release(&bindings);
 */
#ifndef MQ_BINDINGS_H
#define MQ_BINDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "mq.h"

#define BINDINGS_PROBLEM_SIZE 128
#define BINDING_LINE_MAX 4096 /* bytes of one line with its newline */

enum binding_kind { BINDING_EVERYTHING, BINDING_KEY, BINDING_ALL, BINDING_ANY };

/* Its texts lie in the line that it was made from. */
struct binding {
    enum binding_kind kind;
    const char *destination;
    const char *terms; /* the pattern; or the conditions, each ended by a NUL, the last one by two */
    char *line;        /* owned */
};

struct bindings {
    struct binding *list;
    size_t count, room;
};

/* Make a binding. `terms`: a pattern, or `count` conditions. -EINVAL, and what is wrong in `ret_problem`. */
int binding_make(enum binding_kind kind, const char *destination, const char *const *terms, size_t count,
                 struct binding *ret_binding, char ret_problem[BINDINGS_PROBLEM_SIZE]);
void binding_release(struct binding *binding);

/* Write a binding as its line, without the newline. */
void binding_format(const struct binding *binding, char ret_line[BINDING_LINE_MAX]);

/* Whether a message with this routing key, which may be NULL for none, goes to the binding's destination. A message
   without a key is matched as one with an empty key. */
bool binding_matches(const struct binding *binding, const char *key, const mq_message *message);

/* Add the bindings that a text says. -EBADMSG: it is malformed; the problem names the line. Then nothing is added. */
int bindings_parse(struct bindings *bindings, const char *text, size_t size, char ret_problem[BINDINGS_PROBLEM_SIZE]);

/* Add one, which the list owns then. 1 added, 0 it was there; then, and after an error, it is released. */
int bindings_add(struct bindings *bindings, struct binding *binding);

/* Remove one that says the same, or with `terms_too` false all that lead to its destination: how many. */
size_t bindings_remove(struct bindings *bindings, const struct binding *binding, bool terms_too);

/* The text of all, which the caller frees. */
int bindings_format(const struct bindings *bindings, char **ret_text, size_t *ret_size);

void bindings_release(struct bindings *bindings);

#endif
