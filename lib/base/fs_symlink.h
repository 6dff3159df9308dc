/*
 * Symbolic links that hold a line of text, for whoever reads it. They are never followed.
 *
 *     error = fs_make_symlink(dir, name, "the text");        -EEXIST: the name is taken, whatever has it
 *     error = fs_read_symlink(dir, name, text, sizeof text);  1, or 0 if there is none
 *
 * The name and its text appear at once. A short text takes an inode, and no block.
 */
#ifndef MQ_FS_SYMLINK_H
#define MQ_FS_SYMLINK_H

#include <stddef.h>

int fs_make_symlink(int at, const char *name, const char *text);

/* -EBADMSG: what has the name is no symbolic link, or its text is too long. */
int fs_read_symlink(int at, const char *name, char *ret_text, size_t size);

#endif
