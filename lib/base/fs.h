/*
 * The file system. The only calls of rename, link, unlink, rmdir and fsync are here.
 *
 *     dir = fs_open_dir(queue_dir, "tmp");
 *     file = fs_make_file(dir, name, mode);         a fresh file: -EEXIST if the name is taken
 *     …write to it (io.h)…
 *     error = fs_sync(file);                        its content is durable
 *     error = fs_rename(dir, name, to, new_name);   never replaces another file
 *     error = fs_sync(to);                          and so is its name
 *
 * Files are named relative to the descriptor of a directory. Every descriptor is close-on-exec, and no call follows a
 * symbolic link, except fs_open_root.
 *
 * Errors. A call returns a descriptor or 0 on success and a negative errno on failure; then it has made and changed
 * nothing. Calls that answer a question return 1 or 0, or a negative errno if the answer cannot be known.
 *
 * See also fs_network.h and fs_hosts.h (file systems that several hosts share), fs_list.h, fs_draft.h (files that no
 * other process sees until they are complete), fs_fifo.h and io.h (reading and writing).
 */
#ifndef MQ_FS_H
#define MQ_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/fs_error.h"

/* Queues and messages belong to one user unless an administrator shares them. */
#define FS_DIR_MODE 0700
#define FS_FILE_MODE 0600

/* ---- opening -------------------------------------------------------------------- */

int fs_open_dir(int at, const char *name);

/* A directory to open files in. If this process may search but not read it, the descriptor (O_PATH) can be neither
   listed, synced nor locked. */
int fs_open_passage(int at, const char *name);

/* The spool by its path, which may contain symbolic links. With `make`, it and its parents are made if missing. */
int fs_open_root(const char *path, bool make);

/* A regular file, read-only. -EBADMSG for anything else; opening a FIFO or device never blocks. */
int fs_open_file(int at, const char *name);

/* The same with a system call fewer, for a caller that looks with fstat whether it is a regular file before it uses it. */
int fs_open_unchecked(int at, const char *name);
int fs_open_unchecked_below(int at, const char *parent, const char *name);

/* The open file, if it is a regular one; else it is closed: -EBADMSG. */
int fs_must_be_regular(int file);

/* A regular file to append to, made with `mode` if missing. -EBADMSG for anything else, and for a file with a second
   name: a hostile user may have linked a file of this user there. */
int fs_open_append(int at, const char *name, mode_t mode);

/* `name` in the directory `parent` of `at`: one system call (openat2) where the kernel allows it. */
int fs_open_below(int at, const char *parent, const char *name, int flags);
int fs_open_dir_below(int at, const char *parent, const char *name);
int fs_open_passage_below(int at, const char *parent, const char *name);
int fs_open_shared_below(int at, const char *parent, const char *name, bool writable); /* a file to map */

/* ---- making, and who may use it ------------------------------------------------- */

/* A fresh regular file, read-write, with exactly `mode` whatever the umask is. -EEXIST: the name is taken. */
int fs_make_file(int at, const char *name, mode_t mode);

/* A fresh regular file without content, which is not opened. -EEXIST: the name is taken. */
int fs_make_empty(int at, const char *name, mode_t mode);

/* A file as of fs_make_file without a name, for a directory `dir` of `at`. -EOPNOTSUPP, -EISDIR or -EINVAL: not on this
   file system. */
int fs_make_unnamed(int at, const char *dir, mode_t mode);

/* A directory of FS_DIR_MODE. For a moment other processes may see it with the mode that the umask left. */
int fs_make_dir(int at, const char *name);

/* Give a file that was just created with FS_FILE_MODE the mode `mode`. Makes no fchmod if it has that mode already. */
int fs_override_umask(int file, mode_t mode);

/* Set the mode of a file. -EPERM: this process does not own it. */
int fs_set_mode(int file, mode_t mode);

/* Set the mode of a directory by its name, in a directory where no other user can replace it. */
int fs_set_mode_at(int at, const char *name, mode_t mode);

/* Give a file or directory to a user and a group; -1 leaves either as it is. -EPERM: only root may give files to
   another user, and others only to groups that they are in. */
int fs_set_owner(int file, uid_t owner, gid_t group);

/* Give what this process has just made in `dir` to the owner of `dir`. Only root ever needs to. */
int fs_give_to_owner_of(int dir, const char *name);

/* Whether what lies in `dir` belongs to another user than `dir` itself: then it is to be given away. 1 or 0. */
int fs_has_other_owner(int dir, const char *name);

