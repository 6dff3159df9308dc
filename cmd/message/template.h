/*
 * A message by a template: text with {FIELD} in it. {{ and }} are braces; \n, \t, \0 and \\ mean what they do in C.
 *
 *     problem = template_parse(text, &template);
 *     error = template_write(template, &about, put, context);
 */
#ifndef TEMPLATE_H
#define TEMPLATE_H

#include <argp.h>
#include <mq.h>
#include <stdbool.h>
#include <stddef.h>

struct template;

/* What the fields are about. A field is empty where nothing is known. */
struct template_message {
    mq_message *message; /* its body is read if the template has it; NULL: it is corrupt */
    const char *queue, *receipt;
    const char *group;            /* the field of that name */
    const struct mq_entry *entry; /* of a message that is looked at; NULL: of one that was received */
};

/* NULL: `ret_template` gets the template, whose text must live as long. Else what is wrong with it; static storage. */
const char *template_parse(const char *text, struct template **ret_template);

/* What --format says. What is wrong with it ends the program. */
struct template *template_of_option(const struct argp_state *state, const char *text);

/* Whether it has this field. */
bool template_has(const struct template *template, const char *field);

/* Call `put` with one part after the other. If it fails, or the body cannot be read, that error is returned. */
typedef int template_put_fn(void *context, const void *data, size_t size);
int template_write(const struct template *template, const struct template_message *about, template_put_fn *put,
                   void *context);

#endif
