/*
 * The grammar of what sending once leaves in a queue: slots, marks and drafts (mq-spool(5), "Send once").
 *
 *     sent/slot/NUMBER-BEGIN-UNTIL        which slot is current, since when and until when; 13 digits each
 *     sent/slot/NUMBER-BEGIN-UNTIL-16     the same of a slot whose marks are spread over 16 directories
 *     sent/NUMBER/ID                      a mark; sent/NUMBER-DIGIT/ID if they are spread; ID~2, ID~3 … follow it if the draft that it tells of is void
 *         -> DUE.POSITION[.xEXPIRY]       what it says
 *         -> RANDOM                   the same, if the draft is of several messages
 *     tmp/once-NUMBER.DUE.POSITION.ID.a0[.xEXPIRY]    the draft of that mark; void-… in place of once-…: it is void
 *     tmp/once-NUMBER.RANDOM          the same, of several messages
 *
 * The last digits of such a POSITION are random: they tell drafts apart. Parsing returns false for any text that
 * formatting cannot have made; `ret_` arguments are untouched then.
 */
#ifndef MQ_SENT_NAME_H
#define MQ_SENT_NAME_H

#include "format/name.h"

#define SENT_NAME_DIR "sent"
#define SENT_NAME_SLOT_DIR "slot"

/* ---- slots ------------------------------------------------------------------------ */

struct sent_slot {
    int64_t number;
    int64_t begin, until;
    bool is_spread;
};

#define SENT_NAME_SLOT_SIZE 45
void sent_name_format_slot(const struct sent_slot *slot, char text[SENT_NAME_SLOT_SIZE]);
bool sent_name_parse_slot(const char *text, struct sent_slot *ret_slot);

/* A directory of a slot's marks. SENT_NAME_ONE: they have one; else which one of an id, or of a mark's name. */
#define SENT_NAME_SPREAD 16
#define SENT_NAME_ONE SENT_NAME_SPREAD
unsigned sent_name_directory(const char *id);
void sent_name_format_number(int64_t number, unsigned directory, char text[NAME_BUCKET_SIZE]);
bool sent_name_parse_number(const char *text, int64_t *ret_number, unsigned *ret_directory);

/* What sent/slot/ is called in tmp/ until it holds the first slot. */
void sent_name_format_new_slot_dir(uint64_t random, char text[NAME_NEW_BUCKET_SIZE]);
bool sent_name_is_new_slot_dir(const char *text);

/* ---- marks ------------------------------------------------------------------------ */

/* The marks of one id in one slot, counted from 1. */
#define SENT_NAME_MARKS_MAX 999
#define SENT_NAME_MARK_SIZE (MQ_ID_SIZE + 4)
void sent_name_format_mark(const char *id, int nth, char text[SENT_NAME_MARK_SIZE]);
bool sent_name_is_mark(const char *text, char ret_id[MQ_ID_SIZE]);

/* What a mark says: which draft it is about, and so how the message is sent. */
#define SENT_NAME_DRAFT_SIZE 60
void sent_name_format_says(const struct message_name *draft, char text[SENT_NAME_DRAFT_SIZE]);
bool sent_name_parse_says(const char *text, const char *id, struct message_name *ret_draft);

/* The same of a draft of several messages, which all their marks tell of. */
void sent_name_format_says_several(uint64_t random, char text[SENT_NAME_DRAFT_SIZE]);
bool sent_name_parse_says_several(const char *text, uint64_t *ret_random);

/* ---- drafts ----------------------------------------------------------------------- */

enum sent_kind { SENT_ONCE, SENT_VOID };

void sent_name_format_draft(enum sent_kind kind, int64_t number, const struct message_name *draft,
                            char text[NAME_SIZE]);

void sent_name_format_draft_of_several(enum sent_kind kind, int64_t number, uint64_t random, char text[NAME_SIZE]);

/* The kind of a draft and the number of its slot. Of the rest this asks nothing. */
bool sent_name_parse_draft(const char *text, enum sent_kind *ret_kind, int64_t *ret_number);

/* What the draft `text` is called when it is void. */
void sent_name_void(const char *text, char ret_void[NAME_SIZE]);

#endif