/* Whether this process has the access that the bits R_OK, W_OK, X_OK ask for: 0, or why not. */
int fs_may(int at, const char *name, int bits);

/* ---- names ---------------------------------------------------------------------- */

/* Rename to a fresh name. -EEXIST: it is taken. A file system without RENAME_NOREPLACE cannot tell and replaces. */
int fs_rename(int from, const char *name, int to, const char *new_name);

/* The same; -EOPNOTSUPP on such a file system. */
int fs_rename_strictly(int from, const char *name, int to, const char *new_name);

/* Rename to a name that no other process can have made, or that any process makes to the same end. A network file system
   may report a failure although it has moved the file; then a file under the new name, and none under the old one, means
   success. */
int fs_rename_unique(int from, const char *name, int to, const char *new_name);

/* Rename, and replace whatever file has the name. */
int fs_replace(int from, const char *name, int to, const char *new_name);

/* Exchange the names of two existing files. -EINVAL or -ENOSYS: not supported here. */
int fs_exchange(int from, const char *name, int to, const char *other);

/* Give a file one more name. -EEXIST: it is taken. */
int fs_link(int from, const char *name, int to, const char *new_name);

/* The same with a name that no other process makes. If the file has it, it was given, whatever the call reports. */
int fs_link_unique(int from, const char *name, int to, const char *new_name);

/* Give a file without a name its first one. -ENXIO: not possible here: the kernel refuses to link it by its descriptor,
   and /proc is not mounted. */
int fs_link_unnamed(int file, int dir, const char *new_name);

/* Make a symbolic link, and read its text. No call follows it. -EBADMSG: the text does not fit. */
int fs_make_symlink(int at, const char *name, const char *text);
int fs_read_symlink(int at, const char *name, char *ret_text, size_t size);

int fs_unlink(int at, const char *name);
int fs_remove_dir(int at, const char *name); /* -ENOTEMPTY: it is not empty */

/* ---- durability ----------------------------------------------------------------- */

int fs_sync_data(int file);
int fs_sync(int file); /* or a directory: its entries */

/* Sync a directory that may be open as a passage only. Such a descriptor cannot be synced; then the whole file system
   is synced, by `inside`, a descriptor that was opened through the passage. */
int fs_sync_passage(int passage, int inside);

/* Sync the whole file system that a file lies in. */
int fs_sync_around(int file);

/* Start writing a file to disk, and do not wait. A later sync waits for it. */
void fs_start_sync(int file);

/*
 * Make sure that a name which a file gets from now on never appears on disk before the file's content. Otherwise an
 * empty file may be found after a power failure.
 *
 * Returns 1 if the content is durable already. Returns 0 if the file system commits content and names in order
 * (journal.h): the content has been written back, and one fs_sync after linking makes both durable. `order` caches what is
 * known of the file system; it starts as FS_ORDER_UNKNOWN, perhaps with the type that was asked for before.
 */
struct fs_order {
    unsigned long type; /* as fs_find_type says; 0: not known */
    enum { FS_ORDER_UNKNOWN, FS_ORDER_KEPT, FS_ORDER_NOT_KEPT } kept;
};
int fs_sync_ahead(int file, struct fs_order *order);

/*
 * Whether a directory's own name is durable, and making it so: sync its parent, then mark the directory. The mark is
 * its set-user-ID bit, which has no other meaning for directories. It is set only after the parent was synced and
 * vanishes with the directory, so it can be missing although the name is durable, but never the other way round.
 */
bool fs_is_persisted(int dir);
int fs_persist_dir(int parent, int dir);

/* ---- questions ------------------------------------------------------------------ */

/* Whether the name exists: 1 or 0, or a negative errno if that cannot be known. */
int fs_has(int at, const char *name);

/* Whether the name is known to exist. False also if that cannot be known. */
bool fs_exists(int at, const char *name);

/* The identity of an open directory, which renaming does not change. fs_is_named tells whether a name belongs to that
   directory: 1 or 0, or a negative errno if that cannot be known. */
struct fs_identity {
    dev_t device;
    ino_t number;
    uid_t owner; /* of a directory that fs_identify was asked about */
    gid_t group;
};
int fs_identify(int dir, struct fs_identity *ret_identity);
int fs_is_named(int at, const char *name, const struct fs_identity *identity);

/* Whether an open file still has a name. */
bool fs_has_name(int file);

/* ---- watching ------------------------------------------------------------------- */

/* Watch a directory or a file by its descriptor. Returns the number of the watch. */
int fs_watch_dir(int inotify, int dir, uint32_t events);
int fs_watch_file(int inotify, int file, uint32_t events);

#endif
