/* The grammar of the names that say how far a group of a log has come. */
#include "format/group_name.h"

#include <string.h>

#include "base/put.h"
#include "format/digits.h"
#include "format/log_name.h"

#define TAKE "take-"
#define PARTS 3
#define PARTS_OF_TAKE 6

_Static_assert(sizeof TAKE + PARTS_OF_TAKE * (WORD_DIGITS + 1) <= GROUP_NAME_SIZE, "the longest name fits");

static void put(const struct group_place *place, char *at)
{
    const uint64_t parts[PARTS_OF_TAKE] = {place->next,  place->mark,  place->missed,
                                           place->entry, place->first, place->base};
    for (int i = 0; i < (place->is_take ? PARTS_OF_TAKE : PARTS); i++) {
        if (i > 0)
            *at++ = '.';
        at = put_hex(at, parts[i], WORD_DIGITS);
    }
    *at = '\0';
}

void group_name_format(const struct group_place *place, char ret_name[GROUP_NAME_SIZE])
{
    put(place, ret_name);
}

void group_name_format_take(const struct group_place *place, char ret_name[GROUP_NAME_SIZE])
{
    put(place, put_text(ret_name, TAKE));
}

static bool may_be(const struct group_place *place)
{
    return place->next <= LOG_OFFSET_MAX && place->missed <= LOG_OFFSET_MAX &&
           (!place->is_take || (place->entry <= place->first && place->first < place->next));
}

bool group_name_parse(const char *text, struct group_place *ret_place)
{
    uint64_t parts[PARTS_OF_TAKE] = {0};
    int count = 0;
    while (text && count < PARTS_OF_TAKE) {
        text = parse_hex(text, WORD_DIGITS, &parts[count++]);
        if (!text || *text != '.')
            break;
        text++;
    }
    if (!text || *text || (count != PARTS && count != PARTS_OF_TAKE))
        return false;
    const struct group_place place = {parts[0], parts[1], parts[2], count == PARTS_OF_TAKE,
                                      parts[3], parts[4], parts[5]};
    if (!may_be(&place))
        return false;
    *ret_place = place;
    return true;
}

bool group_name_parse_take(const char *text, struct group_place *ret_place)
{
    const size_t length = sizeof TAKE - 1;
    struct group_place place;
    if (strncmp(text, TAKE, length) != 0 || !group_name_parse(text + length, &place) || !place.is_take)
        return false;
    *ret_place = place;
    return true;
}
