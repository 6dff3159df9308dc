/* The URLs of bridges. */
#include "bridge/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "text/text.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

static bool wrong(char ret_problem[URL_PROBLEM_SIZE], const char *what)
{
    snprintf(ret_problem, URL_PROBLEM_SIZE, "%s", what);
    return false;
}

/* ---- the scheme ------------------------------------------------------------------ */

bool url_is_meant(const char *text)
{
    return strchr(text, ':') != NULL;
}

bool url_scheme(const char *text, char ret_scheme[URL_SCHEME_SIZE])
{
    const size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz" DIGITS "+-.");
    if (length == 0 || length >= URL_SCHEME_SIZE || strncmp(text + length, "://", 3) != 0 || text[0] < 'a')
        return false;
    memcpy(ret_scheme, text, length);
    ret_scheme[length] = '\0';
    return true;
}

/* ---- text ------------------------------------------------------------------------ */

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Replace each %XX by its byte, in place. False: malformed, or the result is not plain text of one line. */
static bool decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        if (*from != '%') {
            *to++ = *from;
            continue;
        }
        const int high = hex_digit(from[1]), low = high < 0 ? -1 : hex_digit(from[2]);
        if (low < 0)
            return false;
        *to++ = (char)(high << 4 | low);
        from += 2;
        if (to[-1] == '\0')
            return false;
    }
    *to = '\0';
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return false;
    return text_is_utf8(text, (size_t)(to - text));
}

/* Cut the text at the first of these characters, which is returned in `ret_character`. The rest; NULL: there is none. */
static char *cut(char *text, const char *characters, char *ret_character)
{
    char *end = text + strcspn(text, characters);
    *ret_character = *end;
    if (!*end)
        return NULL;
    *end = '\0';
    return end + 1;
}

/* ---- parts ----------------------------------------------------------------------- */

static bool take_user(struct url *url, char *user, char *ret_problem)
{
    if (strchr(user, ':'))
        return wrong(ret_problem, "a password on the command line is seen by every user of this machine: leave it out, "
                                  "the manual says where it may be");
    if (!decode(user) || !*user || *user == '-' || user[strspn(user, LETTERS DIGITS "._+@-")])
        return wrong(ret_problem, "a user is letters, digits and . _ + @ -, and does not begin with -");
    url->user = user;
    return true;
}

static bool take_host(struct url *url, char *host, char *ret_problem)
{
    char *port = NULL, *end = host;
    uint64_t number;
    if (*host == '[') {
        host++;
        end = host + strspn(host, DIGITS "abcdefABCDEF:.");
        if (*end != ']' || end == host || (end[1] && end[1] != ':'))
            return wrong(ret_problem, "in [ ] belongs an address of IPv6");
        port = end[1] ? end + 2 : NULL;
    } else {
        end = host + strspn(host, LETTERS DIGITS "._-");
        if (end == host || *host == '-' || (*end && *end != ':'))
            return wrong(ret_problem, "a host is letters, digits and . _ -, and does not begin with -");
        port = *end ? end + 1 : NULL;
    }
    *end = '\0';
    if (port && (!units_parse_number(port, 65535, &number) || number == 0))
        return wrong(ret_problem, "a port is a number from 1 to 65535");
    url->hosts[url->host_count++] = (struct url_host){host, port};
    return true;
}

static bool take_hosts(struct url *url, char *hosts, size_t most, char *ret_problem)
{
    char ended = ',';
    for (char *rest = hosts; ended == ',';) {
        char *host = rest;
        if (url->host_count == most)
            return wrong(ret_problem, most == 1 ? "it has a comma where one host belongs" : "it has too many hosts");
        rest = cut(host, ",", &ended);
        if (!take_host(url, host, ret_problem))
            return false;
    }
    url->host = url->hosts[0].name;
    url->port = url->hosts[0].port;
    return true;
}

static bool take_path(struct url *url, char *path, char *ret_problem)
{
    char ended;
    for (char *rest = path; rest && (rest != path || *path);) {
        char *segment = rest;
        rest = cut(segment, "/", &ended);
        if (url->segment_count == URL_SEGMENTS)
            return wrong(ret_problem, "its path has too many parts");
        if (!decode(segment))
            return wrong(ret_problem, "its path is not plain text with %XX for other bytes");
        url->segments[url->segment_count++] = segment;
    }
    return true;
}

