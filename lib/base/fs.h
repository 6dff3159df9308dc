/*
 * The file system: the only calls of rename, link, unlink, rmdir and fsync are here.
 *
 * Everything is relative to a directory descriptor, close-on-exec, and follows no symbolic link.
 * Calls return a descriptor or 0 when they worked, a negative errno when not.
 */
#ifndef MQ_FS_H
#define MQ_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Queues and messages belong to one user unless an administrator opens them to others. */
#define FS_DIR_MODE 0700
#define FS_FILE_MODE 0600

int fs_open_dir(int at, const char *name);

/* A directory to go through: also one that may not be listed. That one can be neither listed, synced nor locked. */
int fs_open_passage(int at, const char *name);

/* `name` in the directory `parent` of `at`, in one system call where the kernel can (openat2). */
int fs_open_dir_below(int at, const char *parent, const char *name);
int fs_open_passage_below(int at, const char *parent, const char *name);
int fs_open_shared_below(int at, const char *parent, const char *name, bool writable); /* a file to map */

/* A spool by its path, whose links the administrator chose; with `make` it and its parents are made where they are
   missing. */
int fs_open_root(const char *path, bool make);

/* A regular file, read-only. -EBADMSG for anything else: a fifo or device is never waited for. */
int fs_open_file(int at, const char *name);

/* A fresh regular file, read-write. -EEXIST where the name is taken. Whatever is made here has its mode whatever the
   umask is; a directory has it a moment after its name. */
int fs_make_file(int at, const char *name, mode_t mode);
int fs_make_dir(int at, const char *name); /* of FS_DIR_MODE */

/* Give what this process has just made in a directory to the directory's owner: only root makes anything in another's. */
int fs_give_to_owner_of(int dir, const char *name);

/* A regular file to append to, made where it is missing, with that mode. -EBADMSG for anything else, and for one that
   has another name somewhere: it may be anybody's. */
int fs_open_append(int at, const char *name, mode_t mode);

/* Only the owner of a file may set its mode; one that has it already is left alone. */
int fs_set_mode(int file, mode_t mode);

/* The same, of a directory, by a name that nobody else can have made. */
int fs_set_mode_at(int at, const char *name, mode_t mode);

/* Give a file or directory to a user and a group, where they are not -1. -EPERM: the user is another, or this one is no
   member of the group. */
int fs_set_owner(int file, uid_t owner, gid_t group);

/* Whether this process may do what the bits R_OK, W_OK, X_OK say: 0 or why not. */
int fs_may(int at, const char *name, int bits);

/* Rename to a fresh name: -EEXIST where it is taken, never a silent replacement where the file system can tell. */
int fs_rename(int from, const char *name, int to, const char *new_name);

/* Rename to a name that nobody else can have made. On network file systems a rename may report
   that the source is gone after it has moved it itself: then the target tells. */
int fs_rename_unique(int from, const char *name, int to, const char *new_name);

/* Rename over whatever file has the name. */
int fs_replace(int from, const char *name, int to, const char *new_name);

/* Give each of two files the name of the other; both must be there. -EINVAL or -ENOSYS: not here. */
int fs_exchange(int from, const char *name, int to, const char *other);

/* A further name for a file. -EEXIST where it is taken. */
int fs_link(int from, const char *name, int to, const char *new_name);

/* A symbolic link, of which only the text matters. Reading: its text, -EBADMSG where it does not fit. */
int fs_make_symlink(int at, const char *name, const char *text);
int fs_read_symlink(int at, const char *name, char *ret_text, size_t size);

int fs_unlink(int at, const char *name);
int fs_remove_dir(int at, const char *name); /* -ENOTEMPTY where something is in it */
int fs_sync_data(int file);
int fs_sync(int file); /* or directory, with all that is known of it */

/* The same for one that may only be gone through, and so cannot be synced by itself: then all of the file system that
   `inside` lies in, something that was opened through it. */
int fs_sync_passage(int passage, int inside);

/* Sync all of the file system that a file lies in: for its name in a directory that may not be opened to be synced. */
int fs_sync_around(int file);

/*
 * Whether a directory's own name is known to be on the disk. The knowledge is the directory's
 * set-user-ID bit, which means nothing on a directory: it is set after the parent was synced and
 * vanishes with the directory, so it can be missing but never be wrong.
 */
