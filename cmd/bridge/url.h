/*
 * The URLs of bridges: SCHEME://[USER@]HOST[:PORT]/SEGMENT…[?NAME=VALUE&…], with %XX for any byte but NUL. A scheme whose
 * other side is a cluster may take several hosts, with commas between them.
 *
 *     struct url url;
 *     char problem[URL_PROBLEM_SIZE];
 *     if (!url_parse(text, &url, problem)) …
 *     url_release(&url);
 *
 * Nothing that could be taken for an option, or that a terminal or shell would obey, passes for a user or a host.
 */
#ifndef URL_H
#define URL_H

#include <stdbool.h>
#include <stddef.h>

#define URL_SCHEME_SIZE 32
#define URL_HOSTS 16
#define URL_SEGMENTS 4
#define URL_PARAMETERS 8
#define URL_PROBLEM_SIZE 256

struct url {
    char scheme[URL_SCHEME_SIZE];
    const char *user, *host, *port; /* user and port: NULL if the URL has none; of several hosts the first */
    struct url_host {
        const char *name, *port; /* NULL: none is given */
    } hosts[URL_HOSTS];
    size_t host_count;
    const char *segments[URL_SEGMENTS];
    size_t segment_count;
    struct url_parameter {
        const char *name, *value;
    } parameters[URL_PARAMETERS];
    size_t parameter_count;
    char *shown;  /* SCHEME://HOST/SEGMENT…, for people */
    char *memory; /* what the others point into */
};

/* Whether the text is meant as a URL: names in a spool have no colon. */
bool url_is_meant(const char *text);

/* Write the scheme of a URL to `ret_scheme`. False: it has none, or one that no program's name could hold. */
bool url_scheme(const char *text, char ret_scheme[URL_SCHEME_SIZE]);

/* False: `ret_problem` says what is wrong, without a word of what may be secret. */
bool url_parse(const char *text, struct url *ret_url, char ret_problem[URL_PROBLEM_SIZE]);
bool url_parse_hosts(const char *text, size_t most, struct url *ret_url, char ret_problem[URL_PROBLEM_SIZE]);
void url_release(struct url *url);

/* The value of a parameter; NULL: the URL has none of this name. */
const char *url_parameter(const struct url *url, const char *name);

/* The name of a parameter that is not in `known`, a list that ends with NULL; NULL: all are. */
const char *url_unknown(const struct url *url, const char *const *known);

#endif
