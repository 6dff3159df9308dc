/* File names that were seen in a listing. */
#include "admin/seen_names.h"

/* FNV-1a of the name and the directory's watch: the same name in two directories has two marks. */
static uint64_t mark(int watch, const char *file)
{
    uint64_t hash = UINT64_C(14695981039346656037) ^ (uint64_t)(unsigned)watch;
    for (; *file; file++)
        hash = (hash ^ (unsigned char)*file) * UINT64_C(1099511628211);
    return hash;
}

void seen_names_add(struct seen_names *seen, int watch, const char *file)
{
    if (seen->count < SEEN_NAMES_MAX)
        seen->marks[seen->count++] = mark(watch, file);
}

bool seen_names_take(struct seen_names *seen, int watch, const char *file)
{
    const uint64_t wanted = seen->count ? mark(watch, file) : 0;
    for (size_t i = 0; i < seen->count; i++)
        if (seen->marks[i] == wanted) {
            seen->marks[i] = seen->marks[--seen->count];
            return true;
        }
    return false;
}