bool fs_is_persisted(int dir);

/* Whether a name is there: 1 or 0, or why that cannot be told. */
int fs_has(int at, const char *name);

/* Which directory it is that is open, whatever its name is by now. */
struct fs_identity {
    dev_t device;
    ino_t number;
};
int fs_identify(int dir, struct fs_identity *ret_identity);

/* Whether a name is that of this directory: 1 or 0, or why that cannot be told. */
int fs_is_named(int at, const char *name, const struct fs_identity *identity);

/* Whether a name is seen to be there. */
bool fs_exists(int at, const char *name);

/* Make a directory's own name durable: sync the parent it lies in and mark it. */
int fs_persist_dir(int parent, int dir);

/*
 * A file being written that nobody sees: without a name where the file system can do that, else in tmp/.
 *
 *     struct fs_draft draft;
 *     fs_draft_open(&draft, at, "tmp");   ... write to draft.file ...
 *     fs_draft_link(&draft, dir, name);
 *     fs_draft_close(&draft);       always: it also removes what was not linked
 */
struct fs_draft {
    int file;
    int tmp; /* -1 where it has no name */
    char name[24];
};
int fs_draft_open(struct fs_draft *draft, int at, const char *tmp, mode_t mode);

/* The same, always in tmp/. */
int fs_draft_open_named(struct fs_draft *draft, int at, const char *tmp, mode_t mode);

/* -ENXIO: what has no name can get none here, where the kernel allows it by no descriptor and there is no /proc.
   -EOPNOTSUPP: the file system has no links. */
int fs_draft_link(const struct fs_draft *draft, int dir, const char *name);
void fs_draft_close(struct fs_draft *draft);

/* Let the disk begin with what was written to a file; the next one waits for it. */
void fs_start_sync(int file);

/*
 * See to it that whoever finds a name that the file gets from now on finds its content, too, when the power was cut.
 * 1: the file is synced. 0: what was written is on its way to a disk where a name cannot overtake it, and fs_sync, once
 * the file has its name, makes both durable at once. `order` is asked for once, for all files of a file system.
 */
enum fs_order { FS_ORDER_UNKNOWN, FS_ORDER_KEPT, FS_ORDER_NOT_KEPT };
int fs_sync_ahead(int file, enum fs_order *order);

int fs_write_all(int file, const void *data, size_t size);

/* The same of several parts, as few calls as can be. They are used up. */
int fs_write_parts(int file, struct iovec *parts, int count);

/* Read up to `size` bytes, fewer only at the end of the file; waits for them whether the descriptor does or not. */
ssize_t fs_read_full(int file, void *buffer, size_t size);

/* The same from `offset` on; for regular files. */
ssize_t fs_read_at(int file, void *buffer, size_t size, uint64_t offset);

/* A FIFO that we hold open for reading and writing, so that it never ends: made under a dot name, and
   given its own once it is open, since who finds a FIFO that nobody reads takes its reader for dead. */
int fs_make_fifo(int at, const char *name, mode_t mode);

/* A FIFO to write to without waiting. -ENXIO: nobody reads it; -EBADMSG: it is none. Its reader may go before it is
   written to: then a write raises SIGPIPE. */
int fs_open_fifo(int at, const char *name);
int fs_open_fifo_below(int at, const char *parent, const char *name);

/* A FIFO that is there, as fs_make_fifo makes it. */
int fs_open_own_fifo(int at, const char *name);

/* Whether an open file still has a name. */
bool fs_has_name(int file);

/*
 * Call `each` for every entry but . and .., in no order; its non-zero return ends the listing and
 * is returned. `type` is a DT_ constant, never DT_UNKNOWN. `dir` must be freshly opened.
 */
typedef int fs_list_fn(void *context, const char *name, unsigned char type);
int fs_list(int dir, fs_list_fn *each, void *context);

/* The same for a directory by name ("." for `at` itself). */
int fs_list_at(int at, const char *name, fs_list_fn *each, void *context);

/* Watch a directory by its descriptor: the number of the watch. */
int fs_watch_dir(int inotify, int dir, uint32_t events);

/* Whether a file system is shared between machines, so that inotify tells half the truth. */
bool fs_is_network(int dir);

#endif
