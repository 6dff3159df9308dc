/*
 * A fast reader for the objects that describe most messages: strings, small whole numbers, and one object of headers.
 *
 * It takes valid JSON alone, but not all of it. The caller gives to jansson whatever it does not take, and so gets the
 * value or the reason from there.
 */
#ifndef JSON_FLAT_H
#define JSON_FLAT_H

#include <stdbool.h>
#include <stddef.h>

#include "message/json_member.h"

/*
 * Read an object. `ret_headers` gets the members of its member "headers". Both arrays have their room, and do not grow.
 * The text is changed: each string is unescaped in its place, with a NUL behind it, and the members point to these.
 * False: the text is unusual or malformed, and unchanged.
 */
bool json_flat_read(char *text, size_t size, struct json_members *ret_members, struct json_members *ret_headers);

#endif
