/* What a handle knows of a lane. */
#include "queue/lane_kept.h"

#include <stdlib.h>

void lane_kept_free(struct lane_kept *kept)
{
    if (!kept)
        return;
    listing_free(&kept->files);
    listing_free(&kept->buckets);
    free(kept);
}
