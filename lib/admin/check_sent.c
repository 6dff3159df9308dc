/* Checking what is known of messages that were sent once. */
#include "admin/check_sent.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "format/sent_name.h"

static int check_mark(void *context, const char *name, unsigned char type)
{
    struct check *check = context;
    char place[40], id[MQ_ID_SIZE], says[SENT_NAME_DRAFT_SIZE];
    struct message_name draft;
    uint64_t random;
    int64_t number;
    unsigned directory = SENT_NAME_ONE;
    int read = -EBADMSG;
    (void)sent_name_parse_number(check->bucket, &number, &directory);
    snprintf(place, sizeof place, SENT_NAME_DIR "/%s", check->bucket);
    if (type == DT_LNK && sent_name_is_mark(name, id))
        read = fs_read_symlink(check->dir, name, says, sizeof says);
    if (read == 0 && !sent_name_parse_says(says, id, &draft) && !sent_name_parse_says_several(says, &random))
        read = -EBADMSG;
    if (read == -EBADMSG)
        return finding_report(check, place, name, "not a mark of a message that was sent once");
    if (read == 0 && directory != SENT_NAME_ONE && directory != sent_name_directory(id))
        return finding_report(check, place, name, "a mark in a directory that is not its own");
    return read == -ENOENT ? 0 : read;
}

static int check_slot_entry(void *context, const char *name, unsigned char type)
{
    struct sent_slot slot;
    return type == DT_REG && sent_name_parse_slot(name, &slot)
               ? 0
               : finding_report(context, SENT_NAME_DIR "/" SENT_NAME_SLOT_DIR, name, "not a slot's name");
}

static int check_sent_entry(void *context, const char *name, unsigned char type)
{
    struct check *check = context;
    int64_t number;
    unsigned directory;
    const bool is_slot = strcmp(name, SENT_NAME_SLOT_DIR) == 0;
    if (type != DT_DIR || (!is_slot && !sent_name_parse_number(name, &number, &directory)))
        return finding_report(check, SENT_NAME_DIR, name, "not a slot's number");
    return finding_list_inside(check, name, is_slot ? check_slot_entry : check_mark);
}

int check_sent(struct check *check)
{
    return finding_list_later(check, SENT_NAME_DIR, check_sent_entry);
}
