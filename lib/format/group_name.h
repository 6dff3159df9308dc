/*
 * The grammar of the names that say how far a group of a log has come; no I/O.
 *
 *     cursor/NEXT.MARK.MISSED[.ENTRY.FIRST.BASE]          the cursor: one name
 *     tmp/take-NEXT.MARK.MISSED.ENTRY.FIRST.BASE          an entry that a process takes, or wanted to take
 *
 * Each part is 16 hexadecimal digits. NEXT is the offset that comes next, MARK a random number that no other name has, and
 * MISSED how many messages were removed before the group came to them. If the cursor came there by the take of an entry, its
 * name also says which: the entry's offset, the first offset in it that was wanted, and the mark of the cursor before.
 */
#ifndef MQ_GROUP_NAME_H
#define MQ_GROUP_NAME_H

#include <stdbool.h>
#include <stdint.h>

struct group_place {
    uint64_t next, mark, missed;
    bool is_take;
    uint64_t entry, first, base; /* of a take */
};

#define GROUP_NAME_SIZE 108 /* of either of the names and its NUL */

void group_name_format(const struct group_place *place, char ret_name[GROUP_NAME_SIZE]);
void group_name_format_take(const struct group_place *place, char ret_name[GROUP_NAME_SIZE]);

/* Parsing returns false for any text that formatting cannot have made. */
bool group_name_parse(const char *text, struct group_place *ret_place);
bool group_name_parse_take(const char *text, struct group_place *ret_place);

/* The position word of the message at an offset, and the offset of a position. These words are lower than those that queues
   give out, which have the moment of their bucket in front. */
#define GROUP_POSITION_BIT 60
static inline uint64_t group_name_position(uint64_t offset)
{
    return UINT64_C(1) << GROUP_POSITION_BIT | offset;
}

static inline bool group_name_has_offset(uint64_t position)
{
    return position >> GROUP_POSITION_BIT == 1;
}

static inline uint64_t group_name_offset(uint64_t position)
{
    return position & ((UINT64_C(1) << GROUP_POSITION_BIT) - 1);
}

#endif