static bool take_query(struct url *url, char *query, char *ret_problem)
{
    char ended;
    for (char *rest = query; rest && *rest;) {
        char *name = rest;
        rest = cut(name, "&", &ended);
        char *value = cut(name, "=", &ended);
        if (!value || !*name || !decode(name) || !decode(value))
            return wrong(ret_problem, "behind its ? belong NAME=VALUE, with & between them");
        if (url_parameter(url, name))
            return wrong(ret_problem, "a parameter is given twice");
        if (url->parameter_count == URL_PARAMETERS)
            return wrong(ret_problem, "it has too many parameters");
        url->parameters[url->parameter_count++] = (struct url_parameter){name, value};
    }
    return true;
}

/* ---- the whole ------------------------------------------------------------------- */

static bool take_all(struct url *url, char *text, size_t most_hosts, char *ret_problem)
{
    char ended, ended_before;
    char *rest = cut(text, "/?#", &ended), *path = NULL, *query = NULL, *at = strrchr(text, '@');
    if (ended == '/')
        path = rest, rest = cut(rest, "?#", &ended);
    if (ended == '?')
        query = rest, rest = cut(rest, "#", &ended_before), ended = ended_before;
    if (ended == '#')
        return wrong(ret_problem, "it has a #, which means nothing here: write %23");
    if (at)
        *at = '\0';
    return (!at || take_user(url, text, ret_problem)) && take_hosts(url, at ? at + 1 : text, most_hosts, ret_problem) &&
           (!path || take_path(url, path, ret_problem)) && (!query || take_query(url, query, ret_problem));
}

static char *show_segment(const char *segment, char *to)
{
    *to++ = '/';
    for (const char *at = segment; *at; at++)
        to = *at == '/' ? stpcpy(to, "%2F") : (*to++ = *at, to);
    *to = '\0';
    return to;
}

static char *show(const struct url *url)
{
    size_t size = strlen(url->scheme) + sizeof "://";
    for (size_t i = 0; i < url->host_count; i++)
        size += strlen(url->hosts[i].name) + sizeof "[],";
    for (size_t i = 0; i < url->segment_count; i++)
        size += 3 * strlen(url->segments[i]) + 1;
    char *text = malloc(size), *end = text;
    if (!text)
        return NULL;
    end += sprintf(end, "%s://", url->scheme);
    for (size_t i = 0; i < url->host_count; i++)
        end += sprintf(end, strchr(url->hosts[i].name, ':') ? "%s[%s]" : "%s%s", i ? "," : "", url->hosts[i].name);
    for (size_t i = 0; i < url->segment_count; i++)
        end = show_segment(url->segments[i], end);
    return text;
}

bool url_parse(const char *text, struct url *ret_url, char ret_problem[URL_PROBLEM_SIZE])
{
    return url_parse_hosts(text, 1, ret_url, ret_problem);
}

bool url_parse_hosts(const char *text, size_t most, struct url *ret_url, char ret_problem[URL_PROBLEM_SIZE])
{
    struct url url = {0};
    if (!url_scheme(text, url.scheme))
        return wrong(ret_problem, "it does not begin with SCHEME://");
    url.memory = strdup(text + strlen(url.scheme) + 3);
    if (!url.memory || !take_all(&url, url.memory, most, ret_problem) || !(url.shown = show(&url))) {
        if (!url.memory || (url.host && !url.shown && !*ret_problem))
            (void)wrong(ret_problem, "Cannot allocate memory");
        url_release(&url);
        return false;
    }
    *ret_url = url;
    return true;
}

void url_release(struct url *url)
{
    free(url->memory);
    free(url->shown);
    url->memory = url->shown = NULL;
}

const char *url_parameter(const struct url *url, const char *name)
{
    for (size_t i = 0; i < url->parameter_count; i++)
        if (strcmp(url->parameters[i].name, name) == 0)
            return url->parameters[i].value;
    return NULL;
}

const char *url_unknown(const struct url *url, const char *const *known)
{
    for (size_t i = 0; i < url->parameter_count; i++) {
        const char *const *name = known;
        while (*name && strcmp(*name, url->parameters[i].name) != 0)
            name++;
        if (!*name)
            return url->parameters[i].name;
    }
    return NULL;
}
