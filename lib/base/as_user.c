/*
 * Root, with the rights of another user in the file system.
 *
 * The C library's setgroups(3) changes all threads, so the system call itself is used. The kernel takes away those
 * capabilities that concern files while the user in the file system is not root; that is checked, since a process can ask
 * the kernel not to.
 */
#include "base/as_user.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/grow.h"

/* Bytes of a line at most, with what is made of it. */
#define ENTRY_SIZE 16384
#define GROUP_SIZE (1 << 20)

/* What lets a process reach files that it has no rights to. */
#define FILE_CAPABILITIES                                                                                              \
    (1u << CAP_CHOWN | 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH | 1u << CAP_FOWNER | 1u << CAP_FSETID)

static int set_groups(const gid_t *groups, int count)
{
    return syscall(SYS_setgroups, count, groups) < 0 ? -errno : 0;
}

/* These two calls report the old value, and no errors. */
static bool set_user(uid_t uid)
{
    (void)setfsuid(uid);
    return (uid_t)setfsuid((uid_t)-1) == uid;
}

static bool set_group(gid_t gid)
{
    (void)setfsgid(gid);
    return (gid_t)setfsgid((gid_t)-1) == gid;
}

static bool has_file_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {0};
    return syscall(SYS_capget, &header, data) < 0 || data[0].effective & FILE_CAPABILITIES;
}

/* Users and groups are read from the files: what else the C library asks is not there in a program that is linked
   statically. */
static int find_user(uid_t uid, struct passwd *ret_entry, char text[ENTRY_SIZE])
{
    struct passwd *found = NULL;
    FILE *file = fopen("/etc/passwd", "re");
    if (!file)
        return -errno;
    while (fgetpwent_r(file, ret_entry, text, ENTRY_SIZE, &found) == 0 && ret_entry->pw_uid != uid)
        found = NULL;
    (void)fclose(file);
    return found ? 0 : -ENOENT;
}

static bool has_member(const struct group *group, const char *name)
{
    for (char *const *member = group->gr_mem; *member; member++)
        if (strcmp(*member, name) == 0)
            return true;
    return false;
}

/* Those that the file says the user is in. All of them: a group can also take rights away. */
static int collect_groups(FILE *file, const char *name, char *text, gid_t **ret_groups, int *ret_count)
{
    struct group entry, *found;
    size_t room = 0;
    int error;
    while ((error = fgetgrent_r(file, &entry, text, GROUP_SIZE, &found)) == 0) {
        if (!has_member(&entry, name))
            continue;
        if (!GROW(*ret_groups, (size_t)*ret_count + 1, room))
            return -ENOMEM;
        (*ret_groups)[(*ret_count)++] = entry.gr_gid;
    }
    return error == ENOENT ? 0 : -error; /* the end */
}

static int find_groups(const char *name, gid_t **ret_groups, int *ret_count)
{
    char *text = malloc(GROUP_SIZE);
    FILE *file = text ? fopen("/etc/group", "re") : NULL;
    const int error = !text ? -ENOMEM : !file ? -errno : collect_groups(file, name, text, ret_groups, ret_count);
    if (file)
        (void)fclose(file);
    free(text);
    return error;
}

static int note_self(struct as_user *ret_self)
{
    const int count = getgroups(0, NULL);
    *ret_self = (struct as_user){.uid = (uid_t)setfsuid((uid_t)-1), .gid = (gid_t)setfsgid((gid_t)-1)};
    if (count < 0)
        return -errno;
    ret_self->groups = malloc(((size_t)count + 1) * sizeof *ret_self->groups);
    if (!ret_self->groups)
        return -ENOMEM;
    ret_self->group_count = getgroups(count, ret_self->groups);
    return ret_self->group_count < 0 ? -errno : 0;
}

static int change(uid_t uid, gid_t gid, const gid_t *groups, int count)
{
    const int error = set_groups(groups, count);
    if (error)
        return error;
    return set_group(gid) && set_user(uid) && (uid == 0 || !has_file_capabilities()) ? 0 : -EPERM;
}

int as_user_begin(uid_t uid, struct as_user *ret_self)
{
    char text[ENTRY_SIZE];
    struct passwd user;
    gid_t *groups = NULL;
    int count = 0, error = geteuid() == 0 && uid != 0 ? 0 : -EPERM;
    if (!error)
        error = find_user(uid, &user, text);
    if (!error)
        error = find_groups(user.pw_name, &groups, &count);
    if (!error) {
        error = note_self(ret_self);
        if (!error)
            error = change(uid, user.pw_gid, groups, count);
        if (error)
            as_user_end(ret_self);
    }
    free(groups);
    return error;
}

void as_user_end(struct as_user *self)
{
    if (self->groups && self->group_count >= 0) {
        (void)set_user(self->uid); /* first: it brings back the capability to change groups that others lack */
        (void)change(self->uid, self->gid, self->groups, self->group_count);
    }
    free(self->groups);
    self->groups = NULL;
}
