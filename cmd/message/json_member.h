/* The members of a JSON object, as json_flat and jansson both give them. */
#ifndef JSON_MEMBER_H
#define JSON_MEMBER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct json_member {
    const char *name;
    size_t name_size;
    json_type type;   /* a number is JSON_REAL */
    const char *text; /* of a string; a NUL follows it, and it may contain others. NULL: it is no string */
    size_t size;
    double number;   /* 0: it is no number */
    bool is_escaped; /* only json_flat uses this, while it reads */
};

struct json_members {
    struct json_member *all;
    size_t count, room;
};

#endif
