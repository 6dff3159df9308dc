/* aside/: what was found in a queue and does not belong there. */
#include "queue/aside.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/id.h"

int aside_open(int home)
{
    const int aside = fs_open_dir(home, "aside");
    if (aside != -ENOENT)
        return aside;
    const int error = fs_make_dir(home, "aside");
    return error < 0 && error != -EEXIST ? error : fs_open_dir(home, "aside");
}

/* A random number is added to the name, since several directories may have held something of the same name. */
void aside_name(const char *name, char ret_name[ASIDE_NAME_SIZE])
{
    snprintf(ret_name, ASIDE_NAME_SIZE, "%.200s~%016" PRIx64, name, id_random());
}

int aside_put(int home, int dir, const char *name)
{
    char new_name[ASIDE_NAME_SIZE];
    const int aside = aside_open(home);
    if (aside < 0)
        return aside;
    aside_name(name, new_name);
    const int error = fs_rename(dir, name, aside, new_name);
    close(aside);
    return (error == -EACCES || error == -EPERM) && fs_remove_dir(dir, name) == 0 ? 0 : error;
}
