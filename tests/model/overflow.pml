/*
 * Overflow (lib/lifecycle/overflow.c, lib/lifecycle/publish.c): senders to a queue that takes every message and ends its
 * oldest ones.
 *
 * A sender links its message, counts it in the page, and then ends one message if the page is over the limit: it takes it
 * off the page by compare-and-swap, removes it, counts the removal, and gives back what it took. It may fail before its
 * message is sent for good, and it may die between any two steps.
 *
 * Left out: which message is the oldest, batches, bytes, and wrong pages, which counting the directories puts right.
 *
 * Nothing ends unless the queue is over its limit at that moment (`depth` counts what was sent for good). The page never
 * counts more than there is in the end, and counts right if nobody dies. While a process has counted the removal and not
 * given back yet, the page counts too little, and another one may leave a message too many to the next sender.
 *
 *     EARLY             the oldest ends before the link
 *     RESERVE           a message is counted before its link
 *     LOOK_THEN_TAKE    the look at the page and the taking are two steps
 *     NO_GIVING_BACK    what was taken off the page is not given back
 */
#ifndef SENDERS
#define SENDERS 3
#endif
#define LIMIT 2

byte depth = LIMIT - 1;  /* messages that were sent for good and have not ended */
short page = LIMIT - 1;  /* the page's number of them */
byte finished, died;

inline end_oldest()
{
#ifdef LOOK_THEN_TAKE
    if
    :: page <= LIMIT -> goto done
    :: else
    fi;
    page--;
#else
    atomic {
        if
        :: page <= LIMIT -> goto done
        :: else -> page--
        fi
    };
#endif
    atomic { assert(depth > LIMIT); depth-- };
    page--;
#ifndef NO_GIVING_BACK
    page++;
#endif
    skip
}

proctype sender()
{
#ifdef RESERVE
    page++;
#endif
#ifdef EARLY
    page++;
    atomic { page > LIMIT -> page--; assert(depth > LIMIT); depth-- }
#endif
    if
    :: depth++ /* linked, and synced */
    :: true ->  /* it fails */
#ifdef RESERVE
        page--;
#endif
        goto done
    fi;
#ifndef RESERVE
    page++;
#endif
    end_oldest();
done:
    finished++
}

/* Whoever dies leaves what it has done. */
proctype mortal()
{
    if
    :: depth++ -> died = 1
    :: atomic { page > LIMIT -> page--; died = 1 }
    :: true
    fi;
    finished++
}

init
{
    byte i;
    atomic {
        for (i : 1 .. SENDERS) { run sender() }
        run mortal()
    };
    finished == SENDERS + 1;
    assert(depth >= LIMIT - 1);
    assert(page <= depth);
    assert(died || page == depth)
}
