/*
 * Leases of hosts that share a file system, by that file system's time.
 *
 * Models claimed_name() of lib/lifecycle/claim.c, settle_once() and was_removed() of lib/lifecycle/settle.c, lapse() of
 * lib/lifecycle/expire.c, and shared_clock.c of lib/store: each host knows the file system's time by a reading, which is
 * off by one at most, and by its time since the boot. One message is claimed, extended, acked and made to lapse by two
 * hosts, until CLAIMS names were used up or the time is over.
 *
 * A host may be stopped between any two steps, for ever (it is killed, or cut off), or for a while. One of them may also
 * be frozen: its time since the boot stands still meanwhile, as that of a virtual machine does, and it may notice only
 * when it asks the file system again. Of a call that removes or renames a name the answer may be lost: it says then that
 * there is no such name.
 *
 * What is proven: a claim lapses only when its owner knows that it is over, unless it is frozen and cannot; and whoever
 * is told that it has acked is the one that had the message when it was removed.
 *
 * Mutations: HOST_CLOCK (deadlines are set and judged by the hosts' clocks, which differ), NO_SLACK (others make a claim
 * lapse at the deadline itself), NO_ASKING (a host whose ack found no name judges whether it was in time by what it
 * knew), NO_DEADLINE (it takes a name that is gone for removed by itself, whatever the time), SAME_NAME (an extended
 * claim keeps its name).
 */
#ifndef CLAIMS
#define CLAIMS 4
#endif
#define END 6
#define LEASE 2
#ifdef NO_SLACK
#define SLACK 0
#else
#define SLACK 2
#endif
#define SKEW 3

mtype = { READY, HELD, GONE };
mtype place = READY;

byte t = 1;       /* the file system's time */
short off[2];     /* how wrong each host's reading of it is */
byte lag[2];      /* how long its time since the boot stood still since then */
bit frozen[2];

byte names;           /* that claims have had */
byte name;            /* of the claim that there is */
byte owner, deadline; /* of it */
byte acked_as;        /* the name that was removed by an ack */

#ifdef HOST_CLOCK
#define now(h) (t + SKEW * h)
#else
#define now(h) (t + 1 + off[h] - lag[h])
#endif
/* What a host knows that has not been frozen since it read. */
#ifdef HOST_CLOCK
#define owner_knows (now(owner) >= deadline)
#else
#define owner_knows (t + 1 + off[owner] >= deadline)
#endif
#define runs (!frozen[h])

/* Off by one at most, either way. */
inline read_time()
{
    lag[h] = 0;
    if
    :: off[h] = -1
    :: off[h] = 0
    :: off[h] = 1
    fi
}

/* queue_refresh(): the time is read again if the handle notices that it has to be. */
inline refresh()
{
    if
    :: atomic { runs -> read_time() }
    :: runs -> skip
    fi
}

proctype host(byte h)
{
    byte mine, until, seen;
    bit lost;

again:
    refresh();
    if
    :: atomic { runs && place == READY && names < CLAIMS ->
        names++;
        name = names; owner = h; deadline = now(h) + LEASE; place = HELD;
        mine = name; until = deadline }
        goto work
    :: atomic { runs && place == HELD -> seen = name };
        if
        :: atomic { runs && name == seen && now(h) >= deadline + SLACK -> skip };
            /* lapse(): the name as it was seen is renamed. */
            if
            :: atomic { runs && place == HELD && name == seen ->
                assert(owner_knows || frozen[owner] || lag[owner] > 0);
                place = READY }
            :: atomic { runs && !(place == HELD && name == seen) -> skip }
            fi
        :: atomic { runs && !(name == seen && now(h) >= deadline + SLACK) -> skip }
        fi;
        goto again
    :: t == END || place == GONE -> goto end
    fi;

work:
    if
    :: runs -> goto ack
    :: runs -> goto again /* it was killed, and the receipt with it */
    :: runs && names < CLAIMS -> skip
    fi;

    /* mq_extend() */
    refresh();
    if
    :: atomic { runs && place == HELD && name == mine && now(h) < until ->
#ifndef SAME_NAME
        names++;
        name = names; mine = name;
#endif
        deadline = now(h) + LEASE; until = deadline };
        goto work
    :: atomic { runs && !(place == HELD && name == mine && now(h) < until) -> goto again }
    fi;

ack:
    refresh();
    /* settle_once(): the claim is there, and not over. */
    if
    :: atomic { runs && place == HELD && name == mine && now(h) < until -> skip }
    :: atomic { runs && !(place == HELD && name == mine && now(h) < until) -> goto again } /* refused */
    fi;
    if
    :: atomic { runs && place == HELD && name == mine ->
        place = GONE; acked_as = mine;
        if
        :: lost = 0
        :: lost = 1
        fi }
    :: atomic { runs && !(place == HELD && name == mine) -> lost = 1 }
    fi;
    if
    :: lost -> skip
    :: else -> goto end
    fi;
    /* was_removed(): the name was there, and is nowhere. */
#if !defined(NO_ASKING) && !defined(HOST_CLOCK)
    atomic { runs -> read_time() };
#endif
#ifdef NO_DEADLINE
    atomic { runs -> skip };
#else
    if
    :: atomic { runs && now(h) < until -> skip }
    :: atomic { runs && now(h) >= until -> goto again } /* refused, though it may have been done: as if it was killed */
    fi;
#endif
    assert(acked_as == mine); /* it is told that it has acked */
end:
    skip
}

/* One host is frozen once. */
proctype freezer()
{
    byte h;
    if
    :: h = 0
    :: h = 1
    fi;
    frozen[h] = 1;
    frozen[h] = 0
}

proctype clock()
{
    do
    :: atomic { t < END -> t++; lag[0] = lag[0] + frozen[0]; lag[1] = lag[1] + frozen[1] }
    :: else -> break
    od
}

init
{
    atomic {
        run clock();
        run freezer();
        run host(0);
        run host(1)
    }
}
